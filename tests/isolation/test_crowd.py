"""No connection that many share shows one of them what is another's."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from conftest import SECRET, new_caller
from crowd import Member, ask
from factories import Make
from pgbouncer import PROGRAM, PgBouncer
from running import Run
from writing import Admin

from graph_api.config import Settings
from graph_api.database.engine import Database
from graph_api.execution.limits import Limits
from graph_api.execution.operation import Executor
from graph_api.reading.cursors import Cursors
from graph_api.schema import graphql_schema
from graph_api.schema.context import Surroundings

USERS, CONNECTIONS, REQUESTS = 20, 4, 400


@pytest.fixture(params=["directly", "behind PgBouncer"])
def way(request: Any, database_url: str) -> Iterator[tuple[str, Settings]]:
    """The URL of the database, and how it is reached."""
    few = Settings(pool_size=CONNECTIONS, max_overflow=0, pool_timeout=30)
    if request.param == "directly":
        yield database_url, few
        return
    if PROGRAM is None:
        pytest.skip("pgbouncer is not installed")
    with PgBouncer(database_url, connections=CONNECTIONS) as pooler:
        many = few.model_copy(
            update={"database_pooler": "transaction", "pool_size": USERS}
        )
        yield pooler.url, many


@pytest.fixture(params=["planned", "resolved"])
async def shared(
    request: Any, way: tuple[str, Settings], run: Run
) -> AsyncIterator[Run]:
    """What runs operations over few connections, by plans or without them."""
    url, settings = way
    database = Database(url, settings)
    await database.verify()
    executor = Executor(
        graphql_schema,
        Limits.of(settings),
        timeout_s=60,
        planning=request.param == "planned",
    )
    yield Run(executor, Surroundings(database, Cursors(SECRET), settings), run.caller)
    await database.close()


async def test_twenty_users_over_four_connections_see_their_own(
    shared: Run, make: Make, admin: "Admin[Any]"
) -> None:
    members = []
    for number in range(USERS):
        caller = await new_caller(admin)
        mark = f"org{number:03}org"
        party = await make.by(caller).party(name=mark)
        await make.by(caller).role(party_id=party.id, role_name=mark)
        members.append(Member(caller, mark))

    seen = await ask(shared, members, requests=REQUESTS, at_once=USERS, seed=7)

    assert (seen.requests, seen.foreign, seen.failed) == (REQUESTS, 0, 0)
