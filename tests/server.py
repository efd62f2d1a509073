"""`graph-api serve` as a process of its own, as tests and checks use it."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.error import HTTPError
from urllib.request import Request, urlopen

PROJECT = Path(__file__).parents[1]
GRAPH_API = (sys.executable, "-m", "graph_api")

# What the environment of who tests must not decide.
UNSET = (
    "DATABASE_URL",
    "DATABASE_ADMIN_URL",
    "GRAPH_API_ACCOUNTS",
    "GRAPH_API_TRUST_BIND",
    "SECRET_KEY",
)


class Server:
    """A server on any free port, until the block ends."""

    def __init__(
        self,
        *options: str | Path,
        command: Sequence[str | Path] = GRAPH_API,
        environment: Mapping[str, str] | None = None,
        within: Path = PROJECT,
        port: int = 0,
    ) -> None:
        self.started = time.monotonic()
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed at the end
        self.process = subprocess.Popen(
            [*command, "serve", "--port", str(port), *options],
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            cwd=within,
            env=surroundings(environment),
            start_new_session=True,
        )
        self._url: str | None = None

    @property
    def url(self) -> str:
        """Where it answers GraphQL; it says so once its database is ready."""
        if self._url is None:
            assert self.process.stdout
            line = self.process.stdout.readline()
            found = re.search(r"http://\S+/graphql", line)
            assert found, line + self.said()
            self._url = found[0]
        return self._url

    def ask(
        self, query: str, *, headers: Mapping[str, str] | None = None, **variables: Any
    ) -> tuple[int, dict[str, Any]]:
        """The status and the body of the answer to an operation."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        told = {"content-type": "application/json", **(headers or {})}
        return self._send(Request(self.url, body, told))

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        return self._send(Request(self.url.removesuffix("/graphql") + path))

    def page(self) -> bytes:
        """What a browser gets: GraphiQL."""
        with urlopen(Request(self.url, headers={"accept": "text/html"})) as answer:
            return bytes(answer.read())

    def send(self, number: signal.Signals) -> int:
        """Send a signal to the parent alone, and wait for its end; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)

    def interrupt(self) -> int:
        """Ctrl-C at a terminal: all processes of the group get it."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(30)

    def said(self) -> str:
        """What it has written to standard error so far."""
        self._said.seek(0)
        return self._said.read()

    def _send(self, request: Request) -> tuple[int, dict[str, Any]]:
        try:
            with urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            return error.code, json.load(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.send(signal.SIGTERM)
        self.process.communicate()
        self._said.close()


def surroundings(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment for a process: ours, without settings but those given."""
    kept = {name: value for name, value in os.environ.items() if name not in UNSET}
    return {**kept, **(given or {})}
