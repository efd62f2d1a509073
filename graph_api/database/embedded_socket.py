"""The socket of the embedded PostgreSQL: how clients reach it, and who listens.

It lies in the cluster itself, which nobody but its owner (and root) can enter, so
that it needs no password and no directory of its own. PostgreSQL binds it as `.`,
a name that is never too long.
"""

import hashlib
import os
import socket
import stat
import struct
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from graph_api.errors import ConfigurationError

# In the file's name; stated everywhere, or a PGPORT of the user's would count.
PORT = 5432

_NAME = f".s.PGSQL.{PORT}"
# A socket's address has 104 bytes on macOS, 108 on Linux, the last of them a zero.
_LONGEST = 103 - len(f"/{_NAME}")


class ServerSocket:
    """The way to the server of a cluster.

    `directory` is what clients take as their host. For a path that is too long for an
    address, or has a comma, by which clients separate hosts, it is a link to the
    cluster, in a directory of ours below the temporary one.
    """

    def __init__(self, cluster: Path) -> None:
        self._cluster = cluster
        self._files = [cluster / _NAME, cluster / f"{_NAME}.lock"]
        self._linked = not _is_plain(cluster)
        self.directory = _link_to(cluster) if self._linked else cluster

    def make_way(self) -> None:
        """Make the link, where one is needed; the gate must be held."""
        if not self._linked:
            return
        if not _is_plain(self.directory):
            raise ConfigurationError(
                f"{self._cluster} and {self.directory} are both too long for a socket. "
                "Set GRAPH_API_DATA_DIR or TMPDIR to a shorter path."
            )
        _make_private(self.directory.parent)
        with suppress(FileNotFoundError):
            if self.directory.readlink() == self._cluster:
                return
            self.directory.unlink()
        self.directory.symlink_to(self._cluster)

    def close_way(self) -> None:
        """Remove the link, which nobody needs any more; the gate must be held."""
        if self._linked:
            with suppress(OSError):
                self.directory.unlink()
                self.directory.parent.rmdir()

    def remove(self) -> None:
        """Remove what a server that is gone has left behind."""
        for file in self._files:
            file.unlink(missing_ok=True)

    def listener(self) -> int | None:
        """The process that listens: PostgreSQL's first, while it lives.

        The kernel remembers who it was, so this cannot be a stale or foreign id.
        """
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(5)
            try:
                probe.connect(str(self.directory / _NAME))
            except OSError:
                return None
            if sys.platform == "darwin":
                # SOL_LOCAL and LOCAL_PEERPID, for which Python has no names.
                return probe.getsockopt(0, 2) or None
            peer = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            process_id, _uid, _gid = struct.unpack("3i", peer)
            # Zero: in a container that shares our data directory but not our ids.
            return int(process_id) or None


def _is_plain(directory: Path) -> bool:
    name = os.fsencode(directory)
    return len(name) <= _LONGEST and b"," not in name


def _link_to(cluster: Path) -> Path:
    short = hashlib.sha256(os.fsencode(cluster)).hexdigest()[:12]
    return Path(tempfile.gettempdir(), f"graph-api-{os.geteuid()}-{short}", "pg")


def _make_private(directory: Path) -> None:
    """Make a directory for us alone; where it exists, make sure that it is one.

    Anybody can make it first, and then could put a server of his in the place of ours.
    """
    with suppress(FileExistsError):
        directory.mkdir(mode=0o700)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise ConfigurationError(
            f"{directory} is not a directory of ours. Have its owner remove it, or set "
            "GRAPH_API_DATA_DIR to a shorter path."
        )
    if stat.S_IMODE(found.st_mode) != stat.S_IRWXU:
        raise ConfigurationError(
            f"{directory} can be entered by others. Remove it, or make it private: "
            f"chmod 700 {directory}."
        )
