"""GraphiQL, served from the package: it needs no network and no inline script."""

from pathlib import Path

from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"

# React sets styles by the DOM, which a policy does not forbid. Fonts and some icons are
# data: URLs in GraphiQL's style sheet.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; font-src 'self' data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


class RevalidatedFiles(StaticFiles):
    """Files that a browser keeps, but asks for by their ETag each time."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "no-cache"
        return response


def page() -> Response:
    """GraphiQL's page, which takes all else from `files`."""
    return HTMLResponse(
        (STATIC / "graphiql.html").read_bytes(),
        headers={
            "content-security-policy": POLICY,
            "cache-control": "no-cache",
            "vary": "Accept",
        },
    )


def files() -> Mount:
    """GraphiQL's scripts, styles and example operations."""
    return Mount("/graphiql", RevalidatedFiles(directory=STATIC))
