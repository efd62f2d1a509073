"""The benchmark measures what it says: equal answers, and ratios of what was spent."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import asyncpg
import orjson
import pytest
from graphql import parse, validate
from httpx import ASGITransport, AsyncClient
from pydantic import SecretStr

from benchmarks.answers import WrongAnswer, compare, said
from benchmarks.data import facts_of
from benchmarks.figures import Figures, server_alone
from benchmarks.limit import Limit
from benchmarks.measuring import Measurement
from benchmarks.processes import cpu_seconds, resident_bytes
from benchmarks.report import Results, written
from benchmarks.usual.app import application
from benchmarks.usual.app import schema as usual_schema
from benchmarks.workload import OPERATIONS, Facts, Operation
from graph_api.app import create_app
from graph_api.config import Settings
from graph_api.database.local import (
    LOCAL_WORKSPACE_ID,
    ensure_local_rows,
    local_caller,
)
from graph_api.generating import Sizes, fill
from graph_api.schema import graphql_schema
from graph_api.transfer import connect

COMPARED = [one for one in OPERATIONS.values() if not one.own_schema]


@pytest.fixture(scope="module")
async def facts(
    database_url: str, admin: "asyncpg.Connection[asyncpg.Record]"
) -> Facts:
    """A little of the data that is measured on, in the module's database."""
    await asyncio.to_thread(ensure_local_rows, database_url)
    async with connect(database_url, LOCAL_WORKSPACE_ID) as connection:
        await fill(connection, local_caller(), Sizes.scaled(0.01))
    return await facts_of(admin)


@pytest.fixture(scope="module")
async def ours(database_url: str) -> AsyncIterator[AsyncClient]:
    settings = Settings(
        database_url=SecretStr(database_url),
        secret_key=SecretStr("of the benchmark alone"),
        max_page=1_000,
        pool_size=2,
    )
    async with asked(create_app(settings)) as client:
        yield client


@pytest.fixture(scope="module")
async def usual(database_url: str) -> AsyncIterator[AsyncClient]:
    async with asked(application(database_url, LOCAL_WORKSPACE_ID)) as client:
        yield client


@pytest.fixture(scope="module")
async def limit(database_url: str) -> AsyncIterator[AsyncClient]:
    async with asked(Limit(database_url, LOCAL_WORKSPACE_ID)) as client:
        yield client


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda one: one.key)
def test_our_schema_and_the_usual_one_have_what_is_asked(operation: Operation) -> None:
    document = parse(operation.ours)

    assert validate(graphql_schema, document) == []
    assert validate(usual_schema._schema, document) == []


@pytest.mark.parametrize("operation", COMPARED, ids=lambda one: one.key)
async def test_the_usual_stack_and_the_limit_answer_as_we_do(
    operation: Operation,
    facts: Facts,
    ours: AsyncClient,
    usual: AsyncClient,
    limit: AsyncClient,
) -> None:
    variables = operation.draw(facts, Random(5), 0)
    if operation.pages:
        variables = {"after": None}
    request = {"query": operation.ours, "variables": variables}

    answer = said(operation, (await ours.post("/graphql", json=request)).content)
    of_usual = (await usual.post("/graphql", json=request)).content
    of_limit = (await limit.post(f"/{operation.key}", json=variables)).content

    compare(operation, said(operation, of_usual), answer, ("usual", "ours"))
    compare(operation, said(operation, of_limit), answer, ("limit", "ours"))


def test_answers_that_differ_are_told_with_the_place() -> None:
    operation = OPERATIONS["Q5"]
    one = said(operation, _parties("Vega", "2025-07-01T12:00:00.5+02:00"))
    same = said(operation, _parties("Vega", "2025-07-01T10:00:00.500000Z"))
    other = said(operation, _parties("Pine", "2025-07-01T10:00:00.500000Z"))

    compare(operation, one, same, ("a", "b"))
    with pytest.raises(WrongAnswer, match=r"Q5\.parties\[0\]\.name: 'Vega' and 'Pine'"):
        compare(operation, one, other, ("a", "b"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"data":null}',
        b'{"data":{"parties":null}}',
        b'{"data":{"parties":{}},"errors":[{"message":"no"}]}',
    ],
)
def test_what_is_no_answer_is_never_measured(body: bytes) -> None:
    with pytest.raises(WrongAnswer):
        said(OPERATIONS["Q5"], body)


def test_ratios_are_taken_in_each_round_and_of_those_the_median() -> None:
    figures = Figures(
        [
            *_rounds("Q1", "ours", (100, 900, 100)),
            *_rounds("Q1", "postgraphile", (200, 900, 400)),
        ]
    )

    assert figures.ratio(["Q1"], "ours", "postgraphile", 1) == 0.5
    assert figures.ratio(["Q1"], "ours", "postgraphile", 1, server_alone) == 0.5
    assert figures.ratio(["Q1"], "ours", "limit", 1) is None
    assert figures.ratio(["Q1", "Q2"], "ours", "postgraphile", 1) is None
    assert figures.least("Q1", "ours", 1, server_alone) == 75
    assert figures.middle("Q1", "ours", 1, server_alone) == 75


def test_the_report_says_which_goals_are_met() -> None:
    measurements = [
        *_rounds("Q3", "ours", (100, 100)),
        *_rounds("Q3", "postgraphile", (400, 400)),
        *_rounds("Q3", "usual", (1_000, 1_000)),
    ]

    report = written(Results({"cores": "2"}, "Little.", measurements))

    assert "| Q3, of PostGraphile's CPU | ≤ 0.5 | 0.25 | met |" in report
    assert (
        "| Q3, the usual stack's server CPU to ours | ≥ 15 | 10.00 | **missed** |"
        in report
    )
    assert "| Q3 | 0.25 | 0.10 |" in report
    assert "| Q3 | 75 + 25 (100) | 300 + 100 (400) | 750 + 250 (1000) |" in report
    assert "Q4" not in report


def test_what_a_process_spends_is_seen() -> None:
    before = cpu_seconds(os.getpid())
    sum(range(3_000_000))

    assert 0 < cpu_seconds(os.getpid()) - before < 30
    assert resident_bytes(os.getpid()) > 2**20


def _parties(name: str, created_at: str) -> bytes:
    party = {"id": "1", "name": name, "createdAt": created_at}
    return orjson.dumps({"data": {"parties": {"nodes": [party]}}})


def _rounds(operation: str, server: str, costs: tuple[int, ...]) -> list[Measurement]:
    """A measurement of each round; three quarters of its cost are the server's."""
    return [
        Measurement(
            operation=operation,
            server=server,
            concurrency=1,
            round=number,
            requests=10,
            server_us=cost * 0.75,
            database_us=cost * 0.25,
            per_second=1_000,
            p50_ms=1,
            p99_ms=2,
        )
        for number, cost in enumerate(costs)
    ]


@asynccontextmanager
async def asked(app: Any) -> AsyncIterator[AsyncClient]:
    """A client of an application, which lives as long as the block."""
    inbox: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    started = asyncio.Event()

    async def send(message: dict[str, str]) -> None:
        assert not message["type"].endswith("failed"), message
        started.set()

    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    life = asyncio.create_task(app(scope, inbox.get, send))
    await inbox.put({"type": "lifespan.startup"})
    await started.wait()
    transport = ASGITransport(app)
    async with AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client
    await inbox.put({"type": "lifespan.shutdown"})
    await life
