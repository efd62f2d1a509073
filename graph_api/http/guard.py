"""The door: who may speak to this server at all, decided by headers alone.

A page of another site must not act through its reader's browser, and without accounts a
name that was rebound to this address must not be the owner's. The guard wraps the whole
application, gives each request its id and each response its security headers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graph_api.config import Settings
from graph_api.http.body import Body
from graph_api.http.refusal import Refused
from graph_api.keys import new_key

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
FORWARDED = (
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-forwarded-server",
    "x-original-host",
    "x-real-ip",
)
SECURITY_HEADERS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


# Clients say the same again and again; what is longer is not worth keeping.
MAX_KEPT = 500
RAW_HEADERS = [(k.encode(), v.encode()) for k, v in SECURITY_HEADERS.items()]
DECISIVE = frozenset(
    name.encode()
    for name in (
        "host",
        "origin",
        "sec-fetch-site",
        "sec-fetch-mode",
        "sec-fetch-dest",
        *FORWARDED,
    )
)


class Rules(Protocol):
    """Which hosts and which origins a guard lets pass."""

    def refusal(self, headers: Headers) -> Refused | None:
        """Why a request to this host is not let in."""

    def allows(self, origin: str) -> bool:
        """Whether the pages of another origin may use the server."""


class Here:
    """Without accounts: this machine alone, and none of its neighbours."""

    def refusal(self, headers: Headers) -> Refused | None:
        if _is_local(headers):
            return None
        return Refused(
            403,
            "FORBIDDEN_HOST",
            "Without accounts this server answers only at localhost, 127.0.0.1 and "
            "[::1], and no forwarded requests. GRAPH_API_ACCOUNTS=1 asks everybody "
            "for a credential; GRAPH_API_TRUST_BIND=1 lifts this where something else "
            "keeps strangers out.",
        )

    def allows(self, _: str) -> bool:
        return False


@dataclass(frozen=True)
class Anywhere:
    """With accounts: wherever the credential comes from; no page has one by chance."""

    hosts: frozenset[str]
    origins: frozenset[str]

    @classmethod
    def of(cls, settings: Settings) -> "Anywhere":
        hosts = frozenset(host.lower() for host in settings.allowed_hosts)
        origins = frozenset(origin.lower() for origin in settings.allowed_origins)
        return cls(hosts, origins)

    def refusal(self, headers: Headers) -> Refused | None:
        hosts = [_hostname(host) for host in headers.getlist("host")]
        if not self.hosts or (len(hosts) == 1 and hosts[0] in self.hosts):
            return None
        return Refused(
            403, "FORBIDDEN_HOST", "This server is not answering for this host."
        )

    def allows(self, origin: str) -> bool:
        return origin.lower() in self.origins


class Guard:
    """ASGI middleware that lets pass what its rules allow; without any, all hosts."""

    def __init__(self, app: ASGIApp, rules: Rules | None) -> None:
        self._app = app
        self._rules = rules
        self._judge = lru_cache(maxsize=1024)(self.refusal)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = new_key()
        scope.setdefault("state", {})["request_id"] = request_id
        origin = self._other_origin(scope)
        send = _with_headers(send, str(request_id), cors(origin) if origin else ())
        refused = self._refusal(scope)
        if refused is None and origin and scope.get("method") == "OPTIONS":
            await Response(status_code=204, headers=PREFLIGHT)(scope, receive, send)
        elif refused is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await Body(receive).drain()
            await refused.response()(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _refusal(self, scope: Scope) -> Refused | None:
        """Why a request is not let in, as its headers that matter here say."""
        told = tuple([pair for pair in scope["headers"] if pair[0] in DECISIVE])
        is_short = sum([len(value) for _, value in told]) <= MAX_KEPT
        judge = self._judge if is_short else self.refusal
        return judge(scope["type"], scope.get("method"), told)

    def _other_origin(self, scope: Scope) -> str | None:
        """The origin, other than this one, whose page asks and may."""
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        if len(origins) != 1 or self._rules is None:
            return None
        origin: str = origins[0].decode("latin-1")
        return origin if self._rules.allows(origin) else None

    def refusal(
        self, type: str, method: str | None, told: tuple[tuple[bytes, bytes], ...]
    ) -> Refused | None:
        """Why a request with these headers is not let in; None when it is."""
        headers = Headers(raw=list(told))
        refused = None if self._rules is None else self._rules.refusal(headers)
        if refused is not None:
            return refused
        if (
            _is_cross_site(headers)
            and not _is_navigation(type, method, headers)
            and not self._is_allowed(headers)
        ):
            return Refused(
                403, "CROSS_SITE", "Pages of another origin may not use this server."
            )
        return None

    def _is_allowed(self, headers: Headers) -> bool:
        origins = headers.getlist("origin")
        rules = self._rules
        return rules is not None and len(origins) == 1 and rules.allows(origins[0])


# What the pages of an origin that is allowed may send and read (CORS).
PREFLIGHT = {
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": "accept, authorization, content-type, x-workspace",
    "access-control-max-age": "7200",
}
EXPOSED = "retry-after, x-request-id"


def cors(origin: str) -> Sequence[tuple[bytes, bytes]]:
    """The headers that let the pages of an origin read an answer."""
    return (
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", EXPOSED.encode()),
        (b"vary", b"Origin"),
    )


def _is_local(headers: Headers) -> bool:
    hosts = headers.getlist("host")
    forwarded = any(name in headers for name in FORWARDED)
    return len(hosts) == 1 and not forwarded and _hostname(hosts[0]) in LOCAL_HOSTS


def _is_cross_site(headers: Headers) -> bool:
    """Whether a browser says that another origin's page asks.

    Programs send neither header. Ports of one host are one site, but not one origin.
    """
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return True
    origins = headers.getlist("origin")
    return any(_origin(origin) != headers.get("host", "").lower() for origin in origins)


def _is_navigation(type: str, method: str | None, headers: Headers) -> bool:
    """Whether the user followed a link to here, which reads nothing for its page."""
    return (
        type == "http"
        and method == "GET"
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
        and "origin" not in headers
    )


def _hostname(host: str) -> str | None:
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # Raises for what is no port.
    except ValueError:
        return None
    exact = parts.netloc == host and "@" not in host
    return parts.hostname if exact else None


def _origin(origin: str) -> str | None:
    """The host and port of an origin, as the Host header would have them."""
    scheme, separator, host = origin.lower().partition("://")
    return host if separator and scheme in ("http", "https") else None


def _with_headers(
    send: Send, request_id: str, more: Sequence[tuple[bytes, bytes]]
) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = message["headers"] = [*message.get("headers", ())]
            given = {name for name, _ in headers}
            headers += [pair for pair in RAW_HEADERS if pair[0] not in given]
            headers.append((b"x-request-id", request_id.encode()))
            headers += more
        await send(message)

    return sending
