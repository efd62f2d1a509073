"""Connections that are bound to a workspace, and transactions on them.

Every connection works as the application role, which owns nothing, and sees one
workspace: forced row-level security reads it from the setting `app.workspace`. Reads
run in autocommit on a connection bound by a session SET; a transaction says it again
with SET LOCAL in the same message as its BEGIN, which costs no round trip.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import (
    URL,
    Executable,
    Row,
    event,
    make_url,
)
from sqlalchemy import Connection as SyncConnection
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    create_async_engine,
)

from graph_api.config import Settings
from graph_api.database.binding import APPLICATION_ROLE as APPLICATION_ROLE
from graph_api.database.binding import Binding, binding_of
from graph_api.database.json_values import read_json
from graph_api.database.leases import Lease, Leases
from graph_api.errors import ConfigurationError

log = logging.getLogger(__name__)

T = TypeVar("T")


class Connection:
    """One connection of one operation, bound to its workspace and used serially.

    Most of what it is sent goes to the driver as it is. What SQLAlchemy needs beside
    that is made when it has a statement to run for the first time.
    """

    def __init__(
        self, engine: AsyncEngine, lease: Lease, workspace_id: UUID, *, echoes: bool
    ) -> None:
        self.workspace_id = workspace_id
        self.in_transaction = False
        self.driver = lease.driver
        self._engine = engine
        self._lease = lease
        self._echoes = echoes
        self._binding = lease.binding
        self._session: AsyncSession | None = None
        self._lock = asyncio.Lock()
        self._running: asyncio.Task[Any] | None = None
        self._is_clean = True

    async def read(self, statement: Executable) -> Sequence[Row[*tuple[Any, ...]]]:
        """All rows of `statement`, whose parameter `workspace` is our workspace."""
        return await self.rows(statement, {"workspace": self.workspace_id})

    async def rows(
        self, statement: Executable, parameters: dict[str, Any] | None = None
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """All rows that `statement` returns, with objects where it selects models."""
        result = await self._alone(
            lambda: self._known_session().execute(statement, parameters)
        )
        return result.all()

    async def fetch(self, sql: str, arguments: Sequence[Any] = ()) -> list[Any]:
        """All rows of a statement of the driver's spelling, as its records."""
        self._echo(sql)
        return await self._alone(lambda: self.driver.fetch(sql, *arguments))

    async def fetch_each(self, sql: str, each: Sequence[Sequence[Any]]) -> list[Any]:
        """The rows of a statement that is run once for each of the arguments, in turn.

        All of them are sent at once.
        """
        self._echo(sql)
        return await self._alone(lambda: self.driver.fetchmany(sql, each))

    async def stop(self) -> None:
        """Cancel the statement that is still running, and let nobody begin another."""
        if self._running is not None and self._running is not asyncio.current_task():
            self._running.cancel()
        await self._lock.acquire()

    def forget(self) -> None:
        """Drop the rows that were read, so that they are read anew."""
        if self._session is not None:
            self._session.expunge_all()

    async def begin(self) -> None:
        """Start a transaction for this workspace alone."""
        # One may be open in which rows were only read.
        end = "ROLLBACK; " if self._binding.by_transaction else ""
        await self._send(end + self._binding.begin(self.workspace_id))
        self.in_transaction = True

    async def present(self, **settings: str) -> None:
        """Let the transaction see what these settings lead to as well.

        `user` is the id of who has proven to be this user, `credential` the SHA-256 of
        a key or a code, `sign_in` a username or an e-mail address; `workspace` moves
        the transaction to another workspace.
        """
        calls = ", ".join(
            f"set_config('app.{name}', ${place}, true)"
            for place, name in enumerate(settings, 1)
        )
        await self.fetch(f"SELECT {calls}", list(settings.values()))

    async def commit(self) -> None:
        """Make the transaction's changes last; constraints speak up here."""
        self.in_transaction = False
        await self._send("COMMIT" + self._and_read())

    async def check_constraints(self) -> None:
        """Let the constraints speak up now that would do so at the commit."""
        await self._send("SET CONSTRAINTS ALL IMMEDIATE")

    async def rollback(self) -> None:
        """Undo the transaction, and whatever objects knew of it."""
        self.forget()
        if self.in_transaction:
            self.in_transaction = False
            await self._send("ROLLBACK" + self._and_read())

    def _and_read(self) -> str:
        """The SQL after the end of a transaction, by which rows can be read again."""
        if not self._binding.by_transaction:
            return ""
        return "; " + self._binding.begin(self.workspace_id)

    async def release(self) -> None:
        """Give the connection back clean, or throw it away; it is then no more ours."""
        try:
            await self.stop()
            if self._session is not None:
                await self._session.close()
            if self._is_clean and self.driver.is_in_transaction():
                await self.driver.execute("ROLLBACK")
        except Exception:
            self._is_clean = False
            log.debug("A connection could not be cleaned", exc_info=True)
        if self._is_clean and not self._is_lost:
            self._lease.release()
        else:
            # In whatever state it is, nobody else shall get it.
            await self._lease.discard()

    async def _alone(self, run: Callable[[], Awaitable[T]]) -> T:
        """What `run` gives, while nothing else is run.

        Batches that are ready at once queue up here. Raises ConnectionError after a
        disconnect: SQLAlchemy would silently connect again, as nobody, for whom there
        is not a single row.
        """
        async with self._lock:
            if self._is_lost:
                raise ConnectionError("The connection was lost within the operation.")
            self._running = asyncio.current_task()
            try:
                return await run()
            except asyncio.CancelledError:
                # The server may still be at it.
                self._is_clean = False
                raise
            finally:
                self._running = None

    @property
    def _is_lost(self) -> bool:
        return not self._lease.pooled.is_valid or self.driver.is_closed()

    async def _send(self, sql: str) -> None:
        await self._alone(lambda: self.driver.execute(sql))

    def _echo(self, sql: str) -> None:
        if self._echoes:
            log.info("Statement", extra={"sql": sql})

    def _known_session(self) -> AsyncSession:
        if self._session is None:
            sync = SyncConnection(self._engine.sync_engine, self._lease.pooled)
            self._session = AsyncSession(
                AsyncConnection(self._engine, sync),
                expire_on_commit=False,
                autoflush=False,
            )
        return self._session


class Database:
    """The connections of one process to one database."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._binding = binding_of(settings)
        self._engine = _engine(async_url(url), settings, self._binding)
        self._leases = Leases(self._engine, settings, self._binding)
        self._echoes = settings.sql_echo

    @asynccontextmanager
    async def connect(self, workspace_id: UUID) -> AsyncIterator[Connection]:
        """A connection on which only `workspace_id` can be seen."""
        connection = await self.open(workspace_id)
        try:
            yield connection
        finally:
            await asyncio.shield(connection.release())

    async def open(self, workspace_id: UUID) -> Connection:
        """The same for whoever releases it, which nothing may interrupt."""
        lease = await self._leases.take(workspace_id)
        return Connection(self._engine, lease, workspace_id, echoes=self._echoes)

    async def lease(self, workspace_id: UUID) -> Lease:
        """A connection for reading alone, on which only `workspace_id` can be seen.

        It has to be released in the end.
        """
        return await self._leases.take(workspace_id)

    async def verify(self) -> None:
        """Raise ConfigurationError unless row-level security holds for us."""
        async with self.connect(_NOWHERE) as connection:
            (row,) = await connection.fetch(_WHO_ARE_WE)
        if row["bypasses"] or row["owns"]:
            raise ConfigurationError(
                f"The server works as {row['name']!r}, whom row-level security does "
                "not hold. Let DATABASE_URL name a login that may SET ROLE "
                f"{APPLICATION_ROLE}."
            )

    async def revision(self) -> str | None:
        """The revision of the schema that the database is at; it has to answer."""
        async with self.connect(_NOWHERE) as connection:
            found = await connection.fetch("SELECT version_num FROM alembic_version")
        return found[0]["version_num"] if found else None

    async def close(self) -> None:
        self._leases.close()
        await self._engine.dispose()


# For what is in no workspace.
_NOWHERE = UUID(int=0)

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


def _engine(url: URL, settings: Settings, binding: Binding) -> AsyncEngine:
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
        connect_args={"timeout": settings.pool_timeout, **binding.connecting},
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def refuse_closed(_: Any, record: Any, __: Any) -> None:
        # The driver notices at once when the server closes a connection; to ask it
        # before each use would take as long as a small statement.
        if record.driver_connection.is_closed():
            raise DisconnectionError("The connection was closed while it was idle.")

    @event.listens_for(engine.sync_engine, "connect")
    def begin_anew(connection: Any, record: Any) -> None:
        record.info.pop("workspace", None)
        connection.run_async(tell)

    async def tell(driver: Any) -> None:
        sql = binding.session(tuple(driver.get_server_version()[:2]))
        if sql is not None:
            await driver.execute(sql)

    return engine
