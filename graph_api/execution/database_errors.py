"""What the database refused to do, as far as a client can act on it: by SQLSTATE."""

import asyncpg
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from graph_api.errors import BadUserInput, Busy, GraphApiError, Timeout, UnreadableValue

BUSY = "The server is busy or its database is away. Try again in a moment."
UNKNOWN_ZONE = "The database does not know this time zone; use a name such as UTC."
TOO_LARGE = "A figure is larger than a number can be."
TOO_LONG = "The operation took too long and was stopped. Ask for less at once."

# The classes of SQLSTATE: no connection, no resources, an administrator's act.
BUSY_CLASSES = ("08", "53", "57P")
# A lock not to be had; a serialization failure or deadlock after all repetitions.
BUSY_STATES = ("55P03", "40001", "40P01")
# Cancelled by statement_timeout; idle for too long within a transaction.
TIMEOUT_STATES = ("57014", "25P03", "25P04")


def database_error(raw: BaseException) -> GraphApiError | None:
    """What a client is told of an error of the database; None of a bug."""
    # FileNotFoundError: the socket of a PostgreSQL that is just being started again.
    if isinstance(raw, PoolTimeout | ConnectionError | FileNotFoundError):
        return Busy(BUSY)
    if isinstance(raw, TimeoutError):
        return Timeout(TOO_LONG)
    state = _sqlstate(raw)
    if state is None:
        return Busy(BUSY) if _is_disconnect(raw) else None
    return _of_state(state, raw)


def _of_state(state: str, raw: BaseException) -> GraphApiError | None:
    if state in TIMEOUT_STATES:
        return Timeout(TOO_LONG)
    # Ours are checked before, but its list of zones may be an older one.
    if state == "22023" and "time zone" in str(raw):
        return BadUserInput(UNKNOWN_ZONE)
    if state == "22003":
        return UnreadableValue(TOO_LARGE)
    if state in BUSY_STATES or state.startswith(BUSY_CLASSES):
        return Busy(BUSY)
    return None


def _sqlstate(raw: BaseException) -> str | None:
    """The SQLSTATE of an error of asyncpg, wrapped by SQLAlchemy or not."""
    origin = raw.orig if isinstance(raw, DBAPIError) else raw
    state = getattr(origin, "sqlstate", None)
    return state if isinstance(state, str) else None


def _is_disconnect(raw: BaseException) -> bool:
    if isinstance(raw, PendingRollbackError):
        # The connection was lost by a statement before this one.
        return True
    if isinstance(raw, DBAPIError):
        return raw.connection_invalidated
    if isinstance(raw, asyncpg.InternalClientError):
        # The server has ended the session, and the driver has not yet noticed; nobody
        # uses a connection of ours while another does.
        return "another operation" in str(raw)
    return isinstance(raw, asyncpg.InterfaceError) and "closed" in str(raw)
