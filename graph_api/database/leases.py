"""Leases: connections for reading, kept at hand and bound to their workspaces.

A planned read takes little longer than to take a connection out of SQLAlchemy's pool
and to put it back. So a few stay with us when they are released, each still bound to
the workspace it was last used for, and go back when the pool needs them.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import PoolProxiedConnection
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util.concurrency import greenlet_spawn

from graph_api.config import Settings
from graph_api.database.binding import Binding

log = logging.getLogger(__name__)

# The driver learns the types of arrays from a statement's columns, but not from within
# a record, so that each connection is shown them once.
_ARRAYS = "SELECT NULL::text[], NULL::real[]"


class Lease:
    """The driver's own connection, bound to a workspace, while an operation reads."""

    def __init__(self, connection: PoolProxiedConnection, leases: "Leases") -> None:
        self.pooled = connection
        self.binding = leases.binding
        self._leases = leases
        driver: Any = connection.driver_connection
        self.driver: asyncpg.Connection[Any] = driver
        self._is_clean = True
        self.since = time.monotonic()

    @property
    def is_open(self) -> bool:
        return not self.driver.is_closed()

    @property
    def workspace_id(self) -> UUID | None:
        """The workspace that was last bound."""
        return self.pooled.info.get("workspace")

    async def bind(self, workspace_id: UUID) -> None:
        self._is_clean = False
        await bind(self.driver, self.pooled.info, workspace_id, self.binding)
        self._is_clean = True

    async def fetch(self, sql: str, arguments: Sequence[Any] = ()) -> list[Any]:
        """All rows of a statement of the driver's spelling, as its records."""
        self._is_clean = False
        try:
            rows: list[Any] = await self.driver.fetch(sql, *arguments)
        except asyncpg.PostgresError:
            # A refusal is an orderly end.
            self._is_clean = self.is_open
            raise
        self._is_clean = True
        return rows

    def release(self) -> bool:
        """Give the connection back; False if that takes more than a moment.

        Then `finish` has to do it.
        """
        if not self._is_clean:
            return False
        if self.binding.by_transaction:
            if self.driver.is_in_transaction():
                return False
            self.pooled.info["workspace"] = None
        self._leases.keep(self)
        return True

    async def finish(self) -> None:
        """End what is open and give the connection back, or throw it away.

        It is thrown away where it was stopped or lost within something.
        """
        if self._is_clean and self.is_open and self.driver.is_in_transaction():
            self._is_clean = False
            try:
                await self.driver.execute("COMMIT")
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                log.debug("A connection could not be given back", exc_info=True)
            else:
                self._is_clean = True
        if not self.release():
            await self.discard()

    def end(self) -> None:
        """Put the connection back into the pool, or close it if there is no room."""
        if self._leases.has_room:
            self.pooled.close()
        else:
            # The pool would wait for the server's farewell, which cannot be done here.
            self.pooled.detach()
            self.driver.terminate()

    async def discard(self) -> None:
        """Throw the connection away."""
        if self.pooled.is_valid:
            await greenlet_spawn(self.pooled.invalidate)
        self._leases.gone()


class Leases:
    """The leases that nobody has at the moment, and who waits for one.

    One is kept only while there are, with those that lie idle in the pool, fewer than
    `pool_size`. A burst may leave as many in the pool again: one of them is closed
    each time that a lease is given back.
    """

    def __init__(
        self, engine: AsyncEngine, settings: Settings, binding: Binding
    ) -> None:
        self.binding = binding
        self._engine = engine
        self._pool: Any = engine.sync_engine.pool
        self._most = settings.pool_size
        self._most_at_once = settings.pool_size + settings.max_overflow
        self._patience_s = settings.pool_timeout
        recycle = settings.pool_recycle
        self._longest_s = recycle if recycle >= 0 else float("inf")
        self._idle: list[Lease] = []
        self._waiting: deque[asyncio.Future[Lease | None]] = deque()
        # How many wait for the pool itself.
        self._asking = 0

    @property
    def has_room(self) -> bool:
        """Whether the pool keeps what is put back."""
        kept: int = self._pool.checkedin()
        return kept < self._most

    async def take(self, workspace_id: UUID) -> Lease:
        """A lease on which only `workspace_id` can be seen.

        Raises SQLAlchemy's TimeoutError when none is free in time.
        """
        lease = await self._free(workspace_id)
        if lease.workspace_id != workspace_id:
            try:
                await lease.bind(workspace_id)
            except BaseException:
                await lease.discard()
                raise
        return lease

    def keep(self, lease: Lease) -> None:
        """Keep a lease for who comes next, or put its connection into the pool."""
        is_fresh = time.monotonic() - lease.since < self._longest_s
        if is_fresh and self._hand_over(lease):
            return
        if (
            is_fresh
            and not self._asking
            and len(self._idle) + self._pool.checkedin() < self._most
        ):
            self._idle.append(lease)
        else:
            lease.end()
            # Whoever waits can have it from there.
            self._hand_over(None)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """While somebody takes a connection out of the pool itself."""
        if self._idle and not self._pool.checkedin():
            self._idle.pop(0).end()
        self._asking += 1
        try:
            yield
        except TimeoutError:
            # The driver's: the server did not let it in before `pool_timeout`.
            raise PoolTimeout("No connection was made in time.") from None
        finally:
            self._asking -= 1

    def close(self) -> None:
        """Put all back."""
        idle, self._idle = self._idle, []
        for lease in idle:
            lease.end()

    def gone(self) -> None:
        """Note that a connection was thrown away: there is room for another."""
        self._hand_over(None)

    def _hand_over(self, lease: "Lease | None") -> bool:
        """Give a lease, or the room for one, to whoever waits the longest."""
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(lease)
                return True
        return False

    async def _free(self, workspace_id: UUID) -> Lease:
        lease = self._at_hand(workspace_id)
        while lease is None or not lease.is_open:
            if lease is not None:
                await lease.discard()
                lease = self._at_hand(workspace_id)
            elif self._pool.checkedout() < self._most_at_once:
                with self.asking():
                    return Lease(await self._engine.raw_connection(), self)
            else:
                lease = await self._wait()
        return lease

    async def _wait(self) -> Lease | None:
        """The next lease that is released; None where there is room for another."""
        waiting: asyncio.Future[Lease | None] = asyncio.Future()
        self._waiting.append(waiting)
        try:
            async with asyncio.timeout(self._patience_s):
                return await waiting
        except BaseException as error:
            # It may have been handed over in the very moment.
            if waiting.done() and not waiting.cancelled():
                self._pass_on(waiting.result())
            if isinstance(error, TimeoutError):
                raise PoolTimeout("No connection was free in time.") from None
            raise

    def _pass_on(self, lease: Lease | None) -> None:
        if lease is None:
            self.gone()
        else:
            self.keep(lease)

    def _at_hand(self, workspace_id: UUID) -> Lease | None:
        """An idle lease, one that is bound to the workspace if there is one."""
        for place in range(len(self._idle) - 1, -1, -1):
            if self._idle[place].workspace_id == workspace_id:
                return self._idle.pop(place)
        return self._idle.pop() if self._idle else None


async def bind(
    driver: Any, info: dict[Any, Any], workspace_id: UUID, binding: Binding
) -> None:
    """Let only `workspace_id` be seen on a connection, or in its transaction."""
    if info.get("workspace") == workspace_id:
        return
    is_new = "workspace" not in info
    info["workspace"] = None
    if binding.by_transaction:
        await driver.execute(binding.begin(workspace_id))
    else:
        await driver.execute(f"SET app.workspace = '{workspace_id}'")
    if is_new:
        await driver.fetch(_ARRAYS)
    info["workspace"] = workspace_id
