"""The long form of the proof that both ways of answering are equal.

    python tests/equality/fuzz.py --examples 5000 --seed 7
    python tests/equality/fuzz.py --only 7:1234
    python tests/equality/fuzz.py caches --operations 100000

It starts an embedded PostgreSQL of its own, makes the worlds, and compares. It ends
with 1 if any answers differ, or if a sound world had an error that is a bug's.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

import asyncpg
from both_ways import BothWays, Bugs, Compared, catching_bugs, difference
from conftest import CARELESS, SECRET
from databases import migrated_database
from exercised import Exercised
from operations import Operation, random_operation
from pydantic import SecretStr
from shrinking import shrunk

from graph_api.config import Settings
from graph_api.database.embedded import EmbeddedServer
from graph_api.database.engine import Database
from graph_api.schema import graphql_schema


@contextmanager
def server() -> Iterator[str]:
    with (
        tempfile.TemporaryDirectory(prefix="graph-api-fuzz-") as directory,
        EmbeddedServer(Path(directory), settings=CARELESS) as running,
        migrated_database(running.url()) as url,
    ):
        yield url


@asynccontextmanager
async def both_ways(url: str) -> AsyncIterator[BothWays]:
    settings = Settings(secret_key=SecretStr(SECRET), pool_size=2)
    database = Database(url, settings)
    admin: asyncpg.Connection[Any] = await asyncpg.connect(url)
    try:
        yield await BothWays.of(admin, database, settings)
    finally:
        await admin.close()
        await database.close()


async def fuzz(ways: BothWays, seed: int, numbers: range, bugs: Bugs) -> int:
    exercised = Exercised(graphql_schema)
    failures = 0
    told = set[str]()
    began = time.monotonic()
    making = 0.0
    for number in numbers:
        start = time.monotonic()
        operation = random_operation(ways.worlds, ways.cursors, seed, number)
        making += time.monotonic() - start
        compared = await ways.compare(operation)
        exercised.note(compared)
        if not compared.equal:
            failures += 1
            await _tell(ways, compared)
        internal = operation.world is ways.worlds.sound and "INTERNAL" in compared.codes
        if internal and bugs.last[:60] not in told:
            told.add(bugs.last[:60])
            print(f"A bug in a sound world: {operation.label} {bugs.last}")
            small = await shrunk(operation, ways.fails_by_a_bug)
            print(small.query, dict(small.variables))
            failures += 1
    took = time.monotonic() - began
    print(exercised.report())
    print(f"{took:.1f} s, {took / len(numbers) * 1000:.1f} ms each; making {making:.1f} s")
    for what in ("types", "fields", "leaves", "arguments"):
        missing = getattr(exercised, f"missing_{what}")()
        print(f"missing {what} ({len(missing)}): {' '.join(missing[:60])}")
    for bug, times in bugs.found.most_common(20):
        print(f"{times} × {bug}")
    return failures


async def _tell(ways: BothWays, compared: Compared) -> None:
    async def differs(operation: Operation) -> bool:
        return not (await ways.compare(operation)).equal

    small = await shrunk(compared.operation, differs)
    print(difference(compared))
    print("At its smallest:")
    print(difference(await ways.compare(small)))


async def main(arguments: argparse.Namespace, url: str) -> int:
    async with both_ways(url) as ways, catching_bugs() as bugs:
        numbers = range(arguments.examples)
        seed = arguments.seed
        if arguments.only:
            seed, number = map(int, arguments.only.split(":"))
            numbers = range(number, number + 1)
            print(random_operation(ways.worlds, ways.cursors, seed, number))
        return await fuzz(ways, seed, numbers, bugs)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--examples", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only")
    given = parser.parse_args()
    with server() as url:
        sys.exit(min(asyncio.run(main(given, url)), 1))
