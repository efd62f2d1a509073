"""Hostile documents against a real server, with good traffic beside them.

    python tests/attack/documents.py [--seconds 20] [--clients 16]

Good clients ask without a pause, first alone and then while one attacker sends each
hostile document in its turn, ten a second. Printed are how long each refusal took, the
good clients' p99 without and with the attack, and the most memory that the server had.
It ends with 1 where a refusal took over 50 ms of the server's processor, the p99 more
than doubled, or memory passed 400 MB.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[1]))

from hostile import HOSTILE, Hostile
from server import Server

GOOD = json.dumps(
    {
        "query": "query($n: Int) { parties(first: $n) { nodes { id name "
        "roles(first: 5) { totalCount nodes { roleName } } } } tags { totalCount } }",
        "variables": {"n": 20},
    }
).encode()
PAUSE_S = 0.1
MOST_MS = 50.0
MOST_MB = 400.0


@dataclass
class Client:
    """One connection that is kept open."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def to(cls, url: str) -> Self:
        parts = urlsplit(url)
        return cls(*await asyncio.open_connection(parts.hostname, parts.port))

    async def ask(self, body: bytes) -> tuple[int, bytes]:
        """The status and the body of an answer."""
        self.writer.write(
            b"POST /graphql HTTP/1.1\r\nhost: localhost\r\n"
            b"content-type: application/json\r\n"
            b"accept: application/graphql-response+json\r\n"
            b"content-length: %d\r\n\r\n" % len(body) + body
        )
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        return int(head[9:12]), await self.reader.readexactly(length)


@dataclass
class Measured:
    """What a server's process has used."""

    pid: int
    most_mb: float = 0.0
    cpu: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def cpu_ms(self) -> float:
        """The processor time of all its threads, to the nanosecond."""
        threads = Path(f"/proc/{self.pid}/task").iterdir()
        told = [(thread / "schedstat").read_text() for thread in threads]
        return sum(int(one.split()[0]) for one in told) / 1e6

    def look(self) -> None:
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        self.most_mb = max(self.most_mb, pages * os.sysconf("SC_PAGE_SIZE") / 2**20)


async def good(url: str, until: float, took: list[float]) -> None:
    client = await Client.to(url)
    while time.monotonic() < until:
        since = time.perf_counter()
        status, body = await client.ask(GOOD)
        took.append((time.perf_counter() - since) * 1e3)
        assert status == 200, body


async def refused(client: Client, hostile: Hostile) -> None:
    status, body = await client.ask(hostile.body)
    told = json.loads(body)
    codes = [error["extensions"]["code"] for error in told.get("errors", ())]
    assert codes[:1] == [hostile.code], (hostile.query[:80], status, body[:300])
    assert status < 500, (hostile.query[:80], status)


async def alone(url: str, measured: Measured) -> None:
    """Measure the processor time of each refusal, while nobody else asks."""
    client = await Client.to(url)
    for _ in range(5):
        for name, hostile in HOSTILE.items():
            before = measured.cpu_ms()
            await refused(client, hostile)
            measured.cpu[name].append(measured.cpu_ms() - before)
            measured.look()


async def attack(url: str, until: float, measured: Measured) -> None:
    client = await Client.to(url)
    while time.monotonic() < until:
        for hostile in HOSTILE.values():
            await refused(client, hostile)
            measured.look()
            await asyncio.sleep(PAUSE_S)


async def traffic(
    url: str, seconds: float, clients: int, *beside: Callable[[float], Awaitable[None]]
) -> list[float]:
    """How long each good answer took, with something beside them or without."""
    took: list[float] = []
    until = time.monotonic() + seconds
    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(good(url, until, took))
        for one in beside:
            group.create_task(_run(one, until))
    return took


async def _run(one: Callable[[float], Awaitable[None]], until: float) -> None:
    await one(until)


async def measure(url: str, pid: int, seconds: float, clients: int) -> bool:
    """Measure and print everything; whether all is as it must be."""
    measured = Measured(pid)
    await traffic(url, 2, clients)
    await alone(url, measured)
    without = await traffic(url, seconds, clients)
    attacked = await traffic(
        url, seconds, clients, lambda until: attack(url, until, measured)
    )
    slowest = 0.0
    for name, times in measured.cpu.items():
        least = min(times)
        slowest = max(slowest, least)
        print(f"{name:34} {HOSTILE[name].code:26} {least:7.1f} ms")
    before, after = _p99(without), _p99(attacked)
    print(f"{len(HOSTILE)} documents, the slowest refused in {slowest:.1f} ms")
    print(f"p99 of good traffic: {before:.1f} ms alone, {after:.1f} ms under attack")
    print(
        f"answers a second: {len(without) / seconds:.0f}, {len(attacked) / seconds:.0f}"
    )
    print(f"memory at most: {measured.most_mb:.0f} MB")
    is_well = slowest <= MOST_MS and after <= 2 * before
    return is_well and measured.most_mb <= MOST_MB


def _p99(times: list[float]) -> float:
    return statistics.quantiles(times, n=100)[98]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--clients", type=int, default=16)
    given = parser.parse_args()
    with TemporaryDirectory() as directory, Server("--data-dir", directory) as server:
        pid = server.process.pid
        is_well = asyncio.run(measure(server.url, pid, given.seconds, given.clients))
    print("as it must be" if is_well else "NOT as it must be")
    return 0 if is_well else 1


if __name__ == "__main__":
    raise SystemExit(main())
