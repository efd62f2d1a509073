"""What a client gets where no route answers, or where one fails: JSON as well."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from graph_api.execution.masking import INTERNAL
from graph_api.http.refusal import Refused

Handler = Callable[[Request, Any], Awaitable[Response]]

CODES = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}


async def _refused(_: Request, error: HTTPException) -> Response:
    code = CODES.get(error.status_code, "BAD_REQUEST")
    refused = Refused(error.status_code, code, error.detail, error.headers)
    return refused.response()


async def _failed(request: Request, _: Exception) -> Response:
    request_id = getattr(request.state, "request_id", None)
    return Refused(500, "INTERNAL", INTERNAL, requestId=request_id).response()


def exception_handlers() -> Mapping[Any, Handler]:
    """For Starlette: what becomes of its own refusals, and of a bug."""
    return {HTTPException: _refused, Exception: _failed}
