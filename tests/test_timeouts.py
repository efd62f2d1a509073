"""How long anything may take: each limit is kept, told, and costs no connection."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest
from asyncpg import Connection
from databases import session
from running import Run
from starlette.applications import Starlette
from test_leases import LOCK, OURS, until
from test_retries import codes, on
from writing import Admin

from graph_api.config import Settings
from graph_api.errors import Busy
from graph_api.execution.database_errors import database_error
from graph_api.execution.limits import Limits
from graph_api.execution.operation import Executor
from graph_api.http import graphql_endpoint, routes
from graph_api.schema import graphql_schema
from graph_api.schema.context import Context

NAMES = {"query": "{ parties(first: 1) { nodes { name } } }"}
EMPTY: dict[str, Any] = {"data": {"parties": {"nodes": []}}}

Client = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
async def rival(database_url: str) -> AsyncIterator[Connection]:
    """Somebody else, who has locked what is to be read until `ROLLBACK`."""
    async with session(database_url) as connection:
        await connection.execute("BEGIN")
        await connection.execute(LOCK)
        yield connection
        await connection.execute("ROLLBACK")


@pytest.fixture
def client(run: Run, database_url: str, settings: Settings) -> Client:
    """A client of a server with three connections and these settings."""

    @asynccontextmanager
    async def made(**given: Any) -> AsyncIterator[httpx.AsyncClient]:
        chosen = settings.model_copy(update=given | {"max_overflow": 1})
        timeout_s = chosen.operation_timeout_s
        executor = Executor(graphql_schema, Limits(), timeout_s=timeout_s)
        async with on(run, database_url, chosen) as theirs:

            async def make_context(_: Any) -> Context:
                return Context(theirs.surroundings, theirs.caller)

            async def ready() -> dict[str, Any]:
                return {"database": bool(await theirs.surroundings.database.revision())}

            endpoint = graphql_endpoint(executor, chosen, make_context)
            app = Starlette(routes=routes(endpoint, chosen, ready))
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://localhost"
            ) as client:
                yield client

    return made


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ("lock_timeout_s", "SERVICE_BUSY"),
        ("statement_timeout_s", "TIMEOUT"),
        ("operation_timeout_s", "TIMEOUT"),
    ],
)
async def test_what_takes_too_long_is_503_and_frees_its_connection(
    client: Client, rival: Connection, admin: "Admin[Any]", setting: str, code: str
) -> None:
    async with client(**{setting: 0.3}) as asking:
        before = len(await admin.fetch(OURS))
        since = time.monotonic()
        answer = await asking.post("/graphql", json=NAMES)
        took = time.monotonic() - since
        await until(lambda: at_most(admin, before + 1))
        await rival.execute("ROLLBACK")
        again = await asking.post("/graphql", json=NAMES)

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert codes(answer.json()) == [code]
    assert 0.3 <= took < 1.5
    assert again.json() == EMPTY


async def test_when_all_connections_are_taken_everybody_is_told_so_in_time(
    client: Client, rival: Connection, admin: "Admin[Any]"
) -> None:
    async with client(pool_timeout=0.5, lock_timeout_s=20) as asking:
        taken = [
            asyncio.create_task(asking.post("/graphql", json=NAMES)) for _ in "123"
        ]
        await until(lambda: waiting(admin, 3))

        since = time.monotonic()
        refused = await asyncio.gather(
            *(asking.post("/graphql", json=NAMES) for _ in range(40))
        )
        took = time.monotonic() - since
        health, ready = [await asking.get(at) for at in ("/health", "/readyz")]
        await rival.execute("ROLLBACK")
        recovered = await asking.post("/graphql", json=NAMES)
        first = await asyncio.gather(*taken)

    assert {answer.status_code for answer in refused} == {503}
    assert {answer.headers["retry-after"] for answer in refused} == {"1"}
    assert {code for one in refused for code in codes(one.json())} == {"SERVICE_BUSY"}
    assert took < 1.5
    assert health.status_code == 200
    assert ready.status_code == 503
    assert recovered.json() == EMPTY
    assert [answer.json() for answer in first] == [EMPTY] * 3


async def test_a_transaction_that_idles_is_ended(
    run: Run, database_url: str, settings: Settings, admin: "Admin[Any]"
) -> None:
    brief = settings.model_copy(update={"idle_in_transaction_timeout_s": 0.2})
    async with on(run, database_url, brief) as theirs:
        database, workspace = theirs.surroundings.database, theirs.caller.workspace_id
        async with database.connect(workspace) as connection:
            await connection.begin()
            pid = connection.driver.get_server_pid()

            await until(lambda: is_gone(admin, pid))

        answer = await theirs(NAMES["query"])

    assert answer == EMPTY


async def test_a_transaction_that_takes_too_long_is_ended(
    run: Run, database_url: str, settings: Settings, admin: "Admin[Any]"
) -> None:
    if await admin.fetchval("SHOW server_version_num") < "170000":
        pytest.skip("PostgreSQL limits transactions from version 17 on")
    brief = settings.model_copy(update={"transaction_timeout_s": 0.3})
    async with on(run, database_url, brief) as theirs:
        database, workspace = theirs.surroundings.database, theirs.caller.workspace_id
        async with database.connect(workspace) as connection:
            await connection.begin()
            pid = connection.driver.get_server_pid()
            # Each statement is short, and there is no pause.
            with pytest.raises(asyncpg.PostgresError) as raised:
                await forever(connection, "SELECT pg_sleep(0.05)")

            await until(lambda: is_gone(admin, pid))

        told = database_error(raised.value)

        answer = await theirs(NAMES["query"])

    assert isinstance(told, Busy)
    assert answer == EMPTY


async def forever(connection: Any, sql: str) -> None:
    while True:
        await connection.fetch(sql)


async def at_most(admin: "Admin[Any]", connections: int) -> bool:
    return len(await admin.fetch(OURS)) <= connections


async def waiting(admin: "Admin[Any]", many: int) -> bool:
    """Whether so many wait for a lock."""
    found = await admin.fetch(f"{OURS} AND wait_event_type = 'Lock'")
    return len(found) == many


async def is_gone(admin: "Admin[Any]", pid: int) -> bool:
    return not await admin.fetch("SELECT FROM pg_stat_activity WHERE pid = $1", pid)
