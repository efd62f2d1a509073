"""GraphiQL is served from the package, whole, and needs nothing from elsewhere."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from graphql import OperationDefinitionNode, build_schema, parse
from starlette.applications import Starlette

from graph_api.caller import Caller
from graph_api.config import Settings
from graph_api.execution.limits import Limits
from graph_api.execution.operation import Executor
from graph_api.execution.paths import Context
from graph_api.http import graphql_endpoint, guarded, routes
from graph_api.http.graphiql import STATIC

BROWSER = {
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    "sec-fetch-site": "none",
}


def make_client(**settings: Any) -> httpx.AsyncClient:
    given = Settings(**settings)
    schema = build_schema("type Query { hello: String }")
    executor = Executor(schema, Limits(), timeout_s=5)

    async def make_context(_: Caller) -> Context:
        raise AssertionError("No operation is run here.")

    async def ready() -> dict[str, bool]:
        return {}

    endpoint = graphql_endpoint(executor, given, make_context)
    app = guarded(Starlette(routes=routes(endpoint, given, ready)), endpoint, given)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://localhost"
    )


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with make_client() as client:
        yield client


async def test_a_browser_gets_the_page_and_all_that_it_refers_to(
    client: httpx.AsyncClient,
) -> None:
    page = await client.get("/graphql", headers=BROWSER)
    needed = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
    found = [await client.get(path) for path in needed]

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert len(needed) == 8
    assert [response.status_code for response in found] == [200] * 8


async def test_a_link_from_elsewhere_leads_to_the_page(
    client: httpx.AsyncClient,
) -> None:
    headers = {**BROWSER, "sec-fetch-site": "cross-site"}

    response = await client.get("/graphql", headers=headers)

    assert response.headers["content-type"] == "text/html; charset=utf-8"


async def test_the_page_runs_only_scripts_of_its_own(
    client: httpx.AsyncClient,
) -> None:
    response = await client.get("/graphql", headers=BROWSER)

    policy = response.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script[^>]*>[^<]|<style| style=| on\w+=", response.text)


async def test_a_program_that_accepts_anything_gets_no_page(
    client: httpx.AsyncClient,
) -> None:
    response = await client.get("/graphql", headers={"accept": "*/*"})

    assert response.headers["content-type"] == "application/json; charset=utf-8"


async def test_a_file_that_the_browser_has_is_not_sent_again(
    client: httpx.AsyncClient,
) -> None:
    first = await client.get("/graphiql/graphiql.min.js")

    again = await client.get(
        "/graphiql/graphiql.min.js", headers={"if-none-match": first.headers["etag"]}
    )

    assert first.headers["cache-control"] == "no-cache"
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path", ["../graphql.py", "..%2fgraphql.py", "%2e%2e/graphql.py", "nothing.js", ""]
)
async def test_nothing_else_of_the_package_is_served(
    client: httpx.AsyncClient, path: str
) -> None:
    response = await client.get(f"/graphiql/{path}")

    assert response.status_code == 404


async def test_graphiql_can_be_switched_off() -> None:
    async with make_client(graphiql=False) as client:
        page = await client.get("/graphql", headers=BROWSER)
        file = await client.get("/graphiql/graphiql.js")

    assert page.status_code == 400
    assert file.status_code == 404


def test_the_examples_are_operations_with_names() -> None:
    document = parse((STATIC / "examples.graphql").read_text())

    names = [
        definition.name.value
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode) and definition.name
    ]

    assert len(names) == len(document.definitions) == len(set(names)) == 4


def test_every_vendored_file_has_its_licence_told() -> None:
    told = (STATIC / "LICENSES.md").read_text()
    ours = {
        "LICENSES.md",
        "examples.graphql",
        "graphiql.html",
        "graphiql.js",
        "page.css",
    }

    vendored = {file.name for file in STATIC.iterdir()} - ours

    assert {name for name in vendored if f"`{name}`" not in told} == set()


def test_no_file_asks_for_a_source_map() -> None:
    files = [file.read_text() for file in STATIC.iterdir()]

    assert not any("sourceMappingURL=" in text for text in files)
