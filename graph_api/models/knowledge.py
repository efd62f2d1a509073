"""The knowledge graph: concepts, entities and topics, and how they hang together."""

from uuid import UUID

from sqlalchemy import REAL, CheckConstraint, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from graph_api.models.base import (
    Entity,
    Imported,
    Json,
    gin,
    imported,
    index,
    ordered,
    references,
)
from graph_api.models.rules import AtMost, Filled, Within, rule

# The longest vector that common embedding models make.
MAX_DIMENSIONS = 4096


class KnowledgeNode(Entity, Imported):
    """Something that is known of: a concept, an entity, a topic."""

    __tablename__ = "knowledge_graph_nodes"
    __table_args__ = (
        CheckConstraint(
            "NOT embedding && '{NaN,Infinity,-Infinity}'", name="embedding_number"
        ),
        gin("idx_knowledge_graph_nodes_label_trgm", "label", "gin_trgm_ops"),
        ordered("idx_knowledge_graph_nodes_label", "label"),
        index("idx_knowledge_graph_nodes_type", "node_type", "id"),
        ordered("idx_knowledge_graph_nodes_created_at", "created_at"),
        imported("knowledge_graph_nodes"),
    )

    label: Mapped[str] = mapped_column(
        String(500), info=rule(Filled()), comment="What it is called."
    )
    node_type: Mapped[str] = mapped_column(
        String(50),
        info=rule(Filled()),
        comment="What sort of thing it is, such as `concept`, `entity` or `topic`.",
    )
    description: Mapped[str | None] = mapped_column(
        info=rule(AtMost(20_000)), comment="What it is, at length."
    )
    properties: Mapped[Json] = mapped_column(
        server_default=text("'{}'"), comment="Whatever is known of it."
    )
    embedding: Mapped[list[float] | None] = mapped_column(
        ARRAY(REAL),
        deferred=True,
        info=rule(AtMost(MAX_DIMENSIONS, "numbers")),
        comment="Its place in a vector space.",
    )


class KnowledgeEdge(Entity, Imported):
    """How one knowledge node leads to another."""

    __tablename__ = "knowledge_graph_edges"
    __table_args__ = (
        references("source_id", "knowledge_graph_nodes", "CASCADE"),
        references("target_id", "knowledge_graph_nodes", "CASCADE"),
        UniqueConstraint("workspace_id", "source_id", "target_id", "edge_type"),
        index(
            "idx_knowledge_graph_edges_source",
            "source_id",
            text("weight DESC NULLS LAST"),
            text("id DESC"),
        ),
        index(
            "idx_knowledge_graph_edges_target",
            "target_id",
            text("weight DESC NULLS LAST"),
            text("id DESC"),
        ),
        index("idx_knowledge_graph_edges_type", "edge_type", "id"),
        ordered("idx_knowledge_graph_edges_weight", "weight"),
        imported("knowledge_graph_edges"),
    )

    source_id: Mapped[UUID] = mapped_column(comment="Where it starts.")
    target_id: Mapped[UUID] = mapped_column(comment="Where it leads.")
    edge_type: Mapped[str] = mapped_column(
        String(100),
        info=rule(Filled()),
        comment="What it says, such as `references`, `relates_to` or `derived_from`.",
    )
    weight: Mapped[float] = mapped_column(
        server_default=text("1"),
        info=rule(Within(0, 1e300)),
        comment="How strong it is; 1 is the usual.",
    )
    properties: Mapped[Json] = mapped_column(
        server_default=text("'{}'"), comment="Whatever is known of it."
    )
