"""Bytes in, bytes out: everything that knows of HTTP, and nothing else does."""

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from graph_api.auth import Door, Local
from graph_api.config import Settings
from graph_api.execution.operation import Executor
from graph_api.http import graphiql
from graph_api.http.errors import exception_handlers as exception_handlers
from graph_api.http.graphql import GraphQLEndpoint, MakeContext
from graph_api.http.guard import Anywhere, Guard, Here
from graph_api.http.probes import Ready, probes

GRAPHQL = "/graphql"


def graphql_endpoint(
    executor: Executor,
    settings: Settings,
    make_context: MakeContext,
    door: Door | None = None,
) -> GraphQLEndpoint:
    """What answers operations; without a `door`, to whoever is here."""
    return GraphQLEndpoint(
        executor,
        make_context,
        door=door or Local(),
        max_body_bytes=settings.max_body_bytes,
        page=graphiql.page if settings.graphiql else None,
    )


def routes(
    endpoint: GraphQLEndpoint, settings: Settings, ready: Ready
) -> list[BaseRoute]:
    """All that the server answers at."""
    found: list[BaseRoute] = [Route(GRAPHQL, endpoint), *probes(ready)]
    return [*found, graphiql.files()] if settings.graphiql else found


def guarded(app: ASGIApp, endpoint: GraphQLEndpoint, settings: Settings) -> ASGIApp:
    """The application behind its door; outermost, so that it sees every response.

    Operations, which nearly all requests are, go straight to their endpoint: to find
    the way there takes Starlette as long as some of them.
    """

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        is_operation = scope["type"] == "http" and scope["path"] == GRAPHQL
        await (endpoint if is_operation else app)(scope, receive, send)

    if settings.graph_api_accounts:
        return Guard(dispatch, Anywhere.of(settings))
    return Guard(dispatch, None if settings.graph_api_trust_bind else Here())
