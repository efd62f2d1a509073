"""Databases for tests: an empty one, or a migrated one that is cloned in no time.

All of this blocks and may be used from anywhere, in an event loop as well.
"""

import asyncio
import itertools
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from typing import Any, TypeVar

import asyncpg
from asyncpg import Connection
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from graph_api.database.embedded_programs import installed_programs
from graph_api.database.engine import async_url
from graph_api.database.migrations import upgrade
from graph_api.models import Base

T = TypeVar("T")

# Several test processes may share a server.
_names = (f"mig_{os.getpid()}_{number}" for number in itertools.count(1))


def url_of(server_url: str, database: str) -> str:
    """The URL of `database` on the server of `server_url`."""
    url = make_url(server_url).set(database=database)
    return url.render_as_string(hide_password=False)


def create_database(
    server_url: str, name: str, template: str = "template0", owner: str = "DEFAULT"
) -> str:
    """A new database, a copy of `template`; gives its URL.

    By way of the log, for which PostgreSQL waits less than for copied files.
    """
    execute(
        server_url,
        f'CREATE DATABASE "{name}" OWNER {owner} TEMPLATE "{template}" '
        "STRATEGY wal_log",
    )
    return url_of(server_url, name)


def drop_database(server_url: str, name: str) -> None:
    execute(server_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def empty_database(server_url: str, owner: str = "DEFAULT") -> Iterator[str]:
    """The URL of a database with nothing in it, which is dropped afterwards."""
    name = next(_names)
    try:
        yield create_database(server_url, name, owner=owner)
    finally:
        drop_database(server_url, name)


@contextmanager
def migrated_database(server_url: str) -> Iterator[str]:
    """The URL of a database with all tables and no rows, dropped afterwards."""
    name = next(_names)
    try:
        yield create_database(server_url, name, template=_template(server_url))
    finally:
        drop_database(server_url, name)


@contextmanager
def ordinary_owner(server_url: str, *member_of: str) -> Iterator[tuple[str, str]]:
    """The URL of an empty database that is used as its owner, and that owner's name.

    The owner is no superuser, and may do nothing but what owning the database gives.
    """
    _template(server_url)  # whose making makes the role graph_api
    owner = next(_names)
    execute(server_url, f"CREATE ROLE {owner}")
    execute(server_url, *(f"GRANT {role} TO {owner}" for role in member_of))
    try:
        with empty_database(server_url, owner=owner) as url:
            execute(url, f"ALTER DATABASE {make_url(url).database} SET role = {owner}")
            yield url, owner
    finally:
        execute(server_url, f"DROP ROLE {owner}")


@cache
def _template(server_url: str) -> str:
    """The name of the migrated database that this process clones."""
    name = f"mig_{os.getpid()}_template"
    drop_database(server_url, name)
    url = create_database(server_url, name)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(upgrade, url).result()
    return name


def drop_template(server_url: str) -> None:
    """Remove what this process leaves on a server that outlives it."""
    drop_database(server_url, f"mig_{os.getpid()}_template")
    _template.cache_clear()


def create_all(url: str) -> None:
    """Make the tables of the models, without any revision."""

    async def run() -> None:
        engine = create_async_engine(async_url(url))
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        await engine.dispose()

    blocking(run())


def execute(url: str, *statements: str) -> None:
    """Run `statements`, each in a transaction of its own."""

    async def run(connection: Connection) -> None:
        for statement in statements:
            await connection.execute(statement)

    _connected(url, run)


def query(url: str, statement: str) -> list[tuple[Any, ...]]:
    """The rows of `statement`."""

    async def run(connection: Connection) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await connection.fetch(statement)]

    return _connected(url, run)


@asynccontextmanager
async def session(url: str, role: str | None = None) -> AsyncIterator[Connection]:
    """A connection; with `role`, one that can be nobody else."""
    connection = await asyncpg.connect(url)
    if role is not None:
        await connection.execute(f"SET SESSION AUTHORIZATION {role}")
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def taken_back(connection: Connection) -> AsyncIterator[None]:
    """A transaction that comes to nothing."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    finally:
        await transaction.rollback()


def psql(url: str, script: str) -> subprocess.CompletedProcess[str]:
    """Run `script` as an operator would; the first error ends it."""
    parsed = make_url(url)
    host = parsed.host or parsed.query.get("host", "")
    port = parsed.port or parsed.query.get("port", "5432")
    return subprocess.run(
        [installed_programs() / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", "-"],
        check=False,
        input=script,
        capture_output=True,
        text=True,
        env={
            "PGHOST": str(host),
            "PGPORT": str(port),
            "PGUSER": parsed.username or "postgres",
            "PGPASSWORD": parsed.password or "",
            "PGDATABASE": parsed.database or "postgres",
        },
    )


def _connected(url: str, run: Callable[[Connection], Awaitable[T]]) -> T:
    async def connected() -> T:
        connection = await asyncpg.connect(url)
        try:
            return await run(connection)
        finally:
            await connection.close()

    return blocking(connected())


def blocking(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which gets a loop of its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
