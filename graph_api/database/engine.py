"""Connections that are bound to a workspace, and transactions on them.

Every connection works as the application role, which owns nothing, and sees one
workspace: forced row-level security reads it from the setting `app.workspace`. Reads
run in autocommit on a connection bound by a session SET; a transaction says it again
with SET LOCAL in the same message as its BEGIN, which costs no round trip.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import (
    URL,
    Executable,
    Row,
    event,
    make_url,
)
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    create_async_engine,
)

from graph_api.config import Settings
from graph_api.database.json_values import read_json
from graph_api.database.leases import Lease, Leases, bind
from graph_api.errors import ConfigurationError

log = logging.getLogger(__name__)

# The role that policies are written for. It owns nothing and cannot log in by itself
# but on the embedded server.
APPLICATION_ROLE = "graph_api"


class Connection:
    """One connection of one operation, bound to its workspace and used serially."""

    def __init__(self, connection: AsyncConnection, workspace_id: UUID) -> None:
        self.workspace_id = workspace_id
        self._connection = connection
        self._lock = asyncio.Lock()
        self.session = self._new_session()
        self.in_transaction = False
        self._running: asyncio.Task[Any] | None = None

    async def read(self, statement: Executable) -> Sequence[Row[*tuple[Any, ...]]]:
        """All rows of `statement`, whose parameter `workspace` is our workspace."""
        return await self.rows(statement, {"workspace": self.workspace_id})

    async def rows(
        self, statement: Executable, parameters: dict[str, Any] | None = None
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """All rows that `statement` returns.

        Batches that are ready at once queue up here: a connection runs one statement
        at a time.
        """
        async with self._lock:
            self._refuse_if_lost()
            self._running = asyncio.current_task()
            try:
                return (await self.session.execute(statement, parameters)).all()
            finally:
                self._running = None

    async def stop(self) -> None:
        """Cancel the statement that is still running, and let nobody begin another."""
        if self._running is not None and self._running is not asyncio.current_task():
            self._running.cancel()
        await self._lock.acquire()

    def forget(self) -> None:
        """Drop the rows that were read, so that they are read anew."""
        self.session.expunge_all()

    async def begin(self) -> None:
        """Start a transaction for this workspace alone."""
        await self._send(f"BEGIN; SET LOCAL app.workspace = '{self.workspace_id}'")
        self.in_transaction = True

    async def commit(self) -> None:
        """Make the transaction's changes last; constraints speak up here."""
        try:
            await self._send("COMMIT")
        except asyncpg.PostgresError:
            self.in_transaction = False
            raise
        self.in_transaction = False

    async def check_constraints(self) -> None:
        """Let the constraints speak up now that would do so at the commit."""
        await self._send("SET CONSTRAINTS ALL IMMEDIATE")

    async def rollback(self) -> None:
        """Undo the transaction, and whatever objects knew of it."""
        self.session.expunge_all()
        # A flush that failed has left the session unusable; this mends it.
        await self.session.rollback()
        if self.in_transaction:
            self.in_transaction = False
            await self._send("ROLLBACK")

    @property
    async def driver(self) -> "asyncpg.Connection[Any]":
        """The driver's own connection."""
        raw = await self._connection.get_raw_connection()
        assert raw.driver_connection is not None
        return raw.driver_connection  # type: ignore[no-any-return]

    def _refuse_if_lost(self) -> None:
        """Raise ConnectionError after a disconnect.

        SQLAlchemy would silently connect again, as nobody: every row would be gone.
        """
        if self._connection.invalidated:
            raise ConnectionError("The connection was lost within the operation.")

    async def _send(self, sql: str) -> None:
        async with self._lock:
            self._refuse_if_lost()
            await (await self.driver).execute(sql)

    def _new_session(self) -> AsyncSession:
        return AsyncSession(
            self._connection, expire_on_commit=False, autoflush=False, autobegin=True
        )


class Database:
    """The connections of one process to one database."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._engine = _engine(async_url(url), settings)
        self._leases = Leases(self._engine, settings)

    @asynccontextmanager
    async def connect(self, workspace_id: UUID) -> AsyncIterator[Connection]:
        """A connection on which only `workspace_id` can be seen."""
        with self._leases.asking():
            connection = await self._engine.connect()
        bound = Connection(connection, workspace_id)
        try:
            raw = await connection.get_raw_connection()
            await bind(raw.driver_connection, raw.info, workspace_id)
            yield bound
        finally:
            await asyncio.shield(_release(bound, connection))

    async def lease(self, workspace_id: UUID) -> Lease:
        """A connection for reading alone, on which only `workspace_id` can be seen.

        It has to be released in the end.
        """
        return await self._leases.take(workspace_id)

    async def verify(self) -> None:
        """Raise ConfigurationError unless row-level security holds for us."""
        async with self._engine.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            row = await driver.fetchrow(_WHO_ARE_WE)
        if row["bypasses"] or row["owns"]:
            raise ConfigurationError(
                f"The server works as {row['name']!r}, whom row-level security does "
                "not hold. Let DATABASE_URL name a login that may SET ROLE "
                f"{APPLICATION_ROLE}."
            )

    async def revision(self) -> str | None:
        """The revision of the schema that the database is at; it has to answer."""
        async with self._engine.connect() as connection:
            found = await connection.exec_driver_sql(
                "SELECT version_num FROM alembic_version"
            )
            return found.scalar()

    async def close(self) -> None:
        self._leases.close()
        await self._engine.dispose()


_WHO_ARE_WE = """
    SELECT rolname AS name,
           rolsuper OR rolbypassrls AS bypasses,
           EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
                   WHERE nspname = 'public' AND relowner = r.oid) AS owns
    FROM pg_roles r WHERE rolname = current_user
"""


def async_url(url: str) -> URL:
    """`url` for the driver; takes what psql takes.

    Raises ConfigurationError when it is no URL of a PostgreSQL database.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(
            "DATABASE_URL is not a URL such as postgresql://user:password@host/name."
        ) from error
    if parsed.get_backend_name() not in {"postgresql", "postgres"}:
        raise ConfigurationError(
            f"DATABASE_URL names {parsed.get_backend_name()!r}; it must be PostgreSQL."
        )
    query = dict(parsed.query)
    if "sslmode" in query:  # libpq's name for it
        query["ssl"] = query.pop("sslmode")
    return parsed.set(drivername="postgresql+asyncpg", query=query)


def _engine(url: URL, settings: Settings) -> AsyncEngine:
    milliseconds = {
        "statement_timeout": settings.statement_timeout_s,
        "lock_timeout": settings.lock_timeout_s,
        "idle_in_transaction_session_timeout": settings.operation_timeout_s,
    }
    engine = create_async_engine(
        url,
        isolation_level="AUTOCOMMIT",
        pool_size=settings.pool_size,
        max_overflow=settings.max_overflow,
        pool_timeout=settings.pool_timeout,
        pool_recycle=settings.pool_recycle,
        pool_reset_on_return=None,
        echo=settings.sql_echo,
        hide_parameters=True,
        json_deserializer=read_json,
        connect_args={
            "timeout": settings.pool_timeout,
            "server_settings": {
                "role": APPLICATION_ROLE,
                "application_name": "graph-api",
                "timezone": "UTC",
                "jit": "off",
                # Custom plans are planned anew each time on skewed data, for more
                # than the statements take.
                "plan_cache_mode": "force_generic_plan",
                **{k: str(int(v * 1000)) for k, v in milliseconds.items()},
            },
        },
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def refuse_closed(_: Any, record: Any, __: Any) -> None:
        # The driver notices at once when the server closes a connection; to ask it
        # before each use would take as long as a small statement.
        if record.driver_connection.is_closed():
            raise DisconnectionError("The connection was closed while it was idle.")

    @event.listens_for(engine.sync_engine, "connect")
    def forget_workspace(_: Any, record: Any) -> None:
        record.info.pop("workspace", None)

    return engine


async def _release(bound: Connection, connection: AsyncConnection) -> None:
    """Give the connection back clean, or throw it away."""
    try:
        await bound.stop()
        await bound.session.close()
        if (await bound.driver).is_in_transaction():
            await (await bound.driver).execute("ROLLBACK")
    except Exception:
        # In whatever state it is, nobody else shall get it.
        log.debug("A connection was thrown away", exc_info=True)
        await connection.invalidate()
    finally:
        await connection.close()
