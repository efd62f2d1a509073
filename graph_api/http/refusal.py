"""Refusals of a request by HTTP, before GraphQL: all are JSON and have a code."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from graph_api.http.json_text import encode

JSON = "application/json"
NO_STORE = {"cache-control": "no-store"}


class Refused(Exception):
    """A request that is answered by a status and one error."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        headers: Mapping[str, str] | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})
        self.details = details

    def response(self, media_type: str = JSON) -> Response:
        error = {
            "message": self.message,
            "extensions": {**self.details, "code": self.code},
        }
        return json_response(
            {"errors": [error]}, self.status, media_type, headers=self.headers
        )


def bad_request(message: str) -> Refused:
    """The refusal of a request that is not GraphQL over HTTP."""
    return Refused(400, "BAD_REQUEST", message)


def bad_input(message: str) -> Refused:
    """The refusal of a value that nothing of ours could have."""
    return Refused(400, "BAD_USER_INPUT", message)


def json_response(
    content: Any,
    status: int = 200,
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A value as JSON, which no cache keeps."""
    return _JsonResponse(encode(content), status, media_type, headers or {})


class _JsonResponse(Response):
    """A response whose headers are written down, without those that it does not have.

    Starlette looks at each answer anew for what it could be.
    """

    def __init__(
        self, body: bytes, status: int, media_type: str, headers: Mapping[str, str]
    ) -> None:
        self.status_code = status
        self.body = body
        self.background = None
        told = {
            "content-length": str(len(body)),
            "content-type": f"{media_type}; charset=utf-8",
            **NO_STORE,
            **headers,
        }
        self.raw_headers = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in told.items()
        ]
