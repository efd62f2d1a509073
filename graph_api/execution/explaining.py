"""How an operation was executed, told to whoever asks for it."""

import time
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLError

from graph_api.errors import GraphApiError
from graph_api.execution.database_errors import database_error
from graph_api.execution.plan.running import Anomaly, Running
from graph_api.execution.plan.selections import Unplanned


@dataclass
class Explanation:
    """Which path an operation took, and what that cost.

    `path` is `planned`, `resolved` (by the reference path, from the start), `replayed`
    (there, after a plan met what it does not know) or `constant` (from memory).
    """

    path: str = "resolved"
    reason: str | None = None
    statements: int = 0
    rows: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    def planned(self, running: Running) -> None:
        """A plan has answered."""
        self.path = "planned"
        self.count(running.statements, running.rows)
        self._waited(running)

    def replayed(self, error: Exception, running: Running) -> None:
        """A plan has failed, and the reference path answers."""
        self.path, self.reason = "replayed", reason_of(error)
        self.count(running.statements, running.rows)
        self._waited(running)

    def count(self, statements: int, rows: int) -> None:
        """Add what was read."""
        self.statements += statements
        self.rows += rows

    def _waited(self, running: Running) -> None:
        waited = self.seconds.get("database", 0.0)
        self.seconds["database"] = waited + running.database_s

    def took(self, phase: str, since: float) -> None:
        """Note how long a phase took that began at `since` by `perf_counter`."""
        taken = time.perf_counter() - since
        self.seconds[phase] = self.seconds.get(phase, 0.0) + taken

    def extensions(self) -> dict[str, Any]:
        """The response's `extensions`; times are in milliseconds."""
        told: dict[str, Any] = {"path": self.path}
        if self.reason is not None:
            told["reason"] = self.reason
        told |= {"statements": self.statements, "rows": self.rows}
        told["milliseconds"] = {k: round(v * 1e3, 3) for k, v in self.seconds.items()}
        return {"execution": told}


def reason_of(error: Exception) -> str:
    """Why a plan has failed, as far as it is a client's business."""
    if isinstance(error, Anomaly | Unplanned | GraphApiError | GraphQLError):
        return str(error)
    known = database_error(error)
    return known.message if known else "a bug"
