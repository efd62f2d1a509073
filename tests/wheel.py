"""A wheel, in a new virtual environment outside of the repository, from another folder.

    python tests/wheel.py

It builds and installs the wheel, serves, and asks; and says how long that took.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from venv import EnvBuilder

from server import PROJECT, Server, surroundings

WHO = "{ viewer { user { username } } }"
LOCAL = {"data": {"viewer": {"user": {"username": "local"}}}}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="graph-api-wheel-") as folder:
        home = Path(folder)
        graph_api = installed(home)
        version = output(graph_api, "--version", within=home)
        assert "type Query" in output(graph_api, "schema", within=home)
        for what in ("an empty", "an existing"):
            seconds = first_answer(graph_api, home)
            tell(
                f"{version.strip()}: first answer on {what} directory: {seconds:.1f} s"
            )
        output(graph_api, "check", "--data-dir", "data", within=home)


def installed(home: Path) -> Path:
    """The command, from a wheel that was built just now."""
    pip = [sys.executable, "-m", "pip", "-qq"]
    # Of a copy: setuptools builds within the sources, and would find that again.
    sources = home / "sources"
    for name in ("graph_api", "migrations"):
        shutil.copytree(PROJECT / name, sources / name)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, sources)
    run(*pip, "wheel", "--no-deps", "--wheel-dir", home, sources, within=home)
    (wheel,) = home.glob("*.whl")
    EnvBuilder(with_pip=True).create(home / "venv")
    pip[0] = str(home / "venv" / "bin" / "python")
    run(*pip, "install", "-c", PROJECT / "constraints.txt", wheel, within=home)
    return home / "venv" / "bin" / "graph-api"


def first_answer(graph_api: Path, home: Path) -> float:
    """Seconds from the start of the server to its first answer."""
    with Server("--data-dir", "data", command=[graph_api], within=home) as server:
        answer = server.ask(WHO)
        seconds = time.monotonic() - server.started
        assert answer == (200, LOCAL), answer
        assert server.page().startswith(b"<!doctype html>")
    return seconds


def output(*command: str | Path, within: Path) -> str:
    return run(*command, within=within).stdout


def run(*command: str | Path, within: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        check=True,
        cwd=within,
        env=surroundings(),
        stdout=subprocess.PIPE,
        text=True,
    )


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
