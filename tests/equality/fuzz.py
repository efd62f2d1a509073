"""The long form of the proof that both ways of answering are equal.

    python tests/equality/fuzz.py --examples 5000 --seed 7
    python tests/equality/fuzz.py --only 7:1234
    python tests/equality/fuzz.py caches --operations 100000

It starts an embedded PostgreSQL of its own, makes the worlds, and compares. It ends
with 1 if any answers differ, if the sound world had an error that is a bug's, or if
something grew with the number of operations.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import (
    AbstractAsyncContextManager,
    ExitStack,
    contextmanager,
)
from pathlib import Path
from typing import TypeVar

# Run as a script, it finds what pytest would find by itself.
sys.path.insert(0, str(Path(__file__).parents[1]))

from both_ways import BothWays, Bugs, Compared, both_ways, catching_bugs, difference
from conftest import CARELESS
from databases import migrated_database
from exercised import Exercised
from from_schema import operations_of
from hypothesis import HealthCheck, given, settings
from hypothesis import seed as seeded
from operations import Operation, random_operation
from shrinking import shrunk

from graph_api.database.embedded import EmbeddedServer
from graph_api.schema import graphql_schema

T = TypeVar("T")

# So many operations reach nearly all that the schema has.
LONG = 5_000
# A difference has one cause mostly, and takes a while to make small.
MOST_SHRUNK = 3
# In the second half of 100,000 operations: nothing is still to be filled then.
MOST_GROWTH = 16 << 20


@contextmanager
def server() -> Iterator[str]:
    with (
        tempfile.TemporaryDirectory(prefix="graph-api-fuzz-") as directory,
        EmbeddedServer(Path(directory), settings=CARELESS) as running,
        migrated_database(running.url()) as url,
    ):
        yield url


class Fuzz:
    """Compares operations, tells of what is not as it should be, and counts."""

    def __init__(self, ways: BothWays, bugs: Bugs) -> None:
        self._ways = ways
        self._bugs = bugs
        self._exercised = Exercised(graphql_schema)
        self._told: set[str] = set()
        self.failures = 0

    async def compare(self, operation: Operation) -> Compared:
        """Compare one, and count it."""
        compared = await self._ways.compare(operation)
        self._exercised.note(compared)
        return compared

    async def random(self, seed: int, numbers: range) -> None:
        """Compare the random operations of these numbers."""
        for number in numbers:
            operation = random_operation(
                self._ways.worlds, self._ways.cursors, seed, number
            )
            compared = await self.compare(operation)
            if not compared.equal:
                await self._tell_difference(compared)
            sound = operation.world is self._ways.worlds.sound
            if sound and "INTERNAL" in compared.codes:
                await self._tell_bug(operation)

    def from_schema(self, runner: asyncio.Runner, seed: int, examples: int) -> None:
        """Compare what hypothesis-graphql makes; it stops at a difference."""

        @seeded(seed)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(operations_of(self._ways.worlds))
        def check(operation: Operation) -> None:
            compared = runner.run(self.compare(operation))
            assert compared.equal, difference(compared)

        try:
            check()
        except AssertionError as error:
            self.failures += 1
            print(error)

    def report(self, *, long: bool) -> None:
        """Print the figures, and what the schema has that no operation reached.

        A `long` run fails where that is too much.
        """
        print(self._exercised.report())
        if long and (too_little := self._exercised.too_little()):
            self.failures += 1
            print("Too little was reached:", *too_little)
        for what in ("types", "fields", "leaves", "arguments"):
            missing = getattr(self._exercised, f"missing_{what}")()
            print(f"never reached, {what}: {len(missing)} {' '.join(missing[:40])}")
        for bug, times in self._bugs.found.most_common(20):
            print(f"masked, in both ways and worlds: {times} times {bug}")

    async def _tell_difference(self, compared: Compared) -> None:
        self.failures += 1

        async def differs(operation: Operation) -> bool:
            return not (await self._ways.compare(operation)).equal

        print(difference(compared))
        if self.failures <= MOST_SHRUNK:
            small = await shrunk(compared.operation, differs)
            print("At its smallest:", difference(await self._ways.compare(small)))

    async def _tell_bug(self, operation: Operation) -> None:
        """Tell of an error by a bug where nothing is broken, once of each sort."""
        self.failures += 1
        if self._bugs.last[:80] in self._told:
            return
        self._told.add(self._bugs.last[:80])
        print(f"A bug in the sound world, {operation.label}: {self._bugs.last}")
        small = await shrunk(operation, self._ways.fails_by_a_bug)
        print("At its smallest:", small.query, dict(small.variables))


def fuzz(arguments: argparse.Namespace, url: str) -> int:
    """Compare many operations; gives the number of failures."""
    began = time.monotonic()
    with asyncio.Runner() as runner, ExitStack() as stack:
        ways = _entered(runner, stack, both_ways(url))
        bugs = _entered(runner, stack, catching_bugs())
        run = Fuzz(ways, bugs)
        seed, numbers = arguments.seed, range(arguments.examples)
        if arguments.only:
            seed, number = map(int, arguments.only.split(":"))
            numbers = range(number, number + 1)
            print(random_operation(ways.worlds, ways.cursors, seed, number))
        runner.run(run.random(seed, numbers))
        if arguments.from_schema and not arguments.only:
            run.from_schema(runner, seed, arguments.from_schema)
        print(f"seed {seed}, {time.monotonic() - began:.0f} s")
        run.report(long=len(numbers) >= LONG)
    return run.failures


def caches(arguments: argparse.Namespace, url: str) -> int:
    """Ask many different operations; gives how much of what is kept is unbounded."""
    with asyncio.Runner() as runner, ExitStack() as stack:
        ways = _entered(runner, stack, both_ways(url))
        kept = runner.run(ways.kept(ways.planned, arguments.operations))
    print(kept.report())
    print("unbounded:", ", ".join(kept.unbounded) or "nothing")
    grown = kept.growth > MOST_GROWTH
    return len(kept.unbounded) + int(grown)


def _entered(
    runner: asyncio.Runner, stack: ExitStack, manager: AbstractAsyncContextManager[T]
) -> T:
    """What the manager gives, until the stack is unwound."""
    stack.callback(lambda: runner.run(manager.__aexit__(None, None, None)))
    return runner.run(manager.__aenter__())


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", nargs="?", choices=["all", "caches"], default="all")
    parser.add_argument("--examples", type=int, default=5_000)
    parser.add_argument("--from-schema", type=int, default=300)
    parser.add_argument("--operations", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="SEED:NUMBER, the label of one operation")
    return parser.parse_args()


if __name__ == "__main__":
    asked = arguments()
    # asyncio tells of the tasks that graphql-core leaves behind where a field fails.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore", RuntimeWarning)
    with server() as url:
        failures = (caches if asked.what == "caches" else fuzz)(asked, url)
    print(f"{failures} failures")
    sys.exit(min(failures, 1))
