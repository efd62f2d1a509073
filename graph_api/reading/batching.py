"""When batches are sent: as soon as nobody is about to ask for more."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from aiodataloader import DataLoader, dispatch_queue
from aiodataloader import Loader as Waiting

# Turns of the event loop without a new question after which a level is complete. The
# objects of a level wake in one turn; a wrapper around a resolver takes another.
QUIET_TURNS = 3

Batch = Callable[[list[Any]], Coroutine[Any, Any, list[Any]]]


class Batches:
    """Sends the loaders' questions together, level by level."""

    def __init__(self) -> None:
        self._asked = 0
        self._waiting: dict[Loader, None] = {}
        self._sending: asyncio.Task[None] | None = None

    def add(self, loader: "Loader") -> None:
        self._asked += 1
        self._waiting[loader] = None
        if self._sending is None:
            self._sending = asyncio.ensure_future(self._send())

    async def _send(self) -> None:
        seen = -1
        while seen != self._asked:
            seen = self._asked
            for _ in range(QUIET_TURNS):
                await asyncio.sleep(0)
        waiting, self._waiting, self._sending = self._waiting, {}, None
        for loader in waiting:
            dispatch_queue(loader)


class Loader(DataLoader[Any, Any]):
    """A loader that waits for its level to be complete.

    It also survives the cancelling of whoever asked first, whose future would stay in
    the cache and cancel all who ask later.
    """

    def __init__(self, batch: Batch, batches: Batches) -> None:
        super().__init__(batch)
        self._batches = batches

    def load(self, key: Any) -> "asyncio.Future[Any]":
        known = self._cache.get(key)
        if known is not None and known.cancelled():
            self.clear(key)
        return super().load(key)

    def do_resolve_reject(self, key: Any, future: "asyncio.Future[Any]") -> None:
        self._queue.append(Waiting(key=key, future=future))
        self._batches.add(self)
