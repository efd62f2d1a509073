"""A connection is given back clean or not at all, and never silently replaced."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from factories import Make
from sqlalchemy import func, select
from writing import Admin

from graph_api.caller import Caller
from graph_api.config import Settings
from graph_api.database.engine import Connection, Database
from graph_api.keys import new_key
from graph_api.models import Party

PID = "SELECT pg_backend_pid()"
HOW_MANY = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'graph-api'"
PARTIES = select(func.count()).select_from(Party)


@pytest.fixture
async def alone(database_url: str, settings: Settings) -> AsyncIterator[Database]:
    """A pool of two connections that nobody else uses."""
    database = Database(database_url, settings)
    yield database
    await database.close()


@pytest.fixture
async def connection(alone: Database, caller: Caller) -> AsyncIterator[Connection]:
    async with alone.connect(caller.workspace_id) as connection:
        yield connection


async def test_what_is_used_in_turn_is_one_connection(
    alone: Database, caller: Caller
) -> None:
    async with alone.connect(caller.workspace_id) as first:
        pid = await pid_of(first)
    lease = await alone.lease(caller.workspace_id)
    (leased,) = await lease.fetch(PID)
    lease.release()

    async with alone.connect(caller.workspace_id) as again:
        assert await pid_of(again) == pid == leased[0]


async def test_both_ways_of_sending_are_in_one_transaction(
    connection: Connection, make: Make
) -> None:
    await make.party()
    await connection.begin()
    await connection.fetch(f"SELECT set_config('app.workspace', '{new_key()}', true)")

    ((within,),) = await connection.rows(PARTIES)
    await connection.rollback()
    ((after,),) = await connection.rows(PARTIES)

    assert (within, after) == (0, 1)


async def test_a_stopped_statement_takes_its_connection_with_it(
    alone: Database, caller: Caller
) -> None:
    async with alone.connect(caller.workspace_id) as connection:
        pid = await pid_of(connection)
        sleeping = asyncio.create_task(connection.fetch("SELECT pg_sleep(60)"))
        await asyncio.sleep(0.05)
        sleeping.cancel()
        await asyncio.wait((sleeping,))

    async with alone.connect(caller.workspace_id) as another:
        assert await pid_of(another) != pid


async def test_a_statement_that_still_runs_is_stopped_when_all_is_given_back(
    alone: Database, caller: Caller
) -> None:
    async with alone.connect(caller.workspace_id) as connection:
        sleeping = asyncio.create_task(connection.rows(select(func.pg_sleep(60))))
        await asyncio.sleep(0.05)

    assert sleeping.cancelled()


async def test_an_open_transaction_is_undone_when_all_is_given_back(
    alone: Database, caller: Caller
) -> None:
    async with alone.connect(caller.workspace_id) as connection:
        pid = await pid_of(connection)
        await connection.begin()

    async with alone.connect(caller.workspace_id) as again:
        assert await pid_of(again) == pid
        assert not again.driver.is_in_transaction()


@pytest.mark.parametrize("knew_sqlalchemy", [False, True])
async def test_a_lost_connection_is_not_replaced_within_an_operation(
    connection: Connection, admin: "Admin[Any]", *, knew_sqlalchemy: bool
) -> None:
    if knew_sqlalchemy:
        await connection.rows(PARTIES)
    pid = await pid_of(connection)

    await admin.fetch("SELECT pg_terminate_backend($1, 5000)", pid)
    await asyncio.sleep(0.05)

    for send in (connection.rows(PARTIES), connection.fetch(PID), connection.begin()):
        with pytest.raises(ConnectionError):
            await send


async def test_connections_that_the_pool_has_no_room_for_are_closed(
    alone: Database,
    caller: Caller,
    admin: "Admin[Any]",
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = await admin.fetchval(HOW_MANY)
    leases = [await alone.lease(caller.workspace_id) for _ in range(8)]
    at_once = await admin.fetchval(HOW_MANY) - before

    with caplog.at_level(logging.WARNING):
        given_back = [lease.release() for lease in leases]
    await asyncio.sleep(0.1)

    assert (at_once, given_back) == (8, [True] * 8)
    # Two that are at hand, and two in the pool.
    assert await admin.fetchval(HOW_MANY) - before == 4
    assert caplog.records == []


async def test_what_the_driver_is_sent_can_be_told(
    database_url: str,
    settings: Settings,
    caller: Caller,
    caplog: pytest.LogCaptureFixture,
) -> None:
    database = Database(database_url, settings.model_copy(update={"sql_echo": True}))

    with caplog.at_level(logging.INFO, "graph_api.database.engine"):
        async with database.connect(caller.workspace_id) as connection:
            await connection.fetch(PID)
            await connection.fetch_each("SELECT $1::text", [["a"], ["b"]])
    await database.close()

    told = [record.__dict__.get("sql") for record in caplog.records]
    assert [sql for sql in told if sql] == [PID, "SELECT $1::text"]


async def pid_of(connection: Connection) -> Any:
    ((pid,),) = await connection.fetch(PID)
    return pid
