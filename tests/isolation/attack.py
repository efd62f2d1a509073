"""`make attack-isolation`: what the tests do in short, at length, with figures.

20,000 probes over all that takes an id, and 10,000 requests of twenty users over four
connections, directly and, where it is installed, behind PgBouncer.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

import asyncpg

HERE = Path(__file__).parent
sys.path += [str(HERE), str(HERE.parent), str(HERE.parents[1])]

from conftest import CARELESS, SECRET, new_caller  # noqa: E402
from crowd import Member, ask  # noqa: E402
from databases import migrated_database  # noqa: E402
from factories import Make  # noqa: E402
from pgbouncer import PROGRAM, PgBouncer  # noqa: E402
from probes import Found, Stranger, probe, probes  # noqa: E402
from running import Run  # noqa: E402
from world import populated  # noqa: E402

from graph_api.config import Settings  # noqa: E402
from graph_api.database.embedded import EmbeddedServer  # noqa: E402
from graph_api.database.engine import Database  # noqa: E402
from graph_api.execution.limits import Limits  # noqa: E402
from graph_api.execution.operation import Executor  # noqa: E402
from graph_api.reading.cursors import Cursors  # noqa: E402
from graph_api.schema import graphql_schema  # noqa: E402
from graph_api.schema.context import Surroundings  # noqa: E402

USERS, CONNECTIONS = 20, 4


async def main(given: argparse.Namespace, url: str) -> bool:
    admin = await asyncpg.connect(url)
    clean = await _probe(given, url, admin)
    ways: list[tuple[str, str, dict[str, Any]]] = [("directly", url, {})]
    if PROGRAM is None:
        print("behind PgBouncer: skipped, it is not installed")
        clean &= await _crowd(given, admin, *ways[0])
    else:
        with PgBouncer(url, connections=CONNECTIONS) as pooler:
            pooled = {"database_pooler": "transaction", "pool_size": USERS}
            ways.append(("behind PgBouncer", pooler.url, pooled))
            for way in ways:
                clean &= await _crowd(given, admin, *way)
    await admin.close()
    return clean


async def _probe(given: argparse.Namespace, url: str, admin: Any) -> bool:
    own = await populated(admin, await new_caller(admin), each=6, seed=1)
    stranger = Stranger(await populated(admin, await new_caller(admin), each=6, seed=2))
    random, all, found = Random(given.seed), list(probes()), Found()
    since = time.monotonic()
    settings = Settings(pool_size=CONNECTIONS)
    database = Database(url, settings)
    for planning in (True, False):
        run = Run(
            _executor(settings, planning), _around(database, settings), own.caller
        )
        for number in range(given.probes // 2):
            one = await probe(run, all[number % len(all)], stranger, random)
            found.probes += 1
            found.different += one.different
            found.foreign += one.foreign
    await database.close()
    print(
        f"probes: {found.probes} of {len(all)} kinds, {len(found.different)} told a "
        f"stranger's id from nobody's, {len(found.foreign)} foreign ids; "
        f"{time.monotonic() - since:.0f} s"
    )
    for line in (*found.different[:5], *found.foreign[:5]):
        print(f"  {line}")
    return not (found.different or found.foreign)


async def _crowd(
    given: argparse.Namespace, admin: Any, way: str, url: str, more: dict[str, Any]
) -> bool:
    settings = Settings(pool_size=CONNECTIONS, max_overflow=0, pool_timeout=60)
    settings = settings.model_copy(update=more)
    database = Database(url, settings)
    around = _around(database, settings)
    members = []
    for number in range(USERS):
        caller = await new_caller(admin)
        mark = f"org{number:03}org"
        make = Make(around, caller)
        party = await make.party(name=mark)
        await make.role(party_id=party.id, role_name=mark)
        members.append(Member(caller, mark))
    clean = True
    for planning in (True, False):
        run = Run(_executor(settings, planning), around, members[0].caller)
        since = time.monotonic()
        seen = await ask(
            run,
            members,
            requests=given.requests // 2,
            at_once=USERS,
            seed=given.seed,
        )
        print(
            f"{way}, {'planned' if planning else 'resolved'}: {seen.requests} requests "
            f"of {USERS} users over {CONNECTIONS} connections, "
            f"{seen.foreign} mixed up, "
            f"{seen.failed} failed; {time.monotonic() - since:.0f} s"
        )
        clean &= not (seen.foreign or seen.failed)
    await database.close()
    return clean


def _executor(settings: Settings, planning: bool) -> Executor:
    limits = Limits.of(settings)
    return Executor(graphql_schema, limits, timeout_s=60, planning=planning)


def _around(database: Database, settings: Settings) -> Surroundings:
    return Surroundings(database, Cursors(SECRET), settings)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--probes", type=int, default=20_000)
    parser.add_argument("--requests", type=int, default=10_000, help="in each way")
    parser.add_argument("--seed", type=int, default=20261126)
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="graph-api-test-") as directory,
        EmbeddedServer(Path(directory), settings=CARELESS) as server,
        migrated_database(server.url()) as migrated,
    ):
        print(f"seed {chosen.seed}")
        sys.exit(0 if asyncio.run(main(chosen, migrated)) else 1)
