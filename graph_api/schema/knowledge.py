"""The knowledge graph, as clients see it."""

import strawberry

from .. import models
from .entity import Entity, entity, find, listing, many, one, through
from .scalars import Json


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
