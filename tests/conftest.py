"""A real PostgreSQL, with the real schema, and a workspace of its own for each test.

Each module of tests has a database, cloned from one that was migrated once; within it
row-level security keeps the tests apart, as it keeps tenants apart. A test that needs
a database for itself takes one from `databases`.
"""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from databases import drop_template, migrated_database
from factories import Make
from pydantic import SecretStr
from running import Run, Statements

from graph_api.caller import Caller
from graph_api.config import Settings
from graph_api.database.embedded import EmbeddedServer
from graph_api.database.engine import Database
from graph_api.execution.limits import Limits
from graph_api.execution.operation import Executor
from graph_api.keys import new_key
from graph_api.reading.cursors import Cursors
from graph_api.schema import graphql_schema
from graph_api.schema.context import Surroundings

# What is lost with the machine's power is of no use to a test.
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

SECRET = "known to all tests"

NEW_WORKSPACE = """
    WITH workspace AS (
        INSERT INTO workspaces (id, name) VALUES ($1, 'Test') RETURNING id
    ), member AS (
        INSERT INTO users (id, username) VALUES ($2, $3) RETURNING id
    )
    INSERT INTO workspace_members (workspace_id, id, user_id, role)
    SELECT workspace.id, $4, member.id, 'owner' FROM workspace, member
"""


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A PostgreSQL server, as a superuser: the embedded one, or TEST_DATABASE_URL's."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        drop_template(given)
        return
    # Not below pytest's own directory, which others than us cannot enter.
    with (
        tempfile.TemporaryDirectory(prefix="graph-api-test-") as directory,
        EmbeddedServer(Path(directory), settings=CARELESS) as server,
    ):
        yield server.url()


@pytest.fixture(scope="session")
def settings() -> Settings:
    """What a laptop has, with few connections."""
    return Settings(secret_key=SecretStr(SECRET), pool_size=2)


@pytest.fixture(scope="module")
def database_url(server_url: str) -> Iterator[str]:
    """The URL of the module's database, as a superuser."""
    with migrated_database(server_url) as url:
        yield url


@pytest.fixture(scope="module")
async def database(database_url: str, settings: Settings) -> AsyncIterator[Database]:
    """The module's database, as the server uses it."""
    database = Database(database_url, settings)
    yield database
    await database.close()


@pytest.fixture(scope="module")
async def admin(database_url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """A superuser's connection, for what no workspace may do or see."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def caller(admin: "asyncpg.Connection[Any]") -> Caller:
    """The owner of an empty workspace."""
    return await new_caller(admin)


@pytest.fixture
async def stranger(admin: "asyncpg.Connection[Any]") -> Caller:
    """The owner of another workspace."""
    return await new_caller(admin)


@pytest.fixture(scope="module")
def surroundings(database: Database, settings: Settings) -> Surroundings:
    return Surroundings(database, Cursors(SECRET), settings)


@pytest.fixture(scope="session")
def executor(settings: Settings) -> Executor:
    return Executor(graphql_schema, Limits.of(settings), timeout_s=30)


@pytest.fixture
def run(executor: Executor, surroundings: Surroundings, caller: Caller) -> Run:
    """What runs operations for the caller, given a text and its variables."""
    return Run(executor, surroundings, caller)


@pytest.fixture
def make(surroundings: Surroundings, caller: Caller) -> Make:
    """Makes what a test is about: `await make.party(name="ACME")`."""
    return Make(surroundings, caller)


@pytest.fixture
def statements(database: Database) -> Iterator[Statements]:
    """The statements that are sent from here on, but for those of transactions."""
    with Statements.of(database) as sent:
        yield sent


async def new_caller(admin: "asyncpg.Connection[Any]") -> Caller:
    """The owner of a new workspace."""
    workspace_id, user_id = new_key(), new_key()
    await admin.execute(
        NEW_WORKSPACE, workspace_id, user_id, f"user-{user_id}", new_key()
    )
    return Caller(workspace_id, user_id, request_id=new_key())
