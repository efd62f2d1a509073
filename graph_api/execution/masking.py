"""An error as a client sees it: a message, a place and a code from a closed list.

What a client can act on says so; of everything else, only that something went wrong.
The details are in the log, under the request's id.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from graphql import GraphQLError
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.utils.str_converters import to_camel_case

from graph_api.errors import BadUserInput, GraphApiError
from graph_api.execution.database_errors import database_error

log = logging.getLogger(__name__)

# More help nobody, and a client may provoke thousands.
MAX_ERRORS = 5
INTERNAL = "Something went wrong on our side."
# Strawberry's own words speak of Python's types.
NULL_REFUSED = "A value here cannot be null; leave it out instead."


@dataclass(frozen=True)
class Masking:
    """Makes the errors of one request answerable."""

    request_id: UUID | None = None

    def refusal(self, error: Exception) -> list[dict[str, Any]]:
        """What a request is answered that is refused as a whole."""
        if isinstance(error, GraphQLError):
            return [self._of_field(error)]
        return [self._formatted(error)]

    def of_request(
        self, errors: Sequence[GraphQLError], kind: type[GraphApiError]
    ) -> list[dict[str, Any]]:
        """What graphql-core found wrong with a request: errors of one kind."""
        return [self._of_request(error, kind) for error in errors[:MAX_ERRORS]]

    def of_fields(self, errors: Sequence[GraphQLError]) -> list[dict[str, Any]]:
        """What went wrong in the fields of an operation that ran."""
        return [self._of_field(error) for error in errors[:MAX_ERRORS]]

    def _of_request(
        self, error: GraphQLError, kind: type[GraphApiError]
    ) -> dict[str, Any]:
        raw = cause(error)
        # The whole message, which names the variable or argument as well.
        if isinstance(raw, GraphApiError):
            return _formatted(error.message, raw.code, raw.details, error)
        message = error.message
        if not isinstance(raw, GraphQLError):
            # What a scalar's parser raised is Python's and not the client's.
            message = message.replace(f", but encountered error '{raw}'", "")
        if isinstance(raw, StrawberryInputCoercionError):
            message = NULL_REFUSED
        return _formatted(message, kind.code, {}, error)

    def _of_field(self, error: GraphQLError) -> dict[str, Any]:
        raw = cause(error)
        if isinstance(raw, GraphQLError) and _is_about_an_argument(raw):
            return self._of_request(error, BadUserInput)
        return self._formatted(raw, error)

    def _formatted(
        self, raw: BaseException, place: GraphQLError | None = None
    ) -> dict[str, Any]:
        known = raw if isinstance(raw, GraphApiError) else database_error(raw)
        if known is None or known.code == GraphApiError.code:
            return self._internal(raw, place)
        return _formatted(known.message, known.code, known.details, place)

    def _internal(
        self, raw: BaseException, place: GraphQLError | None
    ) -> dict[str, Any]:
        path = place.path if place is not None else None
        log.error(
            "An operation failed by a bug",
            exc_info=raw,
            extra={"request_id": str(self.request_id), "path": path},
        )
        details = {"request_id": str(self.request_id)} if self.request_id else {}
        return _formatted(INTERNAL, GraphApiError.code, details, place)


def cause(error: BaseException) -> BaseException:
    """What was raised at first, before graphql-core wrapped it."""
    while isinstance(error, GraphQLError) and error.original_error is not None:
        error = error.original_error
    return error


def _is_about_an_argument(raw: GraphQLError) -> bool:
    """Whether graphql-core refused a value that came in, not one that goes out.

    Of these two only the first knows the place in the document by itself.
    """
    return bool(raw.nodes) or isinstance(raw, StrawberryInputCoercionError)


def _formatted(
    message: str, code: str, details: Mapping[str, Any], place: GraphQLError | None
) -> dict[str, Any]:
    formatted: dict[str, Any] = {"message": message}
    if place is not None and place.locations:
        formatted["locations"] = [
            {"line": location.line, "column": location.column}
            for location in place.locations[:MAX_ERRORS]
        ]
    if place is not None and place.path is not None:
        formatted["path"] = list(place.path)
    in_camel_case = {to_camel_case(name): value for name, value in details.items()}
    formatted["extensions"] = {**in_camel_case, "code": code}
    return formatted
