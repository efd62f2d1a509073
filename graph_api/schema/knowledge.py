"""The knowledge graph, as clients see it."""

from typing import Any

import strawberry

from graph_api import models
from graph_api.errors import WriteRefused
from graph_api.schema.entity import Entity, entity, find, listing, many, one, through
from graph_api.schema.fields import (
    Input,
    enum_type,
    input_type,
    maybe,
    object_type,
    row_field,
)
from graph_api.schema.inputs import values_of, written
from graph_api.schema.mutations import Given, create, delete, mutation, update
from graph_api.schema.payloads import Payload, Refusal, UserError
from graph_api.schema.registry import shown_as
from graph_api.schema.scalars import Json
from graph_api.services.knowledge import KnowledgeEdges, KnowledgeNodes
from graph_api.services.upserting import Item, UpsertingService, replayed_items


@entity(models.KnowledgeNode)
class KnowledgeNode(Entity):
    """Something that is known of: a concept, an entity, a topic."""

    label: str
    node_type: str
    description: str | None
    properties: Json
    embedding: list[float] | None
    external_ref: str | None

    out_edges = many(models.KnowledgeEdge.source_id, "The edges that start here.")
    in_edges = many(models.KnowledgeEdge.target_id, "The edges that lead here.")
    documents = through(
        models.DocumentLink.entity_id,
        models.DocumentLink.document_id,
        "The documents that are linked to it.",
    )


@entity(models.KnowledgeEdge)
class KnowledgeEdge(Entity):
    """How one knowledge node leads to another."""

    edge_type: str
    weight: float
    properties: Json
    external_ref: str | None

    source = one(models.KnowledgeEdge.source_id)
    target = one(models.KnowledgeEdge.target_id)


@strawberry.type
class KnowledgeQueries:
    """Where reading the knowledge graph starts."""

    knowledge_node = find(models.KnowledgeNode, "The knowledge node with this id.")
    knowledge_nodes = listing(
        models.KnowledgeNode, "The knowledge nodes of the workspace."
    )
    knowledge_edge = find(models.KnowledgeEdge, "The knowledge edge with this id.")
    knowledge_edges = listing(
        models.KnowledgeEdge, "The knowledge edges of the workspace."
    )


_NODE = (
    "label",
    "node_type",
    "description",
    "properties",
    "embedding",
    "external_ref",
)
_EDGE = ("source_id", "target_id", "edge_type", "weight", "properties", "external_ref")

ON_ERROR = enum_type(
    "OnError",
    "What happens to the others when one of many is refused.",
    {
        "reject_all": "Nothing is stored.",
        "skip": "The others are stored.",
    },
)


def _upsert(
    name: str,
    service: type[UpsertingService[Any]],
    columns: tuple[str, ...],
    needed: tuple[str, ...],
    description: str,
) -> Any:
    model: type[models.Entity] = service.model
    fields = written(model, columns, required=True)
    for required in needed:
        fields[required] = Input(
            fields[required].type.__args__[0], fields[required].description
        )
    item: Any = input_type(f"{name[0].upper()}{name[1:]}Item", "One of many.", fields)

    async def verb(one: UpsertingService[Any], given: Given) -> None:
        items = [_item(model, columns, i, v) for i, v in enumerate(given["items"])]
        await one.upsert(items, skip_refused=given["onError"] == "skip")
        one.outcome.items = items

    return mutation(
        name,
        service,
        description,
        {
            "items": Input(list[item], "What to store; at most 1,000."),
            "onError": Input(
                ON_ERROR,
                "What happens to the others when one is refused.",
                ON_ERROR.REJECT_ALL,
            ),
        },
        verb,
        answers={"results": _results_field(name, model)},
    )


def _item(
    model: type[models.Entity], columns: tuple[str, ...], index: int, given: Given
) -> Item:
    item = Item(index, {})
    try:
        item.values = values_of(model, columns, given)
    except WriteRefused as error:
        item.refuse(error)
    return item


def _results_field(name: str, model: type[models.Entity]) -> Any:
    result: Any = object_type(
        f"{name[0].upper()}{name[1:]}Result",
        "What became of one of many.",
        {
            "index": row_field(
                int, lambda item, *_: item.index, "Its place in `items`, from 0."
            ),
            "node": row_field(
                maybe(shown_as(model)),
                lambda item, *_: item.row,
                f"The {model.__name__}; null where it was not stored.",
            ),
            "user_errors": row_field(
                list[UserError],
                lambda item, *_: [Refusal(item.error)] if item.error else [],
                "Why it was refused.",
            ),
        },
    )
    return row_field(
        list[result], _results, "What became of each, in the order of `items`."
    )


def _results(payload: Payload, *_: Any) -> list[Item]:
    outcome = payload.outcome
    if not outcome.replayed:
        return outcome.items
    return replayed_items(outcome)


@strawberry.type
class KnowledgeMutations:
    """What can be done with the knowledge graph."""

    create_knowledge_node = create(
        KnowledgeNodes, _NODE, "Make something known to the graph."
    )
    update_knowledge_node = update(KnowledgeNodes, _NODE, "Change a knowledge node.")
    delete_knowledge_node = delete(
        KnowledgeNodes, "Delete a knowledge node with its edges."
    )
    upsert_knowledge_nodes = _upsert(
        "upsertKnowledgeNodes",
        KnowledgeNodes,
        _NODE,
        ("externalRef",),
        "Store many knowledge nodes: those with a known `externalRef` are updated, the "
        "others are made.",
    )
    create_knowledge_edge = create(
        KnowledgeEdges, _EDGE, "Say how one knowledge node leads to another."
    )
    update_knowledge_edge = update(
        KnowledgeEdges,
        ("edge_type", "weight", "properties", "external_ref"),
        "Change a knowledge edge.",
    )
    delete_knowledge_edge = delete(KnowledgeEdges, "Delete a knowledge edge.")
    upsert_knowledge_edges = _upsert(
        "upsertKnowledgeEdges",
        KnowledgeEdges,
        _EDGE,
        (),
        "Store many knowledge edges: those with a known source, target and type are "
        "updated, the others are made.",
    )
