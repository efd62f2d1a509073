"""The reference path and the plans give the same bytes, whatever is asked.

EQUALITY_SEED chooses other random operations than those of CI, EQUALITY_EXAMPLES how
many; `make fuzz` is the long form.
"""

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from both_ways import BothWays, Bugs, Compared, both_ways, catching_bugs, difference
from exercised import Exercised
from from_schema import operations_of
from hypothesis import HealthCheck, given, seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from named_operations import NAMED
from operations import MUTATIONS, QUERIES, Operation, random_operation
from running import Run
from shrinking import shrunk
from world import World
from writing import stored

from graph_api.execution.messages import Answer
from graph_api.schema import graphql_schema

SEED = int(os.environ.get("EQUALITY_SEED", "1"))
EXAMPLES = int(os.environ.get("EQUALITY_EXAMPLES", "250"))
# Each takes ten times as long as one of ours.
FROM_SCHEMA = EXAMPLES // 20

pytestmark = [
    # graphql-core leaves what it had begun where a sibling fails.
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
async def ways(database_url: str) -> AsyncIterator[BothWays]:
    """Both ways of answering, over worlds of their own."""
    async with both_ways(database_url) as both:
        yield both


@pytest.fixture(autouse=True)
async def bugs() -> AsyncIterator[Bugs]:
    """The errors that are masked as bugs, which are not logged meanwhile."""
    async with catching_bugs() as caught:
        yield caught


@pytest.fixture
def ways_that_differ(ways: BothWays) -> Iterator[BothWays]:
    """Both ways, of which one shows another name for each party."""
    before, ways.planned = ways.planned, Renaming(ways.planned)  # type: ignore[assignment]
    yield ways
    ways.planned = before


NEW_TAG = """
mutation { createTag(input: {name: "x", dryRun: true}) {
    tag { createdAt id uuid interactions { nodes { id } edges { cursor } } }
    interactions { id position after } } }
"""


class Renaming:
    """An executor that is not right."""

    def __init__(self, right: Any) -> None:
        self._right = right

    async def run(self, *arguments: Any) -> Answer:
        answer: Answer = await self._right.run(*arguments)
        return replace(answer, data=_renamed(answer.data))


@pytest.mark.parametrize("name", NAMED)
async def test_a_named_operation_is_answered_alike(ways: BothWays, name: str) -> None:
    named = NAMED[name]
    world = ways.worlds.broken if named.broken else ways.worlds.sound

    compared = await ways.compare(named.in_(world, name))

    assert compared.equal, difference(compared)
    assert set(compared.codes) == set(named.codes)


async def test_random_operations_are_answered_alike(
    ways: BothWays, admin: "asyncpg.Connection[Any]", run: Run
) -> None:
    before = [await stored(admin, run.by(world.caller)) for world in ways.worlds.all]
    exercised = Exercised(graphql_schema)

    compared = [one async for one in all_compared(ways, exercised)]

    print(f"EQUALITY_SEED={SEED}", exercised.report(), sep="\n")
    assert [difference(one) for one in compared if not one.equal] == []
    assert [one.operation for one in compared if fails_by_a_bug(ways, one)] == []
    after = [await stored(admin, run.by(world.caller)) for world in ways.worlds.all]
    assert after == before
    assert exercised.counts["with data"] > 0.75 * EXAMPLES
    reached = {name for type, name in exercised.fields if type in {"Query", "Mutation"}}
    assert reached >= set(QUERIES if EXAMPLES > 200 else ())
    assert reached >= set(MUTATIONS if EXAMPLES > 1_000 else ())


@seed(SEED)
@hypothesis_settings(
    max_examples=FROM_SCHEMA,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
async def test_operations_of_hypothesis_are_answered_alike(
    ways: BothWays, data: Any
) -> None:
    compared = await ways.compare(data.draw(operations_of(ways.worlds)))

    assert compared.equal, difference(compared)


async def test_a_difference_is_found_and_made_small(ways_that_differ: BothWays) -> None:
    ways = ways_that_differ
    large = Operation(
        ways.worlds.sound,
        """query ($first: Int, $yes: Boolean!) {
            roles(first: $first) { nodes { ... on Role { party { id ...Named } } } }
            tags { totalCount }
        }
        fragment Named on Party { kind name @include(if: $yes) }""",
        {"first": 3, "yes": True},
    )

    async def differs(operation: Operation) -> bool:
        return not (await ways.compare(operation)).equal

    small = await shrunk(large, differs)

    assert " ".join(small.query.split()) == (
        "{ roles { nodes { party { ...Named } } } } fragment Named on Party { name }"
    )
    assert small.variables == {}


async def test_a_dry_run_stays_one_however_small(ways: BothWays) -> None:
    large = Operation(ways.worlds.sound, NEW_TAG)

    async def always(_: Operation) -> bool:
        return True

    small = await shrunk(large, always)

    assert "dryRun: true" in small.query


async def test_dry_runs_differ_in_nothing_but_what_is_new(ways: BothWays) -> None:
    asked = Operation(ways.worlds.sound, NEW_TAG)
    one = await ways.answer(ways.reference, asked, writes=True)
    other = await ways.answer(ways.reference, asked, writes=True)

    assert one.data != other.data
    assert ways.bytes_of(one, writes=True) == ways.bytes_of(other, writes=True)
    otherwise = replace(other, data=_respelled(other.data))
    assert ways.bytes_of(one, writes=True) != ways.bytes_of(otherwise, writes=True)


async def all_compared(ways: BothWays, exercised: Exercised) -> AsyncIterator[Compared]:
    for number in range(EXAMPLES):
        operation = random_operation(ways.worlds, ways.cursors, SEED, number)
        compared = await ways.compare(operation)
        exercised.note(compared)
        yield compared


def fails_by_a_bug(ways: BothWays, compared: Compared) -> bool:
    """Whether there is a bug's error where nothing is broken."""
    sound: World = ways.worlds.sound
    return compared.operation.world is sound and "INTERNAL" in compared.codes


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: "?" if k == "name" else _renamed(v) for k, v in value.items()}
    return list(map(_renamed, value)) if isinstance(value, list) else value


def _respelled(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _respelled(v) for k, v in value.items()}
    return (
        f"{value[:-1]}+00:00" if isinstance(value, str) and value[-1] == "Z" else value
    )
