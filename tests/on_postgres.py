"""Runs the tests on a PostgreSQL whose binaries are in a folder given as argument.

    python tests/on_postgres.py /usr/lib/postgresql/15/bin tests/test_parties.py

The cluster is made in a temporary folder, and is gone afterwards.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

# PostgreSQL refuses to run as root.
UNPRIVILEGED = {"user": "nobody"} if os.geteuid() == 0 else {}
SETTINGS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "listen_addresses=",
    "timezone=UTC",
    "max_connections=200",
)


def main(binaries: Path, tests: list[str]) -> int:
    with _server(binaries) as url:
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *tests],
            env={**os.environ, "TEST_DATABASE_URL": url},
            check=False,
        ).returncode


@contextmanager
def _server(binaries: Path) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="graph-api-pg-") as directory:
        home = Path(directory)
        if UNPRIVILEGED:
            shutil.chown(home, **UNPRIVILEGED)
        cluster = home / "cluster"
        login = ("-U", "postgres", "--auth=trust")
        text = ("--encoding=UTF8", "--locale=C.UTF-8")
        _run([binaries / "initdb", "-D", cluster, *login, *text, "--no-sync"])
        options = [f"-c{option}" for option in SETTINGS]
        server = subprocess.Popen(
            [binaries / "postgres", "-D", cluster, "-k", home, *options],
            stderr=subprocess.DEVNULL,
            cwd=home,
            **UNPRIVILEGED,  # type: ignore[call-overload]
        )
        try:
            _await(binaries, home)
            host = quote(str(home), safe="")
            yield f"postgresql://postgres@/postgres?host={host}&port=5432"
        finally:
            server.send_signal(2)
            server.wait(20)


def _run(command: list[str | Path]) -> None:
    subprocess.run(
        command,
        check=True,
        stdout=subprocess.DEVNULL,
        cwd="/",
        **UNPRIVILEGED,  # type: ignore[call-overload]
    )


def _await(binaries: Path, home: Path) -> None:
    for _ in range(200):
        asked = subprocess.run(
            [binaries / "pg_isready", "-q", "-h", home, "-U", "postgres"], check=False
        )
        if asked.returncode == 0:
            return
        time.sleep(0.05)
    sys.exit("PostgreSQL does not answer")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
