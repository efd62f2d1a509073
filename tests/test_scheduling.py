"""When commitments are due, as clients see it: occurrences, overdue, focus."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from factories import Make
from running import Run
from writing import Admin, invalid, stored, write

from graph_api.ids import global_id
from graph_api.models import Commitment, CommitmentState
from graph_api.schema import scheduling
from graph_api.schema.entity import Reckoning

NOW = "2026-11-22T12:00:00Z"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

OCCURRENCES = """
query ($id: ID!, $from: DateTime!, $to: DateTime!, $zone: String!, $first: Int) {
  commitment(id: $id) {
    title
    occurrences(from: $from, to: $to, timeZone: $zone, first: $first)
  }
}
"""
NEXT = "query($id: ID!) { commitment(id: $id) { nextOccurrence overdue } }"
FOCUS = """
{ focus { commitment { title } reasons { code message dueAt daysLate } } }
"""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


async def occurrences(
    run: Run,
    commitment: Commitment,
    first: str,
    end: str,
    *,
    zone: str = "UTC",
    limit: int | None = None,
) -> dict[str, Any]:
    """The whole answer."""
    variables = {"from": first, "to": end, "zone": zone, "first": limit}
    return await run(
        OCCURRENCES, id=global_id("Commitment", commitment.id), **variables
    )


async def next_of(run: Run, commitment: Commitment) -> dict[str, Any]:
    answer = await run(NEXT, id=global_id("Commitment", commitment.id))
    found: dict[str, Any] = answer["data"]["commitment"]
    return found


async def spoil(admin: "Admin[Any]", id: UUID, rrule: str) -> None:
    """Store a rule past services and log, as it may have come from elsewhere."""
    async with admin.transaction():
        await admin.execute("SET LOCAL session_replication_role = replica")
        await admin.execute(
            "UPDATE commitments SET rrule = $2 WHERE id = $1", id, rrule
        )


async def test_occurrences_keep_their_hour_when_clocks_change(
    run: Run, make: Make
) -> None:
    commitment = await make.commitment(
        due_at=at("2026-03-01T09:00+01:00"), rrule="FREQ=DAILY"
    )

    answer = await occurrences(
        run,
        commitment,
        "2026-03-28T00:00:00Z",
        "2026-03-31T00:00:00Z",
        zone="Europe/Berlin",
    )

    assert answer["data"]["commitment"]["occurrences"] == [
        "2026-03-28T08:00:00Z",
        "2026-03-29T07:00:00Z",
        "2026-03-30T07:00:00Z",
    ]


async def test_only_the_first_occurrences_are_given_where_that_is_asked(
    run: Run, make: Make
) -> None:
    commitment = await make.commitment(
        due_at=at("2026-01-31T09:00Z"), rrule="FREQ=DAILY"
    )

    answer = await occurrences(
        run, commitment, "2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z", limit=2
    )

    assert answer["data"]["commitment"]["occurrences"] == [
        "2026-01-31T09:00:00Z",
        "2026-02-01T09:00:00Z",
    ]


async def test_without_a_rule_the_due_time_is_the_only_occurrence(
    run: Run, make: Make
) -> None:
    commitment = await make.commitment(due_at=at("2026-01-31T09:00Z"))

    answer = await occurrences(
        run, commitment, "2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z"
    )

    assert answer["data"]["commitment"]["occurrences"] == ["2026-01-31T09:00:00Z"]


async def test_without_a_due_time_there_are_no_occurrences(
    run: Run, make: Make
) -> None:
    commitment = await make.commitment(rrule="FREQ=DAILY")

    answer = await occurrences(
        run, commitment, "2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z"
    )

    assert answer["data"]["commitment"]["occurrences"] == []


@pytest.mark.parametrize(
    ("end", "zone", "message"),
    [
        ("2026-01-01T00:00:00Z", "UTC", "`to` must be after `from`"),
        ("2025-12-31T00:00:00Z", "UTC", "`to` must be after `from`"),
        ("2031-01-07T00:00:00Z", "UTC", "by at most 1830 days"),
        ("2026-01-02T00:00:00Z", "Mars", "There is no time zone 'Mars'"),
        ("2026-01-02T00:00:00Z", "Europe", "There is no time zone 'Europe'"),
    ],
)
async def test_what_no_calendar_would_ask_is_refused(
    run: Run, make: Make, end: str, zone: str, message: str
) -> None:
    commitment = await make.commitment(due_at=at("2026-01-01T09:00Z"))

    answer = await occurrences(run, commitment, "2026-01-01T00:00:00Z", end, zone=zone)

    (error,) = answer["errors"]
    assert error["path"] == ["commitment", "occurrences"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert message in error["message"]
    assert answer["data"]["commitment"] == {
        "title": commitment.title,
        "occurrences": None,
    }


async def test_more_occurrences_than_a_calendar_shows_are_refused(
    run: Run, make: Make
) -> None:
    often = await make.commitment(
        due_at=at("2026-01-01T09:00Z"), rrule="FREQ=DAILY;COUNT=1000"
    )
    oftener = await make.commitment(
        due_at=at("2026-01-01T09:00Z"), rrule="FREQ=DAILY\nRDATE:20260101T100000Z"
    )
    span = ("2026-01-01T00:00:00Z", "2028-09-27T12:00:00Z")

    found = await occurrences(run, often, *span)
    refused = await occurrences(run, oftener, *span)

    assert len(found["data"]["commitment"]["occurrences"]) == 1_000
    assert refused["errors"][0]["extensions"] == {
        "code": "TOO_COMPLEX",
        "limit": "occurrences",
        "allowed": 1_000,
    }


async def test_a_stored_rule_that_is_none_fails_for_its_row_alone(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    role = await make.role()
    given = {"role_id": role.id, "due_at": at("2027-01-01T09:00Z")}
    for title in ("good", "bad", "fine"):
        one = await make.commitment(title=title, rrule="FREQ=DAILY", **given)
        if title == "bad":
            await spoil(admin, one.id, "FREQ=SECONDLY")

    answer = await run.at(NOW)(
        "{ commitments { nodes { title overdue nextOccurrence "
        'occurrences(from: "2027-01-01T00:00:00Z", to: "2027-01-02T00:00:00Z") } } }'
    )

    due = "2027-01-01T09:00:00Z"
    good = {"overdue": False, "nextOccurrence": due, "occurrences": [due]}
    bad = {"overdue": False, "nextOccurrence": None, "occurrences": None}
    assert answer["data"]["commitments"]["nodes"] == [
        {"title": "good", **good},
        {"title": "bad", **bad},
        {"title": "fine", **good},
    ]
    assert sorted(error["path"][-1] for error in answer["errors"]) == [
        "nextOccurrence",
        "occurrences",
    ]
    assert {error["path"][-2] for error in answer["errors"]} == {1}
    assert {e["extensions"]["code"] for e in answer["errors"]} == {"UNREADABLE_VALUE"}


@pytest.mark.parametrize(
    ("due_at", "rrule", "expected"),
    [
        ("2026-11-22T12:00Z", None, "2026-11-22T12:00:00Z"),
        ("2026-11-22T11:59Z", None, None),
        ("2026-11-22T11:59Z", "FREQ=DAILY", "2026-11-23T11:59:00Z"),
        ("2026-11-20T12:00Z", "FREQ=DAILY;COUNT=2", None),
        (None, "FREQ=DAILY", None),
    ],
)
async def test_the_next_occurrence_is_now_or_later(
    run: Run, make: Make, due_at: str | None, rrule: str | None, expected: str | None
) -> None:
    commitment = await make.commitment(due_at=due_at and at(due_at), rrule=rrule)

    found = await next_of(run.at(NOW), commitment)

    assert found["nextOccurrence"] == expected


@pytest.mark.parametrize("state", ["FULFILLED", "CANCELED"])
async def test_what_is_at_its_end_has_no_next_occurrence(
    run: Run, make: Make, state: str
) -> None:
    commitment = await make.commitment(
        due_at=at("2027-01-01T09:00Z"), rrule="FREQ=DAILY", state=CommitmentState[state]
    )

    found = await next_of(run.at(NOW), commitment)

    assert found == {"nextOccurrence": None, "overdue": False}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("PROPOSED", False),
        ("ACCEPTED", True),
        ("ACTIVE", True),
        ("PAUSED", False),
        ("FULFILLED", False),
        ("CANCELED", False),
        ("DELINQUENT", True),
    ],
)
async def test_what_one_is_bound_by_is_overdue_when_its_time_has_passed(
    run: Run, make: Make, state: str, *, expected: bool
) -> None:
    commitment = await make.commitment(
        due_at=at("2026-11-22T11:59Z"), state=CommitmentState[state]
    )

    found = await next_of(run.at(NOW), commitment)

    assert found["overdue"] is expected


@pytest.mark.parametrize(
    ("due_at", "rrule", "expected"),
    [
        (None, None, False),
        ("2026-11-22T12:00Z", None, False),
        ("2026-11-22T11:59Z", "FREQ=DAILY", False),
        ("2026-11-20T12:00Z", "FREQ=DAILY;COUNT=2", True),
        ("2026-11-20T12:00Z", "FREQ=DAILY;UNTIL=20261121", True),
    ],
)
async def test_what_repeats_is_overdue_after_its_last_time(
    run: Run, make: Make, due_at: str | None, rrule: str | None, *, expected: bool
) -> None:
    commitment = await make.commitment(due_at=due_at and at(due_at), rrule=rrule)

    found = await next_of(run.at(NOW), commitment)

    assert found["overdue"] is expected


async def test_a_stored_rule_that_is_none_makes_nothing_less_overdue(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    commitment = await make.commitment(due_at=at("2026-01-01T09:00Z"))
    await spoil(admin, commitment.id, "every day")

    answer = await run.at(NOW)("{ focus { commitment { overdue } reasons { code } } }")

    item = {"commitment": {"overdue": True}, "reasons": [{"code": "OVERDUE"}]}
    assert answer == {"data": {"focus": [item]}}


@pytest.mark.parametrize("verb", ["createCommitment", "updateCommitment"])
@pytest.mark.parametrize(
    "rrule", ["FREQ=HOURLY", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"]
)
async def test_a_rule_that_is_not_followed_is_not_stored(
    run: Run, make: Make, admin: "Admin[Any]", verb: str, rrule: str
) -> None:
    commitment = await make.commitment()
    least = {
        "createCommitment": {
            "roleId": str(commitment.role_id),
            "commitmentType": "ROUTINE",
            "title": "Breathe",
            "source": "MANUAL",
        },
        "updateCommitment": {"id": str(commitment.id)},
    }
    before = await stored(admin, run)

    payload = await write(run, verb, **least[verb], rrule=rrule)

    assert payload == invalid("rrule")
    assert await stored(admin, run) == before


async def test_focus_has_what_is_open_the_earliest_and_then_the_most_urgent_first(
    run: Run, make: Make
) -> None:
    role = await make.role()
    early, late = at("2026-11-21T12:00Z"), at("2026-12-24T12:00Z")
    given: dict[str, dict[str, Any]] = {
        "not due": {},
        "late": {"due_at": late, "priority": 10},
        "late and urgent": {"due_at": late, "priority": 90},
        "early": {"due_at": early, "state": CommitmentState.DELINQUENT},
        "also early": {"due_at": early, "state": CommitmentState.ACTIVE},
        "not due but urgent": {"priority": 90},
        "proposed": {"due_at": early, "state": CommitmentState.PROPOSED},
        "paused": {"due_at": early, "state": CommitmentState.PAUSED},
        "done": {"due_at": early, "state": CommitmentState.FULFILLED},
        "given up": {"due_at": early, "state": CommitmentState.CANCELED},
    }
    for title, values in given.items():
        await make.commitment(role_id=role.id, title=title, **values)

    async def titles(first: int) -> list[str]:
        answer = await run(
            "query($first: Int!) { focus(first: $first) { commitment { title } } }",
            first=first,
        )
        return [item["commitment"]["title"] for item in answer["data"]["focus"]]

    whole = [
        *("early", "also early", "late and urgent", "late"),
        *("not due but urgent", "not due"),
    ]
    assert await titles(100) == whole
    assert await titles(3) == whole[:3]
    assert await titles(0) == []


@pytest.mark.parametrize(
    ("values", "reasons"),
    [
        (
            {"due_at": "2026-11-19T11:00Z"},
            [("OVERDUE", "It is overdue by 3 days.", "2026-11-19T11:00:00Z", 3)],
        ),
        (
            {"due_at": "2026-11-22T11:00Z"},
            [
                (
                    "OVERDUE",
                    "It is overdue by less than a day.",
                    "2026-11-22T11:00:00Z",
                    0,
                )
            ],
        ),
        (
            {"due_at": "2026-11-23T11:00Z"},
            [("DUE_SOON", "It is due within a day.", "2026-11-23T11:00:00Z", None)],
        ),
        (
            {"due_at": "2026-11-29T12:00Z"},
            [("DUE_SOON", "It is due in 7 days.", "2026-11-29T12:00:00Z", None)],
        ),
        (
            {"due_at": "2026-11-30T12:00Z"},
            [("DUE_LATER", "It is due in 8 days.", "2026-11-30T12:00:00Z", None)],
        ),
        (
            {"priority": 75, "severity": 80, "state": CommitmentState.DELINQUENT},
            [
                ("NO_DUE_TIME", "Nothing says when it is due.", None, None),
                ("DELINQUENT", "It was not done in time.", None, None),
                ("HIGH_PRIORITY", "Its priority is 75.", None, None),
                (
                    "SEVERE",
                    "To miss it would be bad: its severity is 80.",
                    None,
                    None,
                ),
            ],
        ),
        (
            {"due_at": "2026-01-01T11:00Z", "rrule": "FREQ=DAILY"},
            [
                ("DUE_SOON", "It is due within a day.", "2026-11-23T11:00:00Z", None),
                (
                    "REPEATS",
                    "It repeats, and stands here by its first date.",
                    "2026-01-01T11:00:00Z",
                    None,
                ),
            ],
        ),
    ],
)
async def test_focus_says_why(
    run: Run, make: Make, values: dict[str, Any], reasons: list[tuple[Any, ...]]
) -> None:
    if "due_at" in values:
        values = values | {"due_at": at(values["due_at"])}
    await make.commitment(**values)

    answer = await run.at(NOW)(FOCUS)

    (item,) = answer["data"]["focus"]
    assert [tuple(reason.values()) for reason in item["reasons"]] == reasons


@pytest.mark.parametrize("first", [-1, 101])
async def test_focus_is_a_page(run: Run, first: int) -> None:
    answer = await run(
        "query($first: Int!) { focus(first: $first) { commitment { id } } }",
        first=first,
    )

    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "computed",
    [
        scheduling.occurrences,
        scheduling.next_occurrence,
        scheduling.overdue,
        scheduling.reasons,
    ],
)
def test_a_computed_field_reads_its_columns_for_all_rows_at_once(
    computed: Reckoning,
) -> None:
    whole = {
        "due_at": at("2026-01-01T09:00Z"),
        "rrule": "FREQ=WEEKLY",
        "state": CommitmentState.ACTIVE,
        "priority": 50,
        "severity": 0,
    }
    rows = [SimpleNamespace(**{name: whole[name] for name in computed.columns})] * 3
    given = {
        "from": at("2026-01-01T00:00Z"),
        "to": at("2026-01-31T00:00Z"),
        "time_zone": "UTC",
    }

    values = computed.values(rows, given, NOON)

    assert len(values) == 3
    assert values[0] == values[1] == values[2]
