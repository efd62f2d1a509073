"""What reading costs, in statements: one for a relation, whatever the width."""

from typing import Any

import asyncpg
import pytest
from conftest import new_caller
from running import Run, Statements
from world import World, populated

from graph_api.config import Settings
from graph_api.execution.limits import Limits
from graph_api.execution.operation import Executor
from graph_api.ids import global_id
from graph_api.models import (
    Base,
    Commitment,
    Document,
    DocumentLink,
    Interaction,
    KnowledgeNode,
    Party,
    Role,
    public_name,
)
from graph_api.reading.aggregates import groupable
from graph_api.schema import graphql_schema
from graph_api.schema.context import Surroundings
from graph_api.schema.entity import ENTITY_MODELS
from graph_api.schema.registry import SHOWN

NODES = "nodes { __typename id }"
EDGES = "edges { cursor node { __typename id } }"
COUNT = "aggregate { count }"
PAGE_INFO = "pageInfo { hasNextPage endCursor }"

RELATIONS = [
    pytest.param(model, name, id=f"{model.__name__}.{name}")
    for model, shown in SHOWN.items()
    for name in shown.relations
]
CONNECTIONS = [
    pytest.param(model, name, id=f"{model.__name__}.{name}")
    for model, shown in SHOWN.items()
    for name, relation in shown.relations.items()
    if relation.to_many
]


@pytest.fixture(scope="module")
async def world(admin: "asyncpg.Connection[Any]") -> World:
    """Sixty rows of every kind; no test of the module changes them."""
    return await populated(admin, await new_caller(admin), each=60)


@pytest.fixture(scope="module")
def executor(settings: Settings) -> Executor:
    """The reference path, which costs exactly what is said here."""
    return Executor(graphql_schema, Limits.of(settings), timeout_s=30, planning=False)


@pytest.fixture
def read(executor: Executor, surroundings: Surroundings, world: World) -> Run:
    """What runs operations in the world's workspace."""
    return Run(executor, surroundings, world.caller)


@pytest.mark.parametrize(("model", "name"), RELATIONS)
async def test_a_relation_costs_one_statement_however_many_rows_have_it(
    read: Run, world: World, statements: Statements, model: type[Base], name: str
) -> None:
    relation = SHOWN[model].relations[name]
    several = with_relatives(world, model, name)[:50]
    below = f"{{ {NODES} {EDGES} {PAGE_INFO} }}" if relation.to_many else "{ id }"
    selection = f"{public_name(name)} {below}"

    of_all = await of_nodes(read, model, several, selection)
    cost_of_all = len(statements)
    of_three = await of_nodes(read, model, several[:3], selection)

    assert all(node["related"] for node in of_all)
    assert of_three == of_all[:3]
    assert cost_of_all == 2, statements
    assert len(statements) - cost_of_all == 2, statements


@pytest.mark.parametrize("selection", [NODES, EDGES, f"{NODES} {EDGES} {PAGE_INFO}"])
async def test_nodes_edges_and_page_info_are_read_together(
    read: Run, statements: Statements, selection: str
) -> None:
    answer = await read(
        f"{{ commitments {{ {selection} }} roles(first: 50) {{ nodes {{ "
        f"commitments {{ {selection} }} }} edges {{ node {{ "
        f"commitments {{ {selection} }} }} }} }} }}"
    )

    assert "errors" not in answer
    assert len(statements) == 3, statements


async def test_four_levels_cost_four_statements(
    read: Run, statements: Statements
) -> None:
    answer = await read(
        """
        { parties(first: 50) { nodes { name roles { nodes { roleName
          commitments { nodes { title documents { nodes { title } } } } } } } } }
        """
    )

    assert '"title"' in str(answer).replace("'", '"')
    assert len(statements) == 4, statements


async def test_so_they_do_below_one_row(
    read: Run, world: World, statements: Statements
) -> None:
    await read(
        """
        query($id: ID!) { party(id: $id) { name roles { nodes { roleName
          commitments { nodes { title documents { nodes { title } } } } } } } }
        """,
        id=with_relatives(world, Party, "commitments")[0],
    )

    assert len(statements) == 4, statements


@pytest.mark.parametrize(("model", "name"), CONNECTIONS)
async def test_count_figures_and_groups_cost_one_statement_more_each(
    read: Run, world: World, statements: Statements, model: type[Base], name: str
) -> None:
    field = groupable(SHOWN[model].relations[name].target)[0].upper()
    figures = f"totalCount aggregate {{ count }} groups(by: [{field}]) {{ {COUNT} }}"
    below = f"{public_name(name)} {{ {NODES} {figures} }}"

    await of_nodes(read, model, world.ids(model)[:50], below)

    assert len(statements) == 5, statements


@pytest.mark.parametrize(
    "figures",
    [
        "totalCount",
        "totalCount totalCountCapped again: totalCount",
        "aggregate { count }",
        "aggregate { count max { createdAt } avg { priority severity } }",
        "groups(by: [STATE]) { key { state } aggregate { count } }",
    ],
)
async def test_figures_cost_a_statement_where_they_are_asked(
    read: Run, statements: Statements, figures: str
) -> None:
    await read(f"{{ roles(first: 50) {{ nodes {{ commitments {{ {figures} }} }} }} }}")

    assert len(statements) == 2, statements


async def test_figures_alone_read_no_page(read: Run, statements: Statements) -> None:
    await read("{ commitments { totalCount } roles { aggregate { count } } }")

    assert len(statements) == 2, statements


async def test_the_same_list_is_read_once_however_often_it_is_asked(
    read: Run, statements: Statements
) -> None:
    await read(
        "{ a: commitments(first: 3) { nodes { id } totalCount } "
        "b: commitments(first: 3) { edges { node { id } } totalCount } }"
    )

    assert len(statements) == 2, statements


@pytest.mark.parametrize(
    ("model", "name"), [(DocumentLink, "target"), (Interaction, "primaryEntity")]
)
async def test_what_can_be_of_any_type_costs_one_statement_a_type(
    read: Run,
    world: World,
    statements: Statements,
    model: type[Base],
    name: str,
) -> None:
    ids = world.ids(model)[:50]

    answer = await of_nodes(read, model, ids, f"{name} {{ __typename id }}")

    types = {node["related"]["__typename"] for node in answer}
    assert len(types) == len(ENTITY_MODELS)
    assert len(statements) == 1 + len(types), statements


async def test_who_did_what_costs_one_statement(
    read: Run, world: World, statements: Statements
) -> None:
    ids = world.ids(Interaction)[:50]

    answer = await of_nodes(read, Interaction, ids, "actor { id label }")

    assert any(node["related"] for node in answer)
    assert len(statements) == 2, statements


async def test_rows_by_their_ids_cost_one_statement_a_type(
    read: Run, world: World, statements: Statements
) -> None:
    several = (Party, Role, Commitment, Document)
    ids = [id for model in several for id in world.ids(model)[:20]]

    answer = await read(
        "query($ids: [ID!]!, $id: ID!) "
        "{ nodes(ids: $ids) { id } node(id: $id) { id } party(id: $id) { name } }",
        ids=ids,
        id=ids[0],
    )

    assert [node["id"] for node in answer["data"]["nodes"]] == ids
    assert len(statements) == 4, statements


@pytest.mark.parametrize(
    ("model", "field"),
    [(Document, "text"), (Document, "extractionData"), (KnowledgeNode, "embedding")],
)
async def test_a_large_column_costs_a_statement_where_it_is_asked(
    read: Run,
    world: World,
    statements: Statements,
    model: type[Base],
    field: str,
) -> None:
    answer = await of_nodes(read, model, world.ids(model)[:50], field)

    assert any(node["related"] for node in answer)
    assert len(statements) == 2, statements


async def test_several_large_columns_cost_a_statement_each(
    read: Run, statements: Statements
) -> None:
    await read("{ documents(first: 50) { nodes { title text extractionData } } }")

    assert len(statements) == 3, statements


async def test_different_pages_of_a_relation_are_different_lists(
    read: Run, statements: Statements
) -> None:
    await read(
        "{ roles(first: 50) { nodes { few: commitments(first: 1) { nodes { id } } "
        "many: commitments(first: 2) { nodes { id } } } } }"
    )

    assert len(statements) == 3, statements


async def test_focus_costs_one_statement_and_a_relation_below_it_one_more(
    read: Run, statements: Statements
) -> None:
    computed = "overdue nextOccurrence occurrences(from: $from, to: $to)"

    answer = await read(
        "query($from: DateTime!, $to: DateTime!) { focus(first: 50) { "
        f"reasons {{ code message dueAt daysLate }} commitment {{ {computed} "
        "role { roleName } } } }",
        **{"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"},
    )

    assert answer["data"]["focus"]
    assert len(statements) == 2, statements


async def test_who_asks_costs_two_statements(read: Run, statements: Statements) -> None:
    answer = await read("{ viewer { user { id } workspace { id } } }")

    assert "errors" not in answer
    assert len(statements) == 2, statements


async def test_typename_and_ids_cost_nothing(read: Run, statements: Statements) -> None:
    await read("{ __typename viewer { __typename } }")

    assert statements == []


def with_relatives(world: World, model: type[Base], name: str) -> list[str]:
    """The ids of the rows that a relation leads somewhere from."""
    relation = SHOWN[model].relations[name]
    rows = [row for row in world.rows[model] if world.related(relation, row)]
    return [global_id(model.__name__, row["id"]) for row in rows]


async def of_nodes(
    run: Run, model: type[Base], ids: list[str], selection: str
) -> list[dict[str, Any]]:
    """One field of several rows, as `related`."""
    answer = await run(
        "query($ids: [ID!]!) { nodes(ids: $ids) "
        f"{{ ... on {model.__name__} {{ related: {selection} }} }} }}",
        ids=ids,
    )
    assert "errors" not in answer, answer["errors"]
    nodes: list[dict[str, Any]] = answer["data"]["nodes"]
    return nodes
