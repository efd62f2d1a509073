"""What may be asked in a minute: what operations cost, and what is given back."""

from dataclasses import replace
from typing import Any

import httpx
import pytest
from factories import Make
from running import Run
from test_retries import codes
from writing import Admin

from graph_api.config import Settings
from graph_api.execution.limits import Limits
from graph_api.execution.operation import Executor
from graph_api.http import graphql_endpoint
from graph_api.quotas import Quotas
from graph_api.quotas.buckets import InProcess
from graph_api.schema import graphql_schema
from graph_api.schema.context import Context

NAMES = "{ tags(first: 50) { nodes { name } } }"
LEFT = "{ rateLimit { limit cost remaining used } }"
TREE = """{ parties(first: 10) { nodes { name
    roles(first: 10) { totalCount nodes { roleName party { name } } } } } }"""
GRAPHQL = "application/graphql-response+json"


def metered(run: Run, **given: Any) -> Run:
    """The same caller with a credential, and quotas that nobody has drawn on.

    Time stands still, so that nothing comes back by itself.
    """
    store = InProcess(lambda: 0.0)
    executor = Executor(
        graphql_schema,
        Limits(),
        timeout_s=30,
        planning=given.pop("planning", True),
        quotas=Quotas(**{"points": 1_000, "store": store, **given}),
    )
    caller = replace(run.caller, credential="key:1")
    return Run(executor, run.surroundings, caller)


@pytest.mark.parametrize(
    ("query", "points"),
    [
        # A field at the root, and a hundredth for each row there may be.
        ("{ tags(first: 0) { nodes { name } } }", 1),
        ("{ tags(first: 100) { nodes { name } } }", 2),
        ("{ tags(first: 49) { nodes { name } } }", 1),
        ("{ a: viewer { user { id } } b: viewer { user { id } } }", 2),
        (
            "{ parties(first: 100) { nodes { roles(first: 100) { nodes { id } } } } }",
            102,
        ),
        # A figure is a point, for each list that it is of.
        ("{ tags(first: 0) { totalCount } }", 2),
        ("{ tags(first: 0) { totalCount aggregate { count } } }", 3),
        ("{ parties(first: 100) { nodes { roles(first: 0) { totalCount } } } }", 102),
        (
            (
                "{ parties(first: 0) { groups(by: [KIND], first: 5) "
                "{ aggregate { count } } } }"
            ),
            2,
        ),
        # A condition that no index serves is five.
        ('{ tags(first: 0, filter: {name: {eq: "a"}}) { nodes { id } } }', 1),
        ('{ tags(first: 0, filter: {name: {contains: "a"}}) { nodes { id } } }', 6),
        (
            (
                '{ tags(first: 0, filter: {or: [{name: {contains: "a"}}, '
                '{name: {resembles: {to: "b"}}}]}) { nodes { id } } }'
            ),
            11,
        ),
        # A mutation is ten, and an item of many one more.
        ('mutation { createTag(input: {name: "a"}) { replayed } }', 10),
        ("{ __schema { queryType { name } } }", 1),
        ("{ __typename rateLimit { limit } }", 0),
        ("query A { ...F } fragment F on Query { tags(first: 0) { totalCount } }", 2),
    ],
)
async def test_what_an_operation_may_cost(run: Run, query: str, points: int) -> None:
    assert (await cost(metered(run), query))["requested"] == points


@pytest.mark.parametrize(
    ("given", "points"),
    [
        ({}, 1),
        ({"n": 0}, 1),
        ({"n": 100}, 2),
        ({"f": {"name": {"contains": "a"}}}, 6),
        ({"f": {"and": [{"name": {"contains": "a"}}] * 3}, "n": 0}, 16),
        ({"f": {"name": {"eq": "contains"}}, "n": 0}, 1),
        ({"f": None, "n": 0}, 1),
    ],
)
async def test_what_it_may_cost_follows_from_its_variables(
    run: Run, given: dict[str, Any], points: int
) -> None:
    query = (
        "query($n: Int, $f: TagFilter) { tags(first: $n, filter: $f) { nodes { id } } }"
    )
    run = metered(run)

    first, again = [await cost(run, query, **given) for _ in range(2)]

    assert first["requested"] == again["requested"] == points


async def test_an_item_of_many_is_a_point(run: Run) -> None:
    items = [{"externalRef": f"{i}", "label": "x", "nodeType": "y"} for i in range(7)]

    told = await cost(
        metered(run),
        "mutation($i: UpsertKnowledgeNodesInput!) "
        "{ upsertKnowledgeNodes(input: $i) { replayed } }",
        i={"items": items},
    )

    assert told["requested"] == told["actual"] == 17


@pytest.mark.parametrize("planning", [True, False])
async def test_what_was_not_read_is_given_back(
    run: Run, make: Make, *, planning: bool
) -> None:
    party = await make.party()
    await make.role(party_id=party.id)
    run = metered(run, planning=planning)

    told = await cost(run, TREE)
    left = await run(LEFT)

    # Ten parties, a hundred roles with theirs, and ten counts; of which there are one
    # party, one role with its party, and one count.
    assert told["requested"] == 1 + 2 + 10
    assert told["actual"] == 1 + 0 + 1
    assert told["remaining"] == 998
    assert left["data"]["rateLimit"]["remaining"] == 998


async def test_a_condition_is_paid_for_though_nothing_is_found(run: Run) -> None:
    told = await cost(
        metered(run), '{ tags(filter: {name: {contains: "a"}}) { nodes { id } } }'
    )

    assert told["requested"] == told["actual"] == 6


async def test_who_has_used_all_is_told_when_there_is_more(run: Run) -> None:
    run = metered(run, points=60)
    for _ in range(3):
        await run(MANY)

    answer = await run('mutation { createTag(input: {name: "one"}) { replayed } }')
    tags = await metered(run)("{ tags(first: 0) { totalCount } }")

    [error] = answer["errors"]
    wait = error["extensions"]["retryAfter"]
    assert error["extensions"] == {
        "code": "RATE_LIMITED",
        "limit": "points",
        "allowed": 60,
        "retryAfter": wait,
    }
    # What it takes to read a text that was not there before.
    assert wait == 20
    assert error["message"].endswith(f"Try again in {wait} s.")
    assert "data" not in answer
    assert tags["data"]["tags"]["totalCount"] == 2


# Twenty points, of which nothing is given back.
MANY = """mutation {
    a: createTag(input: {name: "a"}) { replayed }
    b: createTag(input: {name: "b"}) { replayed } }"""


async def test_an_operation_that_will_never_be_paid_is_too_complex(run: Run) -> None:
    run = metered(run, points=50)

    answer = await run(
        "{ parties(first: 100) { nodes { roles(first: 100) { nodes { id } } } } }"
    )

    assert answer["errors"][0]["extensions"] == {
        "code": "TOO_COMPLEX",
        "limit": "points",
        "allowed": 50,
        "actual": 102,
    }


async def test_each_credential_has_its_own_points(run: Run) -> None:
    one = metered(run, points=10)
    other = one.by(replace(one.caller, credential="key:2"))
    write = 'mutation { createTag(input: {name: "a"}) { replayed } }'

    first, second, third = await one(write), await one(write), await other(write)

    assert codes(second) == ["RATE_LIMITED"]
    assert "errors" not in first
    assert "errors" not in third


async def test_what_is_refused_is_paid_for(run: Run) -> None:
    run = metered(run, points=50)

    refused = [await run("{ nope }") for _ in range(3)]

    assert [codes(answer) for answer in refused] == [
        ["GRAPHQL_VALIDATION_FAILED"],
        ["GRAPHQL_VALIDATION_FAILED"],
        ["RATE_LIMITED"],
    ]


async def test_a_text_is_not_read_for_who_has_nothing_left(run: Run) -> None:
    run = metered(run, points=30)
    await run("{ nope }")

    unread = await run("{ nope")
    known = [await run(LEFT) for _ in range(2)]

    assert codes(unread) == ["RATE_LIMITED"]
    assert [codes(answer) for answer in known] == [["RATE_LIMITED"]] * 2


async def test_to_read_a_text_that_is_in_order_costs_nothing(run: Run) -> None:
    run = metered(run, points=30)

    lefts = [(await run(LEFT))["data"]["rateLimit"]["remaining"] for _ in range(3)]

    assert lefts == [30] * 3


async def test_requests_are_counted_by_user_whatever_the_credential(run: Run) -> None:
    one = metered(run, requests=3)
    other = one.by(replace(one.caller, credential="key:2"))

    answers = [await who(NAMES) for who in (one, other, one, other)]

    assert ["errors" in answer for answer in answers] == [False, False, False, True]
    assert answers[3]["errors"][0]["extensions"] | {"retryAfter": 0} == {
        "code": "RATE_LIMITED",
        "limit": "requests",
        "allowed": 3,
        "retryAfter": 0,
    }


async def test_requests_of_all_are_counted_together(run: Run, stranger: Any) -> None:
    one = metered(run, requests=100, requests_in_all=3)
    other = one.by(replace(stranger, credential="key:2"))

    answers = [await who(NAMES) for who in (one, other, one, other)]

    assert answers[3]["errors"][0]["extensions"]["limit"] == "requestsInAll"


async def test_what_is_refused_for_one_limit_is_drawn_from_none(run: Run) -> None:
    store = InProcess(lambda: 0.0)
    limited = metered(run, points=100, requests=1, store=store)
    await limited(LEFT)

    refused = [await limited(NAMES) for _ in range(20)]
    again = await metered(run, points=100, store=store)(LEFT)

    assert {code for answer in refused for code in codes(answer)} == {"RATE_LIMITED"}
    assert {e["extensions"]["limit"] for a in refused for e in a["errors"]} == {
        "requests"
    }
    assert again["data"]["rateLimit"]["remaining"] == 100


async def test_what_is_left_can_be_asked_for_free(run: Run) -> None:
    run = metered(run)
    await run('mutation { createTag(input: {name: "a"}) { replayed } }')

    first, second = [(await run(LEFT))["data"]["rateLimit"] for _ in range(2)]

    assert first == second
    assert first == {"limit": 1_000, "cost": 0, "remaining": 990, "used": 10}


async def test_it_is_told_beside_what_else_is_asked(run: Run) -> None:
    answer = await metered(run).explained(
        "{ rateLimit { cost resetAt } tags(first: 0) { totalCount } }"
    )

    assert answer["data"]["rateLimit"]["cost"] == 2
    assert answer["data"]["rateLimit"]["resetAt"].endswith("Z")
    assert answer["extensions"]["execution"]["path"] == "planned"


async def test_without_a_credential_nothing_is_limited(run: Run) -> None:
    local = replace(metered(run, points=1, requests=1), caller=run.caller)

    answers = [await local(LEFT) for _ in range(3)]

    assert answers == [{"data": {"rateLimit": None}}] * 3


async def test_an_operation_that_was_stopped_is_paid_in_full(
    run: Run, admin: "Admin[Any]"
) -> None:
    run = metered(run)
    run.executor._timeout_s = 0.3
    async with admin.transaction():
        await admin.execute("LOCK TABLE parties IN ACCESS EXCLUSIVE MODE")
        answer = await run(TREE)

    left = await run(LEFT)

    assert codes(answer) == ["TIMEOUT"]
    assert left["data"]["rateLimit"]["remaining"] == 1_000 - 13


@pytest.mark.parametrize("accept", [GRAPHQL, "application/json"])
async def test_it_is_429_in_both_media_types(
    run: Run, settings: Settings, accept: str
) -> None:
    run = metered(run, points=10)
    write = {"query": 'mutation { createTag(input: {name: "a"}) { replayed } }'}

    async def make_context(_: Any) -> Context:
        return Context(run.surroundings, run.caller)

    app = graphql_endpoint(run.executor, settings, make_context)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://localhost/graphql"
    ) as client:
        first = await client.post("", json=write, headers={"accept": accept})
        second = await client.post("", json=write, headers={"accept": accept})

    told = second.json()["errors"][0]["extensions"]
    assert first.status_code == 200
    assert second.status_code == 429
    assert second.headers["retry-after"] == str(told["retryAfter"])
    assert told["retryAfter"] == 60


async def cost(run: Run, query: str, **given: Any) -> dict[str, Any]:
    """What is told of an operation's cost."""
    answer = await run(query, **given)
    assert "errors" not in answer, answer["errors"]
    told: dict[str, Any] = answer["extensions"]["cost"]
    assert told.keys() == {"requested", "actual", "remaining", "resetAt"}
    return told
