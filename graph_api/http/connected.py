"""Working for a client as long as it is there.

Most answers are ready before anybody could leave: only what takes longer is watched.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.requests import ClientDisconnect

from graph_api.http.refusal import Refused

T = TypeVar("T")

# To watch a connection takes longer than to answer most operations. Who leaves earlier
# is found to have left now.
GRACE_S = 0.05


async def while_connected(work: Awaitable[T], left: Callable[[], Awaitable[None]]) -> T:
    """What `work` gives, unless the client leaves before, or the server is stopped.

    Then it is cancelled; what goes on nevertheless (a mutation) has its result given.
    Raises ClientDisconnect where the client has left, and Refused where the server is
    being stopped. `left` waits until the client has.
    """
    watch = _Watch(left)
    try:
        return await work
    except asyncio.CancelledError:
        if watch.has_left:
            raise ClientDisconnect from None
        raise Refused(
            503,
            "SERVICE_BUSY",
            "The server is being stopped.",
            {"retry-after": "1", "connection": "close"},
        ) from None
    finally:
        watch.end()


class _Watch:
    """Cancels the current task when the client leaves."""

    def __init__(self, left: Callable[[], Awaitable[None]]) -> None:
        self.has_left = False
        self._left = left
        self._task = asyncio.current_task()
        self._watching: asyncio.Future[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(GRACE_S, self._begin)

    def end(self) -> None:
        self._timer.cancel()
        if self._watching is not None:
            self._watching.cancel()

    def _begin(self) -> None:
        self._watching = asyncio.ensure_future(self._wait())

    async def _wait(self) -> None:
        await self._left()
        self.has_left = True
        if self._task is not None:
            self._task.cancel()
