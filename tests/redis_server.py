"""A real Redis for tests, where its server is installed."""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

from redis import Redis
from redis.exceptions import ConnectionError as Away

PROGRAM = shutil.which("redis-server")
PATIENCE_S = 10.0


class RedisServer:
    """A server on a socket of its own, until the block ends."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="graph-api-redis-")
        self._socket = Path(self._directory.name) / "socket"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    def start(self) -> None:
        """Start it, empty; it answers when this returns."""
        assert PROGRAM is not None
        options = ["--port", "0", "--unixsocket", str(self._socket), "--save", ""]
        self._process = subprocess.Popen(
            [PROGRAM, *options],
            stdout=subprocess.DEVNULL,
            cwd=self._directory.name,
        )
        give_up_at = time.monotonic() + PATIENCE_S
        with Redis.from_url(self.url) as client:
            while True:
                try:
                    client.ping()
                except Away:
                    assert time.monotonic() < give_up_at, "Redis does not answer"
                    time.sleep(0.02)
                else:
                    return

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._directory.cleanup()
