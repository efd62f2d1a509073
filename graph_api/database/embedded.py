"""The embedded PostgreSQL: one server a data directory, shared by all who need it.

Who calls `start` first starts it, who calls `stop` last stops it, and no file that
names a process is believed on the way. Three locked files in the data directory tell
it all; the kernel drops their locks with the processes that hold them, however those
end:

- `postgres.gate` is held alone by whoever is just starting or stopping the server;
- `postgres.lease` is shared by all who use the server: who can have it alone is last;
- `postgres.alive` is inherited by PostgreSQL and all its children: while one of them
  lives it cannot be had, and once it can, whatever they left behind is stale.

The server is ready when it has answered a login, and not before.
"""

import errno
import fcntl
import logging
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import IO, Self
from urllib.parse import quote

from graph_api.database.embedded_cluster import Cluster
from graph_api.database.embedded_programs import (
    ENVIRONMENT,
    Account,
    account_for,
    installed_programs,
)
from graph_api.database.embedded_socket import PORT, ServerSocket
from graph_api.errors import ConfigurationError

log = logging.getLogger(__name__)

# A server that is silent for so long is given up. While it says that it is starting,
# there is no limit: recovering from a crash may mean reading gigabytes.
_PATIENCE_S = 30.0
_PAUSE_S = 0.01
# A server that is starting writes a line into its log for each login that it refuses.
_LONGEST_PAUSE_S = 0.5

# "… starting up", "… in recovery mode", "… not yet accepting connections".
_IS_STARTING = "the database system is"

_HAS_DATABASE = "SELECT count(*) FROM pg_database WHERE datname = 'graph_api'"


class EmbeddedServer:
    """A share in the PostgreSQL server of a data directory."""

    def __init__(
        self, data_dir: Path, *, settings: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self._home = data_dir.absolute()
        self._cluster = self._home / "postgres"
        self._socket = ServerSocket(self._cluster)
        self._settings = settings
        self._account = Account()
        self._lease: int | None = None

    def start(self) -> None:
        """Take a share, and return when the server answers; again, make sure it does.

        ConfigurationError says why it cannot; then there is no share to give back.
        """
        try:
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._account = account_for(self._home, self._cluster)
            with self._gate():
                self._take_lease()
                self._socket.make_way()
                self._bring_up()
        except OSError as error:
            self.stop()
            raise self._unusable(error) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Give the share back. The last one stops the server, and waits for its end."""
        if self._lease is None:
            return
        with self._gate():
            lease, self._lease = self._lease, None
            try:
                if _lock_alone(lease):
                    self._shut_down()
                    self._socket.close_way()
            finally:
                os.close(lease)

    def lives(self) -> bool:
        """Whether a server of this data directory lives, be it still starting."""
        alive = self._open("alive")
        try:
            return not _lock_alone(alive)
        finally:
            os.close(alive)

    def url(self, *, user: str = "postgres", database: str = "graph_api") -> str:
        """Where clients connect: SQLAlchemy, asyncpg and libpq understand it alike."""
        name = f"{quote(user, safe='')}@/{quote(database, safe='')}"
        host = quote(os.fsencode(self._socket.directory), safe="")
        return f"postgresql://{name}?host={host}&port={PORT}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _bring_up(self) -> None:
        """Wait for a login, having started the server where none of its kind lives."""
        cluster = Cluster(self._cluster, self._account, self._settings)
        process: subprocess.Popen[bytes] | None = None
        pause_s = _PAUSE_S
        give_up_at = time.monotonic() + _PATIENCE_S
        with tempfile.TemporaryFile() as output:
            while (answer := self._ask(_HAS_DATABASE)).returncode != 0:
                launched = None if process else self._serve(cluster, output)
                process = process or launched
                if launched or _IS_STARTING in answer.stderr:
                    give_up_at = time.monotonic() + _PATIENCE_S
                elif time.monotonic() > give_up_at or _has_ended(process):
                    said = cluster.complaints(output) if process else answer.stderr
                    raise ConfigurationError(
                        f"The PostgreSQL of {self._home} does not "
                        f"{'start' if process else 'answer'}: {said.strip()}"
                    )
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        if answer.stdout.strip() != "1":
            self._create_database()

    def _serve(
        self, cluster: Cluster, output: IO[bytes]
    ) -> subprocess.Popen[bytes] | None:
        alive = self._open("alive")
        try:
            if not _lock_alone(alive):
                return None
            log.info("PostgreSQL is started", extra={"data_dir": str(self._home)})
            self._socket.remove()
            return cluster.serve(alive, output)
        finally:
            os.close(alive)

    def _create_database(self) -> None:
        created = self._ask("CREATE DATABASE graph_api")
        if created.returncode != 0:
            raise ConfigurationError(
                f"The database graph_api could not be created in {self._cluster}: "
                f"{created.stderr.strip()}"
            )

    def _shut_down(self) -> None:
        listener: int | None = None
        give_up_at = time.monotonic() + _PATIENCE_S
        while self.lives():
            # One that we have started just now may not listen yet.
            if listener is None and (listener := self._socket.listener()) is not None:
                # A fast shutdown: open transactions are undone, sessions ended.
                with suppress(ProcessLookupError):
                    os.kill(listener, signal.SIGINT)
            if time.monotonic() > give_up_at:
                log.warning("PostgreSQL has not stopped yet", extra={"pid": listener})
                return
            time.sleep(_PAUSE_S)

    def _ask(self, statement: str) -> subprocess.CompletedProcess[str]:
        """What psql answers: a login, which is the only proof that the server works."""
        psql = installed_programs() / "psql"
        where = f"--host={self._socket.directory}"
        return subprocess.run(
            [psql, "-XAtqw", where, "-Upostgres", "-dpostgres", "-c", statement],
            check=False,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )

    @contextmanager
    def _gate(self) -> Iterator[None]:
        gate = self._open("gate")
        try:
            fcntl.flock(gate, fcntl.LOCK_EX)
            yield
        finally:
            os.close(gate)

    def _take_lease(self) -> None:
        if self._lease is None:
            self._lease = self._open("lease")
            fcntl.flock(self._lease, fcntl.LOCK_SH)

    def _open(self, lock: str) -> int:
        # NOFOLLOW: as root we may be in somebody else's directory.
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        descriptor = os.open(self._home / f"postgres.{lock}", flags, 0o600)
        self._account.adopt(descriptor)
        return descriptor

    def _unusable(self, error: OSError) -> ConfigurationError:
        remedy = "Set GRAPH_API_DATA_DIR to a directory that you may write to."
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            remedy = "Make room on its disk."
        return ConfigurationError(
            f"The data directory {self._home} cannot be used ({error}). {remedy}"
        )


def _lock_alone(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _has_ended(process: subprocess.Popen[bytes] | None) -> bool:
    return process is not None and process.poll() is not None
