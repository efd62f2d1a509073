"""What plans cost, in statements: no more than the reference path, and mostly one.

A plan reads a tree of relations in one statement. It sends another for figures about a
whole table, and for rows that ids lead to: one for each model at each depth.
"""

import re
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from conftest import new_caller
from every_mutation import GIVEN, MUTATIONS
from factories import Make
from running import Run, Statements
from test_cost import EDGES, NODES, PAGE_INFO, RELATIONS, with_relatives
from world import World, populated
from writing import id_of, input_type

from graph_api.config import Settings
from graph_api.database.engine import Database
from graph_api.execution.limits import Limits
from graph_api.execution.operation import Executor
from graph_api.models import Base, Commitment, Document, Party, Role, public_name
from graph_api.schema import graphql_schema
from graph_api.schema.context import Surroundings
from graph_api.schema.entity import ENTITY_MODELS
from graph_api.schema.registry import SHOWN

TYPES = len(ENTITY_MODELS)
COUNT = "aggregate { count }"
GROUPS = f"groups(by: [STATE]) {{ key {{ state }} {COUNT} }}"

# What the reference path sends for an operation, and what its plan does.
COSTS = {
    # Lists
    "{ commitments { nodes { title } } }": (1, 1),
    f"{{ commitments {{ {NODES} {EDGES} {PAGE_INFO} }} }}": (1, 1),
    "{ commitments { pageInfo { hasNextPage } } }": (1, 1),
    "{ commitments { totalCount totalCountCapped } }": (1, 1),
    "{ commitments { nodes { title } totalCount } }": (2, 2),
    f"{{ commitments {{ nodes {{ title }} {COUNT} }} }}": (2, 2),
    f"{{ commitments {{ nodes {{ title }} {GROUPS} }} }}": (2, 2),
    f"{{ commitments {{ nodes {{ title }} totalCount {COUNT} {GROUPS} }} }}": (4, 2),
    f"{{ commitments {{ totalCount }} roles {{ {COUNT} }} }}": (2, 2),
    # Levels
    "{ parties { nodes { roles { nodes { commitments { nodes { documents { nodes { "
    "title } } } } } } } } }": (4, 1),
    "{ parties { nodes { roles { nodes { roleName } totalCount "
    "aggregate { count } groups(by: [ROLE_NAME]) { aggregate { count } } } } } }": (
        5,
        1,
    ),
    "{ knowledgeNodes(first: 10) { nodes { outEdges { nodes { target { inEdges { "
    "nodes { source { label } } } } } } } } }": (5, 1),
    "{ roles { nodes { few: commitments(first: 1) { nodes { id } } "
    "many: commitments(first: 2) { nodes { id } } } } }": (3, 1),
    "{ documents { nodes { title text extractionData } } }": (3, 1),
    # Objects of any type
    "{ documentLinks(first: 50) { nodes { target { __typename id } } } }": (
        1 + TYPES,
        1 + TYPES,
    ),
    "{ documentLinks(first: 50) { nodes { document { title } target { __typename id "
    "... on Role { party { name } commitments { nodes { title } } } } } } }": (
        3 + TYPES,
        1 + TYPES,
    ),
    "{ interactions(first: 50) { nodes { actor { id label } } } }": (2, 2),
    # Aliases
    "{ a: commitments(first: 3) { nodes { id } totalCount } "
    "b: commitments(first: 3) { edges { node { title } } totalCount } }": (2, 2),
    "{ a: commitments(first: 3) { nodes { id } } "
    "b: commitments(first: 4) { nodes { id } } }": (2, 2),
    # Others
    "{ viewer { user { id } workspace { id } } }": (2, 2),
    "{ viewer { user { roles { totalCount } } workspace { members { totalCount } } "
    "} }": (4, 2),
    "{ focus { reasons { code } commitment { overdue role { roleName } } } }": (2, 1),
    '{ fileByHash(hash: "a") { document { title } } }': (1, 1),
    "{ __typename viewer { __typename } }": (0, 0),
}
BY_IDS = {
    "query ($id: ID!) { party(id: $id) { name } }": (1, 1),
    "query ($id: ID!) { a: party(id: $id) { name } b: party(id: $id) { kind } }": (
        1,
        1,
    ),
    "query ($id: ID!) { party(id: $id) { roles { nodes { commitments { nodes { "
    "documents { nodes { title } } } } } } } }": (4, 1),
    "query ($ids: [ID!]!, $id: ID!) { nodes(ids: $ids) { id } node(id: $id) { id } "
    "party(id: $id) { name } }": (4, 4),
    "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Party { roles { nodes { id } } "
    "} ... on Role { party { name } } ... on Commitment { role { id } } } }": (7, 4),
}
# Where a plan sends more. It knows a list by the words that it is asked for in, and
# a row by its depth; the reference path, by what they turn out to be.
DEARER = {
    "{ a: commitments(first: 3) { totalCount } b: commitments(first: 4) { totalCount "
    "} }": (1, 2),
    "{ a: commitments(first: 20) { nodes { id } } b: commitments { nodes { id } } }": (
        1,
        2,
    ),
}
MET_AGAIN = """
    query ($id: ID!) {
      node(id: $id) { id }
      interactions(filter: {primaryEntityType: {eq: PARTY}}) {
        nodes { primaryEntity { id } }
      }
    }
"""


@dataclass(frozen=True)
class Costs:
    """What operations cost on the reference path and planned, each for one caller."""

    database: Database
    ways: tuple[Run, Run]

    async def __call__(self, query: str, **variables: Any) -> tuple[int, int]:
        """How many statements were sent; both ways give the same answer."""
        (one, cost), (other, planned) = [
            await self._of(way, query, variables) for way in self.ways
        ]
        assert "errors" not in one, one["errors"]
        assert one["data"] == other["data"]
        return cost, planned

    async def _of(
        self, way: Run, query: str, variables: dict[str, Any]
    ) -> tuple[dict[str, Any], int]:
        with Statements.of(self.database) as sent:
            answer = await way(query, **variables)
        return answer, len(sent)

    def by(self, run: Run) -> "Costs":
        """The same for another caller."""
        one, other = self.ways
        return Costs(self.database, (one.by(run.caller), other.by(run.caller)))


@pytest.fixture(scope="module")
async def world(admin: "asyncpg.Connection[Any]") -> World:
    """Sixty rows of every kind; no test of the module changes them."""
    return await populated(admin, await new_caller(admin), each=60)


@pytest.fixture(scope="module")
def costs(
    database: Database, settings: Settings, surroundings: Surroundings, world: World
) -> Costs:
    limits = Limits.of(settings)
    reference = Executor(graphql_schema, limits, timeout_s=30, planning=False)
    planned = Executor(graphql_schema, limits, timeout_s=30)
    return Costs(
        database,
        (
            Run(reference, surroundings, world.caller),
            Run(planned, surroundings, world.caller),
        ),
    )


@pytest.mark.parametrize(("model", "name"), RELATIONS)
async def test_a_relation_is_read_with_the_rows_it_leaves(
    costs: Costs, world: World, model: type[Base], name: str
) -> None:
    relation = SHOWN[model].relations[name]
    below = f"{{ {NODES} {EDGES} {PAGE_INFO} }}" if relation.to_many else "{ id }"

    cost = await costs(
        f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {model.__name__} "
        f"{{ {public_name(name)} {below} }} }} }}",
        ids=world.ids(model)[:50],
    )

    assert cost == (2, 1)


@pytest.mark.parametrize("query", COSTS)
async def test_an_operation_costs_what_is_said_here(costs: Costs, query: str) -> None:
    assert await costs(query) == COSTS[query]


@pytest.mark.parametrize("query", BY_IDS)
async def test_rows_by_their_ids_cost_what_is_said_here(
    costs: Costs, world: World, query: str
) -> None:
    several = (Party, Role, Commitment, Document)
    ids = [id for model in several for id in world.ids(model)[:20]]
    given = {"ids": ids, "id": with_relatives(world, Party, "commitments")[0]}

    cost = await costs(query, **{k: v for k, v in given.items() if f"${k}:" in query})

    assert cost == BY_IDS[query]


@pytest.mark.parametrize("query", DEARER)
async def test_a_list_in_other_words_is_read_again(costs: Costs, query: str) -> None:
    assert await costs(query) == DEARER[query]


async def test_a_row_at_another_depth_is_read_again(
    costs: Costs, run: Run, make: Make
) -> None:
    party = await make.party()

    cost = await costs.by(run)(MET_AGAIN, id=id_of(party))

    assert cost == (2, 3)


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_what_a_mutation_tells_is_answered_without_reading(
    run: Run, make: Make, mutation: str
) -> None:
    given = {**await GIVEN[mutation](make), "dryRun": True}

    answer = await run.explained(
        f"mutation ($input: {input_type(mutation)}!) {{ {mutation}(input: $input) {{ "
        "replayed interaction { id type before after createdAt } "
        "interactions { id } userErrors { message } } }",
        input=given,
    )

    assert answer["data"][mutation]["interaction"] is not None
    assert answer["extensions"]["execution"]["statements"] == 0


async def test_the_row_of_a_payload_is_answered_without_reading(
    run: Run, make: Make, statements: Statements
) -> None:
    role = await make.role()
    statements.clear()

    answer = await run.explained(
        """
        mutation ($role: ID!) {
          createCommitment(input: {roleId: $role, title: "Pay", source: MANUAL,
                                   commitmentType: OBLIGATION}) {
            commitment { id uuid title state createdAt version overdue }
            interaction { id type after }
          }
        }
        """,
        role=id_of(role),
    )

    assert answer["data"]["createCommitment"]["commitment"]["title"] == "Pay"
    assert answer["extensions"]["execution"]["statements"] == 0


async def test_what_the_row_of_a_payload_leads_to_costs_one_statement(
    run: Run, make: Make
) -> None:
    commitment = await make.commitment()

    answer = await run.explained(
        """
        mutation ($id: ID!) {
          updateCommitment(input: {id: $id, priority: 1}) {
            commitment { title role { roleName party { name } } documents { totalCount
              nodes { title } } interactions { nodes { type } } }
          }
        }
        """,
        id=id_of(commitment),
    )

    found = answer["data"]["updateCommitment"]["commitment"]
    assert found["role"] == {"roleName": "Vendor", "party": {"name": "ACME"}}
    assert answer["extensions"]["execution"]["statements"] == 1


@pytest.mark.parametrize(
    ("asked", "form"),
    [
        ("title priority dueAt overdueSince: state details: metadata", "ARRAY"),
        ("role { party { name } } counterparty { name }", "ARRAY"),
        ("title documents { nodes { title } }", "ROW"),
        ("title overdue", "ROW"),
    ],
)
async def test_rows_of_nested_lists_are_arrays_where_all_their_cells_can_be_texts(
    costs: Costs, database: Database, asked: str, form: str
) -> None:
    query = f"{{ roles {{ nodes {{ commitments {{ nodes {{ {asked} }} }} }} }} }}"
    _, planned = costs.ways

    with Statements.of(database) as sent:
        answer = await planned(query)

    assert "errors" not in answer
    (statement,) = sent
    listed = re.search(r"array\(\(SELECT (\w+)", statement)
    assert listed is not None
    assert listed[1].upper() == form
