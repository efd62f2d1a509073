"""What every resolver can reach: one operation, who asks, how it reads and writes."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import strawberry

from graph_api.caller import Caller
from graph_api.config import Settings
from graph_api.database.engine import Connection, Database
from graph_api.reading.cursors import Cursors
from graph_api.reading.loaders import Loaders
from graph_api.services.unit_of_work import Service, Terms

S = TypeVar("S", bound=Service)


@dataclass(frozen=True)
class Surroundings:
    """What all operations of a process share."""

    database: Database
    cursors: Cursors
    settings: Settings


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
        self.loaders = Loaders(self.connection)
        self._database = surroundings.database
        self._connection: Connection | None = None
        self._opening = asyncio.Lock()
        self._closed = False
        self._open = AsyncExitStack()

    async def connection(self) -> Connection:
        """The operation's connection."""
        async with self._opening:
            if self._closed:
                # A batch that was sent when nobody waited for it any more.
                raise asyncio.CancelledError
            if self._connection is None:
                self._connection = await self._open.enter_async_context(
                    self._database.connect(self.caller.workspace_id)
                )
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

    async def close(self) -> None:
        """Give the connection back."""
        async with self._opening:
            self._closed = True
            await self._open.aclose()


Info = strawberry.Info[Context, Any]
