"""Rounds: every server in turn, in random order, asked the same."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson

from benchmarks.answers import WrongAnswer, compare, said
from benchmarks.data import PROJECT, Data
from benchmarks.processes import cpu_seconds, resident_bytes
from benchmarks.servers import Server
from benchmarks.workload import Operation, Variables

# Pages that are turned to have cursors from all over the documents.
_CURSOR_PAGES, _CURSOR_PAGE = 40, 100


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    `seconds` is about how long each server is asked at a time, `warming_s` how long at
    first; `checked` answers of each server are compared before, and `sampled` in each
    measurement.
    """

    rounds: int
    seconds: float
    warming_s: float
    concurrency: tuple[int, ...] = (1, 32)
    checked: int = 10
    sampled: int = 4
    variables: int = 200

    @classmethod
    def full(cls) -> "Plan":
        return cls(rounds=5, seconds=0.8, warming_s=1.0)

    @classmethod
    def quick(cls) -> "Plan":
        return cls(
            rounds=3,
            seconds=0.3,
            warming_s=0.3,
            concurrency=(1,),
            checked=4,
            sampled=2,
        )


@dataclass(frozen=True)
class Measurement:
    """What came of asking one server for one operation in one round.

    CPU in microseconds a request, of the server with all its processes and of all of
    PostgreSQL's; latencies in milliseconds.
    """

    operation: str
    server: str
    concurrency: int
    round: int
    requests: int
    server_us: float
    database_us: float
    per_second: float
    p50_ms: float
    p99_ms: float

    @property
    def total_us(self) -> float:
        return self.server_us + self.database_us


class Bench:
    """All that is measured on the servers of one run."""

    def __init__(
        self, data: Data, servers: Sequence[Server], plan: Plan, client: "Client"
    ) -> None:
        self._data, self._servers, self._plan = data, servers, plan
        self._client = client
        self._random = Random(7)
        self._variables: dict[str, list[Variables]] = {}
        self._references: dict[tuple[str, int], Any] = {}
        self._rates: dict[tuple[str, str], float] = {}
        self.memory: dict[str, int] = {}

    def run(
        self, operations: Sequence[Operation], tell: Callable[[str], None]
    ) -> list[Measurement]:
        """Check, warm up, and measure.

        Raises WrongAnswer as soon as two servers say different things.
        """
        for operation in operations:
            tell(f"{operation.key}: comparing answers")
            self._prepare(operation)
            self._check(operation)
        for operation in operations:
            for server in self._able(operation):
                tell(f"{operation.key}: warming up {server.name}")
                self._warm(operation, server)
        found: list[Measurement] = []
        for number in range(self._plan.rounds):
            tell(f"round {number + 1} of {self._plan.rounds}")
            found += self._round(operations, number)
        self.memory = {s.name: resident_bytes(s.process.pid) for s in self._servers}
        return found

    def _prepare(self, operation: Operation) -> None:
        if operation.pages:
            for server in self._able(operation):
                server.cursors = list(_cursors(operation, server))
            counts = {len(server.cursors) for server in self._able(operation)}
            assert len(counts) == 1, f"{operation.key}: unlike numbers of pages"
        self._variables[operation.key] = [
            operation.draw(self._data.facts, self._random, number)
            for number in range(self._plan.variables)
        ]

    def _check(self, operation: Operation) -> None:
        for number in range(self._plan.checked):
            for server in self._able(operation):
                body = server.ask(operation, self._of(operation, server, number))
                self._compare(operation, server, number, body)

    def _warm(self, operation: Operation, server: Server) -> None:
        few = self._load(operation, server, 8, 4)
        count = max(8, int(8 / few["seconds"] * self._plan.warming_s))
        warmed = self._load(operation, server, count, 4)
        self._rates[operation.key, server.name] = count / warmed["seconds"]

    def _round(
        self, operations: Sequence[Operation], number: int
    ) -> Iterator[Measurement]:
        for operation in self._random.sample(operations, len(operations)):
            for concurrency in self._plan.concurrency:
                able = self._able(operation)
                for server in self._random.sample(able, len(able)):
                    yield self._measure(operation, server, concurrency, number)

    def _measure(
        self, operation: Operation, server: Server, concurrency: int, number: int
    ) -> Measurement:
        rate = self._rates[operation.key, server.name]
        # The same in all rounds, and no less than one for each connection.
        count = max(6, concurrency, int(rate * self._plan.seconds))
        before = self._spent(server)
        outcome = self._load(operation, server, count, concurrency)
        after = self._spent(server)
        for place, body in outcome["samples"]:
            self._compare(operation, server, place, body.encode())
        return Measurement(
            operation=operation.key,
            server=server.name,
            concurrency=concurrency,
            round=number,
            requests=count,
            server_us=(after[0] - before[0]) / count * 1e6,
            database_us=(after[1] - before[1]) / count * 1e6,
            per_second=count / outcome["seconds"],
            p50_ms=outcome["p50"] * 1e3,
            p99_ms=outcome["p99"] * 1e3,
        )

    def _load(
        self, operation: Operation, server: Server, count: int, concurrency: int
    ) -> dict[str, Any]:
        requests = [
            server.request(operation, self._of(operation, server, number))
            for number in range(self._plan.variables)
        ]
        return self._client.do(
            server,
            requests,
            count=count,
            concurrency=concurrency,
            offset=self._random.randrange(self._plan.variables),
            sample_every=max(1, count // self._plan.sampled),
        )

    def _of(self, operation: Operation, server: Server, number: int) -> Variables:
        variables = self._variables[operation.key][number]
        if operation.pages:
            return {**variables, "after": server.cursors[number % len(server.cursors)]}
        return variables

    def _compare(
        self, operation: Operation, server: Server, number: int, body: bytes
    ) -> None:
        """Hold an answer against that of the first server to the same variables."""
        first = self._able(operation)[0]
        place = 0 if operation.by_shape else number
        if (operation.key, place) not in self._references:
            asked = first.ask(operation, self._of(operation, first, number))
            self._references[operation.key, place] = said(operation, asked)
        reference = self._references[operation.key, place]
        compare(operation, said(operation, body), reference, (server.name, first.name))

    def _spent(self, server: Server) -> tuple[float, float]:
        return cpu_seconds(server.process.pid), cpu_seconds(self._data.postmaster)

    def _able(self, operation: Operation) -> list[Server]:
        return [server for server in self._servers if server.can(operation)]


class Client:
    """The process that asks."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def do(
        self,
        server: Server,
        requests: Sequence[tuple[str, bytes]],
        *,
        count: int,
        concurrency: int,
        offset: int = 0,
        sample_every: int = 1,
    ) -> dict[str, Any]:
        """Ask a server so many times; how long it took, and some of the answers."""
        job = {
            "host": "127.0.0.1",
            "port": server.port,
            "requests": [(path, body.decode()) for path, body in requests],
            "count": count,
            "concurrency": concurrency,
            "offset": offset,
            "sample_every": sample_every,
        }
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(orjson.dumps(job) + b"\n")
        self._process.stdin.flush()
        outcome: dict[str, Any] = orjson.loads(self._process.stdout.readline())
        if "error" in outcome:
            raise RuntimeError(f"{server.name}: {outcome['error']}")
        return outcome


@contextmanager
def client() -> Iterator[Client]:
    """A client, for as long as the block lasts."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.load"],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield Client(process)
    finally:
        assert process.stdin
        process.stdin.close()
        process.wait(10)


def _cursors(operation: Operation, server: Server) -> Iterator[str]:
    """Where the pages end that are turned from the start, as the server says it."""
    after = None
    for _ in range(_CURSOR_PAGES):
        asked = {"first": _CURSOR_PAGE, "after": after}
        answer = orjson.loads(server.ask(operation, asked))
        try:
            (page,) = answer["data"].values()
            after = page["pageInfo"]["endCursor"]
        except (KeyError, TypeError, AttributeError):
            raise WrongAnswer(f"{server.name} said {answer!r:.600}") from None
        if not page["pageInfo"]["hasNextPage"]:
            return
        yield after
