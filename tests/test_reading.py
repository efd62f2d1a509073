"""Reading: by id, through interfaces, both ways, and nothing of another workspace."""

from base64 import b64encode
from typing import Any

import asyncpg
import pytest
from conftest import new_caller
from factories import NOBODY, Make
from running import Run
from test_paging import roots
from world import World, populated

from graph_api.caller import Caller
from graph_api.execution.operation import Executor
from graph_api.ids import global_id
from graph_api.keys import new_key
from graph_api.models import (
    Base,
    DocumentLink,
    Entity,
    EntityType,
    Interaction,
    Party,
    User,
    Workspace,
    public_name,
)
from graph_api.reading.aggregates import groupable
from graph_api.schema.context import Surroundings
from graph_api.schema.entity import ENTITY_MODELS
from graph_api.schema.registry import SHOWN

NODE = "query($id: ID!) { node(id: $id) { __typename id } }"
NODES = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
ENTITIES = sorted(ENTITY_MODELS.values(), key=str)


@pytest.fixture(scope="module")
async def world(admin: "asyncpg.Connection[Any]") -> World:
    """Twenty rows of every kind; no test of the module changes them."""
    return await populated(admin, await new_caller(admin), each=20)


@pytest.fixture
def read(executor: Executor, surroundings: Surroundings, world: World) -> Run:
    """What runs operations in the world's workspace."""
    return Run(executor, surroundings, world.caller)


@pytest.mark.parametrize("model", sorted(SHOWN, key=str))
async def test_every_object_is_found_again_by_its_id(
    read: Run, world: World, model: type[Base]
) -> None:
    for_all = world.ids(model)

    answer = await read(NODES, ids=for_all)

    assert answer["data"]["nodes"] == [
        {"__typename": model.__name__, "id": id} for id in for_all
    ]


async def test_nodes_come_in_the_order_of_their_ids_with_null_for_what_is_not_there(
    run: Run, make: Make
) -> None:
    party, role = await make.party(), await make.role()
    there = [global_id("Role", role.id), global_id("Party", party.id)]
    gone = [global_id("Party", new_key()), global_id("Party", role.id)]
    asked = [there[0], gone[0], there[1], gone[1], there[0]]

    answer = await run(NODES, ids=asked)

    found = {
        there[0]: {"__typename": "Role", "id": there[0]},
        there[1]: {"__typename": "Party", "id": there[1]},
    }
    assert answer == {"data": {"nodes": [found.get(id) for id in asked]}}


async def test_no_ids_are_no_nodes(run: Run) -> None:
    assert await run(NODES, ids=[]) == {"data": {"nodes": []}}


async def test_more_ids_than_a_page_has_are_refused(run: Run) -> None:
    answer = await run(NODES, ids=[global_id("Party", new_key())] * 101)

    assert refusal(answer) == (
        "BAD_USER_INPUT",
        "`ids` must have at most 100 items, not 101.",
    )


@pytest.mark.parametrize(
    "id",
    [
        "",
        "x",
        "🐜",
        "UGFydHk6",
        str(NOBODY),
        b64encode(b"Party:not-a-uuid").decode(),
        b64encode(f"Party:{NOBODY}x".encode()).decode(),
        b64encode(f"Party {NOBODY}".encode()).decode(),
        "A" * 100_000,
    ],
)
async def test_what_is_no_id_is_refused(run: Run, id: str) -> None:
    one, several = await run(NODE, id=id), await run(NODES, ids=[id])

    assert refusal(one) == refusal(several)
    assert refusal(one) == (
        "BAD_USER_INPUT",
        f"{id[:100]!r} is not an id. Pass the `id` of an object as you received it.",
    )


@pytest.mark.parametrize("type", ["Nothing", "DocumentTag", "IdempotencyKey", "Query"])
async def test_an_id_of_a_type_without_objects_is_refused(run: Run, type: str) -> None:
    answer = await run(NODE, id=global_id(type, new_key()))

    assert refusal(answer) == (
        "BAD_USER_INPUT",
        f"There are no objects of type '{type}'.",
    )


@pytest.mark.parametrize("model", sorted(roots(), key=str))
async def test_each_type_has_a_field_that_takes_global_and_bare_ids(
    read: Run, world: World, model: type[Base]
) -> None:
    id, key = world.ids(model)[0], min(r["id"] for r in world.rows[model])

    answer = await read(
        f"query($id: ID!, $key: ID!) {{ a: {single(model)}(id: $id) {{ id }} "
        f"b: {single(model)}(id: $key) {{ id }} }}",
        id=id,
        key=str(key),
    )

    assert answer == {"data": {"a": {"id": id}, "b": {"id": id}}}


@pytest.mark.parametrize("model", sorted(roots(), key=str))
async def test_it_refuses_the_id_of_another_type(read: Run, model: type[Base]) -> None:
    answer = await read(
        f"query($id: ID!) {{ {single(model)}(id: $id) {{ id }} }}",
        id=global_id("Workspace", new_key()),
    )

    assert refusal(answer) == (
        "BAD_USER_INPUT",
        f"This is the id of a Workspace; the id of a {model.__name__} goes here.",
    )


@pytest.mark.parametrize("model", sorted(SHOWN, key=str))
async def test_anothers_id_is_answered_like_one_that_nobody_has(
    run: Run, world: World, model: type[Base]
) -> None:
    theirs, nobodys = world.ids(model)[0], global_id(model.__name__, new_key())

    answers = [await run(NODE, id=id) for id in (theirs, nobodys)]

    assert answers == [{"data": {"node": None}}] * 2


@pytest.mark.parametrize("model", sorted(roots(), key=str))
async def test_so_it_is_in_the_field_of_each_type_and_in_filters(
    run: Run, world: World, model: type[Base]
) -> None:
    name, theirs = model.__name__, str(world.rows[model][0]["id"])
    query = (
        f"query($id: ID!) {{ {single(model)}(id: $id) {{ id }} "
        f"{roots()[model]}(filter: {{id: {{eq: $id}}}}) "
        "{ nodes { id } totalCount aggregate { count } } }"
    )

    answers = [await run(query, id=id) for id in (theirs, str(new_key()))]

    nothing = {"nodes": [], "totalCount": 0, "aggregate": {"count": 0}}
    assert answers == [{"data": {single(model): None, roots()[model]: nothing}}] * 2
    assert name in SHOWN[model].type.__name__


@pytest.mark.parametrize("model", sorted(roots(), key=str))
async def test_no_list_count_or_group_has_anothers_rows(
    run: Run, world: World, model: type[Base]
) -> None:
    field = groupable(model)[0].upper()

    answer = await run(
        f"{{ {roots()[model]} {{ nodes {{ id }} edges {{ cursor }} totalCount "
        "pageInfo { hasNextPage hasPreviousPage } aggregate { count } "
        f"groups(by: [{field}]) {{ aggregate {{ count }} }} }} }}"
    )

    assert world.rows[model]
    assert answer["data"][roots()[model]] == {
        "nodes": [],
        "edges": [],
        "totalCount": 0,
        "pageInfo": {"hasNextPage": False, "hasPreviousPage": False},
        "aggregate": {"count": 0},
        "groups": [],
    }


async def test_links_to_anothers_rows_lead_nowhere(
    run: Run,
    make: Make,
    world: World,
    admin: "asyncpg.Connection[Any]",
) -> None:
    document, theirs = await make.document(), world.rows[Party][0]["id"]
    link = await make.link(document, await make.party())
    await admin.execute("SET session_replication_role = replica")
    await admin.execute(
        "UPDATE document_links SET entity_id = $1 WHERE id = $2", theirs, link
    )
    await admin.execute("RESET session_replication_role")

    answer = await run(
        "query($ids: [ID!]!, $theirs: ID!) { nodes(ids: $ids) { ... on Party { name } "
        "... on DocumentLink { target { id } } } "
        "documents(filter: {links: {some: {entityId: {eq: $theirs}}}}) { totalCount } "
        "parties(filter: {documents: {some: {}}}) { totalCount } }",
        theirs=str(theirs),
        ids=[global_id("Party", theirs), global_id("DocumentLink", link)],
    )

    assert answer["data"] == {
        "nodes": [None, {"target": None}],
        "documents": {"totalCount": 1},
        "parties": {"totalCount": 0},
    }


async def test_anothers_filters_do_not_find_ours_by_their_rows(
    read: Run, make: Make
) -> None:
    ours = await make.commitment(title="Only ours")

    answer = await read(
        "query($role: ID!) { a: commitments(filter: {roleId: {eq: $role}}) "
        "{ totalCount } b: commitments(filter: {role: {id: {eq: $role}}}) "
        '{ totalCount } c: commitments(filter: {title: {eq: "Only ours"}}) '
        "{ totalCount } d: roles(filter: {commitments: {some: "
        '{title: {eq: "Only ours"}}}}) { totalCount } }',
        role=str(ours.role_id),
    )

    assert answer["data"] == {name: {"totalCount": 0} for name in "abcd"}


async def test_nobody_sees_the_users_and_workspaces_of_others(
    run: Run, world: World
) -> None:
    ids = world.ids(User) + world.ids(Workspace)

    answer = await run(NODES, ids=ids)

    assert answer["data"]["nodes"] == [None] * len(ids)


async def test_the_viewer_is_who_asks_and_where(run: Run, caller: Caller) -> None:
    answer = await run(
        "{ viewer { user { id username label } workspace { id name "
        "members { nodes { role user { id } workspace { name } } totalCount } } } }"
    )

    user = global_id("User", caller.user_id or new_key())
    username = f"user-{caller.user_id}"
    assert answer["data"]["viewer"] == {
        "user": {"id": user, "username": username, "label": username},
        "workspace": {
            "id": global_id("Workspace", caller.workspace_id),
            "name": "Test",
            "members": {
                "nodes": [
                    {
                        "role": "OWNER",
                        "user": {"id": user},
                        "workspace": {"name": "Test"},
                    }
                ],
                "totalCount": 1,
            },
        },
    }


@pytest.mark.parametrize("model", ENTITIES)
async def test_every_entity_shows_what_entities_have_in_common(
    read: Run, world: World, model: type[Entity]
) -> None:
    row = min(world.rows[model], key=lambda row: str(row["id"]))

    answer = await read(
        "query($id: ID!) { node(id: $id) { __typename id ... on Entity { uuid version "
        "links { totalCount } interactions(first: 100) { nodes { id } } } } }",
        id=global_id(model.__name__, row["id"]),
    )

    relations = SHOWN[model].relations
    told = world.related(relations["interactions"], row)
    assert answer["data"]["node"] == {
        "__typename": model.__name__,
        "id": global_id(model.__name__, row["id"]),
        "uuid": str(row["id"]),
        "version": row["version"],
        "links": {"totalCount": len(world.related(relations["links"], row))},
        "interactions": {
            "nodes": [
                {"id": global_id("Interaction", one["id"])}
                for one in sorted(told, key=lambda one: int(one["position"]))
            ]
        },
    }


@pytest.mark.parametrize(
    ("model", "name"),
    [
        pytest.param(model, name, id=f"{model.__name__}.{name}")
        for model, shown in SHOWN.items()
        for name in shown.relations
    ],
)
async def test_a_relation_leads_to_the_rows_it_says_and_back(
    read: Run, world: World, model: type[Base], name: str
) -> None:
    relation = SHOWN[model].relations[name]
    rows = sorted(world.rows[model], key=lambda row: str(row["id"]))
    below = "{ nodes { id } }" if relation.to_many else "{ id }"

    answer = await read(
        "query($ids: [ID!]!) { nodes(ids: $ids) "
        f"{{ ... on {model.__name__} {{ related: {public_name(name)} {below} }} }} }}",
        ids=[global_id(model.__name__, row["id"]) for row in rows],
    )

    related = [node["related"] for node in answer["data"]["nodes"]]
    listed = [
        one["nodes"] if relation.to_many else ([one] if one else []) for one in related
    ]
    assert [sorted(one["id"] for one in nodes) for nodes in listed] == [
        sorted(
            global_id(relation.target.__name__, one["id"])
            for one in world.related(relation, row)
        )
        for row in rows
    ]


@pytest.mark.parametrize(
    ("model", "name", "columns"),
    [
        (DocumentLink, "target", ("entity_type", "entity_id")),
        (
            Interaction,
            "primaryEntity",
            ("primary_entity_type", "primary_entity_id"),
        ),
    ],
)
async def test_what_can_be_of_any_type_is_the_row_that_is_named(
    read: Run, world: World, model: type[Base], name: str, columns: tuple[str, str]
) -> None:
    kind, key = columns
    rows = sorted(world.rows[model], key=lambda row: str(row["id"]))

    answer = await read(
        "query($ids: [ID!]!) { nodes(ids: $ids) "
        f"{{ ... on {model.__name__} {{ {name} {{ __typename id }} }} }} }}",
        ids=[global_id(model.__name__, row["id"]) for row in rows],
    )

    types = [ENTITY_MODELS[EntityType(row[kind])] for row in rows]
    assert [node[name] for node in answer["data"]["nodes"]] == [
        {"__typename": type.__name__, "id": global_id(type.__name__, row[key])}
        if any(other["id"] == row[key] for other in world.rows[type])
        else None
        for type, row in zip(types, rows, strict=True)
    ]


async def test_a_document_has_links_of_its_own_and_those_that_point_at_it(
    run: Run, make: Make
) -> None:
    letter, scan = (
        await make.document(title="Letter"),
        await make.document(title="Scan"),
    )
    await make.link(scan, letter, "scan_of")

    answer = await run(
        "{ documents { nodes { title links { nodes { relation target { ... on Document "
        "{ title } } } } linkedFrom { nodes { relation document { title } } } } } }"
    )

    there = {"relation": "scan_of", "target": {"title": "Letter"}}
    back = {"relation": "scan_of", "document": {"title": "Scan"}}
    assert answer["data"]["documents"]["nodes"] == [
        {"title": "Letter", "links": {"nodes": []}, "linkedFrom": {"nodes": [back]}},
        {"title": "Scan", "links": {"nodes": [there]}, "linkedFrom": {"nodes": []}},
    ]


async def test_what_was_done_to_an_entity_is_told_with_who_did_it(
    run: Run, caller: Caller, make: Make
) -> None:
    party = await make.party(name="ACME")

    answer = await run(
        "query($id: ID!) { party(id: $id) { interactions { nodes { type actorType "
        "actor { __typename label } primaryEntity { ... on Party { name } } "
        "before after } } } }",
        id=str(party.id),
    )

    (told,) = answer["data"]["party"]["interactions"]["nodes"]
    assert told.pop("after")["name"] == "ACME"
    assert told == {
        "type": "party.created",
        "actorType": "USER",
        "actor": {"__typename": "User", "label": f"user-{caller.user_id}"},
        "primaryEntity": {"name": "ACME"},
        "before": None,
    }


async def test_a_vendor_gets_a_role_and_an_invoice_that_a_picture_showed(
    run: Run,
) -> None:
    vendor = await run(
        'mutation { createParty(input: {kind: ORG, name: "ACME Corp"}) '
        "{ party { id } userErrors { message } } }"
    )
    role = await run(
        "mutation($party: ID!) { createRole(input: {partyId: $party, "
        'roleName: "Vendor"}) { role { id } userErrors { message } } }',
        party=vendor["data"]["createParty"]["party"]["id"],
    )
    await run(
        "mutation($role: ID!) { createCommitment(input: {roleId: $role, "
        'commitmentType: OBLIGATION, title: "Pay Invoice #123", '
        "source: VISION_EXTRACT}) { userErrors { message } } }",
        role=role["data"]["createRole"]["role"]["id"],
    )

    answer = await run(
        "{ parties { nodes { kind name roles { nodes { roleName commitments { nodes "
        "{ commitmentType title source state role { party { name } } } } } } } } }"
    )

    invoice = {
        "commitmentType": "OBLIGATION",
        "title": "Pay Invoice #123",
        "source": "VISION_EXTRACT",
        "state": "ACCEPTED",
        "role": {"party": {"name": "ACME Corp"}},
    }
    vendors = {"roleName": "Vendor", "commitments": {"nodes": [invoice]}}
    assert answer["data"]["parties"]["nodes"] == [
        {"kind": "ORG", "name": "ACME Corp", "roles": {"nodes": [vendors]}}
    ]


@pytest.mark.parametrize("misspelled", ["ACME Corp", "Acme Corporation", "ACMECorp"])
async def test_a_party_is_found_by_a_name_that_resembles_its_own(
    run: Run, make: Make, misspelled: str
) -> None:
    await make.party(name="ACME Corp")
    await make.party(name="Zenith Ltd")

    answer = await run(
        "query($name: String!) { parties(filter: {name: {resembles: {to: $name}}}) "
        "{ nodes { name } } }",
        name=misspelled,
    )

    assert answer["data"]["parties"]["nodes"] == [{"name": "ACME Corp"}]


async def test_a_file_is_found_by_its_hash_in_either_case(run: Run, make: Make) -> None:
    await make.document(title="Scan", sha256="ab" * 32)

    answer = await run(
        "query($hash: String!, $other: String!) { fileByHash(hash: $hash) "
        "{ fileHash duplicateCount document { title fileHash { duplicateCount } } } "
        "other: fileByHash(hash: $other) { id } }",
        hash="AB" * 32,
        other="cd" * 32,
    )

    assert answer["data"] == {
        "fileByHash": {
            "fileHash": "ab" * 32,
            "duplicateCount": 0,
            "document": {"title": "Scan", "fileHash": {"duplicateCount": 0}},
        },
        "other": None,
    }


async def test_a_role_is_read_with_all_it_leads_to(run: Run, make: Make) -> None:
    party = await make.party(name="ACME")
    role = await make.role(party_id=party.id, domain_tags=["tax"])
    owed = await make.commitment(role_id=role.id, counterparty_id=party.id)
    await make.link(await make.document(title="Contract"), owed, "evidence")

    answer = await run(
        "query($id: ID!) { role(id: $id) { domainTags party { name "
        "counterpartyCommitments { nodes { title } } } commitments { nodes { "
        "documents { nodes { title } } links { nodes { relation } } } } } }",
        id=str(role.id),
    )

    linked = {
        "documents": {"nodes": [{"title": "Contract"}]},
        "links": {"nodes": [{"relation": "evidence"}]},
    }
    assert answer["data"]["role"] == {
        "domainTags": ["tax"],
        "party": {
            "name": "ACME",
            "counterpartyCommitments": {"nodes": [{"title": "Pay Invoice #123"}]},
        },
        "commitments": {"nodes": [linked]},
    }


def single(model: type[Base]) -> str:
    """The root field that reads one row of `model`."""
    return model.__name__[0].lower() + model.__name__[1:]


def refusal(answer: dict[str, Any]) -> tuple[str, str]:
    """The code and message of the one thing that is refused."""
    (error,) = answer["errors"]
    assert not any((answer["data"] or {}).values())
    return error["extensions"]["code"], error["message"]
