"""How an answer was made, told to whoever asks: the path, the reason, and the cost."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest
from factories import Make
from running import Run
from test_scheduling import at, spoil
from writing import Admin

from graph_api.caller import Caller
from graph_api.config import Settings
from graph_api.execution.limits import Limits
from graph_api.execution.operation import Executor
from graph_api.http import graphql_endpoint
from graph_api.schema import graphql_schema
from graph_api.schema.context import Context, Surroundings

NAMES = "{ tags { nodes { name } } }"
TWICE = "{ tags { nodes { name } totalCount } parties { totalCount } }"
SCHEMA = "{ __schema { queryType { name } } }"
BESIDE = "{ __schema { queryType { name } } tags { totalCount } }"
NEXT = "{ commitments { nodes { nextOccurrence } } }"
UNREADABLE = "a field that cannot be reckoned"


@pytest.fixture
def executor(settings: Settings) -> Executor:
    """One that has seen nothing yet."""
    return Executor(graphql_schema, Limits.of(settings), timeout_s=30)


@pytest.fixture
async def client(
    executor: Executor, surroundings: Surroundings, settings: Settings, caller: Caller
) -> AsyncIterator[httpx.AsyncClient]:
    async def make_context(_: Any) -> Context:
        return Context(surroundings, caller)

    app = graphql_endpoint(executor, settings, make_context)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost/graphql"
    ) as client:
        yield client


async def test_nothing_is_explained_to_who_does_not_ask(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("", json={"query": NAMES})

    assert answer.json() == {"data": {"tags": {"nodes": []}}}


async def test_who_asks_is_told_the_path_and_the_cost(
    client: httpx.AsyncClient, make: Make
) -> None:
    await make.tag(name="home")
    await make.tag(name="tax")

    answer = await client.post("", json={"query": TWICE, "extensions": ASKING})

    execution = answer.json()["extensions"]["execution"]
    times = execution.pop("milliseconds")
    # The two tags, and a row of figures for each of the lists.
    assert execution == {"path": "planned", "statements": 3, "rows": 4}
    assert times.keys() == {"planning", "database", "total"}
    assert 0 < times["database"] < times["total"]


async def test_a_query_string_can_ask_as_well(client: httpx.AsyncClient) -> None:
    answer = await client.get(
        "", params={"query": NAMES, "extensions": '{"explain": true}'}
    )

    assert answer.json()["extensions"]["execution"]["path"] == "planned"


@pytest.mark.parametrize("asked", [False, None, 1, "true", {}, []])
async def test_only_true_asks(client: httpx.AsyncClient, asked: Any) -> None:
    extensions = {"explain": asked, "other": True}

    answer = await client.post("", json={"query": NAMES, "extensions": extensions})

    assert answer.json() == {"data": {"tags": {"nodes": []}}}


async def test_what_is_refused_is_not_explained(client: httpx.AsyncClient) -> None:
    answer = await client.post("", json={"query": "{ nope }", "extensions": ASKING})

    assert answer.json().keys() == {"errors"}


async def test_what_a_plan_fails_at_is_replayed(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    commitment = await make.commitment(due_at=at("2026-01-01T09:00Z"))
    await spoil(admin, commitment.id, "FREQ=SOMETIMES")

    answer = await run.explained(NEXT)

    assert told(answer) == {"path": "replayed", "reason": UNREADABLE}
    assert [error["path"] for error in answer["errors"]] == [
        ["commitments", "nodes", 0, "nextOccurrence"]
    ]


async def test_an_operation_without_a_plan_is_resolved(run: Run) -> None:
    answer = await run.explained(BESIDE)

    assert told(answer) == {
        "path": "resolved",
        "reason": "it asks for the schema beside data",
    }


async def test_without_planning_all_is_resolved(run: Run, settings: Settings) -> None:
    plain = Executor(graphql_schema, Limits.of(settings), timeout_s=30, planning=False)

    answer = await Run(plain, run.surroundings, run.caller).explained(NAMES)

    assert told(answer) == {"path": "resolved"}


async def test_a_question_about_the_schema_is_constant_the_second_time(
    run: Run,
) -> None:
    first, second = await run.explained(SCHEMA), await run.explained(SCHEMA)

    assert told(first)["path"] == "resolved"
    assert told(second)["path"] == "constant"
    assert cost(second) == {"statements": 0, "rows": 0}
    assert second["data"] == first["data"] == {"__schema": {"queryType": QUERY}}


async def test_a_mutation_is_told_for_its_payload(run: Run) -> None:
    answer = await run.explained(
        'mutation { createTag(input: {name: "tax"}) { tag { name documents { '
        "totalCount } } } }"
    )

    assert told(answer) == {"path": "planned"}
    assert cost(answer) == {"statements": 1, "rows": 1}


async def test_operations_are_counted_by_their_path(
    run: Run, make: Make, admin: "Admin[Any]", executor: Executor
) -> None:
    commitment = await make.commitment(due_at=at("2026-01-01T09:00Z"))
    await spoil(admin, commitment.id, "FREQ=SOMETIMES")

    queries = (NAMES, NAMES, TWICE, NEXT, BESIDE, SCHEMA, SCHEMA, SCHEMA, "{ no }")
    answers = [await run(query) for query in queries]

    assert answers[-1].keys() == {"errors"}
    assert counts(executor) == {
        "planned": 3,
        "replayed": 1,
        "resolved": 2,
        "constant": 2,
    }


async def test_a_bug_behind_a_replay_is_not_told(
    run: Run, admin: "Admin[Any]", make: Make
) -> None:
    # A thing without an id, which no service writes.
    await admin.execute(ODD, run.caller.workspace_id, (await make.tag()).id)

    answer = await run.explained(
        '{ interactions(filter: {type: {eq: "odd"}}) { nodes { relatedEntities { '
        "entityId } } } }"
    )

    assert told(answer) == {"path": "replayed", "reason": "a bug"}
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["INTERNAL"]


ASKING = {"explain": True}
QUERY = {"name": "Query"}
ODD = """
    INSERT INTO interactions (id, workspace_id, type, primary_entity_type,
        primary_entity_id, actor_type, related_entities)
    VALUES (gen_random_uuid(), $1, 'odd', 'tag', $2, 'system', '[{"type": "tag"}]')
"""


def told(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The path that was taken, and why."""
    return _some(answer, "path", "reason")


def cost(answer: Mapping[str, Any]) -> dict[str, Any]:
    return _some(answer, "statements", "rows")


def counts(executor: Executor) -> dict[str, int]:
    """How many operations an executor has answered on each path."""
    plans = executor._paths.plans
    assert plans is not None
    return dict(plans.counts)


def _some(answer: Mapping[str, Any], *names: str) -> dict[str, Any]:
    execution = answer["extensions"]["execution"]
    return {name: execution[name] for name in names if name in execution}
