"""Leases: connections for reading, kept at hand and bound to their workspaces.

A planned read takes little longer than to take a connection out of SQLAlchemy's pool
and to put it back. So a few stay with us when they are released, each still bound to
the workspace it was last used for, and go back when the pool needs them.
"""

import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import PoolProxiedConnection
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util.concurrency import greenlet_spawn

from graph_api.config import Settings

# The driver learns the types of arrays from a statement's columns, but not from within
# a record, so that each connection is shown them once.
_ARRAYS = "SELECT NULL::text[], NULL::real[]"


class Lease:
    """The driver's own connection, bound to a workspace, while an operation reads."""

    def __init__(self, connection: PoolProxiedConnection, leases: "Leases") -> None:
        self._connection = connection
        self._leases = leases
        driver: Any = connection.driver_connection
        self._driver: asyncpg.Connection[Any] = driver
        self._is_clean = True
        self.since = time.monotonic()

    @property
    def is_open(self) -> bool:
        return not self._driver.is_closed()

    @property
    def workspace_id(self) -> UUID | None:
        """The workspace that was last bound."""
        return self._connection.info.get("workspace")

    async def bind(self, workspace_id: UUID) -> None:
        self._is_clean = False
        await bind(self._driver, self._connection.info, workspace_id)
        self._is_clean = True

    async def fetch(self, sql: str, arguments: Sequence[Any] = ()) -> list[Any]:
        """All rows of a statement of the driver's spelling, as its records."""
        self._is_clean = False
        try:
            rows: list[Any] = await self._driver.fetch(sql, *arguments)
        except asyncpg.PostgresError:
            # A refusal is an orderly end.
            self._is_clean = self.is_open
            raise
        self._is_clean = True
        return rows

    def release(self) -> bool:
        """Give the connection back; False if it was stopped or lost within something.

        Then `discard` has to throw it away.
        """
        if self._is_clean:
            self._leases.keep(self)
        return self._is_clean

    def end(self) -> None:
        """Put the connection back into the pool."""
        self._connection.close()

    async def discard(self) -> None:
        await greenlet_spawn(self._connection.invalidate)


class Leases:
    """The leases that nobody has at the moment.

    With those that lie idle in the pool they are never more than the pool keeps.
    """

    def __init__(self, engine: AsyncEngine, settings: Settings) -> None:
        self._engine = engine
        self._pool: Any = engine.sync_engine.pool
        self._most = settings.pool_size
        recycle = settings.pool_recycle
        self._longest_s = recycle if recycle >= 0 else float("inf")
        self._idle: list[Lease] = []

    async def take(self, workspace_id: UUID) -> Lease:
        """A lease on which only `workspace_id` can be seen."""
        lease = self._at_hand(workspace_id)
        while lease is not None and not lease.is_open:
            await lease.discard()
            lease = self._at_hand(workspace_id)
        if lease is None:
            lease = Lease(await self._engine.raw_connection(), self)
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
        if is_fresh and len(self._idle) + self._pool.checkedin() < self._most:
            self._idle.append(lease)
        else:
            lease.end()

    def make_room(self) -> None:
        """Put an idle connection back where somebody else is about to look for one."""
        if self._idle and not self._pool.checkedin():
            self._idle.pop(0).end()

    def close(self) -> None:
        """Put all back."""
        idle, self._idle = self._idle, []
        for lease in idle:
            lease.end()

    def _at_hand(self, workspace_id: UUID) -> Lease | None:
        """An idle lease, one that is bound to the workspace if there is one."""
        for place in range(len(self._idle) - 1, -1, -1):
            if self._idle[place].workspace_id == workspace_id:
                return self._idle.pop(place)
        return self._idle.pop() if self._idle else None


async def bind(driver: Any, info: dict[Any, Any], workspace_id: UUID) -> None:
    """Let only `workspace_id` be seen on a connection."""
    if info.get("workspace") == workspace_id:
        return
    if "workspace" not in info:
        await driver.fetch(_ARRAYS)
    info["workspace"] = None
    await driver.execute(f"SET app.workspace = '{workspace_id}'")
    info["workspace"] = workspace_id
