"""The tests on another PostgreSQL than the embedded one.

    python tests/other_postgres.py /usr/lib/postgresql/15/bin -- -q

It starts a server of these programs, on a cluster of its own, and runs pytest with what
follows `--`. Where the programs are not installed it says so, which is no failure.
"""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server import PROJECT, surroundings

# They start servers of their own, which are always the embedded one.
NOT_FOR_OTHERS = ("test_embedded.py", "test_serve.py", "test_cli.py")
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_directories": ".",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
}
WAIT_S = 30.0


@contextmanager
def postgres(programs: Path) -> Iterator[str]:
    """A server of these programs; gives its URL."""
    with tempfile.TemporaryDirectory(prefix="graph-api-pg-") as folder:
        # PostgreSQL refuses to run as root.
        user = "nobody" if os.geteuid() == 0 else None
        if user is not None:
            os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        cluster = Path(folder, "cluster")
        subprocess.run(
            [programs / "initdb", "-D", cluster, "-N", "--username=postgres"],
            check=True,
            stdout=subprocess.DEVNULL,
            user=user,
            cwd=folder,
        )
        options = [f"--{name}={value}" for name, value in SETTINGS.items()]
        with (
            Path(folder, "log").open("w") as log,
            subprocess.Popen(
                [programs / "postgres", "-D", cluster, *options],
                stderr=log,
                user=user,
                cwd=folder,
            ) as server,
        ):
            try:
                until_it_answers(programs, cluster)
                yield f"postgresql://postgres@/postgres?host={cluster}&port=5432"
            finally:
                server.terminate()


def until_it_answers(programs: Path, socket: Path) -> None:
    asking: list[str | Path] = [programs / "pg_isready", "--quiet", f"--host={socket}"]
    give_up_at = time.monotonic() + WAIT_S
    while subprocess.run(asking, check=False).returncode:
        if time.monotonic() > give_up_at:
            sys.exit(f"PostgreSQL did not start within {WAIT_S:g} s.")
        time.sleep(0.1)


def main(programs: str, _: str, *options: str) -> None:
    if shutil.which("postgres", path=programs) is None:
        sys.stdout.write(
            f"skipped: there is no PostgreSQL in {programs} "
            "(Debian: apt-get install postgresql-15)\n"
        )
        return
    ignored = [f"--ignore=tests/{name}" for name in NOT_FOR_OTHERS]
    with postgres(Path(programs)) as url:
        tested = subprocess.run(
            [sys.executable, "-m", "pytest", *ignored, *options],
            check=False,
            cwd=PROJECT,
            env=surroundings({"TEST_DATABASE_URL": url}),
        )
    sys.exit(tested.returncode)


if __name__ == "__main__":
    main(*sys.argv[1:])
