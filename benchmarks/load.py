"""The client, in a process of its own: raw bytes on connections that are kept.

It reads jobs from standard input, a line of JSON each, and writes what came of each to
standard output. It costs little, so that little of the machine is taken from servers.
"""

import asyncio
import sys
import time
from typing import Any, cast

import orjson
import uvloop

# Answers that are wrong at first sight: what is right begins so, everywhere.
_RIGHT = (b'{"data":{', b'{"data": {')
_TIMEOUT_S = 120


class Job:
    """So many requests, taken in turn from `bodies` by all connections."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.host: str = given["host"]
        self.port: int = given["port"]
        self.concurrency = given["concurrency"]
        self.count: int = given["count"]
        self.sample_every = given["sample_every"]
        self.requests = [
            self._request(path, body.encode()) for path, body in given["requests"]
        ]
        # Where in `requests` to begin: jobs do not always ask the same.
        self.offset: int = given["offset"]
        self.taken = 0
        self.latencies: list[float] = []
        self.samples: list[tuple[int, str]] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def _request(self, path: str, body: bytes) -> bytes:
        head = (
            f"POST {path} HTTP/1.1\r\nhost: {self.host}:{self.port}\r\n"
            "content-type: application/json\r\naccept: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def take(self) -> int | None:
        """The number of the next request, if there is one."""
        if self.taken == self.count or self.done.done():
            return None
        self.taken += 1
        return (self.offset + self.taken - 1) % len(self.requests)

    def keep(self, number: int, seconds: float, body: bytes) -> None:
        """Note an answer; some are kept whole."""
        self.latencies.append(seconds)
        if not body.startswith(_RIGHT):
            self.fail(f"request {number} was answered by {body[:600]!r}")
        elif len(self.latencies) % self.sample_every == 1 or self.sample_every == 1:
            self.samples.append((number, body.decode()))
        if len(self.latencies) == self.count and not self.done.done():
            self.done.set_result(None)

    def fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError(why))


class Client(asyncio.Protocol):
    """One connection, with one request at a time."""

    transport: asyncio.Transport

    def __init__(self, job: Job) -> None:
        self._job = job
        self._number: int | None = None
        self._sent = 0.0
        self._received = bytearray()
        self._body_at = self._end = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's are none of asyncio's classes.
        self.transport = cast("asyncio.Transport", transport)

    def ask(self) -> None:
        self._number = self._job.take()
        if self._number is not None:
            self._sent = time.perf_counter()
            self.transport.write(self._job.requests[self._number])

    def data_received(self, data: bytes) -> None:
        received = self._received
        received += data
        if not self._end and not self._read_head():
            return
        if len(received) < self._end or self._number is None:
            return
        body = bytes(received[self._body_at : self._end])
        self._job.keep(self._number, time.perf_counter() - self._sent, body)
        received.clear()
        self._end = 0
        self.ask()

    def connection_lost(self, error: Exception | None) -> None:
        if self._number is not None:
            self._job.fail(f"a connection was lost: {error}")

    def _read_head(self) -> bool:
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(self._received[:end]).lower()
        _, found, length = head.partition(b"content-length:")
        if not found or b" 200 " not in head[:16]:
            self._job.fail(f"the answer was {bytes(self._received[:600])!r}")
            return False
        self._body_at = end + 4
        self._end = self._body_at + int(length.split(b"\r", 1)[0])
        return True


async def run(given: dict[str, Any]) -> dict[str, Any]:
    """Do a job; what came of it."""
    job = Job(given)
    loop = asyncio.get_running_loop()
    clients = [
        (await loop.create_connection(lambda: Client(job), job.host, job.port))[1]
        for _ in range(job.concurrency)
    ]
    started = time.perf_counter()
    for client in clients:
        client.ask()
    try:
        await asyncio.wait_for(job.done, _TIMEOUT_S)
    finally:
        for client in clients:
            client.transport.abort()
    seconds = time.perf_counter() - started
    latencies = sorted(job.latencies)
    return {
        "seconds": seconds,
        "p50": latencies[len(latencies) // 2],
        "p99": latencies[min(len(latencies) - 1, len(latencies) * 99 // 100)],
        "samples": job.samples,
    }


def main() -> None:
    # Not sys.stdout's buffer, which is none where PYTHONUNBUFFERED is set: it would
    # write a part of what is long, and say how much.
    with open(sys.stdout.fileno(), "wb", closefd=False) as answers:
        for line in sys.stdin.buffer:
            answers.write(orjson.dumps(_outcome(line)) + b"\n")
            answers.flush()


def _outcome(line: bytes) -> dict[str, Any]:
    try:
        return uvloop.run(run(orjson.loads(line)))
    except Exception as error:
        return {"error": str(error) or type(error).__name__}


if __name__ == "__main__":
    main()
