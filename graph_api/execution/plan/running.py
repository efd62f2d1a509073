"""A plan while it runs: what it has to read next, and what it has found."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from graphql.execution.values import VariableValues

from graph_api.execution.plan.asked import Arguments
from graph_api.execution.plan.scope import Scope
from graph_api.models import Base
from graph_api.schema.context import Context
from graph_api.schema.sources import Key


class Anomaly(Exception):
    """Something that GraphQL has rules for which a plan does not know.

    The reference path answers in its place, with the right errors at the right paths.
    """


class Fetch(Protocol):
    """Runs a statement for its rows."""

    async def __call__(self, sql: str, arguments: Sequence[Any]) -> list[Any]: ...


class Running:
    """One run of a plan: for a caller, with the variables of one request."""

    def __init__(
        self, context: Context, variables: VariableValues, fetch: Fetch
    ) -> None:
        self.context = context
        self.variables = variables
        self.statements = 0
        self.rows = 0
        self.database_s = 0.0
        self._fetch = fetch
        self._given: dict[Arguments, dict[str, Any]] = {}
        self._wanted: dict[Any, dict[Key, None]] = {}
        self._found: dict[Any, Mapping[Key, Any]] = {}

    async def fetch(self, statement: Any, values: Mapping[str, Any]) -> list[Any]:
        """The rows of a statement, whose parameter `workspace` is the caller's."""
        arguments = statement.arguments(
            {"workspace": self.context.caller.workspace_id, **values}
        )
        start = time.perf_counter()
        rows = await self._fetch(statement.sql, arguments)
        self.database_s += time.perf_counter() - start
        self.statements += 1
        self.rows += len(rows)
        return rows

    def met(self, scope: Scope, rows: Sequence[Any]) -> None:
        """Note what was read of a scope, where somebody is charged for it."""
        charge = self.context.charge
        if charge is not None:
            read, figures = scope.read_in(rows)
            charge.rows += read
            charge.figures += figures

    def given(self, arguments: Arguments) -> dict[str, Any]:
        """The arguments of a field, which are worked out once in a run."""
        if arguments not in self._given:
            self._given[arguments] = arguments.given(self.variables)
        return self._given[arguments]

    def want(self, branch: Any, key: Key | None = None) -> None:
        """Have a branch read, for this key too."""
        keys = self._wanted.setdefault(branch, {})
        if key is not None:
            keys[key] = None

    def take_wanted(self) -> dict[Any, dict[Key, None]]:
        """What is to be read next; it is then no more wanted."""
        wanted, self._wanted = self._wanted, {}
        return wanted

    def keep(self, branch: Any, found: Mapping[Any, Any]) -> None:
        """Remember what was read for a branch."""
        known = self._found.get(branch)
        self._found[branch] = found if known is None else {**known, **found}

    def found(self, branch: Any) -> Mapping[Any, Any]:
        return self._found.get(branch, {})


def ids_by_model(keys: Mapping[Key, None]) -> dict[type[Base], list[UUID]]:
    """The keys of each model."""
    ids: dict[type[Base], list[UUID]] = {}
    for model, id in keys:
        ids.setdefault(model, []).append(id)
    return ids
