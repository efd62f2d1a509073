"""GraphQL over HTTP: the way in, and what is turned away at the door."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import httpx
import pytest
from graphql import build_schema
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message

from graph_api.caller import Caller
from graph_api.config import Settings
from graph_api.execution.limits import Limits
from graph_api.execution.operation import Executor
from graph_api.http import exception_handlers, graphql_endpoint, guarded, routes
from graph_api.http.json_text import BadJsonValue, decode, encode
from graph_api.quotas import Charge

SCHEMA = build_schema(
    """
    type Query { hello(name: String): String wait: String fail: String }
    type Mutation { write: String }
    """
)
GRAPHQL = "application/graphql-response+json"
JSON = {"content-type": "application/json"}
QUERY = {"query": "{__typename}"}
ANSWER = {"data": {"__typename": "Query"}}
MAX_BODY = 4096


class Context:
    """What the toy's fields wait for, and what became of them."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.release = asyncio.Event()
        self.told: list[str] = []
        self.caller = Caller(UUID(int=0), None)
        self.charge: Charge | None = None

    async def fetch(self, sql: str, arguments: Sequence[Any]) -> list[Any]:
        raise NotImplementedError

    @property
    def cost(self) -> tuple[int, int, int]:
        return 0, 0, 0

    @property
    def redacted(self) -> Sequence[str]:
        return ()

    def let_go(self) -> bool:
        return False

    async def close(self) -> None:
        self.told.append("closed")


async def _wait(_root: object, info: Any) -> str:
    info.context.entered.set()
    await info.context.release.wait()
    info.context.told.append("done")
    return "done"


async def _fail(_root: object, _info: Any) -> None:
    raise PoolTimeout


def _hello(_root: object, _info: Any, name: str = "you") -> str:
    return f"Hello {name}"


def _schema() -> Any:
    assert SCHEMA.query_type
    assert SCHEMA.mutation_type
    SCHEMA.query_type.fields["hello"].resolve = _hello
    SCHEMA.query_type.fields["wait"].resolve = _wait
    SCHEMA.query_type.fields["fail"].resolve = _fail
    SCHEMA.mutation_type.fields["write"].resolve = _wait
    return SCHEMA


@pytest.fixture
def context() -> Context:
    return Context()


def make_app(
    context: Context,
    ready: Mapping[str, Any] | Exception | None = None,
    **settings: Any,
) -> ASGIApp:
    given = Settings(**{"max_body_bytes": MAX_BODY, **settings})
    executor = Executor(_schema(), Limits.of(given), timeout_s=5)

    async def make_context(_: Caller) -> Context:
        return context

    async def is_ready() -> Mapping[str, Any]:
        if isinstance(ready, Exception):
            raise ready
        return ready or {"database": True}

    endpoint = graphql_endpoint(executor, given, make_context)
    app = Starlette(
        routes=routes(endpoint, given, is_ready),
        exception_handlers=dict(exception_handlers()),
    )
    return guarded(app, endpoint, given)


def make_client(app: ASGIApp, base_url: str = "http://localhost") -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base_url)


@pytest.fixture
async def client(context: Context) -> AsyncIterator[httpx.AsyncClient]:
    async with make_client(make_app(context)) as client:
        yield client


def code_of(response: httpx.Response) -> str:
    assert response.headers["content-type"].endswith("; charset=utf-8")
    [error] = response.json()["errors"]
    return str(error["extensions"]["code"])


async def test_a_posted_query_is_answered(client: httpx.AsyncClient) -> None:
    response = await client.post("/graphql", json=QUERY)

    assert response.status_code == 200
    assert response.json() == ANSWER
    assert response.headers["content-type"] == "application/json; charset=utf-8"


async def test_a_query_may_come_by_get(client: httpx.AsyncClient) -> None:
    response = await client.get(
        "/graphql",
        params={
            "query": "query A($n: String){hello(name: $n)} query B{__typename}",
            "operationName": "A",
            "variables": '{"n": "Zoë"}',
            "extensions": "{}",
            "else": "ignored",
        },
    )

    assert response.json() == {"data": {"hello": "Hello Zoë"}}


async def test_a_query_by_get_is_waited_for(
    client: httpx.AsyncClient, context: Context
) -> None:
    running = asyncio.create_task(client.get("/graphql", params={"query": "{wait}"}))
    await context.entered.wait()
    await asyncio.sleep(0.01)

    context.release.set()
    response = await running

    assert response.json() == {"data": {"wait": "done"}}


async def test_a_mutation_may_not_come_by_get(
    client: httpx.AsyncClient, context: Context
) -> None:
    response = await client.get("/graphql", params={"query": "mutation{write}"})

    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert code_of(response) == "METHOD_NOT_ALLOWED"
    assert context.told == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_refused(
    client: httpx.AsyncClient, method: str
) -> None:
    response = await client.request(method, "/graphql", json=QUERY)

    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (GRAPHQL, GRAPHQL),
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        (f"{GRAPHQL}, application/json;q=0.9, */*;q=0.1", GRAPHQL),
        (f"{GRAPHQL};q=0.5, application/json", "application/json"),
        (f"{GRAPHQL};charset=utf-8", GRAPHQL),
        ("text/event-stream, application/json", "application/json"),
        (f"{GRAPHQL};q=nonsense, */*", "application/json"),
        ("", "application/json"),
    ],
)
async def test_the_media_type_is_the_one_that_is_accepted(
    client: httpx.AsyncClient, accept: str, media_type: str
) -> None:
    response = await client.post("/graphql", json=QUERY, headers={"accept": accept})

    assert response.status_code == 200
    assert response.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert response.headers["vary"] == "Accept, Authorization, X-Workspace"


@pytest.mark.parametrize("accept", ["image/png", "application/json;q=0", "*/*;q=0"])
async def test_no_media_type_is_forced_on_a_client(
    client: httpx.AsyncClient, accept: str
) -> None:
    response = await client.post("/graphql", json=QUERY, headers={"accept": accept})

    assert response.status_code == 406
    assert code_of(response) == "NOT_ACCEPTABLE"


@pytest.mark.parametrize(
    ("query", "code", "in_json"),
    [
        ("{", "GRAPHQL_PARSE_FAILED", 200),
        ("{nope}", "GRAPHQL_VALIDATION_FAILED", 200),
        ("query($n: String!){hello(name: $n)}", "BAD_USER_INPUT", 200),
        ("query A{wait} query B{wait}", "OPERATION_RESOLUTION_FAILURE", 200),
        ("{" + "hello " * 21 + "}", "TOO_COMPLEX", 400),
    ],
)
async def test_a_refused_operation_has_no_data(
    client: httpx.AsyncClient, query: str, code: str, in_json: int
) -> None:
    old = await client.post("/graphql", json={"query": query})
    new = await client.post(
        "/graphql", json={"query": query}, headers={"accept": GRAPHQL}
    )

    assert (old.status_code, new.status_code) == (in_json, 400)
    assert "data" not in old.json()
    assert "data" not in new.json()
    assert code_of(new) == code


async def test_a_field_that_fails_is_an_error_beside_data(
    client: httpx.AsyncClient,
) -> None:
    response = await client.post("/graphql", json={"query": "{hello fail}"})

    assert response.status_code == 200
    assert response.json()["data"] == {"hello": "Hello you", "fail": None}
    assert code_of(response) == "SERVICE_BUSY"


BAD_BODIES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "BAD_REQUEST"),
    "blanks": (b"  ", "BAD_REQUEST"),
    "half": (b'{"query": "{__type', "BAD_REQUEST"),
    "a number": (b"5", "BAD_REQUEST"),
    "null": (b"null", "BAD_REQUEST"),
    "true": (b"true", "BAD_REQUEST"),
    "a string": (b'"{__typename}"', "BAD_REQUEST"),
    "a batch": (b'[{"query": "{__typename}"}]', "BAD_REQUEST"),
    "an empty batch": (b"[]", "BAD_REQUEST"),
    "an empty object": (b"{}", "BAD_REQUEST"),
    "no UTF-8": (b'{"query": "{__typename}\xff"}', "BAD_REQUEST"),
    "UTF-16": ('{"query": "{__typename}"}'.encode("utf-16"), "BAD_REQUEST"),
    "a byte order mark": (b'\xef\xbb\xbf{"query": "{__typename}"}', "BAD_REQUEST"),
    "a raw surrogate": (b'{"query": "\xed\xa0\x80"}', "BAD_REQUEST"),
    "a comma too many": (b'{"query": "{__typename}",}', "BAD_REQUEST"),
    "two values": (b'{"query": "{__typename}"} {}', "BAD_REQUEST"),
    "a raw NUL": (b'{"query": "{__typename}\x00"}', "BAD_REQUEST"),
    "brackets without end": (b"[" * 4000, "BAD_REQUEST"),
    "brackets without start": (b"]" * 4000, "BAD_REQUEST"),
    "a string without end": (b'"\\' * 2000, "BAD_REQUEST"),
    "nesting": (b"[" * 2000 + b"]" * 2000, "BAD_USER_INPUT"),
    "NaN": (b'{"query": "{__typename}", "variables": {"a": NaN}}', "BAD_REQUEST"),
    "Infinity": (b'{"variables": {"a": -Infinity}}', "BAD_REQUEST"),
    "a large exponent": (b'{"variables": {"a": 1e400}}', "BAD_USER_INPUT"),
    "a long integer": (b'{"variables": {"a": %s}}' % (b"9" * 999), "BAD_USER_INPUT"),
    "a NUL": (b'{"query": "{a}", "variables": {"a": "\\u0000"}}', "BAD_USER_INPUT"),
    "a NUL in a key": (b'{"variables": {"a": [{"\\u0000": 1}]}}', "BAD_USER_INPUT"),
    "a surrogate": (b'{"variables": {"a": "\\ud800"}}', "BAD_USER_INPUT"),
    "a low surrogate": (b'{"variables": {"a": "\\udc00x"}}', "BAD_USER_INPUT"),
    "query is 5": (b'{"query": 5}', "BAD_REQUEST"),
    "query is null": (b'{"query": null}', "BAD_REQUEST"),
    "query is a list": (b'{"query": ["{__typename}"]}', "BAD_REQUEST"),
    "name is 5": (b'{"query": "{__typename}", "operationName": 5}', "BAD_REQUEST"),
    "name is false": (
        b'{"query": "{__typename}", "operationName": false}',
        "BAD_REQUEST",
    ),
    "variables are text": (
        b'{"query": "{__typename}", "variables": "{}"}',
        "BAD_REQUEST",
    ),
    "variables are a list": (
        b'{"query": "{__typename}", "variables": []}',
        "BAD_REQUEST",
    ),
    "extensions are 0": (b'{"query": "{__typename}", "extensions": 0}', "BAD_REQUEST"),
}


@pytest.mark.parametrize("case", BAD_BODIES)
@pytest.mark.parametrize("accept", ["application/json", GRAPHQL])
async def test_a_bad_body_is_refused(
    client: httpx.AsyncClient, case: str, accept: str
) -> None:
    body, code = BAD_BODIES[case]

    response = await client.post(
        "/graphql", content=body, headers={**JSON, "accept": accept}
    )

    assert response.status_code == 400
    assert code_of(response) == code
    assert response.headers["content-type"].startswith(accept)


async def test_absent_and_null_parameters_are_the_same(
    client: httpx.AsyncClient,
) -> None:
    nulls = {"operationName": None, "variables": None, "extensions": None}

    response = await client.post("/graphql", json={**QUERY, **nulls})

    assert response.json() == ANSWER


async def test_a_backslash_before_u0000_is_text(client: httpx.AsyncClient) -> None:
    query = {"query": "query($n: String){hello(name: $n)}"}

    response = await client.post(
        "/graphql", json={**query, "variables": {"n": "\\u0000"}}
    )

    assert response.json() == {"data": {"hello": "Hello \\u0000"}}


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin-1",
        "application/jsonx",
        "",
    ],
)
async def test_other_content_types_are_refused(
    client: httpx.AsyncClient, content_type: str
) -> None:
    response = await client.post(
        "/graphql",
        content=json.dumps(QUERY),
        headers={"content-type": content_type},
    )

    assert response.status_code == 415
    assert code_of(response) == "UNSUPPORTED_MEDIA_TYPE"


async def test_a_compressed_body_is_refused(client: httpx.AsyncClient) -> None:
    headers = {**JSON, "content-encoding": "gzip"}

    response = await client.post("/graphql", content=b"x", headers=headers)

    assert response.status_code == 415


@pytest.mark.parametrize(
    "query_string",
    [
        "",
        "query=",
        "query=%FF",
        "query={__typename}&query={__typename}",
        "query={__typename}&variables=5",
        "query={__typename}&variables={",
        "query={__typename}&variables=[]",
        "query={__typename}&extensions=%22x%22",
        "query={__typename}" + "&a=1" * 200,
    ],
)
async def test_a_bad_query_string_is_refused(
    client: httpx.AsyncClient, query_string: str
) -> None:
    response = await client.get(f"/graphql?{query_string}")

    assert response.status_code == 400
    assert code_of(response) == "BAD_REQUEST"


async def test_a_body_too_large_is_drained_and_refused(
    client: httpx.AsyncClient,
) -> None:
    sent = []

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(100):
            sent.append(1)
            yield b"x" * 1000

    response = await client.post("/graphql", content=chunks(), headers=JSON)

    assert response.status_code == 413
    assert code_of(response) == "BODY_TOO_LARGE"
    assert len(sent) == 100


async def test_a_body_of_the_largest_size_is_read(client: httpx.AsyncClient) -> None:
    body = json.dumps(QUERY).encode()

    response = await client.post("/graphql", content=body.ljust(MAX_BODY), headers=JSON)

    assert response.json() == ANSWER


async def test_a_body_that_pauses_is_refused(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graph_api.http.body.PAUSE_S", 0.05)
    sent = await speak(make_app(context), [part(b'{"query"', more=True)])

    assert sent[0]["status"] == 408
    assert b"REQUEST_TIMEOUT" in sent[1]["body"]


def part(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


async def speak(
    app: ASGIApp, messages: list[Message], left: asyncio.Event | None = None
) -> list[Message]:
    """What the application sends to a client that sends these messages; it leaves
    when `left` is set.
    """
    sent: list[Message] = []

    async def receive() -> Message:
        if messages:
            return messages.pop(0)
        await (left or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
    }
    await app(scope, receive, send)
    return sent


async def test_a_query_ends_when_its_client_leaves(context: Context) -> None:
    left = asyncio.Event()
    running = asyncio.create_task(
        speak(make_app(context), [part(b'{"query": "{wait}"}')], left)
    )
    await context.entered.wait()

    left.set()
    sent = await running

    assert sent == []
    assert context.told == ["closed"]


async def test_a_mutation_goes_on_when_its_client_leaves(context: Context) -> None:
    left = asyncio.Event()
    running = asyncio.create_task(
        speak(make_app(context), [part(b'{"query": "mutation{write}"}')], left)
    )
    await context.entered.wait()

    left.set()
    await asyncio.sleep(0.01)
    context.release.set()
    await running

    assert context.told == ["done", "closed"]


async def test_a_server_that_stops_says_so(context: Context) -> None:
    running = asyncio.create_task(
        speak(make_app(context), [part(b'{"query": "{wait}"}')])
    )
    await context.entered.wait()

    running.cancel()
    sent = await running

    assert sent[0]["status"] == 503
    assert (b"retry-after", b"1") in sent[0]["headers"]
    assert context.told == ["closed"]


async def test_a_client_that_leaves_within_its_body_is_forgotten(
    context: Context,
) -> None:
    left = asyncio.Event()
    left.set()

    sent = await speak(make_app(context), [part(b"{", more=True)], left)

    assert sent == []


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8000",
        "LOCALHOST",
        "127.0.0.1",
        "127.0.0.1:65535",
        "[::1]",
        "[::1]:8000",
    ],
)
async def test_local_names_are_answered(client: httpx.AsyncClient, host: str) -> None:
    response = await client.post("/graphql", json=QUERY, headers={"host": host})

    assert response.json() == ANSWER


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "rebound.example"},
        {"host": "localhost.rebound.example"},
        {"host": "127.0.0.1.rebound.example:8000"},
        {"host": "localhost@rebound.example"},
        {"host": "rebound.example@localhost"},
        {"host": "localhost:port"},
        {"host": "[::1"},
        {"host": "192.168.0.1"},
        {"host": "0.0.0.0"},
        {"host": ""},
        {"forwarded": "for=1.2.3.4"},
        {"x-forwarded-for": "127.0.0.1"},
        {"x-forwarded-host": "localhost"},
        {"x-forwarded-proto": "https"},
        {"x-real-ip": "127.0.0.1"},
    ],
)
@pytest.mark.parametrize("path", ["/graphql", "/health", "/graphiql/graphiql.js"])
async def test_other_names_and_forwarded_requests_are_not(
    client: httpx.AsyncClient, headers: dict[str, str], path: str
) -> None:
    response = await client.post(path, json=QUERY, headers=headers)

    assert response.status_code == 403
    assert code_of(response) == "FORBIDDEN_HOST"


async def test_a_trusted_bind_has_any_name(context: Context) -> None:
    app = make_app(context, graph_api_trust_bind=True)

    async with make_client(app, "http://graph.example") as client:
        response = await client.post(
            "/graphql", json=QUERY, headers={"x-forwarded-for": "1.2.3.4"}
        )

    assert response.json() == ANSWER


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "nonsense"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:3000"},
        {"origin": "file://"},
        {"origin": "https://evil.example", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
        {
            "sec-fetch-site": "cross-site",
            "sec-fetch-mode": "navigate",
            "sec-fetch-dest": "iframe",
        },
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_pages_of_other_origins_are_turned_away(
    client: httpx.AsyncClient, headers: dict[str, str], method: str
) -> None:
    response = await client.request(
        method, "/graphql?query={__typename}", json=QUERY, headers=headers
    )

    assert response.status_code == 403
    assert code_of(response) == "CROSS_SITE"


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "same-origin", "origin": "http://localhost"},
        {"sec-fetch-site": "none"},
        {"origin": "http://localhost"},
    ],
)
async def test_our_own_page_is_let_in(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    response = await client.post("/graphql", json=QUERY, headers=headers)

    assert response.json() == ANSWER


async def test_a_form_of_another_site_is_turned_away(
    client: httpx.AsyncClient, context: Context
) -> None:
    response = await client.post(
        "/graphql",
        content='{"query": "mutation{write}"}',
        headers={
            "content-type": "text/plain",
            "origin": "https://evil.example",
            "sec-fetch-site": "cross-site",
            "sec-fetch-mode": "navigate",
            "sec-fetch-dest": "document",
        },
    )

    assert response.status_code == 403
    assert context.told == []


@pytest.mark.parametrize("path", ["/graphql", "/health", "/nowhere"])
async def test_every_response_has_an_id_and_keeps_browsers_careful(
    client: httpx.AsyncClient, path: str
) -> None:
    response = await client.get(path)

    assert UUID(response.headers["x-request-id"]).version == 7
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["x-frame-options"] == "DENY"
    assert "default-src 'none'" in response.headers["content-security-policy"]


async def test_what_is_not_there_is_told_in_json(client: httpx.AsyncClient) -> None:
    response = await client.get("/nowhere")

    assert response.status_code == 404
    assert code_of(response) == "NOT_FOUND"


@pytest.mark.parametrize("path", ["/health", "/healthz", "/readyz"])
async def test_a_sound_server_says_so(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)

    assert response.status_code == 200
    assert response.json()["status"] == "ok"


@pytest.mark.parametrize("ready", [{"database": False}, OSError("secret")])
async def test_a_server_that_cannot_serve_is_alive_but_not_ready(
    context: Context, ready: Mapping[str, Any] | Exception
) -> None:
    async with make_client(make_app(context, ready)) as client:
        readiness = await client.get("/readyz")
        health = await client.get("/health")

    assert readiness.status_code == 503
    assert readiness.json()["status"] == "unavailable"
    assert "secret" not in readiness.text
    assert health.status_code == 200


LARGE = {
    "strings": b"[" + b'"",' * 2_000_000 + b'""]',
    "strings of escapes": b"[" + b'"\\"\\"",' * 1_000_000 + b'""]',
    "lists": b"[" + b"[]," * 2_000_000 + b"[]]",
    "objects": b"[" + b"{}," * 2_000_000 + b"{}]",
    "numbers": b"[" + b"1," * 3_000_000 + b"1]",
    "nesting": b"[" * 3_000_000 + b"]" * 3_000_000,
    "a long integer": b"9" * 6_000_000,
}


@pytest.mark.parametrize("case", LARGE)
def test_megabytes_of_hostile_json_are_refused_at_once(case: str) -> None:
    fastest = min(duration_of_refusal(LARGE[case]) for _ in range(5))

    # 50 ms is what is promised; of processor time, for others use this machine.
    assert fastest < 0.05


def duration_of_refusal(text: bytes) -> float:
    start = time.thread_time()
    with pytest.raises(BadJsonValue):
        decode(text)
    return time.thread_time() - start


def test_ordinary_json_is_decoded() -> None:
    text = b'{"a": [1, -2.5, 1e10, true, null, "\\u00e9 \\"[{,"], "b": {"c": {}}}'

    assert decode(text) == json.loads(text)


@pytest.mark.parametrize("levels", [32, 33])
def test_json_may_be_32_levels_deep(levels: int) -> None:
    text = b"[" * levels + b"]" * levels

    if levels == 32:
        assert decode(text) == json.loads(text)
    else:
        with pytest.raises(BadJsonValue):
            decode(text)


@pytest.mark.parametrize("value", [2**70, "\ud800", {"a": [1.5, None]}])
def test_what_orjson_refuses_is_encoded_too(value: Any) -> None:
    assert json.loads(encode(value)) == value
