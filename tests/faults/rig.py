"""The real server with real faults: `graph-api serve`, and what is killed of it."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, Self

import asyncpg
import httpx
from server import Server

from graph_api.database.embedded import EmbeddedServer

READY_S = 30.0


class Rig:
    """A server with two workers, which is started again when it is killed."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.server = self._started()
        self.url = self.server.url
        self.port = self.url.rsplit(":", 1)[1].split("/")[0]

    def _started(self, port: int = 0) -> Server:
        return Server("--data-dir", self.data_dir, "--workers", "2", port=port)

    async def database(self) -> "asyncpg.Connection[Any]":
        """A superuser's connection, past the server."""
        return await asyncpg.connect(EmbeddedServer(self.data_dir).url(), timeout=5)

    async def until_ready(self) -> float:
        """How many seconds it takes until the server says that it is ready."""
        since = time.monotonic()
        async with httpx.AsyncClient(timeout=3) as http:
            while time.monotonic() - since < READY_S:
                with suppress(httpx.HTTPError):
                    url = self.url.replace("/graphql", "/readyz")
                    if (await http.get(url)).status_code == 200:
                        return time.monotonic() - since
                await asyncio.sleep(0.02)
        raise TimeoutError(
            f"not ready within {READY_S} s: {self.server.said()[-2000:]}"
        )

    async def terminate_backends(self, _: Random) -> None:
        connection = await self.database()
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE usename = 'graph_api'"
        )
        await connection.close()

    async def kill_backend(self, _: Random) -> None:
        connection = await self.database()
        pid = await connection.fetchval(
            "SELECT pid FROM pg_stat_activity WHERE usename = 'graph_api' "
            "ORDER BY (state <> 'idle') DESC LIMIT 1"
        )
        with suppress(Exception):
            await connection.close()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)

    async def kill_postgres(self, _: Random) -> None:
        file = self.data_dir / "postgres" / "postmaster.pid"
        postmaster = int(file.read_text().split()[0])
        for pid in [postmaster, *_children(postmaster)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    async def kill_worker(self, random: Random) -> None:
        workers = [pid for pid in _children(self.server.process.pid) if _is_worker(pid)]
        if workers:
            os.kill(random.choice(workers), signal.SIGKILL)

    async def kill_server(self, _: Random) -> None:
        """The parent and its workers, as a supervisor would start them again."""
        pids = [self.server.process.pid, *_children(self.server.process.pid)]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(self.server.process.wait)
        self.server.__exit__()
        self.server = await asyncio.to_thread(self._again)

    def _again(self) -> Server:
        server = self._started(int(self.port))
        assert server.url
        return server

    @property
    def faults(self) -> dict[str, Callable[[Random], Any]]:
        return {
            "backends terminated": self.terminate_backends,
            "a backend killed": self.kill_backend,
            "PostgreSQL killed": self.kill_postgres,
            "a worker killed": self.kill_worker,
            "the server killed": self.kill_server,
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.server.__exit__(*error)


def _is_worker(pid: int) -> bool:
    """Whether `multiprocessing` has made the process; PostgreSQL's it has not."""
    return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()


def _children(pid: int) -> list[int]:
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return []
    return [int(child) for child in found]
