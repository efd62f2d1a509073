"""A process that uses the embedded PostgreSQL until it is told to end.

It says `READY <PostgreSQL's process> <url>` or `REFUSED <why>`. It ends, and gives its
share back, at the end of its input or at SIGTERM, as `serve` does.
"""

import argparse
import os
import pwd
import resource
import signal
import sys
from pathlib import Path

from graph_api.database.embedded import EmbeddedServer
from graph_api.errors import ConfigurationError


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("data_dir", type=Path)
    arguments.add_argument("--user", help="Become this user first; only root can.")
    arguments.add_argument("--largest-file", type=int, help="A limit, in bytes.")
    given = arguments.parse_args()
    if given.user:
        _become(given.user)
    if given.largest_file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (given.largest_file,) * 2)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with EmbeddedServer(given.data_dir, settings={"fsync": "off"}) as server:
            _say(f"READY {server._socket.listener()} {server.url()}")
            sys.stdin.read()
    except ConfigurationError as error:
        _say(f"REFUSED {error}")


def _become(name: str) -> None:
    user = pwd.getpwnam(name)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
