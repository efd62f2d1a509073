"""The log tells what is done: all of it, once each, so that it can be done over."""

import hashlib
from dataclasses import replace
from json import loads
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from conftest import new_caller
from every_mutation import GIVEN, MUTATIONS
from factories import Make
from hypothesis import HealthCheck, Phase, given, settings
from plans import Step, plans, play
from running import Run
from sqlalchemy import select
from sqlalchemy.orm import undefer
from writing import Admin, Json, entities, id_of, log, stored, write

from graph_api.caller import Caller
from graph_api.models import DocumentLink, DocumentTag, Party, PartyKind
from graph_api.permissions import Scope
from graph_api.schema.context import Context, Surroundings
from graph_api.schema.entity import ENTITY_MODELS
from graph_api.services.linking import link_columns
from graph_api.services.log import MAX_TEXT_BYTES, told, values_of
from graph_api.services.unit_of_work import Service, Terms

# Rows by kind and key, each as the log tells of it.
Rows = dict[tuple[str, UUID], Json]


def test_every_mutation_has_an_input_in_these_tests() -> None:
    assert sorted(GIVEN) == MUTATIONS


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_each_changed_entity_is_told_once_in_the_same_transaction(
    run: Run, make: Make, admin: "Admin[Any]", caller: Caller, mutation: str
) -> None:
    given = await GIVEN[mutation](make)
    before, told_before = await entities(admin, run), await log(admin, run)

    await write(run, mutation, **given, reason="Because")
    changed = {id for id, _ in before ^ await entities(admin, run)}
    told = (await log(admin, run))[len(told_before) :]

    assert changed
    assert sorted(row["primary_entity_id"] for row in told) == sorted(changed)
    assert len({row["xid"] for row in told}) == 1
    assert {row["reason"] for row in told} == {"Because"}
    assert {row["request_id"] for row in told} == {caller.request_id}
    assert {row["actor_type"] for row in told} == {"user"}
    assert {row["actor_id"] for row in told} == {caller.user_id}


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_a_dry_run_is_not_told(
    run: Run, make: Make, admin: "Admin[Any]", mutation: str
) -> None:
    given = await GIVEN[mutation](make)
    before = await stored(admin, run)

    payload = await write(run, mutation, "interactions { type }", **given, dryRun=True)

    assert payload["interactions"]
    assert payload["userErrors"] == []
    assert await stored(admin, run) == before


async def test_an_agent_is_told_by_its_name(run: Run, caller: Caller) -> None:
    agent = replace(caller, actor_type="agent", label="sorter 1.0")

    payload = await write(
        run.by(agent),
        "createTag",
        "interaction { actorType actorLabel requestId actor { id } }",
        name="tax",
    )

    assert payload["interaction"] == {
        "actorType": "AGENT",
        "actorLabel": "sorter 1.0",
        "requestId": str(caller.request_id),
        "actor": None,
    }


async def test_long_text_is_told_by_its_digest(run: Run, make: Make) -> None:
    long, longer = "ü" * 40_000, "ü" * 50_000
    document = await make.document(text=long)

    payload = await write(
        run,
        "updateDocument",
        "interaction { before after }",
        id=id_of(document),
        text=longer,
    )

    told = payload["interaction"]
    assert told["before"]["text"] == digest(long)
    assert told["after"]["text"] == digest(longer)


async def test_text_of_up_to_64_kib_is_told_whole(run: Run) -> None:
    payload = await write(
        run,
        "createDocument",
        "interaction { after }",
        title="A",
        source="API",
        text="ü" * 32_768,
    )

    assert payload["interaction"]["after"]["text"] == "ü" * 32_768


@pytest.mark.parametrize("length", [70_000, 300_000, 5_000_000])
async def test_what_is_deleted_is_told_whole(run: Run, make: Make, length: int) -> None:
    # Random, so that no compression can make it fit where it would not.
    text = Random(length).randbytes(length // 2).hex()
    document, tag = await make.document(text=text), await make.tag()
    await make.tagged(document, tag)
    link = await make.link(document, tag)

    payload = await write(
        run,
        "deleteDocument",
        "interaction { before after }",
        id=id_of(document),
        expectedVersion=3,
    )

    before = payload["interaction"]["before"]
    assert before["text"] == text
    assert before["title"] == "Invoice"
    assert before["version"] == 3
    assert before["tags"] == [str(tag.id)]
    assert before["links"].keys() == {str(link)}
    assert payload["interaction"]["after"] is None


async def test_audit_log_shows_documents_in_the_seeds_columns(
    run: Run, make: Make, admin: "Admin[Any]", caller: Caller
) -> None:
    document = await make.document(title="Old")
    await make.party()
    await write(run, "updateDocument", id=id_of(document), title="New", reason="A slip")

    async with admin.transaction():
        await admin.execute(f"SET LOCAL app.workspace = '{caller.workspace_id}'")
        await admin.execute("SET LOCAL ROLE graph_api")
        rows = await admin.fetch("SELECT * FROM audit_log ORDER BY action_timestamp")

    _, updated = map(dict, rows)
    assert list(updated) == [
        "id",
        "document_id",
        "action",
        "action_timestamp",
        "user_or_system",
        "old_value",
        "new_value",
        "change_reason",
    ]
    assert updated["document_id"] == document.id
    assert updated["action"] == "updated"
    assert updated["user_or_system"] == str(caller.user_id)
    assert '"title": "Old"' in updated["old_value"]
    assert '"title": "New"' in updated["new_value"]
    assert updated["change_reason"] == "A slip"
    assert [row["action"] for row in rows] == ["created", "updated"]


class Forgetful(Service):
    scope = Scope.READ
    """A service that forgets to tell what it does."""

    async def create(self) -> None:
        async with self.writing() as work:
            await work.add(Party, {"kind": PartyKind.ORG, "name": "ACME"})


@pytest.mark.parametrize("dry_run", [False, True])
async def test_a_service_that_forgets_to_tell_cannot_commit(
    run: Run, admin: "Admin[Any]", dry_run: bool
) -> None:
    before = await stored(admin, run)
    context = Context(run.surroundings, run.caller)
    service = context.service(Forgetful, Terms("forget", dry_run=dry_run))

    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="parties"):
        await service.create()
    await context.close()

    assert await stored(admin, run) == before


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    # To shrink a plan takes minutes, and a plan is read as well at its full length.
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(plan=plans())
async def test_folding_the_log_gives_the_rows_there_are(
    run: Run, admin: "Admin[Any]", surroundings: Surroundings, plan: list[Step]
) -> None:
    caller = await new_caller(admin)

    theirs = run.by(caller)

    await play(plan, theirs, admin)

    folded, there = fold(await log(admin, theirs)), await present(surroundings, caller)
    assert folded.keys() == there.keys()
    assert differences(folded, there) == []


def differences(folded: Rows, there: Rows) -> list[Any]:
    return [
        (key, column, folded[key].get(column), there[key].get(column))
        for key in folded.keys() & there.keys()
        for column in folded[key].keys() | there[key].keys()
        if folded[key].get(column) != there[key].get(column)
    ]


def fold(told: list[Any]) -> Rows:
    """The rows as the log has them, done over from nothing.

    What it says of the time before each change must be what it has said until then.
    """
    rows: Rows = {}
    for one in told:
        key = one["primary_entity_type"], one["primary_entity_id"]
        known = rows.pop(key, None)
        before = read(one["before"] or "null")
        assert (before is None) if known is None else within(before, known)
        if one["after"] is not None:
            start: Json = {"links": {}, "tags": []} if key[0] == "document" else {}
            rows[key] = over(known or start, read(one["after"]))
    return rows


def read(json: str) -> Any:
    # The database writes 1e300 with all of its digits.
    return loads(
        json,
        parse_int=lambda number: float(number) if len(number) > 20 else int(number),
    )


def over(known: Json, after: Json) -> Json:
    """A row with what became of it laid over; its links one by one."""
    if "links" not in known:
        return known | after
    links = known["links"] | after.get("links", {})
    there = {id: link for id, link in links.items() if link is not None}
    return known | after | {"links": there}


def within(before: Json, known: Json) -> bool:
    """Whether `known` has all that is said to have been there before."""
    links = before.pop("links", {})
    text = before.get("text")
    if isinstance(text, str) and len(text.encode()) > MAX_TEXT_BYTES:
        before["text"] = digest(text)
    return (
        links.items() <= known.get("links", {}).items()
        and before.items() <= known.items()
    )


def digest(text: str) -> Json:
    encoded = text.encode()
    return {"sha256": hashlib.sha256(encoded).hexdigest(), "length": len(text)}


async def present(surroundings: Surroundings, caller: Caller) -> Rows:
    """The rows there are, as the log would tell of them."""
    async with surroundings.database.connect(caller.workspace_id) as connection:

        async def every(model: Any) -> list[Any]:
            mine = select(model).where(model.workspace_id == caller.workspace_id)
            everything = mine.options(undefer("*")).order_by(model.id)
            return [row[0] for row in await connection.rows(everything)]

        rows: Rows = {
            (kind.value, row.id): told(values_of(row))
            for kind, model in ENTITY_MODELS.items()
            for row in await every(model)
        }
        links, bears = await every(DocumentLink), await every(DocumentTag)
    for (kind, id), row in rows.items():
        if kind == "document":
            row["links"] = {
                str(one.id): link_columns(one) for one in links if one.document_id == id
            }
            row["tags"] = sorted(
                str(one.tag_id) for one in bears if one.document_id == id
            )
    return rows
