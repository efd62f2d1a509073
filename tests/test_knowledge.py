"""Writing the knowledge graph, one piece at a time or a thousand."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from factories import Make
from running import Run, Statements
from writing import (
    Admin,
    Json,
    conflict,
    duplicate,
    id_of,
    invalid,
    not_found,
    stored,
    types,
    write,
)

from graph_api.caller import Caller
from graph_api.ids import global_id
from graph_api.keys import new_key

NODE = """
    knowledgeNode {
      label nodeType description properties embedding externalRef version
    }
"""
EDGE = """
    knowledgeEdge {
      edgeType weight properties externalRef version source { uuid } target { uuid }
    }
"""
NODES = """
    results {
      index
      node { label version embedding externalRef }
      userErrors { __typename code path }
    }
    interactions(first: 100) { type }
"""
EDGES = """
    results {
      index
      node { edgeType weight version }
      userErrors { __typename code path ... on DuplicateError { existing { uuid } } }
    }
    interactions(first: 100) { type }
"""


def node(ref: str, label: str = "Graph", **more: Any) -> Json:
    return {"externalRef": ref, "label": label, "nodeType": "concept", **more}


def edge(source: Any, target: Any, type: str = "relates_to", **more: Any) -> Json:
    ends = {"sourceId": id_of(source), "targetId": id_of(target)}
    return {**ends, "edgeType": type, **more}


async def test_a_knowledge_node_needs_only_a_label_and_a_type(run: Run) -> None:
    payload = await write(
        run, "createKnowledgeNode", NODE, label="Graph", nodeType="concept"
    )

    assert payload == {
        "knowledgeNode": {
            "label": "Graph",
            "nodeType": "concept",
            "description": None,
            "properties": {},
            "embedding": None,
            "externalRef": None,
            "version": 1,
        },
        "userErrors": [],
    }


async def test_a_knowledge_node_is_created_as_given(run: Run) -> None:
    given = {
        "label": "Graph",
        "nodeType": "topic",
        "description": "Nodes and edges",
        "properties": {"a": [None, True, 1.5]},
        "embedding": [0.5, -2.0, 0.0],
        "externalRef": "wiki:1",
    }

    payload = await write(run, "createKnowledgeNode", NODE, **given)

    assert payload["knowledgeNode"] == given | {"version": 1}


async def test_a_knowledge_node_changes_by_what_is_given(run: Run, make: Make) -> None:
    known = await make.knowledge_node(
        description="Old", embedding=[0.5], external_ref="wiki:1"
    )

    payload = await write(
        run,
        "updateKnowledgeNode",
        NODE + "interaction { type }",
        id=id_of(known),
        label="New",
        description=None,
    )

    assert payload == {
        "knowledgeNode": {
            "label": "New",
            "nodeType": "concept",
            "description": None,
            "properties": {},
            "embedding": [0.5],
            "externalRef": "wiki:1",
            "version": 2,
        },
        "interaction": {"type": "knowledge_node.updated"},
        "userErrors": [],
    }


async def test_an_embedding_that_is_there_is_no_change(run: Run, make: Make) -> None:
    known = await make.knowledge_node(embedding=[0.1, 1e-45])

    payload = await write(
        run,
        "updateKnowledgeNode",
        "knowledgeNode { version } interaction { type }",
        id=id_of(known),
        embedding=[0.1, 1e-45],
    )

    assert payload == {
        "knowledgeNode": {"version": 1},
        "interaction": None,
        "userErrors": [],
    }


NODES_THAT_CANNOT_BE = [
    ({"label": ""}, "label"),
    ({"label": "x" * 501}, "label"),
    ({"nodeType": " "}, "nodeType"),
    ({"nodeType": "x" * 51}, "nodeType"),
    ({"description": "x" * 20_001}, "description"),
    ({"properties": None}, "properties"),
    ({"properties": []}, "properties"),
    ({"embedding": [1e39]}, "embedding"),
    ({"embedding": [0.5] * 4097}, "embedding"),
    ({"externalRef": "x" * 501}, "externalRef"),
]


@pytest.mark.parametrize(("given", "path"), NODES_THAT_CANNOT_BE)
async def test_a_knowledge_node_that_cannot_be_is_neither_created_nor_become(
    run: Run, make: Make, admin: "Admin[Any]", given: Json, path: str
) -> None:
    known = await make.knowledge_node()
    before = await stored(admin, run)

    created = await write(
        run, "createKnowledgeNode", **{"label": "A", "nodeType": "topic"} | given
    )
    updated = await write(run, "updateKnowledgeNode", id=id_of(known), **given)
    upserted = await write(run, "upsertKnowledgeNodes", items=[node("x") | given])

    assert created == updated == invalid(path)
    assert upserted == invalid("items", "0", path)
    assert await stored(admin, run) == before


async def test_two_knowledge_nodes_cannot_have_one_external_ref(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    known = await make.knowledge_node(external_ref="wiki:1")
    before = await stored(admin, run)

    payload = await write(run, "createKnowledgeNode", **node("wiki:1"))

    assert payload == duplicate(known, "externalRef")
    assert await stored(admin, run) == before


async def test_a_deleted_knowledge_node_takes_its_edges_along(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    gone, stays = await make.knowledge_node(), await make.knowledge_node()
    await make.knowledge_edge(source_id=gone.id, target_id=stays.id)
    await make.knowledge_edge(source_id=stays.id, target_id=gone.id)
    loop = await make.knowledge_edge(source_id=gone.id, target_id=gone.id)
    await make.link(await make.document(), loop)

    payload = await write(
        run,
        "deleteKnowledgeNode",
        "deletedId interactions { type changeSetId }",
        id=id_of(gone),
        expectedVersion=1,
    )
    left = await stored(admin, run)

    told = payload["interactions"]
    assert payload["deletedId"] == id_of(gone)
    assert [one["type"] for one in told] == [
        "document.unlinked",
        "knowledge_edge.deleted",
        "knowledge_edge.deleted",
        "knowledge_edge.deleted",
        "knowledge_node.deleted",
    ]
    assert len({one["changeSetId"] for one in told}) == 1
    assert left["knowledge_graph_edges"] == left["document_links"] == []
    assert len(left["knowledge_graph_nodes"]) == 1


async def test_a_knowledge_edge_leads_from_node_to_node(run: Run, make: Make) -> None:
    source, target = await make.knowledge_node(), await make.knowledge_node()

    payload = await write(run, "createKnowledgeEdge", EDGE, **edge(source, target))

    assert payload == {
        "knowledgeEdge": {
            "edgeType": "relates_to",
            "weight": 1.0,
            "properties": {},
            "externalRef": None,
            "version": 1,
            "source": {"uuid": str(source.id)},
            "target": {"uuid": str(target.id)},
        },
        "userErrors": [],
    }


async def test_a_knowledge_edge_changes_by_what_is_given(run: Run, make: Make) -> None:
    known = await make.knowledge_edge(properties={"a": 1}, external_ref="e:1")

    payload = await write(
        run,
        "updateKnowledgeEdge",
        EDGE,
        id=id_of(known),
        weight=0.25,
        externalRef=None,
    )

    assert payload["knowledgeEdge"] == {
        "edgeType": "relates_to",
        "weight": 0.25,
        "properties": {"a": 1},
        "externalRef": None,
        "version": 2,
        "source": {"uuid": str(known.source_id)},
        "target": {"uuid": str(known.target_id)},
    }


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"edgeType": ""}, "edgeType"),
        ({"edgeType": "x" * 101}, "edgeType"),
        ({"weight": -0.1}, "weight"),
        ({"weight": 1e301}, "weight"),
        ({"weight": None}, "weight"),
        ({"properties": "text"}, "properties"),
    ],
)
async def test_a_knowledge_edge_that_cannot_be_is_neither_created_nor_become(
    run: Run, make: Make, admin: "Admin[Any]", given: Json, path: str
) -> None:
    known = await make.knowledge_edge()
    ends = {"sourceId": str(known.source_id), "targetId": str(known.target_id)}
    item = {**ends, "edgeType": "cites", **given}
    before = await stored(admin, run)

    created = await write(run, "createKnowledgeEdge", **item)
    updated = await write(run, "updateKnowledgeEdge", id=id_of(known), **given)
    upserted = await write(run, "upsertKnowledgeEdges", items=[item])

    assert created == updated == invalid(path)
    assert upserted == invalid("items", "0", path)
    assert await stored(admin, run) == before


async def test_the_same_edge_is_not_made_twice(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    source, target = await make.knowledge_node(), await make.knowledge_node()
    ends = {"source_id": source.id, "target_id": target.id}
    cites = await make.knowledge_edge(edge_type="cites", **ends)
    other = await make.knowledge_edge(edge_type="quotes", **ends)
    before = await stored(admin, run)

    created = await write(run, "createKnowledgeEdge", **edge(source, target, "cites"))
    updated = await write(run, "updateKnowledgeEdge", id=id_of(other), edgeType="cites")

    assert created == updated == duplicate(cites, "edgeType")
    assert await stored(admin, run) == before


@pytest.mark.parametrize("path", ["sourceId", "targetId"])
async def test_an_edge_does_not_lead_to_a_strangers_node(
    run: Run,
    make: Make,
    admin: "Admin[Any]",
    stranger: Caller,
    path: str,
) -> None:
    ours = await make.knowledge_node()
    theirs = await make.by(stranger).knowledge_node()
    item = edge(ours, ours) | {path: id_of(theirs)}
    before = await stored(admin, run)

    created = await write(run, "createKnowledgeEdge", **item)
    upserted = await write(run, "upsertKnowledgeEdges", items=[item])

    assert created == not_found(path)
    assert upserted == not_found("items", "0", path)
    assert await stored(admin, run) == before


@pytest.mark.parametrize(
    "mutation",
    [
        f"{verb}Knowledge{kind}"
        for verb in ("update", "delete")
        for kind in ("Node", "Edge")
    ],
)
async def test_what_is_stale_or_missing_is_left_alone(
    run: Run, make: Make, admin: "Admin[Any]", mutation: str
) -> None:
    kind = mutation[6:]
    making = {
        "KnowledgeNode": make.knowledge_node,
        "KnowledgeEdge": make.knowledge_edge,
    }
    row = await making[kind]()
    before = await stored(admin, run)

    stale = await write(run, mutation, id=id_of(row), expectedVersion=2)
    missing = await write(
        run, mutation, id=global_id(kind, new_key()), expectedVersion=1
    )

    assert stale == conflict(row, 1)
    assert missing == not_found("id")
    assert await stored(admin, run) == before


async def test_nodes_are_made_updated_or_left_as_they_are(run: Run, make: Make) -> None:
    await make.knowledge_node(
        label="Graph", external_ref="same", embedding=[0.1], description="Stays"
    )
    await make.knowledge_node(
        label="Old", external_ref="changed", embedding=[0.5], properties={"a": 1}
    )

    payload = await write(
        run,
        "upsertKnowledgeNodes",
        NODES,
        items=[
            node("new", "New", embedding=[0.25]),
            node("same", embedding=[0.1]),
            node("changed", "New"),
            node("plain"),
        ],
    )

    def became(index: int, ref: str, label: str, **more: Any) -> Json:
        row = {"externalRef": ref, "label": label, "version": 1, "embedding": None}
        return {"index": index, "node": row | more, "userErrors": []}

    assert payload == {
        "results": [
            became(0, "new", "New", embedding=[0.25]),
            became(1, "same", "Graph", embedding=[0.10000000149011612]),
            became(2, "changed", "New", version=2, embedding=[0.5]),
            became(3, "plain", "Graph"),
        ],
        "interactions": [
            {"type": "knowledge_node.created"},
            {"type": "knowledge_node.updated"},
            {"type": "knowledge_node.created"},
        ],
        "userErrors": [],
    }


async def test_an_item_leaves_alone_what_it_does_not_name(run: Run, make: Make) -> None:
    await make.knowledge_node(
        external_ref="a", description="Stays", properties={"stays": True}
    )

    await write(run, "upsertKnowledgeNodes", items=[node("a", "New")])
    answer = await run("{ knowledgeNodes { nodes { label description properties } } }")

    assert answer["data"]["knowledgeNodes"]["nodes"] == [
        {"label": "New", "description": "Stays", "properties": {"stays": True}}
    ]


async def test_an_update_among_many_is_told_by_what_changed(
    run: Run, make: Make
) -> None:
    await make.knowledge_node(external_ref="a", label="Old", description="Stays")

    payload = await write(
        run,
        "upsertKnowledgeNodes",
        "interactions { before after }",
        items=[node("a", "New", embedding=[0.5])],
    )

    (told,) = payload["interactions"]
    assert told["before"] == {
        "label": "Old",
        "version": 1,
        "updatedAt": told["before"]["updatedAt"],
    }
    assert told["after"] == {
        "label": "New",
        "version": 2,
        "updatedAt": told["after"]["updatedAt"],
    }


async def test_one_refused_item_refuses_all(run: Run, admin: "Admin[Any]") -> None:
    before = await stored(admin, run)

    payload = await write(
        run,
        "upsertKnowledgeNodes",
        NODES,
        items=[node("a"), node("b", ""), node("c"), node("d", nodeType="")],
    )

    def became(index: int, *path: str) -> Json:
        at = ["input", "items", str(index), *path]
        errors = [{"__typename": "ValidationError", "code": "VALIDATION", "path": at}]
        return {"index": index, "node": None, "userErrors": errors if path else []}

    results = [became(0), became(1, "label"), became(2), became(3, "nodeType")]
    assert payload == {
        "results": results,
        "interactions": [],
        "userErrors": [*results[1]["userErrors"], *results[3]["userErrors"]],
    }
    assert await stored(admin, run) == before


async def test_refused_items_can_be_skipped(run: Run) -> None:
    payload = await write(
        run,
        "upsertKnowledgeNodes",
        "results { index node { label } userErrors { path } } interactions { type }",
        items=[node("a", "A"), node("b", ""), node("c", "C")],
        onError="SKIP",
    )

    assert payload == {
        "results": [
            {"index": 0, "node": {"label": "A"}, "userErrors": []},
            {
                "index": 1,
                "node": None,
                "userErrors": [{"path": ["input", "items", "1", "label"]}],
            },
            {"index": 2, "node": {"label": "C"}, "userErrors": []},
        ],
        "interactions": [{"type": "knowledge_node.created"}] * 2,
        "userErrors": [],
    }


async def test_nothing_is_stored_where_every_item_is_skipped(
    run: Run, admin: "Admin[Any]"
) -> None:
    before = await stored(admin, run)

    payload = await write(
        run,
        "upsertKnowledgeNodes",
        "results { node { label } } interactions { type }",
        items=[node("a", "")],
        onError="SKIP",
    )

    assert payload == {
        "results": [{"node": None}],
        "interactions": [],
        "userErrors": [],
    }
    assert await stored(admin, run) == before


async def test_a_malformed_id_refuses_its_item_alone(run: Run, make: Make) -> None:
    source, target = await make.knowledge_node(), await make.knowledge_node()

    payload = await write(
        run,
        "upsertKnowledgeEdges",
        EDGES,
        items=[edge(source, target), edge(source, target) | {"sourceId": "nonsense"}],
        onError="SKIP",
    )

    assert payload["results"] == [
        {
            "index": 0,
            "node": {"edgeType": "relates_to", "weight": 1.0, "version": 1},
            "userErrors": [],
        },
        {
            "index": 1,
            "node": None,
            "userErrors": [
                {
                    "__typename": "ValidationError",
                    "code": "VALIDATION",
                    "path": ["input", "items", "1", "sourceId"],
                }
            ],
        },
    ]


async def test_an_item_that_names_the_same_as_another_is_refused(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    a, b = await make.knowledge_node(), await make.knowledge_node()
    before = await stored(admin, run)

    nodes = await write(run, "upsertKnowledgeNodes", items=[node("a"), node("a", "B")])
    edges = await write(
        run, "upsertKnowledgeEdges", items=[edge(a, b), edge(b, a), edge(a, b)]
    )
    refs = await write(
        run,
        "upsertKnowledgeEdges",
        items=[edge(a, b, externalRef="e"), edge(b, a, externalRef="e")],
    )

    def twice(*path: str) -> Json:
        error = {
            "__typename": "DuplicateError",
            "code": "DUPLICATE",
            "path": ["input", "items", *path],
            "existing": None,
        }
        return {"userErrors": [error]}

    assert nodes == twice("1", "externalRef")
    assert edges == twice("2", "edgeType")
    assert refs == twice("1", "externalRef")
    assert await stored(admin, run) == before


async def test_edges_are_made_updated_or_left_as_they_are(run: Run, make: Make) -> None:
    a, b = await make.knowledge_node(), await make.knowledge_node()
    await make.knowledge_edge(source_id=a.id, target_id=b.id, edge_type="same")
    await make.knowledge_edge(
        source_id=a.id, target_id=b.id, edge_type="changed", external_ref="e:1"
    )

    payload = await write(
        run,
        "upsertKnowledgeEdges",
        EDGES,
        items=[
            edge(a, b, "new", weight=2),
            edge(a, b, "same"),
            edge(a, b, "changed", weight=0.5, externalRef="e:1"),
        ],
    )

    def became(index: int, type: str, weight: float, version: int) -> Json:
        row = {"edgeType": type, "weight": weight, "version": version}
        return {"index": index, "node": row, "userErrors": []}

    assert payload == {
        "results": [
            became(0, "new", 2.0, 1),
            became(1, "same", 1.0, 1),
            became(2, "changed", 0.5, 2),
        ],
        "interactions": [
            {"type": "knowledge_edge.created"},
            {"type": "knowledge_edge.updated"},
        ],
        "userErrors": [],
    }


async def test_an_edge_with_the_external_ref_of_another_is_refused_alone(
    run: Run, make: Make
) -> None:
    a, b = await make.knowledge_node(), await make.knowledge_node()
    known = await make.knowledge_edge(
        source_id=a.id, target_id=b.id, external_ref="e:1"
    )

    payload = await write(
        run,
        "upsertKnowledgeEdges",
        EDGES,
        items=[edge(b, a, externalRef="e:1"), edge(b, a, "cites", externalRef="e:2")],
        onError="SKIP",
    )

    assert payload["results"] == [
        {
            "index": 0,
            "node": None,
            "userErrors": [
                {
                    "__typename": "DuplicateError",
                    "code": "DUPLICATE",
                    "path": ["input", "items", "0", "externalRef"],
                    "existing": {"uuid": str(known.id)},
                }
            ],
        },
        {
            "index": 1,
            "node": {"edgeType": "cites", "weight": 1.0, "version": 1},
            "userErrors": [],
        },
    ]


@pytest.mark.parametrize("count", [0, 1_001])
@pytest.mark.parametrize("mutation", ["upsertKnowledgeNodes", "upsertKnowledgeEdges"])
async def test_an_upsert_takes_from_one_to_a_thousand_items(
    run: Run,
    make: Make,
    admin: "Admin[Any]",
    mutation: str,
    count: int,
) -> None:
    a = await make.knowledge_node()
    items = {
        "upsertKnowledgeNodes": [node(str(i)) for i in range(count)],
        "upsertKnowledgeEdges": [edge(a, a, str(i)) for i in range(count)],
    }
    before = await stored(admin, run)

    payload = await write(run, mutation, items=items[mutation])

    assert payload == invalid("items")
    assert await stored(admin, run) == before


async def test_a_thousand_nodes_are_written_by_few_statements(
    run: Run, statements: Statements
) -> None:
    items = [node(str(i), embedding=[0.5] * 3) for i in range(1_000)]

    created = await write(run, "upsertKnowledgeNodes", items=items)
    creating = len(statements)
    again = await write(run, "upsertKnowledgeNodes", items=items)

    assert created == again == {"userErrors": []}
    assert creating <= 5
    assert len(statements) == creating + 1


async def test_a_thousand_edges_are_written_by_few_statements(
    run: Run, make: Make, statements: Statements
) -> None:
    a = await make.knowledge_node()
    statements.clear()
    items = [edge(a, a, str(i), externalRef=str(i)) for i in range(1_000)]

    payload = await write(run, "upsertKnowledgeEdges", items=items)

    assert payload == {"userErrors": []}
    assert len(statements) <= 7


async def test_the_same_items_ten_times_at_once_are_made_once(
    run: Run, admin: "Admin[Any]"
) -> None:
    items = [node(str(i)) for i in range(10)]

    payloads = await asyncio.gather(
        *(
            write(
                run,
                "upsertKnowledgeNodes",
                "results { node { id version } }",
                items=items[i:] + items[:i],
            )
            for i in range(10)
        )
    )

    results = [one for payload in payloads for one in payload["results"]]
    assert Counter(one["node"]["version"] for one in results) == {1: 100}
    assert len({one["node"]["id"] for one in results}) == 10
    assert await types(admin, run) == {"knowledge_node.created": 10}
