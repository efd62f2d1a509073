"""Whether the process lives (/health, /healthz) and whether it can serve (/readyz)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from graph_api.http.refusal import json_response

log = logging.getLogger(__name__)

# The name of each thing that must be in order, and whether it is.
Ready = Callable[[], Awaitable[Mapping[str, Any]]]

# Shorter than a prober's patience, so that it reads the answer.
READY_S = 2.0


def probes(ready: Ready) -> list[Route]:
    """The routes; not ready is what has a False in it, fails, or takes too long."""

    async def health(_: Request) -> Response:
        return json_response({"status": "ok"})

    async def readyz(_: Request) -> Response:
        try:
            async with asyncio.timeout(READY_S):
                checks = dict(await ready())
        except Exception:
            log.warning("The readiness check failed", exc_info=True)
            return json_response({"status": "unavailable"}, 503)
        if any(value is False for value in checks.values()):
            return json_response({"status": "unavailable", "checks": checks}, 503)
        return json_response({"status": "ok", "checks": checks})

    return [
        Route("/health", health),
        Route("/healthz", health),
        Route("/readyz", readyz),
    ]
