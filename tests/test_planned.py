"""What is planned: all that the schema has, but for what is named here, with why."""

import gc
from dataclasses import replace
from random import Random
from typing import Any
from weakref import ref

import asyncpg
import pytest
from conftest import new_caller
from every_field import NODES, OBJECT_TYPES, WAYS, Asking, met
from every_mutation import GIVEN, MUTATIONS, WAYS_IN
from factories import Make
from running import Run
from world import World, populated, store, varied
from writing import id_of, input_type

from graph_api.config import Settings
from graph_api.execution.limits import Limits
from graph_api.execution.operation import Executor
from graph_api.ids import global_id
from graph_api.keys import new_key
from graph_api.models import CommitmentState, Interaction, Party
from graph_api.quotas import Quotas
from graph_api.quotas.buckets import InProcess
from graph_api.schema import graphql_schema
from graph_api.schema.context import Surroundings

# Mutations that are refused, by the type of the refusal, each with a selection.
REFUSED = {
    "ValidationError": 'createTag(input: {name: "", dryRun: true})',
    "NotFoundError": "archiveSignal(input: {id: $nobody, dryRun: true})",
    "ConflictError": "updateParty(input: {id: $id, name: $ref, expectedVersion: 9})",
    "InvalidTransitionError": "fulfillCommitment(input: {id: $proposed})",
    "DuplicateError": 'createParty(input: {kind: ORG, name: "B", externalRef: $ref})',
}
# Without accounts nobody is forbidden anything.
NEVER_MET = {"ForbiddenError"}
# All that is not planned, and the reason that is given for it.
NOT_PLANNED = {
    "{ __schema { queryType { name } } tags { totalCount } }": (
        "it asks for the schema beside data"
    ),
    '{ __type(name: "Tag") { name } viewer { __typename } }': (
        "it asks for the schema beside data"
    ),
}


@pytest.fixture(scope="module")
async def world(admin: "asyncpg.Connection[Any]") -> World:
    """Sixty rows of every kind; no test of the module changes them."""
    world = await populated(admin, await new_caller(admin), each=60)
    async with admin.transaction():
        await admin.execute("SET LOCAL session_replication_role = replica")
        # What is there is no rule, as that which the others name is nowhere.
        await admin.execute("UPDATE commitments SET rrule = NULL")
    about = {"type": "party", "id": str(world.rows[Party][0]["id"])}
    told = varied(Interaction, Random(1), related_entities=[about])
    await store(admin, world.caller, Interaction, [told])
    world.rows[Interaction].append(told)
    return world


@pytest.fixture(scope="module")
def asking(world: World) -> Asking:
    return Asking(world)


@pytest.fixture(scope="module")
def executor(settings: Settings) -> Executor:
    """One that takes operations as large as a type has fields."""
    large = {"rows": 10**9, "tokens": 20_000, "root_fields": 100, "fields": 20_000}
    limits = Limits(page=settings.max_page, aliases=1_000, **large)
    quotas = Quotas(points=10**9, store=InProcess())
    return Executor(graphql_schema, limits, timeout_s=30, quotas=quotas)


@pytest.fixture
def read(executor: Executor, surroundings: Surroundings, world: World) -> Run:
    """What runs operations in the world's workspace, for who is charged for them."""
    caller = replace(world.caller, credential="key:1")
    return Run(executor, surroundings, caller)


@pytest.mark.parametrize("type", sorted({"Query", *WAYS}))
async def test_all_fields_of_an_object_are_planned(
    read: Run, asking: Asking, type: str
) -> None:
    answer = await read.explained(asking.route(type, asking.shallow(type)))

    assert told(answer) == {"path": "planned"}
    assert type in met(answer["data"])


@pytest.mark.parametrize("type", NODES)
async def test_all_fields_of_a_row_that_an_id_leads_to_are_planned(
    read: Run, asking: Asking, type: str
) -> None:
    selection = f"nodes(ids: $ids) {{ ... on {type} {asking.deep(type)} }}"

    answer = await read.explained(
        f"query ($ids: [ID!]!) {{ {selection} }}", ids=[asking.id(type)]
    )

    assert told(answer) == {"path": "planned"}
    assert type in met(answer["data"])


@pytest.mark.parametrize("type", NODES)
async def test_a_plan_that_is_forgotten_is_gone_at_once(
    read: Run, asking: Asking, executor: Executor, type: str
) -> None:
    selection = f"nodes(ids: $ids) {{ ... on {type} {asking.deep(type)} }}"
    query = f"query ($ids: [ID!]!) {{ {selection} {asking.route(type, '{ id }')[1:]}"
    await read(query, ids=[asking.id(type)])
    document = executor._documents._kept.pop(query)
    (planned,) = document.plans._values.values()
    parts = [ref(document.tree), ref(planned.plan._planning)]

    # What was needed only to make the plan.
    gc.collect()
    gc.disable()
    try:
        del document, planned
        left = [part() for part in parts]
    finally:
        gc.enable()

    assert left == [None, None]


INTERFACES = {
    "Node": "nodes(ids: $ids) { met: __typename id }",
    "Entity": "nodes(ids: $ids) { ... on Entity { met: __typename id uuid version "
    "createdAt updatedAt links { totalCount } interactions { totalCount } } }",
    "Entity, below a row": "documentLinks(first: 50) { nodes { target { "
    "met: __typename uuid links { totalCount } } } } ",
    "Actor, below a row": "interactions(first: 50) { nodes { actor { "
    "met: __typename id label } } }",
}


@pytest.mark.parametrize("name", INTERFACES)
async def test_all_fields_of_an_interface_are_planned(
    read: Run, asking: Asking, name: str
) -> None:
    answer = await read.explained(
        f"query ($ids: [ID!]!) {{ all: nodes(ids: $ids) {{ id }} {INTERFACES[name]} }}",
        ids=[asking.id(type) for type in NODES],
    )

    assert told(answer) == {"path": "planned"}
    assert list(met(answer["data"]))


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_all_that_a_dry_run_shows_is_planned(
    run: Run, make: Make, asking: Asking, executor: Executor, mutation: str
) -> None:
    payload = f"{mutation[0].upper()}{mutation[1:]}Payload"
    given = await GIVEN[mutation](make)

    answer = await large(run, executor).explained(
        f"mutation ($input: {input_type(mutation)}!) "
        f"{{ {mutation}(input: $input) {asking.deep(payload)} }}",
        input={**given, "dryRun": True},
    )

    assert told(answer) == {"path": "planned"}
    assert {payload, "Interaction"} <= set(met(answer["data"]))


@pytest.mark.parametrize("type", REFUSED)
async def test_all_that_a_refusal_shows_is_planned(
    run: Run, make: Make, asking: Asking, executor: Executor, type: str
) -> None:
    there_is = await make.party(name="ACME", external_ref="crm:1")
    proposed = await make.commitment(state=CommitmentState.PROPOSED)
    needed = {
        "id": ("ID!", id_of(there_is)),
        "nobody": ("ID!", global_id("Signal", new_key())),
        "proposed": ("ID!", id_of(proposed)),
        "ref": ("String!", "crm:1"),
    }
    used = {
        name: given for name, given in needed.items() if f"${name}" in REFUSED[type]
    }
    declared = ", ".join(f"${name}: {type}" for name, (type, _) in used.items())

    answer = await large(run, executor).explained(
        f"mutation {f'({declared})' if declared else ''} {{ {REFUSED[type]} "
        f"{{ userErrors {{ ... on {type} {asking.deep(type)} }} }} }}",
        **{name: value for name, (_, value) in used.items()},
    )

    assert told(answer) == {"path": "planned"}
    assert type in met(answer["data"])


def test_nothing_of_the_schema_is_left_out_here() -> None:
    names = {*MUTATIONS, *WAYS_IN}
    payloads = {f"{name[0].upper()}{name[1:]}Payload" for name in names}
    results = {"UpsertKnowledgeNodesResult", "UpsertKnowledgeEdgesResult"}

    shown = {"Query", "Mutation", *WAYS, *payloads, *results, *REFUSED, *NEVER_MET}

    assert shown == OBJECT_TYPES


@pytest.mark.parametrize("query", NOT_PLANNED)
async def test_what_is_not_planned_says_why(run: Run, query: str) -> None:
    answer = await run.explained(query)

    assert told(answer) == {"path": "resolved", "reason": NOT_PLANNED[query]}
    assert "errors" not in answer


async def test_the_schema_alone_is_answered_from_memory(run: Run) -> None:
    query = "{ __schema { queryType { name } } }"
    reason = "it asks for the schema"

    first, second = await run.explained(query), await run.explained(query)

    assert told(first) == {"path": "resolved", "reason": reason}
    assert told(second) == {"path": "constant", "reason": reason}
    assert (
        first["data"]
        == second["data"]
        == {"__schema": {"queryType": {"name": "Query"}}}
    )


@pytest.mark.parametrize(("ways", "path"), [(4, "planned"), (5, "replayed")])
async def test_rows_of_one_type_are_read_together_for_four_selections_at_most(
    run: Run, make: Make, ways: int, path: str
) -> None:
    party = await make.party(name="ACME")
    fields = ["name", "kind", "version", "taxId", "externalRef"]
    asked = " ".join(
        f"a{i}: node(id: $id) {{ ... on Party {{ {fields[i]} }} }}" for i in range(ways)
    )

    answer = await run.explained(f"query ($id: ID!) {{ {asked} }}", id=id_of(party))

    assert told(answer)["path"] == path
    assert answer["data"]["a0"] == {"name": "ACME"}


def large(run: Run, executor: Executor) -> Run:
    """The same caller, who may ask for as much as a type has."""
    return Run(executor, run.surroundings, run.caller)


def told(answer: dict[str, Any]) -> dict[str, str]:
    """How an operation was executed, without what that cost."""
    execution = answer["extensions"]["execution"]
    return {k: v for k, v in execution.items() if k in {"path", "reason"}}
