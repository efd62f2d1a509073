"""What the database itself guarantees: the log is complete and stays as it is, and a
workspace sees and changes its own rows alone, whatever statement is sent.
"""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from asyncpg import (
    CheckViolationError,
    Connection,
    ForeignKeyViolationError,
    GeneratedAlwaysError,
    InsufficientPrivilegeError,
    IntegrityConstraintViolationError,
    InvalidTextRepresentationError,
    RestrictViolationError,
    UniqueViolationError,
)
from databases import migrated_database, ordinary_owner, query, session

from graph_api.database.migrations import upgrade
from graph_api.keys import new_key

UNTOLD = "has no interaction"


@pytest.fixture
def workspace_id() -> UUID:
    return new_key()


@pytest.fixture
async def application(
    database_url: str, workspace_id: UUID
) -> AsyncIterator[Connection]:
    """A connection that is bound to the workspace, as the server has them."""
    async with session(database_url, "graph_api") as connection:
        await bind(connection, workspace_id)
        yield connection


@pytest.fixture
async def owner(database_url: str, workspace_id: UUID) -> AsyncIterator[Connection]:
    """A connection of who owns the tables; a superuser, whom no policy holds."""
    async with session(database_url) as connection:
        await bind(connection, workspace_id)
        yield connection
