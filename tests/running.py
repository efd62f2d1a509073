"""Running GraphQL operations in process, and counting what they cost."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

import asyncpg
from sqlalchemy import event

from graph_api.caller import Caller
from graph_api.database.engine import Database
from graph_api.execution.messages import Answer, Request
from graph_api.execution.operation import Executor
from graph_api.schema.context import Context, Surroundings

# Whose workspace a connection sees is no work of the operation's.
NOT_COUNTED = (
    "SET ",
    "SELECT NULL::",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT",
    "RELEASE",
)


@dataclass(frozen=True)
class Run:
    """Runs operations for a caller; the response is what a client would get."""

    executor: Executor
    surroundings: Surroundings
    caller: Caller
    now: datetime | None = None

    async def __call__(self, query: str, **variables: Any) -> dict[str, Any]:
        return (await self._answer(query, variables)).body()

    async def explained(self, query: str, **variables: Any) -> dict[str, Any]:
        """The response to who also asks how it was made."""
        return (await self._answer(query, variables, explain=True)).body()

    def by(self, caller: Caller) -> "Run":
        """The same for another caller."""
        return replace(self, caller=caller)

    def at(self, now: str) -> "Run":
        """The same at another moment."""
        return replace(self, now=datetime.fromisoformat(now))

    async def _answer(
        self, query: str, variables: Mapping[str, Any], *, explain: bool = False
    ) -> Answer:
        request = Request(
            query, variables=variables, id=self.caller.request_id, explain=explain
        )
        return await self.executor.run(request, self._context)

    async def _context(self) -> Context:
        return Context(self.surroundings, self.caller, self.now)


class Statements(list[str]):
    """The statements that a database was sent."""

    @classmethod
    @contextmanager
    def of(cls, database: Database) -> Iterator[Self]:
        sent = cls()
        engine = database._engine.sync_engine

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if not statement.lstrip().startswith(NOT_COUNTED):
                sent.append(statement)

        # Plans and services send theirs by the driver alone.
        driver: Any = asyncpg.Connection
        plain = {name: getattr(driver, name) for name in ("fetch", "fetchmany")}

        def noting(name: str) -> Any:
            async def run(self: Any, sql: str, *given: Any, **options: Any) -> Any:
                note(None, None, sql)
                return await plain[name](self, sql, *given, **options)

            return run

        event.listen(engine, "before_cursor_execute", note)
        for name in plain:
            setattr(driver, name, noting(name))
        try:
            yield sent
        finally:
            for name, method in plain.items():
                setattr(driver, name, method)
            event.remove(engine, "before_cursor_execute", note)

    @property
    def selects(self) -> list[str]:
        return [one for one in self if one.lstrip().startswith(("SELECT", "WITH"))]
