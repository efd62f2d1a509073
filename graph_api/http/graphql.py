"""GraphQL over HTTP: a request's bytes to an operation, its answer to bytes.

The specification's word for word where it speaks; where it does not, whatever a client
sends is answered with a status below 500 and a coded error.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from graphql import OperationType
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from graph_api.auth import Door
from graph_api.caller import Caller
from graph_api.errors import GraphApiError
from graph_api.execution.database_errors import database_error
from graph_api.execution.masking import INTERNAL
from graph_api.execution.messages import Answer
from graph_api.execution.operation import Executor
from graph_api.execution.paths import Context
from graph_api.http.body import Body
from graph_api.http.connected import while_connected
from graph_api.http.media import is_json, wanted, wants_page
from graph_api.http.parameters import as_request, in_body, in_query_string
from graph_api.http.refusal import JSON, Refused, json_response

log = logging.getLogger(__name__)

MakeContext = Callable[[Caller], Awaitable[Context]]

QUERIES = frozenset({OperationType.QUERY})
EVERYTHING = frozenset(OperationType)
# What became of a request that was not executed; 400 for all others.
STATUSES = {
    "METHOD_NOT_ALLOWED": 405,
    "UNAUTHENTICATED": 401,
    "FORBIDDEN_WORKSPACE": 403,
    "RATE_LIMITED": 429,
    "SERVICE_BUSY": 503,
    "TIMEOUT": 503,
    "INTERNAL": 500,
}
# These are 200 in application/json: its clients never saw another status.
WELL_FORMED = frozenset(
    {
        "GRAPHQL_PARSE_FAILED",
        "GRAPHQL_VALIDATION_FAILED",
        "OPERATION_RESOLUTION_FAILURE",
        "BAD_USER_INPUT",
    }
)
VARY = {"vary": "Accept, Authorization, X-Workspace"}
# What these have to say as well.
HEADERS = {401: {"www-authenticate": "Bearer"}, 405: {"allow": "POST"}}
TELLING = frozenset(
    {b"accept", b"authorization", b"content-type", b"content-encoding", b"x-workspace"}
)


class GraphQLEndpoint:
    """The ASGI application at /graphql; `page` is what a browser gets there."""

    def __init__(
        self,
        executor: Executor,
        make_context: MakeContext,
        *,
        door: Door,
        max_body_bytes: int,
        page: Callable[[], Response] | None = None,
    ) -> None:
        self._executor = executor
        self._door = door
        self._make_context = make_context
        self._max_body_bytes = max_body_bytes
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = HttpRequest(scope)
        told = _told(scope)
        body = Body(receive)
        media_type = JSON
        try:
            accept = told.get(b"accept", "")
            if self._page and scope["method"] == "GET" and wants_page(accept):
                response = self._page()
            else:
                media_type = wanted(accept)
                response = await self._answer(request, told, body, media_type)
        except Refused as refused:
            await body.drain()
            response = refused.response(media_type)
        except ClientDisconnect:
            return
        except Exception:  # The edge: a bug of ours has an answer, too.
            log.exception("A request failed by a bug")
            details = {"requestId": scope.get("state", {}).get("request_id")}
            response = Refused(500, "INTERNAL", INTERNAL, **details).response()
        await response(scope, receive, send)

    async def _answer(
        self,
        request: HttpRequest,
        told: Mapping[bytes, str],
        body: Body,
        media_type: str,
    ) -> Response:
        if request.method == "POST":
            parameters = await self._posted(told, body)
            allow = EVERYTHING
        elif request.method == "GET":
            parameters = in_query_string(request.scope["query_string"])
            allow = QUERIES
        else:
            raise Refused(
                405,
                "METHOD_NOT_ALLOWED",
                "Operations come by POST, queries by GET as well.",
                {"allow": "GET, POST"},
            )
        request_id = request.scope.get("state", {}).get("request_id")
        caller = await self._caller(told, request_id)
        operation = as_request(parameters, request_id, is_anonymous=caller.is_anonymous)
        running = self._executor.run(
            operation, lambda: self._make_context(caller), allow=allow
        )
        answer = await while_connected(running, body.left)
        return _response(answer, media_type)

    async def _caller(
        self, told: Mapping[bytes, str], request_id: UUID | None
    ) -> Caller:
        """Who asks; Refused where that is nobody, or cannot be found out now."""
        try:
            return await self._door.caller(
                told.get(b"authorization"), told.get(b"x-workspace"), request_id
            )
        except Exception as error:
            known = error if isinstance(error, GraphApiError) else database_error(error)
            if known is None:
                raise
            status = STATUSES.get(known.code, 400)
            headers = HEADERS.get(status, {})
            raise Refused(status, known.code, known.message, headers) from error

    async def _posted(self, told: Mapping[bytes, str], body: Body) -> Mapping[str, Any]:
        if not is_json(
            told.get(b"content-type", ""), told.get(b"content-encoding", "")
        ):
            raise Refused(
                415,
                "UNSUPPORTED_MEDIA_TYPE",
                f"The body must be {JSON} in UTF-8, not compressed.",
                {"accept-post": JSON},
            )
        return in_body(await body.read(self._max_body_bytes))


def _told(scope: Scope) -> dict[bytes, str]:
    """The request's headers that say what is sent and what is wanted."""
    told: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        if name in TELLING:
            told.setdefault(name, value.decode("latin-1"))
    return told


def _response(answer: Answer, media_type: str) -> Response:
    status = _status(answer, media_type)
    headers = {**VARY, **HEADERS.get(status, {})}
    if status in (429, 503):
        headers["retry-after"] = str(answer.retry_after)
    return json_response(answer.wire(), status, media_type, headers)


def _status(answer: Answer, media_type: str) -> int:
    codes = set(answer.codes)
    if answer.executed:
        # Nothing was answered because nothing could be: proxies and clients retry 503.
        return 503 if answer.data is None and "SERVICE_BUSY" in codes else 200
    if media_type == JSON and codes <= WELL_FORMED:
        return 200
    return next((STATUSES[code] for code in codes if code in STATUSES), 400)
