"""A real PgBouncer in transaction mode for tests, where it is installed."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

from sqlalchemy import make_url

PROGRAM = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
PORT = 6432
PATIENCE_S = 10.0

CONFIGURATION = """
[databases]
* = host={host} port={port} user={user}

[pgbouncer]
pool_mode = transaction
auth_type = any
listen_addr =
listen_port = {listen_port}
unix_socket_dir = {directory}
default_pool_size = {connections}
max_client_conn = 200
logfile = {directory}/log
pidfile = {directory}/pid
"""


class PgBouncer:
    """A pooler before the server of a database, on a socket of its own."""

    def __init__(self, database_url: str, *, connections: int) -> None:
        self._database = make_url(database_url)
        self._connections = connections
        self._directory = Path(tempfile.mkdtemp(prefix="graph-api-pgbouncer-"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The same database by way of the pooler."""
        name = f"{self._database.username}@/{self._database.database}"
        return f"postgresql://{name}?host={self._directory}&port={PORT}"

    def __enter__(self) -> Self:
        assert PROGRAM is not None
        host, port = self._database.query["host"], self._database.query["port"]
        file = self._directory / "pgbouncer.ini"
        file.write_text(
            CONFIGURATION.format(
                host=host,
                port=port,
                user=self._database.username,
                listen_port=PORT,
                directory=self._directory,
                connections=self._connections,
            )
        )
        command = [PROGRAM, "-q", str(file)]
        if os.getuid() == 0:
            # It does not run as root, and has to get to both sockets.
            self._directory.chmod(0o777)
            Path(str(host)).parent.chmod(0o711)
            command[1:1] = ["-u", "nobody"]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
        shutil.rmtree(self._directory)

    def _wait(self) -> None:
        give_up_at = time.monotonic() + PATIENCE_S
        place = str(self._directory / f".s.PGSQL.{PORT}")
        while True:
            with socket.socket(socket.AF_UNIX) as attempt:
                try:
                    attempt.connect(place)
                except OSError:
                    assert time.monotonic() < give_up_at, "PgBouncer does not answer"
                    time.sleep(0.02)
                else:
                    return
