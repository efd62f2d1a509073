"""What a plan has no rules for is answered by the reference path, and done once."""

import logging
from typing import Any

import pytest
from factories import Make
from running import Run
from test_explaining import UNREADABLE, told
from test_scheduling import at, spoil
from writing import Admin, id_of, input_type, stored, types

from graph_api.config import Settings
from graph_api.execution.limits import Limits
from graph_api.execution.operation import Executor
from graph_api.models import Commitment
from graph_api.schema import graphql_schema

NOW = "2026-11-22T12:00:00Z"
DUE = "2027-01-01T09:00:00Z"
NEXT = "{ commitments(first: 100) { nodes { title nextOccurrence } } }"
NEXT_OF = "query ($id: ID!) { commitment(id: $id) { nextOccurrence } }"
GIVEN_UP = f"it failed 5 times, at last by: {UNREADABLE}"
NO_ZONE = 'timeZone: "No/Where"'
SPAN = 'from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z"'
BY_DAY = f"groups(by: [DUE_AT], dateTrunc: DAY, {NO_ZONE}) {{ aggregate {{ count }} }}"
# What clients get wrong, at which place, and what that is called.
WRONG = [
    ('{ parties(after: "x") { nodes { id } } }', ["parties"], "BAD_CURSOR"),
    (
        '{ parties { nodes { roles(before: "x") { totalCount } } } }',
        ["parties", "nodes", 0, "roles"],
        "BAD_CURSOR",
    ),
    ('{ party(id: "x") { name } }', ["party"], "BAD_USER_INPUT"),
    (
        f"{{ commitments {{ nodes {{ occurrences({SPAN}, {NO_ZONE}) }} }} }}",
        ["commitments", "nodes", 0, "occurrences"],
        "BAD_USER_INPUT",
    ),
    (f"{{ commitments {{ {BY_DAY} }} }}", ["commitments", "groups"], "BAD_USER_INPUT"),
]


@pytest.fixture
def executor(settings: Settings) -> Executor:
    """One that has seen nothing yet."""
    return Executor(graphql_schema, Limits.of(settings), timeout_s=30)


@pytest.fixture
async def spoilt(make: Make, admin: "Admin[Any]") -> Commitment:
    """A commitment whose next occurrence nobody can tell."""
    commitment = await make.commitment(title="spoilt", due_at=at(DUE))
    await spoil(admin, commitment.id, "FREQ=SOMETIMES")
    return commitment


async def test_one_row_of_many_that_fails_is_an_error_of_its_own(
    run: Run, make: Make, spoilt: Commitment
) -> None:
    role_id = spoilt.role_id
    others = [
        await make.commitment(role_id=role_id, title=f"{i}", due_at=at(DUE))
        for i in range(30)
    ]

    answer = await run.at(NOW).explained(NEXT)

    assert told(answer) == {"path": "replayed", "reason": UNREADABLE}
    assert answer["data"]["commitments"]["nodes"] == [
        {"title": "spoilt", "nextOccurrence": None},
        *({"title": one.title, "nextOccurrence": DUE} for one in others),
    ]
    assert [(e["path"], e["extensions"]["code"]) for e in answer["errors"]] == [
        (["commitments", "nodes", 0, "nextOccurrence"], "UNREADABLE_VALUE")
    ]


async def test_null_where_there_must_be_a_value_goes_up_to_what_may_be_null(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    role, other = await make.role(), await make.role(role_name="Customer")
    async with admin.transaction():
        await admin.execute("SET LOCAL session_replication_role = replica")
        await admin.execute("DELETE FROM parties WHERE id = $1", role.party_id)

    answer = await run.explained(
        "query ($a: ID!, $b: ID!) { a: role(id: $a) { roleName party { name } } "
        "b: role(id: $b) { roleName party { name } } }",
        a=id_of(role),
        b=id_of(other),
    )

    assert told(answer)["path"] == "replayed"
    assert answer["data"] == {
        "a": None,
        "b": {"roleName": "Customer", "party": {"name": "ACME"}},
    }
    assert [(e["path"], e["extensions"]["code"]) for e in answer["errors"]] == [
        (["a", "party"], "INTERNAL")
    ]


@pytest.mark.parametrize(("query", "path", "code"), WRONG)
async def test_what_a_client_got_wrong_is_told_at_its_place(
    run: Run, make: Make, query: str, path: list[Any], code: str
) -> None:
    await make.commitment(due_at=at(DUE))

    answer = await run.explained(query)

    assert told(answer)["path"] == "replayed"
    assert [(e["path"], e["extensions"]["code"]) for e in answer["errors"]] == [
        (path, code)
    ]


async def test_a_replay_is_logged_with_its_cause(
    run: Run, spoilt: Commitment, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "graph_api.execution"):
        await run(NEXT_OF, id=id_of(spoilt))
        await run(NEXT_OF, id=id_of(spoilt))

    first, second = caplog.records
    assert first.message == "A plan was replayed by the reference path"
    assert (first.levelname, second.levelname) == ("INFO", "INFO")
    assert [r.__dict__["replays"] for r in (first, second)] == [1, 2]
    assert [r.__dict__["runs"] for r in (first, second)] == [1, 2]
    assert str(first.exc_info and first.exc_info[1]) == UNREADABLE


async def test_a_document_that_keeps_failing_is_no_more_planned(
    run: Run, spoilt: Commitment
) -> None:
    answers = [await run.explained(NEXT_OF, id=id_of(spoilt)) for _ in range(6)]

    assert [told(one) for one in answers] == [
        *[{"path": "replayed", "reason": UNREADABLE}] * 5,
        {"path": "resolved", "reason": GIVEN_UP},
    ]
    assert [one["data"] for one in answers] == [answers[0]["data"]] * 6


async def test_a_document_that_mostly_succeeds_stays_planned(
    run: Run, make: Make, spoilt: Commitment
) -> None:
    good, bad = id_of(await make.commitment(due_at=at(DUE))), id_of(spoilt)

    answers = [await run.explained(NEXT_OF, id=id) for id in [good, good, bad] * 6]

    paths = [told(one)["path"] for one in answers]
    assert paths == ["planned", "planned", "replayed"] * 6


async def test_what_clients_get_wrong_does_not_end_planning(run: Run) -> None:
    query = "query ($after: String) { tags(after: $after) { nodes { name } } }"

    wrong = [await run.explained(query, after="x") for _ in range(6)]
    right = await run.explained(query)

    assert [told(one)["path"] for one in wrong] == ["replayed"] * 6
    assert told(right) == {"path": "planned"}


async def test_another_document_is_planned_nevertheless(
    run: Run, make: Make, spoilt: Commitment
) -> None:
    failing = [await run.explained(NEXT_OF, id=id_of(spoilt)) for _ in range(6)]

    other = await run.explained(
        f"{NEXT_OF} # the same in other words", id=id_of(await make.commitment())
    )

    assert told(failing[-1])["path"] == "resolved"
    assert told(other) == {"path": "planned"}


async def test_a_mutation_whose_answer_fails_is_done_once(
    run: Run, spoilt: Commitment, admin: "Admin[Any]"
) -> None:
    answer = await create(run, spoilt, "new")

    assert told(answer) == {"path": "replayed", "reason": UNREADABLE}
    assert answer["data"]["a"]["commitment"] == beside("new", "spoilt", "new")
    assert [error["path"] for error in answer["errors"]] == [FAILED]
    assert (await types(admin, run))["commitment.created"] == 2


async def test_so_it_is_where_its_plan_is_given_up(
    run: Run, spoilt: Commitment, admin: "Admin[Any]"
) -> None:
    answers = [await create(run, spoilt, f"{i}") for i in range(7)]

    assert [told(one)["path"] for one in answers] == ["replayed"] * 5 + ["resolved"] * 2
    assert told(answers[-1])["reason"] == GIVEN_UP
    assert [error["path"] for error in answers[-1]["errors"]] == [FAILED]
    assert (await types(admin, run))["commitment.created"] == 8


async def test_a_dry_run_whose_answer_fails_changes_nothing(
    run: Run, spoilt: Commitment, admin: "Admin[Any]"
) -> None:
    before = await stored(admin, run)

    answer = await create(run, spoilt, "new", dryRun=True)

    assert told(answer)["path"] == "replayed"
    assert answer["data"]["a"]["commitment"] == beside("new", "spoilt", "new")
    assert await stored(admin, run) == before


async def test_the_next_mutation_of_an_operation_is_done_and_planned(
    run: Run, spoilt: Commitment, admin: "Admin[Any]"
) -> None:
    answer = await run.explained(
        f"mutation ($input: {input_type('createCommitment')}!) "
        f'{{ {CREATE} b: createTag(input: {{name: "tax"}}) {{ tag {{ name }} }} }}',
        input=given(spoilt, "new"),
    )

    assert answer["data"]["b"] == {"tag": {"name": "tax"}}
    assert [error["path"] for error in answer["errors"]] == [FAILED]
    told_of = await types(admin, run)
    assert (told_of["commitment.created"], told_of["tag.created"]) == (2, 1)


CREATE = """
    a: createCommitment(input: $input) {
      commitment { title role { commitments { nodes { title nextOccurrence } } } }
    }
"""
FAILED = ["a", "commitment", "role", "commitments", "nodes", 0, "nextOccurrence"]


async def create(run: Run, other: Commitment, title: str, **more: Any) -> Any:
    """Make a commitment, and have it shown with that of its role that is spoilt."""
    return await run.explained(
        f"mutation ($input: {input_type('createCommitment')}!) {{ {CREATE} }}",
        input={**given(other, title), **more},
    )


def given(other: Commitment, title: str) -> dict[str, Any]:
    return {
        "roleId": str(other.role_id),
        "title": title,
        "commitmentType": "GOAL",
        "source": "API",
    }


def beside(title: str, *titles: str) -> dict[str, Any]:
    """A commitment of a role that has these, none of which comes again."""
    nodes = [{"title": one, "nextOccurrence": None} for one in titles]
    return {"title": title, "role": {"commitments": {"nodes": nodes}}}
