"""What an operator sees of all workspaces, by the login that migrates.

Row-level security is forced, so that an owner who is no superuser has to lift it, for
the length of a transaction that changes nothing.
"""

from collections.abc import Sequence
from typing import Any

import asyncpg
from sqlalchemy import pool, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from graph_api.database.engine import async_url
from graph_api.errors import ConfigurationError

_TABLES = ("workspaces", "users", "workspace_members", "api_keys")
_BYPASSES = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"


async def overview(admin_url: str, sql: str, **values: Any) -> Sequence[Any]:
    """The rows of a statement about users, workspaces, members and keys of all.

    Raises ConfigurationError where the login may not see them.
    """
    engine = create_async_engine(async_url(admin_url), poolclass=pool.NullPool)
    try:
        async with engine.connect() as connection:
            if not await connection.scalar(text(_BYPASSES)):
                for table in _TABLES:
                    lift = f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"
                    await connection.execute(text(lift))
            rows = (await connection.execute(text(sql), values)).all()
            await connection.rollback()
            return rows
    except (SQLAlchemyError, asyncpg.PostgresError, OSError) as error:
        cause = error.__cause__ or error
        raise ConfigurationError(
            f"All users and workspaces cannot be listed: {cause}. Let "
            "DATABASE_ADMIN_URL name the login that owns the tables."
        ) from error
