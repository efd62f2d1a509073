"""A request's body as it comes in: counted, timed, and drained when it is refused.

A client that is still sending does not read. So what is refused is taken in and thrown
away first, within bounds, and then the refusal has a reader.
"""

import asyncio
import time

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from graph_api.http.refusal import Refused

# A phone that sends 8 MiB over a slow line needs a minute, but never pauses for long.
PAUSE_S = 10.0
WHOLE_S = 60.0
DRAIN_BYTES = 64 * 1024 * 1024
DRAIN_S = 10.0


class Body:
    """The body of one request, from its first byte to its end."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._ended = False

    async def read(self, limit: int) -> bytes:
        """The whole body; Refused beyond `limit` bytes or the time it may take.

        Raises ClientDisconnect when the client leaves before the end.
        """
        parts = bytearray()
        until = time.monotonic() + WHOLE_S
        while not self._ended:
            parts += await self._part(until)
            if len(parts) > limit:
                raise Refused(
                    413,
                    "BODY_TOO_LARGE",
                    f"The body has more than {limit} bytes.",
                    allowed=limit,
                )
        return bytes(parts)

    async def left(self) -> None:
        """Wait until the client has gone; what it still sends comes before that."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def drain(self) -> None:
        """Throw away what is left, for as long as is reasonable."""
        until = time.monotonic() + DRAIN_S
        left = DRAIN_BYTES
        try:
            while not self._ended and left > 0:
                left -= len(await self._part(until))
        except (Refused, ClientDisconnect):
            return

    async def _part(self, until: float) -> bytes:
        try:
            async with asyncio.timeout(min(PAUSE_S, until - time.monotonic())):
                message: Message = await self._receive()
        except TimeoutError:
            self._ended = True
            raise Refused(
                408,
                "REQUEST_TIMEOUT",
                f"The body paused for {PAUSE_S:g} s or took more than {WHOLE_S:g} s.",
                {"connection": "close"},
            ) from None
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        self._ended = not message.get("more_body", False)
        part: bytes = message.get("body", b"")
        return part
