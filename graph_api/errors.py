"""What can go wrong that a client can act on.

An error says what was refused and what would be accepted; its code is one of the
closed list below, which clients may switch on and which `docs/errors.md` explains.
"""

from typing import Any, ClassVar


class GraphApiError(Exception):
    """The base of all errors that a client may see, with details for its program."""

    code: ClassVar[str] = "INTERNAL"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class BadUserInput(GraphApiError):
    """A value that no row could have; the message says what would be accepted."""

    code = "BAD_USER_INPUT"


class BadCursor(BadUserInput):
    """A cursor that was altered, or that belongs to another list or order."""

    code = "BAD_CURSOR"


class UnreadableValue(GraphApiError):
    """A stored value that means nothing; the message says how to mend it."""

    code = "UNREADABLE_VALUE"


class TooComplex(GraphApiError):
    """An operation beyond a limit; the message says which, and by how much."""

    code = "TOO_COMPLEX"


class RateLimited(GraphApiError):
    """More than the caller may ask for in a time; `retry_after` says when it is not."""

    code = "RATE_LIMITED"


class Busy(GraphApiError):
    """No connection was free in time, or the database is away; try again later."""

    code = "SERVICE_BUSY"


class Timeout(GraphApiError):
    """The operation passed its deadline and was stopped; nothing was changed."""

    code = "TIMEOUT"


class Unauthenticated(GraphApiError):
    """Who asks has no credential, or one that lets nobody in."""

    code = "UNAUTHENTICATED"


class ForbiddenWorkspace(GraphApiError):
    """The credential is good, but not for the workspace that was asked for."""

    code = "FORBIDDEN_WORKSPACE"


class IntrospectionDisabled(GraphApiError):
    """The schema was asked for, which this server tells nobody."""

    code = "INTROSPECTION_DISABLED"


class ConfigurationError(GraphApiError):
    """A setting, a file or a server that is not as it must be; only commands see it."""

    code = "CONFIGURATION"


class WriteRefused(GraphApiError):
    """The base of what a mutation answers as `userErrors`, with the field's path."""

    def __init__(
        self, message: str, *, path: tuple[str, ...] = (), **details: Any
    ) -> None:
        super().__init__(message, **details)
        self.path = path


class Invalid(WriteRefused):
    """A value that this field cannot have."""

    code = "VALIDATION"


class NotFound(WriteRefused):
    """Nothing visible has this id."""

    code = "NOT_FOUND"


class Conflict(WriteRefused):
    """Someone else was faster: the row's version is not the expected one."""

    code = "CONFLICT"


class InvalidTransition(WriteRefused):
    """A state that does not lead where it was asked to go."""

    code = "INVALID_TRANSITION"


class Duplicate(WriteRefused):
    """There is one already, and only one can be."""

    code = "DUPLICATE"


class Forbidden(WriteRefused):
    """The caller may not do this."""

    code = "FORBIDDEN"
