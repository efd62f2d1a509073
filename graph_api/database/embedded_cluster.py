"""A cluster of the embedded PostgreSQL: made once, and served by a process.

The programs that do it inherit `alive`, the descriptor of a lock that is held for as
long as one of them or of their children lives (see `embedded`).
"""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from graph_api.database.embedded_programs import (
    ENVIRONMENT,
    Account,
    reachable_programs,
)
from graph_api.database.embedded_socket import PORT
from graph_api.errors import ConfigurationError

# Of a new cluster, in its postgresql.conf: also when it is started by hand, it listens
# on nothing but the socket in its own directory, which only its owner can enter. So
# whoever gets there could read the files as well, and a password would add nothing.
_REACH = {
    "listen_addresses": "",
    "unix_socket_directories": ".",
    "unix_socket_permissions": "0700",
    "port": str(PORT),
}

# Sorting is by code point, which no update of a C library changes. lower() and ILIKE
# know all letters, and so do trigrams, which ask the C library's LC_CTYPE.
_LOCALE = (
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    f"--lc-ctype={'en_US.UTF-8' if sys.platform == 'darwin' else 'C.UTF-8'}",
)

# Of each start. What is named neither here nor by the caller, postgresql.conf may say.
_SETTINGS = _REACH | {
    "cluster_name": "graph-api",
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "128MB",
    # An import writes more than the default 1 GB, and would wait for the disk there.
    "max_wal_size": "4GB",
    "max_connections": "200",
    # Our statements take milliseconds; compiling one can take a hundred.
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A file a weekday, begun anew each week: at midnight, or by `_forget_old_logs`.
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "%a.log",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
}

# Not that it is starting up, which it tells others, nor where its log is.
_COMPLAINT = re.compile(
    "(ERROR|FATAL|PANIC|DETAIL|HINT|error): "
    "(?!.*the database system is|.*Future log output)"
)


class Cluster:
    """The files of one PostgreSQL server, and the account that it runs under."""

    def __init__(
        self, directory: Path, account: Account, settings: Mapping[str, str]
    ) -> None:
        self.directory = directory
        self._account = account
        self._settings = {**_SETTINGS, **settings}
        self._log_starts: dict[Path, int] = {}

    def serve(self, alive: int, output: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start the server, on a new cluster where there is none.

        `output` gets what it has to say before it writes its log.
        """
        programs = reachable_programs(self._account)
        if not (self.directory / "PG_VERSION").exists():
            self._create(programs, alive)
        (self.directory / "postmaster.pid").unlink(missing_ok=True)
        self._forget_old_logs()
        self._log_starts = {log: log.stat().st_size for log in self._logs()}
        settings = [f"--{name}={value}" for name, value in self._settings.items()]
        where = self._account.name_of(self.directory)
        process = subprocess.Popen(
            [programs / "postgres", "-D", where, *settings],
            cwd=self.directory,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[alive],
            # Ctrl-C is for us alone; we stop it when its last user is done.
            start_new_session=True,
            user=self._account.uid,
            group=self._account.gid,
            extra_groups=self._account.groups,
        )
        # Whenever it ends, it must not stay as a zombie while we live on.
        threading.Thread(target=process.wait, daemon=True).start()
        return process

    def complaints(self, output: IO[bytes]) -> str:
        """What the server that `serve` started found wrong, for a message."""
        output.seek(0)
        said = output.read()
        for log in self._logs():
            said += log.read_bytes()[self._log_starts.get(log, 0) :]
        return _complaints(said.decode(errors="replace"))

    def _create(self, programs: Path, alive: int) -> None:
        # Beside its place, and renamed when it is whole: half a cluster never counts.
        fresh = self.directory.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        self._account.make_directory(fresh)
        reach = [f"--set={name}={value}" for name, value in _REACH.items()]
        unsafe = ["--no-sync"] if self._settings["fsync"] == "off" else []
        made = subprocess.run(
            [
                *(programs / "initdb", "-D", self._account.name_of(fresh)),
                *("--username=postgres", "--auth-local=trust", "--auth-host=reject"),
                *("--data-checksums", "--no-instructions", *unsafe, *_LOCALE, *reach),
            ],
            check=False,
            cwd=fresh,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            pass_fds=[alive],
            user=self._account.uid,
            group=self._account.gid,
            extra_groups=self._account.groups,
        )
        if made.returncode != 0:
            raise ConfigurationError(
                f"The database cluster {self.directory} could not be created: "
                f"{_complaints(made.stdout + made.stderr)}"
            )
        fresh.rename(self.directory)
        _sync(self.directory.parent)

    def _forget_old_logs(self) -> None:
        # PostgreSQL empties a file that it comes to at midnight, not one at its start.
        for log in self._logs():
            if log.stat().st_mtime < time.time() - 6 * 86_400:
                log.unlink()

    def _logs(self) -> list[Path]:
        directory = self.directory / "log"
        # As root we may be in somebody else's directory, who could lead us astray.
        return [] if directory.is_symlink() else list(directory.glob("*.log"))


def _complaints(text: str) -> str:
    lines = [line.strip() for line in text.splitlines()]
    complaints = [line for line in lines if _COMPLAINT.search(line)]
    return " / ".join(complaints[:4] or lines[-2:])


def _sync(directory: Path) -> None:
    # Or a power failure could undo the renaming, and with it all that came after.
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
