"""Groups by periods of time, and those of them that have certain figures."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from conftest import new_caller
from factories import Make
from running import Run, Statements
from test_paging import roots
from world import World, populated

from graph_api.errors import BadUserInput
from graph_api.execution.database_errors import database_error
from graph_api.execution.operation import Executor
from graph_api.models import Base, Commitment, public_name
from graph_api.reading.aggregates import datable
from graph_api.schema.context import Surroundings
from graph_api.schema.grouping import DateTrunc

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(scope="module")
async def world(admin: "asyncpg.Connection[Any]") -> World:
    """Sixty rows of every kind; no test of the module changes them."""
    return await populated(admin, await new_caller(admin), each=60)


@pytest.fixture
def read(executor: Executor, surroundings: Surroundings, world: World) -> Run:
    """What runs operations in the world's workspace."""
    return Run(executor, surroundings, world.caller)


async def groups(run: Run, arguments: str, key: str = "dueAt") -> list[Any]:
    """The groups of all commitments: their keys and counts."""
    answer = await run(
        f"{{ commitments {{ groups({arguments}) "
        f"{{ key {{ {key} }} aggregate {{ count }} }} }} }}"
    )
    assert "errors" not in answer, answer["errors"]
    found = answer["data"]["commitments"]["groups"]
    return [(*g["key"].values(), g["aggregate"]["count"]) for g in found]


async def due(make: Make, *times: str | None) -> None:
    role = await make.role()
    for time in times:
        at = time and datetime.fromisoformat(time).astimezone(UTC)
        await make.commitment(role_id=role.id, due_at=at)


@pytest.mark.parametrize(
    ("model", "attribute"),
    [
        pytest.param(model, attribute, id=f"{model.__name__}.{attribute}")
        for model in sorted(roots(), key=str)
        for attribute in datable(model)
    ],
)
async def test_every_time_is_grouped_by_its_days(
    read: Run, world: World, model: type[Base], attribute: str
) -> None:
    name = public_name(attribute)

    answer = await read(
        f"{{ {roots()[model]} {{ groups(by: [{attribute.upper()}], dateTrunc: DAY, "
        f"first: 100) {{ key {{ {name} }} aggregate {{ count }} }} }} }}"
    )

    found = answer["data"][roots()[model]]["groups"]
    assert {g["key"][name]: g["aggregate"]["count"] for g in found} == Counter(
        row[attribute] and f"{row[attribute].date()}T00:00:00Z"
        for row in world.rows[model]
    )


@pytest.mark.parametrize(
    ("period", "start"),
    [
        ("HOUR", "2026-11-22T10:00:00Z"),
        ("DAY", "2026-11-22T00:00:00Z"),
        ("WEEK", "2026-11-16T00:00:00Z"),
        ("MONTH", "2026-11-01T00:00:00Z"),
        ("QUARTER", "2026-10-01T00:00:00Z"),
        ("YEAR", "2026-01-01T00:00:00Z"),
    ],
)
async def test_a_group_is_known_by_the_start_of_its_period(
    run: Run, make: Make, period: str, start: str
) -> None:
    await due(make, "2026-11-22T10:30Z", "2026-11-22T10:59:59.999Z")

    found = await groups(run, f"by: [DUE_AT], dateTrunc: {period}")

    assert found == [(start, 2)]


async def test_a_day_is_one_of_the_time_zone_when_clocks_change(
    run: Run, make: Make
) -> None:
    await due(
        make,
        "2026-03-29T00:00+01:00",
        "2026-03-29T23:59+02:00",
        "2026-03-30T00:00+02:00",
        "2026-10-25T00:00+02:00",
        "2026-10-25T23:59+01:00",
    )

    found = await groups(run, 'by: [DUE_AT], dateTrunc: DAY, timeZone: "Europe/Berlin"')

    assert found == [
        ("2026-03-28T23:00:00Z", 2),
        ("2026-10-24T22:00:00Z", 2),
        ("2026-03-29T22:00:00Z", 1),
    ]


async def test_an_hour_that_clocks_show_twice_is_two(run: Run, make: Make) -> None:
    await due(make, "2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00")

    found = await groups(
        run, 'by: [DUE_AT], dateTrunc: HOUR, timeZone: "Europe/Berlin"'
    )

    assert found == [("2026-10-25T00:00:00Z", 1), ("2026-10-25T01:00:00Z", 1)]


async def test_what_has_no_time_is_a_group_of_its_own(run: Run, make: Make) -> None:
    await due(make, None, None, "2026-11-22T10:30Z")

    found = await groups(run, "by: [DUE_AT], dateTrunc: YEAR")

    assert found == [(None, 2), ("2026-01-01T00:00:00Z", 1)]


async def test_periods_and_other_keys_go_together(read: Run, world: World) -> None:
    found = await groups(
        read,
        'by: [STATE, DUE_AT], dateTrunc: MONTH, timeZone: "Europe/Berlin", first: 100',
        "state dueAt",
    )

    assert {(state, start): count for state, start, count in found} == Counter(
        (row["state"].upper(), month(row["due_at"])) for row in world.rows[Commitment]
    )


def month(time: datetime | None) -> str | None:
    """The start of a time's month in Berlin, as it is answered."""
    if time is None:
        return None
    shown = time.astimezone(BERLIN)
    start = datetime(shown.year, shown.month, 1, tzinfo=BERLIN).astimezone(UTC)
    return start.isoformat().replace("+00:00", "Z")


async def test_within_a_relation_periods_are_each_parents_own(
    run: Run, make: Make
) -> None:
    for times in (["2026-01-01T10:00Z", "2026-01-31T10:00Z"], ["2026-02-01T10:00Z"]):
        await due(make, *times)

    answer = await run(
        "{ roles { nodes { commitments { groups(by: [DUE_AT], dateTrunc: MONTH, "
        "having: {count: {gte: 2}}) { key { dueAt } aggregate { count } } } } } }"
    )

    lists = [n["commitments"]["groups"] for n in answer["data"]["roles"]["nodes"]]
    january = {"key": {"dueAt": "2026-01-01T00:00:00Z"}, "aggregate": {"count": 2}}
    assert lists == [[january], []]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "by: [STATE, DUE_AT]",
            "To group by `dueAt`, pass `dateTrunc` with the period: "
            + ", ".join(DateTrunc.__members__)
            + ".",
        ),
        (
            'by: [DUE_AT], dateTrunc: DAY, timeZone: "Mars"',
            "There is no time zone 'Mars'; use a name such as UTC or Europe/Berlin.",
        ),
        (
            "by: [STATE], having: {count: {gte: null}}",
            "`gte` in `having` must not be null; leave it out.",
        ),
        (
            "by: [STATE], having: {avg: null}",
            "`avg` in `having` must not be null; leave it out.",
        ),
        (
            f"by: [STATE], having: {{count: {{in: {list(range(1001))}}}}}",
            "A filter can compare with at most 1000 values at once, not 1001.",
        ),
    ],
)
async def test_groups_that_cannot_be_are_refused(
    run: Run, arguments: str, message: str
) -> None:
    answer = await run(
        f"{{ commitments {{ groups({arguments}) {{ aggregate {{ count }} }} }} }}"
    )

    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["message"] == message


@pytest.mark.parametrize(
    ("having", "severities"),
    [
        ("{}", [1, 2, 3]),
        ("{count: {gte: 2}}", [1, 2]),
        ("{count: {eq: 1}}", [3]),
        ("{count: {in: [1, 3]}}", [1, 3]),
        ("{count: {notIn: [1, 3]}}", [2]),
        ("{count: {ne: 2, lt: 3}}", [3]),
        ("{avg: {priority: {gt: 49.5}}}", [2, 3]),
        ('{sum: {priority: {lte: "60"}}}', [1, 3]),
        ("{min: {priority: {lt: 50}}, max: {priority: {gte: 80}}}", [2]),
        ('{max: {dueAt: {lt: "2026-02-01T00:00:00Z"}}}', [1]),
        ("{min: {dueAt: {isNull: true}}}", [3]),
        ("{count: {gte: 1}, avg: {priority: {gt: 1000}}}", []),
    ],
)
async def test_only_groups_with_such_figures_are_given(
    run: Run, make: Make, having: str, severities: list[int]
) -> None:
    role = await make.role()
    january, march = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    for severity, priority, due_at in [
        (1, 10, january),
        (1, 20, january),
        (1, 30, None),
        (2, 20, january),
        (2, 80, march),
        (3, 50, None),
    ]:
        await make.commitment(
            role_id=role.id, severity=severity, priority=priority, due_at=due_at
        )

    found = await groups(run, f"by: [SEVERITY], having: {having}", "severity")

    assert [severity for severity, _ in found] == severities


async def test_money_is_compared_without_rounding(run: Run, make: Make) -> None:
    for cost in ("0.0001", "0.0002"):
        await make.document(extraction_cost=Decimal(cost))

    answer = await run(
        "query($cost: Decimal!) { documents { groups(by: [SOURCE], "
        "having: {sum: {extractionCost: {eq: $cost}}}) { aggregate { count } } } }",
        cost="0.0003",
    )

    assert answer["data"]["documents"]["groups"] == [{"aggregate": {"count": 2}}]


async def test_having_and_periods_cost_no_statement_more(
    read: Run, statements: Statements
) -> None:
    await read(
        "{ roles(first: 50) { nodes { commitments { groups(by: [DUE_AT], "
        "dateTrunc: DAY, having: {avg: {priority: {gt: 1}}}) "
        "{ key { dueAt } aggregate { count } } } } } }"
    )

    assert len(statements) == 1, statements


async def test_a_zone_that_only_the_database_does_not_know_is_bad_input(
    admin: "asyncpg.Connection[Any]",
) -> None:
    with pytest.raises(asyncpg.PostgresError) as refused:
        await admin.fetchval("SELECT date_trunc('day', now(), $1)", "Mars")

    assert isinstance(database_error(refused.value), BadUserInput)
