"""Connections for transfers: plain, long-lived, and bound to one workspace.

A transfer keeps temporary tables and a lock from one transaction to the next, so its
connection must lead to the server itself and not through a transaction pooler.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias
from uuid import UUID

import asyncpg

from graph_api.database.engine import APPLICATION_ROLE, async_url

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_SETTINGS = {
    "role": APPLICATION_ROLE,
    "application_name": "graph-api transfer",
    "timezone": "UTC",
    "jit": "off",
    # What was reported as imported must be there after a loss of power.
    "synchronous_commit": "on",
    # Staging a large file takes longer than any request may.
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    # What is staged lies in memory: to look it up by its number is cheap, and to scan
    # all of it for each chunk would make large imports quadratic.
    "random_page_cost": "1.1",
    "work_mem": "64MB",
    "maintenance_work_mem": "64MB",
    "temp_buffers": "64MB",
}


@asynccontextmanager
async def connect(url: str, workspace_id: UUID) -> AsyncIterator[Connection]:
    """A connection of the application role on which only `workspace_id` is seen.

    Raises ConfigurationError when `url` is none of a PostgreSQL database.
    """
    connection = await asyncpg.connect(_driver_url(url), server_settings=_SETTINGS)
    try:
        await bind(connection, workspace_id)
        yield connection
    finally:
        await connection.close()


async def bind(connection: Connection, workspace_id: UUID) -> None:
    """Let `connection` see the rows of `workspace_id`, and of no other."""
    await connection.execute(
        "SELECT set_config('app.workspace', $1, false)", str(workspace_id)
    )


def _driver_url(url: str) -> str:
    """`url` as the driver takes it by itself, which is as libpq does."""
    parsed = async_url(url).set(drivername="postgresql")
    query = dict(parsed.query)
    if "ssl" in query:
        query["sslmode"] = query.pop("ssl")
    return parsed.set(query=query).render_as_string(hide_password=False)
