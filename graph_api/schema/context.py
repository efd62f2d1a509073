"""What every resolver can reach: one operation, who asks, how it reads and writes."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

import strawberry

from graph_api.caller import Caller
from graph_api.config import Settings
from graph_api.database.engine import Connection, Database
from graph_api.database.leases import Lease
from graph_api.permissions import Scope
from graph_api.quotas import Attempts, Charge
from graph_api.reading.cursors import Cursors
from graph_api.reading.loaders import Loaders
from graph_api.services.unit_of_work import Service, Terms
from graph_api.tokens import Signer

log = logging.getLogger(__name__)

S = TypeVar("S", bound=Service)


@dataclass(frozen=True)
class Surroundings:
    """What all operations of a process share."""

    database: Database
    cursors: Cursors
    settings: Settings
    # Without accounts nobody signs in.
    signer: Signer | None = None
    attempts: Attempts | None = None


class Context:
    """One operation: a connection, taken when it is first needed, and what was read.

    `now` is its moment: the same for all rows of an answer.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        caller: Caller,
        now: datetime | None = None,
    ) -> None:
        self.now = now or datetime.now(UTC)
        self.caller = caller
        self.cursors = surroundings.cursors
        self.max_page = surroundings.settings.max_page
        # The fields that were null because they are not for the caller.
        self.redacted: set[str] = set()
        # What the operation was charged, where the caller has a quota.
        self.charge: Charge | None = None
        self.database = surroundings.database
        self.signer = surroundings.signer
        self.attempts = surroundings.attempts
        self._echoes = surroundings.settings.sql_echo
        self._connection: Connection | None = None
        self._lease: Lease | None = None
        self._closed = False
        self._is_connecting = False

    def shows(self, field: str, needs: Scope, owner: UUID | None) -> bool:
        """Whether the caller may see a field that is for some; notes it if not."""
        caller = self.caller
        if needs in caller.scopes or (owner is not None and owner == caller.user_id):
            return True
        self.redacted.add(field)
        return False

    @cached_property
    def _opening(self) -> asyncio.Lock:
        return asyncio.Lock()

    @cached_property
    def loaders(self) -> Loaders:
        """What the reference path reads by."""
        return Loaders(self.connection)

    async def fetch(self, sql: str, arguments: Sequence[Any]) -> list[Any]:
        """The rows of a planned statement, on whatever connection the operation has."""
        if self._connection is not None:
            return await self._connection.fetch(sql, arguments)
        if self._echoes:
            log.info("Statement", extra={"sql": sql})
        if self._lease is None:
            self._lease = await self.database.lease(self.caller.workspace_id)
        return await self._lease.fetch(sql, arguments)

    async def connection(self) -> Connection:
        """The operation's connection, in place of the lease that it may have."""
        self._is_connecting = True
        async with self._opening:
            if self._closed:
                # A batch that was sent when nobody waited for it any more.
                raise asyncio.CancelledError
            await self._end_lease()
            if self._connection is None:
                self._connection = await self.database.open(self.caller.workspace_id)
        return self._connection

    async def start_writing(self) -> Connection:
        """The connection for the next mutation of the operation.

        What was read before is forgotten, and a dry run that was still open for its
        answer is undone: its root field is complete.
        """
        connection = await self.connection()
        await connection.rollback()
        self.loaders.forget()
        return connection

    def service(self, service: type[S], terms: Terms) -> S:
        """A service that writes for this caller, on the terms of one mutation."""
        return service(self.start_writing, self.caller, terms)

    @property
    def cost(self) -> tuple[int, int, int]:
        """The reference path's statements, the rows that it read, and the figures."""
        loaders: Loaders | None = self.__dict__.get("loaders")
        if loaders is None:
            return 0, 0, 0
        return loaders.statements, loaders.rows, loaders.figures_read

    def let_go(self) -> bool:
        """Give back what can be given back at once; whether that was all."""
        self._closed = True
        if self._lease is not None and self._lease.release():
            self._lease = None
        return self._lease is None and not self._is_connecting

    async def close(self) -> None:
        """Give everything back."""
        async with self._opening:
            await self._end_lease()
            if self._connection is not None:
                await self._connection.release()

    async def _end_lease(self) -> None:
        lease, self._lease = self._lease, None
        if lease is not None and not lease.release():
            await lease.finish()


Info = strawberry.Info[Context, Any]
