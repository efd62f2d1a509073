"""The terms that every mutation takes: a version, a reason, a rehearsal, a key."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from every_mutation import GIVEN, MUTATIONS, OF_ACCESS, OF_SECRETS
from factories import Make
from running import Run
from writing import (
    Admin,
    Json,
    conflict,
    id_of,
    invalid,
    log,
    refusal,
    stored,
    types,
    write,
)

from graph_api.caller import Caller
from graph_api.config import Settings
from graph_api.database.engine import Database

TOLD = "interactions { id type } replayed"
KEY_USED = refusal(
    "ConflictError", "CONFLICT", "idempotencyKey", version=None, current=None
)

TAKING_A_VERSION = [
    name
    for name in MUTATIONS
    if name.startswith(("update", "delete")) and name not in OF_ACCESS
] + ["archiveDocument", "archiveSignal", "cancelCommitment", "pauseCommitment"]


# expectedVersion


@pytest.mark.parametrize("mutation", TAKING_A_VERSION)
async def test_a_change_of_what_was_seen_is_done(
    run: Run, make: Make, mutation: str
) -> None:
    given = await GIVEN[mutation](make)

    payload = await write(run, mutation, **given | {"expectedVersion": 1})

    assert payload == {"userErrors": []}


@pytest.mark.parametrize("mutation", TAKING_A_VERSION)
async def test_a_change_of_what_has_changed_is_refused(
    run: Run, make: Make, admin: "Admin[Any]", mutation: str
) -> None:
    given = await GIVEN[mutation](make)
    before = await stored(admin, run)

    payload = await write(run, mutation, **given | {"expectedVersion": 0})

    (error,) = payload["userErrors"]
    assert error["current"]["uuid"]
    assert error == {
        "__typename": "ConflictError",
        "code": "CONFLICT",
        "path": ["input", "expectedVersion"],
        "version": 1,
        "current": error["current"],
    }
    assert await stored(admin, run) == before


async def test_a_conflict_shows_what_there_is_now(run: Run, make: Make) -> None:
    party = await make.party(name="Old")
    await make.role(party_id=party.id, role_name="Vendor")
    await write(run, "updateParty", id=id_of(party), name="New")

    body = await run(
        """
        mutation ($id: ID!) {
          updateParty(input: {id: $id, name: "Mine", expectedVersion: 1}) {
            party { name }
            userErrors {
              message
              ... on ConflictError {
                version
                current { ... on Party { name roles { nodes { roleName } } } }
              }
            }
          }
        }
        """,
        id=id_of(party),
    )

    assert body == {
        "data": {
            "updateParty": {
                "party": None,
                "userErrors": [
                    {
                        "message": "The Party was changed in the meantime: its "
                        "version is 2, not 1. Read it again.",
                        "version": 2,
                        "current": {
                            "name": "New",
                            "roles": {"nodes": [{"roleName": "Vendor"}]},
                        },
                    }
                ],
            }
        }
    }


async def test_of_a_hundred_writers_who_saw_the_same_version_one_wins(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    party = await make.party()

    payloads = await asyncio.gather(
        *(
            write(run, "updateParty", id=id_of(party), name=f"{i}", expectedVersion=1)
            for i in range(100)
        )
    )

    lost = [payload for payload in payloads if payload["userErrors"]]
    assert lost == [conflict(party, 2)] * 99
    assert (await types(admin, run))["party.updated"] == 1


async def test_writers_who_ask_for_no_version_all_win_one_after_another(
    run: Run, make: Make
) -> None:
    party = await make.party()

    payloads = await asyncio.gather(
        *(
            write(run, "updateParty", "party { version }", id=id_of(party), name=f"{i}")
            for i in range(20)
        )
    )

    versions = sorted(payload["party"]["version"] for payload in payloads)
    assert versions == list(range(2, 22))


# reason


@pytest.mark.parametrize("reason", ["", "x" * 2_001])
async def test_a_reason_has_from_1_to_2000_characters(
    run: Run, admin: "Admin[Any]", reason: str
) -> None:
    before = await stored(admin, run)

    payload = await write(run, "createTag", name="tax", reason=reason)

    assert payload == invalid("reason")
    assert await stored(admin, run) == before


async def test_a_reason_is_kept_as_it_is(run: Run) -> None:
    payload = await write(
        run, "createTag", "interaction { reason }", name="tax", reason="ü" * 2_000
    )

    assert payload == {"interaction": {"reason": "ü" * 2_000}, "userErrors": []}


# dryRun


async def test_a_dry_run_answers_what_would_be_to_any_depth(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    party = await make.party(name="Old")
    role = await make.role(party_id=party.id)
    await make.commitment(role_id=role.id, title="Pay")
    before = await stored(admin, run)

    payload = await write(
        run,
        "updateParty",
        """
        party {
          name
          version
          roles { nodes { party { name } commitments { nodes { title } } } }
          interactions { nodes { type } totalCount }
        }
        interaction { type after primaryEntity { ... on Party { name } } }
        """,
        id=id_of(party),
        name="New",
        dryRun=True,
    )

    after = payload["interaction"]["after"]
    assert payload == {
        "party": {
            "name": "New",
            "version": 2,
            "roles": {
                "nodes": [
                    {
                        "party": {"name": "New"},
                        "commitments": {"nodes": [{"title": "Pay"}]},
                    }
                ]
            },
            "interactions": {
                "nodes": [{"type": "party.created"}, {"type": "party.updated"}],
                "totalCount": 2,
            },
        },
        "interaction": {
            "type": "party.updated",
            "after": {"name": "New", "version": 2, "updatedAt": after["updatedAt"]},
            "primaryEntity": {"name": "New"},
        },
        "userErrors": [],
    }
    assert await stored(admin, run) == before


async def test_a_dry_run_of_a_deletion_answers_what_would_go(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    role = await make.role()
    await make.commitment(role_id=role.id)
    before = await stored(admin, run)

    payload = await write(
        run,
        "deleteRole",
        "deletedId interactions { type }",
        id=id_of(role),
        expectedVersion=1,
        dryRun=True,
    )

    assert payload == {
        "deletedId": id_of(role),
        "interactions": [{"type": "commitment.deleted"}, {"type": "role.deleted"}],
        "userErrors": [],
    }
    assert await stored(admin, run) == before


async def test_a_dry_run_is_refused_as_the_change_would_be(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    tag = await make.tag(name="tax")
    before = await stored(admin, run)

    duplicate = await write(run, "createTag", name="tax", dryRun=True)
    stale = await write(run, "deleteTag", id=id_of(tag), expectedVersion=7, dryRun=True)

    assert duplicate["userErrors"][0]["code"] == "DUPLICATE"
    assert stale == conflict(tag, 1)
    assert await stored(admin, run) == before


async def test_a_dry_run_is_undone_before_the_next_field(
    run: Run, admin: "Admin[Any]"
) -> None:
    body = await run(
        """
        mutation {
          a: createTag(input: {name: "tax", dryRun: true}) { tag { name version } }
          b: createTag(input: {name: "tax"}) { tag { name } userErrors { code } }
          c: createTag(input: {name: "tax", dryRun: true}) { userErrors { code } }
        }
        """
    )

    assert body["data"] == {
        "a": {"tag": {"name": "tax", "version": 1}},
        "b": {"tag": {"name": "tax"}, "userErrors": []},
        "c": {"userErrors": [{"code": "DUPLICATE"}]},
    }
    assert await types(admin, run) == {"tag.created": 1}


async def test_a_dry_run_leaves_the_row_free_for_others(run: Run, make: Make) -> None:
    tag = await make.tag()

    await write(run, "updateTag", id=id_of(tag), name="a", dryRun=True)
    payload = await write(run, "updateTag", "tag { version }", id=id_of(tag), name="b")

    assert payload == {"tag": {"version": 2}, "userErrors": []}


# idempotencyKey


@pytest.mark.parametrize("mutation", sorted({*MUTATIONS} - OF_SECRETS))
async def test_the_same_request_again_is_answered_and_not_done_again(
    run: Run, make: Make, admin: "Admin[Any]", mutation: str
) -> None:
    given = await GIVEN[mutation](make) | {"idempotencyKey": "my key"}
    answer = ANSWERS.get(mutation[:6], "") + "interactions { id type }"
    first = await write(run, mutation, "replayed " + answer, **given)
    before = await stored(admin, run)

    again = await write(run, mutation, "replayed " + answer, **given)

    assert first["userErrors"] == []
    assert first["interactions"]
    assert again == first | {"replayed": True}
    assert await stored(admin, run) == before


ANSWERS = {"delete": "deletedId ", "unlink": "deletedId document { id version } "}


async def test_a_created_row_is_answered_again_as_a_whole(run: Run) -> None:
    given = {
        "source": "API",
        "payload": {"a": [1, None]},
        "extractionCost": "0.5",
        "receivedAt": "2026-01-01T00:00:00Z",
        "idempotencyKey": "my key",
    }
    answer = "signal { id payload extractionCost receivedAt version } duplicate"

    first = await write(run, "ingestSignal", answer, **given)
    again = await write(run, "ingestSignal", answer + " replayed", **given)

    assert again == first | {"replayed": True}


async def test_an_upsert_is_answered_again_with_its_refusals(
    run: Run, admin: "Admin[Any]"
) -> None:
    answer = "results { index node { label } userErrors { message path code } }"
    node = {"nodeType": "topic"}
    given = {
        "items": [
            {**node, "externalRef": "a", "label": "A"},
            {**node, "externalRef": "b", "label": ""},
            {**node, "externalRef": "c", "label": "C"},
        ],
        "onError": "SKIP",
        "idempotencyKey": "my key",
    }
    first = await write(run, "upsertKnowledgeNodes", answer, **given)
    before = await stored(admin, run)

    again = await write(run, "upsertKnowledgeNodes", answer, **given)

    assert [one["node"] for one in first["results"]] == [
        {"label": "A"},
        None,
        {"label": "C"},
    ]
    assert again == first
    assert await stored(admin, run) == before


async def test_a_replay_answers_what_is_there_now(run: Run) -> None:
    given = {"name": "tax", "idempotencyKey": "my key"}
    answer = "tag { id name version } replayed"
    first = await write(run, "createTag", answer, **given)
    await write(run, "updateTag", id=first["tag"]["id"], name="taxes")

    changed = await write(run, "createTag", answer, **given)
    await write(run, "deleteTag", id=first["tag"]["id"], expectedVersion=2)
    gone = await write(run, "createTag", answer, **given)

    assert changed["tag"] == {"id": first["tag"]["id"], "name": "taxes", "version": 2}
    assert gone == {"tag": None, "replayed": True, "userErrors": []}


async def test_an_upserted_item_that_is_gone_since_is_answered_as_such(
    run: Run,
) -> None:
    node = {"nodeType": "topic", "label": "A"}
    given = {
        "items": [{**node, "externalRef": "a"}, {**node, "externalRef": "b"}],
        "idempotencyKey": "my key",
    }
    answer = "results { index node { id externalRef } }"
    first = await write(run, "upsertKnowledgeNodes", answer, **given)
    gone, stays = (one["node"] for one in first["results"])
    await write(run, "deleteKnowledgeNode", id=gone["id"], expectedVersion=1)

    again = await write(run, "upsertKnowledgeNodes", answer, **given)

    assert again["results"] == [
        {"index": 0, "node": None},
        {"index": 1, "node": stays},
    ]


async def test_the_same_request_fifty_times_at_once_is_done_once(
    run: Run, admin: "Admin[Any]", database_url: str
) -> None:
    given = {"kind": "ORG", "name": "ACME", "idempotencyKey": "my key"}
    # However busy the machine is, each of them waits for its turn.
    patient = Settings(pool_size=10, pool_timeout=60, lock_timeout_s=60)
    database = Database(database_url, patient)
    around = replace(run.surroundings, database=database)
    at_once = replace(run, surroundings=around)

    payloads = await asyncio.gather(
        *(
            write(at_once, "createParty", "party { id } replayed", **given)
            for _ in range(50)
        )
    )
    await database.close()

    assert len({payload["party"]["id"] for payload in payloads}) == 1
    assert Counter(payload["replayed"] for payload in payloads) == {False: 1, True: 49}
    assert await types(admin, run) == {"party.created": 1}


@pytest.mark.parametrize(
    ("mutation", "given"),
    [
        ("createTag", {"name": "other"}),
        ("createTag", {"name": "tax", "color": None}),
        ("createTag", {"name": "tax", "reason": "Because"}),
        ("createCollection", {"name": "tax"}),
    ],
)
async def test_a_key_is_good_for_one_request(
    run: Run, admin: "Admin[Any]", mutation: str, given: Json
) -> None:
    await write(run, "createTag", name="tax", idempotencyKey="my key")
    before = await stored(admin, run)

    payload = await write(run, mutation, **given, idempotencyKey="my key")

    assert payload == KEY_USED
    assert await stored(admin, run) == before


async def test_the_order_of_fields_makes_no_other_request(run: Run) -> None:
    first = {"name": "tax", "color": "#000000", "idempotencyKey": "my key"}

    await write(run, "createTag", **first)
    payload = await write(run, "createTag", "replayed", **dict(reversed(first.items())))

    assert payload == {"replayed": True, "userErrors": []}


async def test_a_refusal_uses_up_no_key(run: Run, admin: "Admin[Any]") -> None:
    await write(run, "createTag", name="", idempotencyKey="my key")
    left = await stored(admin, run)

    payload = await write(
        run, "createTag", "replayed", name="tax", idempotencyKey="my key"
    )

    assert left["idempotency_keys"] == []
    assert payload == {"replayed": False, "userErrors": []}


async def test_a_dry_run_neither_uses_up_nor_answers_a_key(
    run: Run, admin: "Admin[Any]"
) -> None:
    given = {"name": "tax", "idempotencyKey": "my key"}

    rehearsed = await write(run, "createTag", "replayed", **given, dryRun=True)
    left = await stored(admin, run)
    done = await write(run, "createTag", "replayed", **given)
    again = await write(run, "createTag", "replayed", **given, dryRun=True)

    assert rehearsed == done == {"replayed": False, "userErrors": []}
    assert left["idempotency_keys"] == []
    assert again["userErrors"][0]["code"] == "DUPLICATE"


async def test_a_strangers_key_is_another(
    run: Run, stranger: Caller, admin: "Admin[Any]"
) -> None:
    given = {"name": "tax", "idempotencyKey": "my key"}
    theirs = await write(run.by(stranger), "createTag", "tag { id }", **given)

    ours = await write(run, "createTag", "tag { id } replayed", **given)

    assert ours["replayed"] is False
    assert ours["tag"]["id"] != theirs["tag"]["id"]
    assert await types(admin, run) == {"tag.created": 1}


@pytest.mark.parametrize("key", ["", "x" * 201])
async def test_a_key_has_from_1_to_200_characters(
    run: Run, admin: "Admin[Any]", key: str
) -> None:
    before = await stored(admin, run)

    payload = await write(run, "createTag", name="tax", idempotencyKey=key)

    assert payload == invalid("idempotencyKey")
    assert await stored(admin, run) == before


async def test_numbers_of_any_length_have_a_request_of_their_own(run: Run) -> None:
    first, other = [
        await run(
            f"""
            mutation {{
              createParty(
                input: {{
                  kind: ORG, name: "ACME", idempotencyKey: "my key"
                  metadata: {{a: {number}}}
                }}
              ) {{ party {{ metadata }} userErrors {{ code }} }}
            }}
            """
        )
        for number in (-9_999_999_999_999_999_999, -9_999_999_999_999_999_998)
    ]

    assert first["data"]["createParty"] == {
        "party": {"metadata": {"a": -9_999_999_999_999_999_999}},
        "userErrors": [],
    }
    assert other["data"]["createParty"]["userErrors"] == [{"code": "CONFLICT"}]


# Several fields in one operation


async def test_each_field_is_written_in_a_transaction_of_its_own(
    run: Run, admin: "Admin[Any]"
) -> None:
    body = await run(
        """
        mutation {
          a: createTag(input: {name: "a"}) { tag { name } userErrors { code } }
          b: createTag(input: {name: "a"}) { tag { name } userErrors { code } }
          c: createTag(input: {name: "c"}) { tag { name } userErrors { code } }
        }
        """
    )
    told = await log(admin, run)

    assert body["data"] == {
        "a": {"tag": {"name": "a"}, "userErrors": []},
        "b": {"tag": None, "userErrors": [{"code": "DUPLICATE"}]},
        "c": {"tag": {"name": "c"}, "userErrors": []},
    }
    assert [row["type"] for row in told] == ["tag.created"] * 2
    assert len({row["xid"] for row in told}) == 2


async def test_what_the_database_refuses_spoils_no_later_field(run: Run) -> None:
    # A list of zeros is small as JSON, and large as the database keeps it.
    numbers = {"a": [0] * 30_000}

    body = await run(
        """
        mutation ($numbers: JSON!) {
          a: createParty(input: {kind: ORG, name: "A", metadata: $numbers}) {
            userErrors { code path }
          }
          b: createTag(input: {name: "b"}) { tag { name } }
        }
        """,
        numbers=numbers,
    )

    assert body["data"] == {
        "a": {"userErrors": [{"code": "VALIDATION", "path": ["input"]}]},
        "b": {"tag": {"name": "b"}},
    }


async def test_a_field_sees_what_those_before_it_have_written(
    run: Run, make: Make
) -> None:
    party = await make.party(name="Old")
    answer = "party { name version roles { nodes { roleName } } }"

    body = await run(
        f"""
        mutation ($id: ID!) {{
          a: updateParty(input: {{id: $id, name: "A"}}) {{ {answer} }}
          b: createRole(input: {{partyId: $id, roleName: "Vendor"}}) {{
            role {{ {answer} }}
          }}
          c: updateParty(input: {{id: $id, name: "C"}}) {{ {answer} }}
        }}
        """,
        id=id_of(party),
    )

    vendor = {"nodes": [{"roleName": "Vendor"}]}
    assert body["data"] == {
        "a": {"party": {"name": "A", "version": 2, "roles": {"nodes": []}}},
        "b": {"role": {"party": {"name": "A", "version": 2, "roles": vendor}}},
        "c": {"party": {"name": "C", "version": 3, "roles": vendor}},
    }
