"""What writing costs, in statements; and that no check is lost by asking only once."""

from typing import Any

import pytest
from every_mutation import GIVEN, MUTATIONS, OF_ACCESS
from factories import Make
from running import Run, Statements
from writing import (
    Admin,
    duplicate,
    id_of,
    invalid,
    log,
    not_found,
    stored,
    types,
    write,
)

from graph_api.ids import global_id
from graph_api.keys import new_key
from graph_api.models import Document, Party, PartyKind, Tag
from graph_api.permissions import Scope
from graph_api.schema.context import Context
from graph_api.services.linking import add_link, retag
from graph_api.services.unit_of_work import Service, Terms

# Mutations that need no more than the row, its lock and the log.
SIMPLE = [
    name
    for name in MUTATIONS
    if name.startswith(("create", "update", "archive")) or "Commitment" in name
    if not name.startswith("delete") and name not in OF_ACCESS
]
NOBODY = str(new_key())


@pytest.mark.parametrize("mutation", SIMPLE)
async def test_a_write_costs_a_statement_for_the_row_and_one_for_the_log(
    run: Run, make: Make, statements: Statements, mutation: str
) -> None:
    given = await GIVEN[mutation](make)
    statements.clear()

    payload = await write(run, mutation, **given)

    assert payload == {"userErrors": []}
    assert [said(one) for one in statements] == cost(mutation), statements


async def test_a_signal_is_looked_for_only_by_its_key(
    run: Run, statements: Statements
) -> None:
    signal = {"source": "MANUAL", "payload": {}}

    await write(run, "ingestSignal", **signal)
    without_key = len(statements)
    await write(run, "ingestSignal", **signal, dedupeKey="a")

    assert (without_key, len(statements) - without_key) == (2, 3)


async def test_however_much_is_told_it_is_one_statement(
    run: Run, make: Make, admin: "Admin[Any]", statements: Statements
) -> None:
    role = await make.role()
    commitments = [await make.commitment(role_id=role.id) for _ in range(5)]
    statements.clear()

    await write(run, "deleteRole", id=id_of(role), expectedVersion=1)
    told = (await log(admin, run))[-6:]

    assert [said(one) for one in statements].count("INSERT INTO interactions") == 1
    assert {row["primary_entity_id"] for row in told[:5]} == {
        commitment.id for commitment in commitments
    }
    assert told[5]["primary_entity_id"] == role.id


# A row that is made and changed in one unit of work


class Busy(Service):
    """A service that changes what it has just made."""

    scope = Scope.READ

    async def make(self) -> None:
        async with self.writing() as work:
            row = await work.create(Party, {"kind": PartyKind.ORG, "name": "Old"})
            await work.update(row, {"name": "New", "details": {"a": 1}})
            again = await work.get(Party, row.id, expected_version=2)
            await work.update(again, {"tax_id": "1"})
            self.outcome.subjects = [row, again]

    async def file(self) -> None:
        async with self.writing() as work:
            document = await work.create(Document, {"title": "A", "source": "manual"})
            tag = await work.create(Tag, {"name": "tax"})
            await retag(work, document, add=[tag.id])
            await add_link(work, document, tag, "about")
            self.outcome.subjects = [document]


async def test_a_row_that_was_just_made_can_be_changed(
    run: Run, admin: "Admin[Any]"
) -> None:
    context = Context(run.surroundings, run.caller)
    service = context.service(Busy, Terms("make"))

    await service.make()
    await context.close()
    made, again = service.outcome.subjects
    told = await log(admin, run)

    assert (made.name, made.details, made.version) == ("New", {"a": 1}, 2)  # type: ignore[attr-defined]
    assert (again.name, again.tax_id, again.version) == ("New", "1", 3)  # type: ignore[attr-defined]
    assert [row["type"] for row in told] == ["party.created", *["party.updated"] * 2]
    assert [row["position"] for row in told] == [
        one.position for one in service.outcome.interactions
    ]


async def test_a_document_that_was_just_made_can_be_tagged_and_linked(
    run: Run, admin: "Admin[Any]"
) -> None:
    context = Context(run.surroundings, run.caller)
    service = context.service(Busy, Terms("file"))

    await service.file()
    await context.close()

    assert service.outcome.subjects[0].version == 3
    assert await types(admin, run) == {
        "document.created": 1,
        "tag.created": 1,
        "document.tagged": 1,
        "document.linked": 1,
    }


# What the database refuses is refused in our words, in the order of our checks


async def test_of_two_refusals_the_first_is_told(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    await make.commitment(external_ref="a")
    before = await stored(admin, run)
    given = {"commitmentType": "GOAL", "title": "x", "source": "API"}

    payload = await write(
        run, "createCommitment", **given, roleId=NOBODY, externalRef="a"
    )

    assert payload == not_found("roleId")
    assert await stored(admin, run) == before


async def test_what_only_we_refuse_comes_after_what_the_database_would(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    document = await make.document()
    before = await stored(admin, run)
    offsets = {"startOffset": 2, "endOffset": 1}

    nowhere = await write(run, "createAnnotation", **offsets, documentId=NOBODY)
    somewhere = await write(
        run, "createAnnotation", **offsets, documentId=id_of(document)
    )

    assert nowhere == not_found("documentId")
    assert somewhere == invalid("endOffset")
    assert await stored(admin, run) == before


async def test_an_update_is_refused_in_our_words(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    tag, other = await make.tag(name="a"), await make.tag(name="b")
    document = await make.document()
    before = await stored(admin, run)

    same = await write(run, "updateTag", id=id_of(other), name="a")
    nowhere = await write(
        run,
        "updateDocument",
        id=id_of(document),
        ownerId=global_id("User", new_key()),
        collectionId=NOBODY,
    )

    assert same == duplicate(tag, "name")
    assert nowhere == not_found("ownerId")
    assert await stored(admin, run) == before


async def test_a_refusal_in_our_words_takes_a_second_attempt(
    run: Run, make: Make, statements: Statements
) -> None:
    tag = await make.tag(name="a")
    statements.clear()

    payload = await write(run, "createTag", name="a")

    assert payload == duplicate(tag, "name")
    assert [said(one) for one in statements] == ["INSERT INTO tags", "SELECT"]


async def test_an_idempotency_key_is_not_used_up_by_the_first_attempt(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    tag = await make.tag(name="a")

    refused = await write(run, "createTag", name="a", idempotencyKey="k")
    await write(run, "deleteTag", id=id_of(tag), expectedVersion=1)
    done = await write(run, "createTag", "replayed", name="a", idempotencyKey="k")

    assert refused == duplicate(tag, "name")
    assert done == {"replayed": False, "userErrors": []}
    assert (await types(admin, run))["tag.created"] == 2


def said(statement: str) -> str:
    """What a statement does: its verb, and of others than SELECT the table."""
    verb, *words = statement.split()
    if verb == "SELECT":
        return verb
    return f"{verb} {' '.join(words[: 2 if verb == 'INSERT' else 1])}"


def cost(mutation: str) -> list[str]:
    """What a simple mutation sends."""
    table = TABLES[next(kind for kind in TABLES if kind in mutation)]
    if mutation == "createDocument":
        # By its hash it is looked for, and noted.
        known = ["SELECT", "SELECT"]
        rows = [f"INSERT INTO {table}", "INSERT INTO hash_index"]
        return [*known, *rows, "INSERT INTO interactions"]
    changed = (
        [f"INSERT INTO {table}"]
        if mutation.startswith("create")
        else ["SELECT", f"UPDATE {table}"]
    )
    return [*changed, "INSERT INTO interactions"]


TABLES = {
    "Party": "parties",
    "Role": "roles",
    "Commitment": "commitments",
    "Document": "documents",
    "Signal": "signals",
    "Collection": "collections",
    "Tag": "tags",
    "Annotation": "annotations",
    "KnowledgeNode": "knowledge_graph_nodes",
    "KnowledgeEdge": "knowledge_graph_edges",
}
