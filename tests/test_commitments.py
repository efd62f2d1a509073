"""Writing commitments, and moving them over the table of allowed moves."""

from typing import Any

import pytest
from factories import Make
from running import Run
from writing import (
    Admin,
    duplicate,
    id_of,
    invalid,
    not_found,
    refusal,
    stored,
    types,
    write,
)

from graph_api.caller import Caller
from graph_api.ids import global_id
from graph_api.keys import new_key
from graph_api.models import CommitmentState

COMMITMENT = """
    commitment {
      commitmentType title description source dueAt rrule priority state severity
      domainTags reason metadata externalRef version
      role { uuid } counterparty { uuid }
    }
"""
STATE = "commitment { state reason version } interaction { type reason }"

# From each state, those that it may move to, as the domain has it.
ALLOWED = {
    "PROPOSED": {"ACCEPTED", "CANCELED"},
    "ACCEPTED": {"ACTIVE", "PAUSED", "CANCELED", "FULFILLED"},
    "ACTIVE": {"PAUSED", "FULFILLED", "CANCELED", "DELINQUENT"},
    "PAUSED": {"ACTIVE", "CANCELED"},
    "DELINQUENT": {"ACTIVE", "FULFILLED", "CANCELED"},
    "FULFILLED": set[str](),
    "CANCELED": set[str](),
}
# Each mutation, where it leads, and what the log calls it.
VERBS = {
    "acceptCommitment": ("ACCEPTED", "accepted"),
    "activateCommitment": ("ACTIVE", "activated"),
    "pauseCommitment": ("PAUSED", "paused"),
    "resumeCommitment": ("ACTIVE", "resumed"),
    "fulfillCommitment": ("FULFILLED", "fulfilled"),
    "cancelCommitment": ("CANCELED", "canceled"),
    "markCommitmentDelinquent": ("DELINQUENT", "marked_delinquent"),
}
# Two verbs lead to ACTIVE: what was paused is resumed, the others are activated.
NOT_BY = {("PAUSED", "activateCommitment")} | {
    (state, "resumeCommitment") for state in ALLOWED if state != "PAUSED"
}
MOVES = [(state, verb) for state in ALLOWED for verb in VERBS]
POSSIBLE = [
    (state, verb)
    for state, verb in MOVES
    if VERBS[verb][0] in ALLOWED[state] and (state, verb) not in NOT_BY
]
IMPOSSIBLE = [move for move in MOVES if move not in POSSIBLE]


def least(role: str) -> dict[str, Any]:
    return {
        "roleId": role,
        "commitmentType": "OBLIGATION",
        "title": "Pay Invoice #123",
        "source": "MANUAL",
    }


async def test_a_commitment_needs_a_role_a_type_a_title_and_a_source(
    run: Run, make: Make
) -> None:
    role = await make.role()

    payload = await write(run, "createCommitment", COMMITMENT, **least(id_of(role)))

    assert payload == {
        "commitment": {
            "commitmentType": "OBLIGATION",
            "title": "Pay Invoice #123",
            "description": None,
            "source": "MANUAL",
            "dueAt": None,
            "rrule": None,
            "priority": 50,
            "state": "ACCEPTED",
            "severity": 0,
            "domainTags": [],
            "reason": None,
            "metadata": {},
            "externalRef": None,
            "version": 1,
            "role": {"uuid": str(role.id)},
            "counterparty": None,
        },
        "userErrors": [],
    }


async def test_a_commitment_is_created_as_given(run: Run, make: Make) -> None:
    role, party = await make.role(), await make.party()
    given = {
        "commitmentType": "ROUTINE",
        "title": "Water the plants",
        "description": "All of them",
        "source": "VISION_EXTRACT",
        "dueAt": "2026-03-29T01:30:00.000001Z",
        "rrule": "FREQ=WEEKLY;BYDAY=MO",
        "priority": 100,
        "state": "PROPOSED",
        "severity": 7,
        "domainTags": ["home"],
        "metadata": {"plants": [1, 2]},
        "externalRef": "todo:1",
    }

    payload = await write(
        run,
        "createCommitment",
        COMMITMENT,
        **given,
        roleId=str(role.id),
        counterpartyId=id_of(party),
        reason="They are dry",
    )

    assert payload["commitment"] == given | {
        "reason": "They are dry",
        "version": 1,
        "role": {"uuid": str(role.id)},
        "counterparty": {"uuid": str(party.id)},
    }


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 501}, "title"),
        ({"description": "x" * 20_001}, "description"),
        ({"priority": -1}, "priority"),
        ({"priority": 101}, "priority"),
        ({"priority": None}, "priority"),
        ({"severity": 101}, "severity"),
        ({"state": None}, "state"),
        ({"domainTags": ["x"] * 51}, "domainTags"),
        ({"metadata": []}, "metadata"),
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 2_001}, "reason"),
        ({"rrule": ""}, "rrule"),
        ({"rrule": "every day"}, "rrule"),
        ({"rrule": "FREQ=NEVER"}, "rrule"),
        ({"rrule": "FREQ=DAILY;INTERVAL=0"}, "rrule"),
        ({"rrule": "FREQ=DAILY;COUNT=-1"}, "rrule"),
        ({"rrule": f"FREQ=DAILY;UNTIL={'9' * 30}"}, "rrule"),
        ({"rrule": "FREQ=DAILY" + ";BYDAY=MO" * 200}, "rrule"),
        ({"roleId": "nonsense"}, "roleId"),
        ({"counterpartyId": "nonsense"}, "counterpartyId"),
    ],
)
async def test_a_commitment_that_cannot_be_is_not_created(
    run: Run,
    make: Make,
    admin: "Admin[Any]",
    given: dict[str, Any],
    path: str,
) -> None:
    role = await make.role()
    before = await stored(admin, run)

    payload = await write(run, "createCommitment", **least(id_of(role)) | given)

    assert payload == invalid(path)
    assert await stored(admin, run) == before


@pytest.mark.parametrize("path", ["roleId", "counterpartyId"])
async def test_a_strangers_role_or_party_is_not_found(
    run: Run,
    make: Make,
    admin: "Admin[Any]",
    stranger: Caller,
    path: str,
) -> None:
    role = await make.role()
    theirs = await make.by(stranger).role()
    foreign = {"roleId": theirs.id, "counterpartyId": theirs.party_id}
    before = await stored(admin, run)

    payload = await write(
        run, "createCommitment", **least(id_of(role)) | {path: str(foreign[path])}
    )

    assert payload == not_found(path)
    assert await stored(admin, run) == before


async def test_two_commitments_cannot_have_one_external_ref(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    first = await make.commitment(external_ref="todo:1")
    second = await make.commitment(external_ref="todo:2")
    before = await stored(admin, run)

    created = await write(
        run,
        "createCommitment",
        **least(str(second.role_id)),
        externalRef="todo:1",
    )
    updated = await write(
        run, "updateCommitment", id=id_of(second), externalRef="todo:1"
    )

    assert created == updated == duplicate(first, "externalRef")
    assert await stored(admin, run) == before


async def test_an_update_leaves_alone_what_it_does_not_name(
    run: Run, make: Make
) -> None:
    party = await make.party()
    commitment = await make.commitment(
        counterparty_id=party.id, description="At length", priority=7, reason="Why"
    )

    payload = await write(
        run,
        "updateCommitment",
        COMMITMENT,
        id=id_of(commitment),
        description=None,
        dueAt="2026-01-01T02:00:00+02:00",
    )

    assert payload["commitment"] == {
        "commitmentType": "OBLIGATION",
        "title": "Pay Invoice #123",
        "description": None,
        "source": "MANUAL",
        "dueAt": "2026-01-01T00:00:00Z",
        "rrule": None,
        "priority": 7,
        "state": "ACCEPTED",
        "severity": 0,
        "domainTags": [],
        "reason": "Why",
        "metadata": {},
        "externalRef": None,
        "version": 2,
        "role": {"uuid": str(commitment.role_id)},
        "counterparty": {"uuid": str(party.id)},
    }


async def test_an_updates_reason_is_the_logs_and_not_the_commitments(
    run: Run, make: Make
) -> None:
    commitment = await make.commitment(reason="As it stands")

    payload = await write(
        run,
        "updateCommitment",
        STATE,
        id=id_of(commitment),
        title="Pay Invoice #124",
        reason="A slip",
    )

    assert payload["commitment"]["reason"] == "As it stands"
    assert payload["interaction"]["reason"] == "A slip"


@pytest.mark.parametrize(
    "path",
    ["roleId", "commitmentType", "title", "source", "priority", "domainTags"],
)
async def test_what_a_commitment_must_have_cannot_become_null(
    run: Run, make: Make, admin: "Admin[Any]", path: str
) -> None:
    commitment = await make.commitment()
    before = await stored(admin, run)

    payload = await write(run, "updateCommitment", id=id_of(commitment), **{path: None})

    assert payload == invalid(path)
    assert await stored(admin, run) == before


@pytest.mark.parametrize(("state", "verb"), POSSIBLE)
async def test_a_commitment_moves_where_its_state_leads(
    run: Run, make: Make, admin: "Admin[Any]", state: str, verb: str
) -> None:
    to, told = VERBS[verb]
    commitment = await make.commitment(state=CommitmentState[state])
    before = await types(admin, run)

    payload = await write(run, verb, STATE, id=id_of(commitment), reason="So be it")

    assert payload == {
        "commitment": {"state": to, "reason": "So be it", "version": 2},
        "interaction": {"type": f"commitment.{told}", "reason": "So be it"},
        "userErrors": [],
    }
    assert await types(admin, run) - before == {f"commitment.{told}": 1}


@pytest.mark.parametrize(("state", "verb"), IMPOSSIBLE)
async def test_a_commitment_does_not_move_elsewhere(
    run: Run, make: Make, admin: "Admin[Any]", state: str, verb: str
) -> None:
    commitment = await make.commitment(state=CommitmentState[state])
    before = await stored(admin, run)

    payload = await write(run, verb, id=id_of(commitment), reason="So be it")

    assert payload == refusal(
        "InvalidTransitionError",
        "INVALID_TRANSITION",
        "id",
        **{"from": state, "to": VERBS[verb][0], "allowed": sorted(ALLOWED[state])},
    )
    assert await stored(admin, run) == before


def test_every_move_of_the_table_has_its_mutation() -> None:
    by_verbs = {(state, VERBS[verb][0]) for state, verb in POSSIBLE}

    assert by_verbs == {(state, to) for state in ALLOWED for to in ALLOWED[state]}


async def test_a_move_without_reason_keeps_the_former_one(run: Run, make: Make) -> None:
    commitment = await make.commitment(reason="Agreed by mail")

    payload = await write(run, "activateCommitment", STATE, id=id_of(commitment))

    assert payload == {
        "commitment": {"state": "ACTIVE", "reason": "Agreed by mail", "version": 2},
        "interaction": {"type": "commitment.activated", "reason": None},
        "userErrors": [],
    }


@pytest.mark.parametrize("verb", VERBS)
async def test_what_is_not_there_does_not_move(run: Run, verb: str) -> None:
    payload = await write(run, verb, id=global_id("Commitment", new_key()))

    assert payload == not_found("id")


@pytest.mark.parametrize("verb", VERBS)
async def test_a_move_from_a_stale_version_is_refused(
    run: Run, make: Make, admin: "Admin[Any]", verb: str
) -> None:
    commitment = await make.commitment()
    before = await stored(admin, run)

    payload = await write(run, verb, id=id_of(commitment), expectedVersion=7)

    assert payload == refusal(
        "ConflictError",
        "CONFLICT",
        "expectedVersion",
        version=1,
        current={"uuid": str(commitment.id)},
    )
    assert await stored(admin, run) == before


async def test_a_deleted_commitment_leaves_its_role_and_documents(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    commitment = await make.commitment()
    document = await make.document()
    await make.link(document, commitment)

    payload = await write(
        run,
        "deleteCommitment",
        "deletedId interactions { type }",
        id=id_of(commitment),
        expectedVersion=1,
    )
    left = await stored(admin, run)

    assert payload == {
        "deletedId": id_of(commitment),
        "interactions": [{"type": "document.unlinked"}, {"type": "commitment.deleted"}],
        "userErrors": [],
    }
    assert [left["commitments"], left["document_links"]] == [[], []]
    assert [len(left["roles"]), len(left["documents"])] == [1, 1]
