"""How a connection comes to work as our role, for one workspace, within its timeouts.

Where the server is reached directly, a session is told once, and reads need no
transaction. Behind a pooler in transaction mode the next statement may run on another
session: there everything is said in the message that begins a transaction, and holds as
long as that does.
"""

from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from graph_api.config import Settings

# The role that policies are written for. It owns nothing and cannot log in by itself
# but on the embedded server.
APPLICATION_ROLE = "graph_api"


class Binding(Protocol):
    """One of the two ways."""

    # Whether nothing holds longer than a transaction, so that reads need one as well.
    by_transaction: bool

    @property
    def connecting(self) -> dict[str, Any]:
        """What the driver is given to connect."""

    def begin(self, workspace_id: UUID) -> str:
        """The SQL that begins a transaction for one workspace."""

    def session(self, server_version: tuple[int, ...]) -> str | None:
        """The SQL that a new session is told beside that."""


@dataclass(frozen=True)
class BySession:
    """Directly: what holds for the session is said when it begins."""

    settings: Settings
    by_transaction = False

    @property
    def connecting(self) -> dict[str, Any]:
        return {
            "server_settings": {
                "role": APPLICATION_ROLE,
                "application_name": "graph-api",
                "timezone": "UTC",
                "jit": "off",
                # Custom plans are planned anew each time on skewed data, for more
                # than the statements take.
                "plan_cache_mode": "force_generic_plan",
                **{name: str(ms) for name, ms in _timeouts(self.settings).items()},
            }
        }

    def begin(self, workspace_id: UUID) -> str:
        return f"BEGIN; SET LOCAL app.workspace = '{workspace_id}'"

    def session(self, server_version: tuple[int, ...]) -> str | None:
        # Whoever says it to an earlier server while connecting is not let in.
        if server_version < (17, 0):
            return None
        timeout = int(self.settings.transaction_timeout_s * 1000)
        return f"SET transaction_timeout = {timeout}"


@dataclass(frozen=True)
class ByTransaction:
    """Behind a pooler in transaction mode: each transaction says all of it.

    No prepared statement has a name, for the next transaction's session does not know
    it, or knows another client's.
    """

    settings: Settings
    by_transaction = True

    @property
    def connecting(self) -> dict[str, Any]:
        return {
            "statement_cache_size": 0,
            "prepared_statement_cache_size": 0,
            "prepared_statement_name_func": str,
            # What poolers keep track of themselves; they refuse all else.
            "server_settings": {"application_name": "graph-api", "timezone": "UTC"},
        }

    def begin(self, workspace_id: UUID) -> str:
        return f"{self._begin}; SET LOCAL app.workspace = '{workspace_id}'"

    def session(self, server_version: tuple[int, ...]) -> str | None:  # noqa: ARG002
        return None

    @property
    def _begin(self) -> str:
        timeouts = _timeouts(self.settings)
        return "; ".join(
            [
                "BEGIN",
                f"SET LOCAL ROLE {APPLICATION_ROLE}",
                "SET LOCAL jit = off",
                *(f"SET LOCAL {name} = {ms}" for name, ms in timeouts.items()),
            ]
        )


def binding_of(settings: Settings) -> Binding:
    """The way that the settings ask for."""
    if settings.database_pooler == "transaction":
        return ByTransaction(settings)
    return BySession(settings)


def _timeouts(settings: Settings) -> dict[str, int]:
    """The server's timeouts, in milliseconds."""
    return {
        "statement_timeout": int(settings.statement_timeout_s * 1000),
        "lock_timeout": int(settings.lock_timeout_s * 1000),
        "idle_in_transaction_session_timeout": int(
            settings.idle_in_transaction_timeout_s * 1000
        ),
    }
