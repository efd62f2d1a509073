"""Bytes in, bytes out: everything that knows of HTTP, and nothing else does."""

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from graph_api.config import Settings
from graph_api.execution.operation import Executor
from graph_api.http import graphiql
from graph_api.http.errors import exception_handlers as exception_handlers
from graph_api.http.graphql import GraphQLEndpoint, MakeContext
from graph_api.http.guard import Guard
from graph_api.http.probes import Ready, probes


def routes(
    executor: Executor, settings: Settings, make_context: MakeContext, ready: Ready
) -> list[BaseRoute]:
    """All that the server answers at."""
    endpoint = GraphQLEndpoint(
        executor,
        make_context,
        max_body_bytes=settings.max_body_bytes,
        page=graphiql.page if settings.graphiql else None,
    )
    found: list[BaseRoute] = [Route("/graphql", endpoint), *probes(ready)]
    return [*found, graphiql.files()] if settings.graphiql else found


def guarded(app: ASGIApp, settings: Settings) -> ASGIApp:
    """The application behind its door; outermost, so that it sees every response."""
    return Guard(app, trust_bind=settings.graph_api_trust_bind)
