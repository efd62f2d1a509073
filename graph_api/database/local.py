"""Local mode: until there are accounts, one user owns the one workspace.

Their rows are written by the login that migrates. Row-level security is forced, so an
owner who is no superuser has to lift it for the length of that transaction.
"""

import asyncio
from uuid import UUID

import asyncpg
from sqlalchemy import pool, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from graph_api.caller import Caller
from graph_api.database.engine import async_url
from graph_api.errors import ConfigurationError

LOCAL_USER_ID = UUID("00000000-0000-0000-0000-000000000001")
LOCAL_WORKSPACE_ID = UUID("00000000-0000-0000-0000-000000000002")
_MEMBERSHIP_ID = UUID("00000000-0000-0000-0000-000000000003")

_TABLES = ("workspaces", "users", "workspace_members")


def local_caller(request_id: UUID | None = None) -> Caller:
    """The local user in the local workspace."""
    return Caller(LOCAL_WORKSPACE_ID, LOCAL_USER_ID, request_id=request_id)


def ensure_local_rows(admin_url: str) -> None:
    """Store the local workspace, its user and his membership, unless they are there.

    It blocks, and has to run in a thread without an event loop. ConfigurationError
    says why they cannot be stored.
    """
    try:
        asyncio.run(_ensure(admin_url))
    except (SQLAlchemyError, asyncpg.PostgresError, OSError) as error:
        cause = error.__cause__ or error
        raise ConfigurationError(
            f"The local workspace could not be stored: {cause}. Let DATABASE_ADMIN_URL "
            "name the login that owns the tables."
        ) from error


async def _ensure(admin_url: str) -> None:
    engine = create_async_engine(async_url(admin_url), poolclass=pool.NullPool)
    async with engine.begin() as connection:
        await connection.execute(
            text("SELECT set_config('app.workspace', :workspace, true)"),
            {"workspace": str(LOCAL_WORKSPACE_ID)},
        )
        known = text("SELECT EXISTS (SELECT FROM workspace_members WHERE id = :id)")
        if not await connection.scalar(known, {"id": _MEMBERSHIP_ID}):
            await _insert(connection)


async def _insert(connection: AsyncConnection) -> None:
    for table in _TABLES:
        await connection.execute(
            text(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        )
    for statement in _ROWS:
        await connection.execute(
            text(f"{statement} ON CONFLICT DO NOTHING"),
            {
                "workspace": LOCAL_WORKSPACE_ID,
                "user": LOCAL_USER_ID,
                "membership": _MEMBERSHIP_ID,
            },
        )
    for table in _TABLES:
        await connection.execute(text(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"))


_ROWS = (
    "INSERT INTO workspaces (id, name) VALUES (:workspace, 'Local')",
    "INSERT INTO users (id, username) VALUES (:user, 'local')",
    (
        "INSERT INTO workspace_members (workspace_id, id, user_id, role) "
        "VALUES (:workspace, :membership, :user, 'owner')"
    ),
)
