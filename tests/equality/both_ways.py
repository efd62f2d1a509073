"""One operation, answered on the reference path and planned: bytes must be equal.

What two runs of a dry run may differ in is what they made anew: keys and times. These
are named by the order in which an answer shows them, before answers are compared;
everything else, the log's places included, is made the same for both.
"""

import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from caches import Kept, different_operations, memory, sizes
from canonical import Canon
from conftest import SECRET
from operations import Operation
from pydantic import SecretStr
from rich_world import Worlds, rewind, rich_worlds

from graph_api.config import Settings
from graph_api.database.engine import Database
from graph_api.execution.limits import Limits
from graph_api.execution.messages import Answer, Request
from graph_api.execution.operation import Executor
from graph_api.http.json_text import encode
from graph_api.reading.cursors import Cursors
from graph_api.schema import graphql_schema
from graph_api.schema.context import Context, Surroundings

TIMEOUT_S = 60.0
# How an answer says that it came about: `planned`, `replayed`, `resolved`.
UNKNOWN = "unknown"


def make_executor(settings: Settings, *, planning: bool) -> Executor:
    """An executor that plans, or the reference path alone."""
    limits = Limits.of(settings)
    return Executor(graphql_schema, limits, timeout_s=TIMEOUT_S, planning=planning)


def asking(operation: Operation) -> Request:
    """The request for an operation that also asks how it was executed."""
    return operation.request(explain=True)


def path_of(answer: Answer) -> str:
    """How an answer came about. The one place that knows how it says so."""
    execution = (answer.extensions or {}).get("execution", {})
    return str(execution.get("path", UNKNOWN)) if execution else UNKNOWN


@dataclass(frozen=True)
class Compared:
    """Both answers to an operation, as bytes, with what is new in them named."""

    operation: Operation
    reference: bytes
    planned: bytes
    answer: Answer
    path: str

    @property
    def equal(self) -> bool:
        return self.reference == self.planned

    @property
    def has_data(self) -> bool:
        data = self.answer.data or {}
        return any(value is not None for value in data.values())

    @property
    def codes(self) -> list[str]:
        return self.answer.codes


@dataclass
class Bugs(logging.Handler):
    """What was raised behind errors that are masked as bugs, by kind and place."""

    found: Counter[str] = field(default_factory=Counter)
    last: str = ""

    def __post_init__(self) -> None:
        super().__init__(logging.ERROR)

    def __hash__(self) -> int:
        return id(self)

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.last = f"{type(error).__name__}: {str(error)[:300]}"
        self.found[self.last[:140]] += 1


class BothWays:
    """Answers operations in both ways, against one database that stays as it is."""

    def __init__(
        self,
        admin: "asyncpg.Connection[Any]",
        surroundings: Surroundings,
        worlds: Worlds,
    ) -> None:
        self.worlds = worlds
        self.cursors = surroundings.cursors
        self.reference = make_executor(surroundings.settings, planning=False)
        self.planned = make_executor(surroundings.settings, planning=True)
        self._admin = admin
        self._surroundings = surroundings
        self._canon = Canon(worlds, surroundings.cursors)

    async def compare(self, operation: Operation) -> Compared:
        """Both answers to `operation`."""
        writes = "mutation" in operation.query
        reference = await self.answer(self.reference, operation, writes=writes)
        planned = await self.answer(self.planned, operation, writes=writes)
        return Compared(
            operation,
            self.bytes_of(reference, writes=writes),
            self.bytes_of(planned, writes=writes),
            reference,
            path_of(planned),
        )

    async def kept(self, executor: Executor, number: int) -> Kept:
        """What `executor` keeps after so many operations that all differ."""
        kept = Kept(number)
        made = different_operations(self.worlds.sound, number)
        for turn, operation in enumerate(made):
            if turn == number // 2:
                kept.before, kept.memory_before = sizes(executor), memory()
            answer = await self.answer(executor, operation, writes=False)
            assert answer.codes == [], operation
        kept.after, kept.memory_after = sizes(executor), memory()
        return kept

    async def fails_by_a_bug(self, operation: Operation) -> bool:
        """Whether the reference path answers with an error that is a bug's."""
        writes = "mutation" in operation.query
        return (
            "INTERNAL"
            in (await self.answer(self.reference, operation, writes=writes)).codes
        )

    async def answer(
        self, executor: Executor, operation: Operation, *, writes: bool
    ) -> Answer:
        """The answer of one executor; `writes` says that it is a mutation's."""

        async def context() -> Context:
            return Context(self._surroundings, operation.world.caller)

        if writes:
            await rewind(self._admin)
        return await executor.run(asking(operation), context)

    def bytes_of(self, answer: Answer, *, writes: bool) -> bytes:
        """An answer as it is sent, but for what says how it came about."""
        body = answer.wire()
        others = dict(body.pop("extensions", {}))
        others.pop("execution", None)
        if others:
            body["extensions"] = others
        sent = encode(body)
        return self._canon.of(sent) if writes else sent


def difference(compared: Compared) -> str:
    """What a reader needs to see of two answers that are not equal."""
    operation = compared.operation
    at = next(
        (
            place
            for place, (one, other) in enumerate(
                zip(compared.reference, compared.planned, strict=False)
            )
            if one != other
        ),
        min(len(compared.reference), len(compared.planned)),
    )
    start = max(0, at - 120)
    return "\n".join(
        [
            f"Operation {operation.label or '?'}, path {compared.path}:",
            operation.query,
            f"operationName: {operation.name!r}",
            f"variables: {dict(operation.variables)!r}",
            f"The answers differ at byte {at}:",
            f"  reference …{_excerpt(compared.reference, start, at)}…",
            f"  planned   …{_excerpt(compared.planned, start, at)}…",
        ]
    )


def _excerpt(answer: bytes, start: int, at: int) -> str:
    return answer[start : at + 120].decode(errors="replace")


@asynccontextmanager
async def both_ways(url: str) -> AsyncIterator[BothWays]:
    """Both ways over newly made worlds, in the database of `url`."""
    # However busy the machine is: an answer must not depend on it.
    patient = Settings(
        secret_key=SecretStr(SECRET),
        pool_size=2,
        pool_timeout=TIMEOUT_S,
        statement_timeout_s=TIMEOUT_S,
    )
    database = Database(url, patient)
    admin: asyncpg.Connection[Any] = await asyncpg.connect(url)
    try:
        surroundings = Surroundings(database, Cursors(SECRET), patient)
        yield BothWays(admin, surroundings, await rich_worlds(admin))
    finally:
        await admin.close()
        await database.close()


@asynccontextmanager
async def catching_bugs() -> AsyncIterator[Bugs]:
    """Count the errors that are masked as bugs, in place of logging them."""
    log = logging.getLogger("graph_api.execution.masking")
    bugs = Bugs()
    before = log.propagate
    log.addHandler(bugs)
    log.propagate = False
    try:
        yield bugs
    finally:
        log.removeHandler(bugs)
        log.propagate = before
