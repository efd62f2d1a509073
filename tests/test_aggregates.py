"""Counting, summing and grouping: what Python would reckon from the same rows."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from random import Random
from typing import Any

import asyncpg
import pytest
from conftest import new_caller
from factories import Make
from running import Run
from test_paging import roots
from world import Row, World, populated, store, varied

from graph_api.caller import Caller
from graph_api.execution.operation import Executor
from graph_api.ids import global_id
from graph_api.models import Base, Commitment, Role, Tag, public_name
from graph_api.models.rules import Words
from graph_api.reading.aggregates import groupable, measurable
from graph_api.reading.columns import Kind, column_of, kind
from graph_api.schema.conditions import type_behind
from graph_api.schema.context import Surroundings
from graph_api.schema.scalars import write_time

FUNCTIONS = ("sum", "avg", "min", "max")


@pytest.fixture(scope="module")
async def world(admin: "asyncpg.Connection[Any]") -> World:
    """Sixty rows of every kind; no test of the module changes them."""
    return await populated(admin, await new_caller(admin), each=60)


@pytest.fixture
def read(executor: Executor, surroundings: Surroundings, world: World) -> Run:
    """What runs operations in the world's workspace."""
    return Run(executor, surroundings, world.caller)


@pytest.mark.parametrize("model", sorted(roots(), key=str))
async def test_the_figures_of_all_columns_are_what_python_reckons(
    read: Run, world: World, model: type[Base]
) -> None:
    asked = {f: measurable(model, f) for f in FUNCTIONS if measurable(model, f)}
    selection = " ".join(
        f"{function} {{ {' '.join(map(public_name, attributes))} }}"
        for function, attributes in asked.items()
    )

    answer = await read(
        f"{{ {roots()[model]} {{ aggregate {{ count {selection} }} }} }}"
    )

    rows = world.rows[model]
    assert rounded(answer["data"][roots()[model]]["aggregate"]) == rounded(
        {"count": len(rows)}
        | {
            function: {
                public_name(attribute): figure(model, rows, function, attribute)
                for attribute in attributes
            }
            for function, attributes in asked.items()
        }
    )


@pytest.mark.parametrize(
    ("model", "attribute"),
    [
        pytest.param(model, attribute, id=f"{model.__name__}.{attribute}")
        for model in sorted(roots(), key=str)
        for attribute in groupable(model)
    ],
)
async def test_the_groups_of_every_column_are_what_python_counts(
    read: Run, world: World, model: type[Base], attribute: str
) -> None:
    name = public_name(attribute)

    answer = await read(
        f"{{ {roots()[model]} {{ groups(by: [{attribute.upper()}], first: 100) "
        f"{{ key {{ {name} }} aggregate {{ count }} }} }} }}"
    )

    groups = answer["data"][roots()[model]]["groups"]
    counts = [group["aggregate"]["count"] for group in groups]
    show = shown(model, attribute)
    assert {
        group["key"][name]: group["aggregate"]["count"] for group in groups
    } == Counter(show(row[attribute]) for row in world.rows[model])
    assert counts == sorted(counts, reverse=True)


async def test_groups_by_several_keys_have_figures_of_their_own(
    read: Run, world: World
) -> None:
    answer = await read(
        "{ commitments { groups(by: [STATE, SEVERITY], first: 100) "
        "{ key { state severity source } "
        "aggregate { count sum { priority } max { priority } } } } }"
    )

    groups: dict[tuple[str, int], list[int]] = {}
    for row in world.rows[Commitment]:
        key = (row["state"].upper(), row["severity"])
        groups.setdefault(key, []).append(row["priority"])
    found = answer["data"]["commitments"]["groups"]
    assert sorted(found, key=str) == sorted(
        (
            {
                "key": {"state": state, "severity": severity, "source": None},
                "aggregate": {
                    "count": len(priorities),
                    "sum": {"priority": str(sum(priorities))},
                    "max": {"priority": max(priorities)},
                },
            }
            for (state, severity), priorities in groups.items()
        ),
        key=str,
    )


async def test_the_largest_groups_come_first_and_nulls_after_their_equals(
    run: Run, make: Make
) -> None:
    for language in ["b", "c", "c", None, "a", None, None, "d"]:
        await make.document(language=language)

    async def groups(first: int) -> list[Any]:
        answer = await run(
            "query($first: Int!) { documents { groups(by: [LANGUAGE], first: $first) "
            "{ key { language } aggregate { count } } } }",
            first=first,
        )
        found = answer["data"]["documents"]["groups"]
        return [(g["key"]["language"], g["aggregate"]["count"]) for g in found]

    whole = [(None, 3), ("c", 2), ("a", 1), ("b", 1), ("d", 1)]
    assert await groups(100) == whole
    assert await groups(3) == whole[:3]
    assert await groups(0) == []


async def test_nulls_are_a_group_that_comes_last_among_equals(
    run: Run, make: Make
) -> None:
    for language in [None, "z", "a"]:
        await make.document(language=language)

    answer = await run("{ documents { groups(by: [LANGUAGE]) { key { language } } } }")

    keys = [g["key"]["language"] for g in answer["data"]["documents"]["groups"]]
    assert keys == ["a", "z", None]


async def test_an_empty_list_has_no_figures_but_its_count(run: Run) -> None:
    answer = await run(
        "{ documents { totalCount totalCountCapped aggregate { count sum { fileSize } "
        "avg { fileSize } min { fileSize ingestedAt } max { fileSize ingestedAt } } "
        "groups(by: [LANGUAGE]) { key { language } } } }"
    )

    nothing = {"fileSize": None}
    assert answer["data"]["documents"] == {
        "totalCount": 0,
        "totalCountCapped": False,
        "aggregate": {
            "count": 0,
            "sum": nothing,
            "avg": nothing,
            "min": nothing | {"ingestedAt": None},
            "max": nothing | {"ingestedAt": None},
        },
        "groups": [],
    }


async def test_large_integers_are_summed_exactly(run: Run, make: Make) -> None:
    for _ in range(3):
        await make.document(file_size=2**53)
    await make.document(file_size=1)

    answer = await run(
        "{ documents { aggregate { sum { fileSize } max { fileSize } } } }"
    )

    assert answer["data"]["documents"]["aggregate"] == {
        "sum": {"fileSize": str(3 * 2**53 + 1)},
        "max": {"fileSize": str(2**53)},
    }


async def test_a_sum_of_integers_may_be_beyond_an_integer(run: Run, make: Make) -> None:
    document = await make.document()
    for _ in range(3):
        await make.annotation(document_id=document.id, start_offset=2**31 - 1)

    answer = await run("{ annotations { aggregate { sum { startOffset } } } }")

    total = answer["data"]["annotations"]["aggregate"]["sum"]
    assert total == {"startOffset": str(3 * (2**31 - 1))}


async def test_money_is_summed_without_rounding(run: Run, make: Make) -> None:
    for cost in ("999999.9999", "0.0001", "0.0002"):
        await make.document(extraction_cost=Decimal(cost))

    answer = await run(
        "{ documents { aggregate { sum { extractionCost } avg { extractionCost } "
        "min { extractionCost } max { extractionCost } } } }"
    )

    figures = answer["data"]["documents"]["aggregate"]
    assert Decimal(figures.pop("avg")["extractionCost"]).quantize(
        Decimal("0.0001")
    ) == Decimal("333333.3334")
    assert figures == {
        "sum": {"extractionCost": "1000000.0002"},
        "min": {"extractionCost": "0.0001"},
        "max": {"extractionCost": "999999.9999"},
    }


async def test_figures_are_of_all_that_the_filter_finds_whatever_the_page(
    run: Run, make: Make
) -> None:
    role = await make.role()
    for priority in (10, 20, 30, 90):
        await make.commitment(role_id=role.id, priority=priority)

    answer = await run(
        "{ commitments(filter: {priority: {lt: 90}}, first: 1, "
        "orderBy: [{field: PRIORITY, direction: DESC}]) { nodes { priority } "
        "totalCount aggregate { count avg { priority } } "
        "groups(by: [PRIORITY], first: 2) { key { priority } } } }"
    )

    assert answer["data"]["commitments"] == {
        "nodes": [{"priority": 30}],
        "totalCount": 3,
        "aggregate": {"count": 3, "avg": {"priority": 20.0}},
        "groups": [{"key": {"priority": 10}}, {"key": {"priority": 20}}],
    }


async def test_within_a_relation_figures_are_each_parents_own(
    read: Run, world: World
) -> None:
    answer = await read(
        "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Role { commitments { "
        "totalCount aggregate { count sum { priority } } "
        "groups(by: [STATE], first: 100) { key { state } aggregate { count } } } } } }",
        ids=world.ids(Role),
    )

    lists = [node["commitments"] for node in answer["data"]["nodes"]]
    owed = [
        [row for row in world.rows[Commitment] if row["role_id"] == role["id"]]
        for role in sorted(world.rows[Role], key=lambda row: str(row["id"]))
    ]
    assert [one["totalCount"] for one in lists] == [len(rows) for rows in owed]
    assert [one["aggregate"] for one in lists] == [
        {
            "count": len(rows),
            "sum": {"priority": figure(Commitment, rows, "sum", "priority")},
        }
        for rows in owed
    ]
    assert [
        {g["key"]["state"]: g["aggregate"]["count"] for g in one["groups"]}
        for one in lists
    ] == [Counter(row["state"].upper() for row in rows) for rows in owed]


async def test_figures_are_found_in_fragments_and_under_other_names(
    run: Run, make: Make
) -> None:
    await make.commitment(priority=7)

    answer = await run(
        "query { commitments { a: aggregate { ...F } b: aggregate { ... on "
        "CommitmentAggregate { low: min { p: priority } } } } } "
        "fragment F on CommitmentAggregate { high: max { ...G } } "
        "fragment G on CommitmentMax { priority severity }"
    )

    assert answer["data"]["commitments"] == {
        "a": {"high": {"priority": 7, "severity": 0}},
        "b": {"low": {"p": 7}},
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("by: []", "`by` takes 1 to 3 fields, not 0."),
        (
            "by: [STATE, SOURCE, PRIORITY, SEVERITY]",
            "`by` takes 1 to 3 fields, not 4.",
        ),
        ("by: [STATE], first: 101", "must be from 0 to 100, not 101."),
        ("by: [STATE], first: -1", "must be from 0 to 100, not -1."),
    ],
)
async def test_groups_beyond_a_chart_are_refused(
    run: Run, arguments: str, message: str
) -> None:
    answer = await run(
        f"{{ commitments {{ groups({arguments}) {{ aggregate {{ count }} }} }} }}"
    )

    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["message"].endswith(message)


async def test_counting_stops_at_ten_thousand_and_says_so(
    run: Run, caller: Caller, admin: "asyncpg.Connection[Any]"
) -> None:
    random = Random(1)
    tags = [varied(Tag, random, color=None, version=1) for _ in range(10_001)]
    tags[0]["color"] = "#aabbcc"
    await store(admin, caller, Tag, tags)

    answer = await run(
        "{ all: tags { ...Counts } plain: tags(filter: {color: {isNull: true}}) "
        "{ ...Counts } } fragment Counts on TagConnection "
        "{ totalCount totalCountCapped aggregate { count } }"
    )

    assert answer["data"] == {
        "all": counts(10_000, capped=True, exactly=10_001),
        "plain": counts(10_000, capped=False, exactly=10_000),
    }


def counts(total: int, *, capped: bool, exactly: int) -> dict[str, Any]:
    return {
        "totalCount": total,
        "totalCountCapped": capped,
        "aggregate": {"count": exactly},
    }


def figure(model: type[Base], rows: list[Row], function: str, attribute: str) -> Any:
    """A figure as it is answered, reckoned in Python."""
    values = [row[attribute] for row in rows if row[attribute] is not None]
    if not values:
        return None
    of = kind(column_of(model, attribute))
    if function == "sum":
        return sum(values) if of is Kind.FLOAT else str(sum(values))
    if function == "avg":
        average = sum(values) / len(values)
        return str(average) if of is Kind.DECIMAL else float(average)
    return shown(model, attribute)(min(values) if function == "min" else max(values))


def shown(model: type[Base], attribute: str) -> Callable[[Any], Any]:
    """How the values of a column are answered."""
    column = column_of(model, attribute)
    named = type_behind(model, attribute)

    def show(value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, datetime):
            return write_time(value)
        if isinstance(column.type, Words) or isinstance(value, StrEnum):
            return str(value).upper()
        if kind(column) is Kind.ID:
            return global_id(named, value) if named else str(value)
        if kind(column) in {Kind.BIG_INT, Kind.DECIMAL}:
            return str(value)
        return value

    return show


def rounded(figures: Any) -> Any:
    """Figures to nine digits: sums of floats depend on their order."""
    if isinstance(figures, dict):
        return {name: rounded(value) for name, value in figures.items()}
    if isinstance(figures, float):
        return round(figures, 9)
    if isinstance(figures, str) and figures.replace(".", "", 1).isdecimal():
        return round(Decimal(figures), 9)
    return figures
