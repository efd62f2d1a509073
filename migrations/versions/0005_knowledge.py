"""The knowledge graph: its nodes, and the edges between them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = ("knowledge_graph_nodes", "knowledge_graph_edges")

# What Python can read, and a life graph needs.
READABLE = "'1900-01-01T00:00:00+00:00' AND '2200-01-01T00:00:00+00:00'"


def upgrade() -> None:
    _create_knowledge_graph_nodes()
    _create_knowledge_graph_edges()
    for table in TABLES:
        _protect(table)
        op.execute(
            f"CREATE TRIGGER touch BEFORE UPDATE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION app.touch()"
        )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _protect(table: str) -> None:
    """Show graph_api the rows of its workspace, and let it change those alone."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON {table} TO graph_api "
        "USING (workspace_id = (SELECT app.workspace())) "
        "WITH CHECK (workspace_id = (SELECT app.workspace()))"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO graph_api")


def _create_knowledge_graph_nodes() -> None:
    op.create_table(
        "knowledge_graph_nodes",
        sa.Column(
            "workspace_id",
            sa.Uuid(),
            nullable=False,
            comment="The workspace that the row belongs to.",
        ),
        sa.Column("id", sa.Uuid(), nullable=False, comment="The key of the row."),
        sa.Column(
            "label", sa.String(500), nullable=False, comment="What it is called."
        ),
        sa.Column(
            "node_type",
            sa.String(50),
            nullable=False,
            comment=(
                "What sort of thing it is, such as `concept`, `entity` or `topic`."
            ),
        ),
        sa.Column(
            "description", sa.Text(), nullable=True, comment="What it is, at length."
        ),
        sa.Column(
            "properties",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Whatever is known of it.",
        ),
        sa.Column(
            "embedding",
            postgresql.ARRAY(sa.REAL()),
            nullable=True,
            comment="Its place in a vector space.",
        ),
        sa.Column(
            "external_ref",
            sa.String(500),
            nullable=True,
            comment=(
                "The name it has where it comes from; unique in the "
                "workspace among things of its kind."
            ),
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was first stored.",
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was last changed.",
        ),
        sa.Column(
            "version",
            sa.Integer(),
            server_default=sa.text("1"),
            nullable=False,
            comment=(
                "1 when it was made, one more with each change; pass it as "
                "`expectedVersion` to change only what you have seen."
            ),
        ),
        sa.PrimaryKeyConstraint(
            "workspace_id", "id", name=op.f("pk_knowledge_graph_nodes")
        ),
        sa.CheckConstraint(
            "btrim(label) <> ''", name=op.f("ck_knowledge_graph_nodes_label")
        ),
        sa.CheckConstraint(
            "btrim(node_type) <> ''", name=op.f("ck_knowledge_graph_nodes_node_type")
        ),
        sa.CheckConstraint(
            "length(description) <= 20000",
            name=op.f("ck_knowledge_graph_nodes_description"),
        ),
        sa.CheckConstraint(
            "jsonb_typeof(properties) = 'object'",
            name=op.f("ck_knowledge_graph_nodes_properties_object"),
        ),
        sa.CheckConstraint(
            "pg_column_size(properties) <= 262144",
            name=op.f("ck_knowledge_graph_nodes_properties_size"),
        ),
        sa.CheckConstraint(
            "cardinality(embedding) <= 4096",
            name=op.f("ck_knowledge_graph_nodes_embedding"),
        ),
        sa.CheckConstraint(
            "coalesce(array_ndims(embedding), 1) = 1 AND "
            "array_position(embedding, NULL) IS NULL",
            name=op.f("ck_knowledge_graph_nodes_embedding_list"),
        ),
        sa.CheckConstraint(
            "NOT embedding && '{NaN,Infinity,-Infinity}'",
            name=op.f("ck_knowledge_graph_nodes_embedding_number"),
        ),
        sa.CheckConstraint(
            "btrim(external_ref) <> ''",
            name=op.f("ck_knowledge_graph_nodes_external_ref"),
        ),
        sa.CheckConstraint(
            f"created_at BETWEEN {READABLE}",
            name=op.f("ck_knowledge_graph_nodes_created_at_readable"),
        ),
        sa.CheckConstraint(
            f"updated_at BETWEEN {READABLE}",
            name=op.f("ck_knowledge_graph_nodes_updated_at_readable"),
        ),
    )
    op.create_index(
        "idx_knowledge_graph_nodes_label_trgm",
        "knowledge_graph_nodes",
        ["workspace_id", "label"],
        postgresql_using="gin",
        postgresql_ops={"label": "gin_trgm_ops"},
    )
    op.create_index(
        "idx_knowledge_graph_nodes_label",
        "knowledge_graph_nodes",
        ["workspace_id", sa.text("label DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index(
        "idx_knowledge_graph_nodes_type",
        "knowledge_graph_nodes",
        ["workspace_id", "node_type", "id"],
    )
    op.create_index(
        "idx_knowledge_graph_nodes_created_at",
        "knowledge_graph_nodes",
        ["workspace_id", sa.text("created_at DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index(
        "uq_knowledge_graph_nodes_external_ref",
        "knowledge_graph_nodes",
        ["workspace_id", "external_ref"],
        unique=True,
        postgresql_where=sa.text("external_ref IS NOT NULL"),
    )


def _create_knowledge_graph_edges() -> None:
    op.create_table(
        "knowledge_graph_edges",
        sa.Column(
            "workspace_id",
            sa.Uuid(),
            nullable=False,
            comment="The workspace that the row belongs to.",
        ),
        sa.Column("id", sa.Uuid(), nullable=False, comment="The key of the row."),
        sa.Column("source_id", sa.Uuid(), nullable=False, comment="Where it starts."),
        sa.Column("target_id", sa.Uuid(), nullable=False, comment="Where it leads."),
        sa.Column(
            "edge_type",
            sa.String(100),
            nullable=False,
            comment=(
                "What it says, such as `references`, `relates_to` or `derived_from`."
            ),
        ),
        sa.Column(
            "weight",
            sa.Double(),
            server_default=sa.text("1"),
            nullable=False,
            comment="How strong it is; 1 is the usual.",
        ),
        sa.Column(
            "properties",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Whatever is known of it.",
        ),
        sa.Column(
            "external_ref",
            sa.String(500),
            nullable=True,
            comment=(
                "The name it has where it comes from; unique in the "
                "workspace among things of its kind."
            ),
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was first stored.",
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was last changed.",
        ),
        sa.Column(
            "version",
            sa.Integer(),
            server_default=sa.text("1"),
            nullable=False,
            comment=(
                "1 when it was made, one more with each change; pass it as "
                "`expectedVersion` to change only what you have seen."
            ),
        ),
        sa.PrimaryKeyConstraint(
            "workspace_id", "id", name=op.f("pk_knowledge_graph_edges")
        ),
        sa.UniqueConstraint(
            "workspace_id",
            "source_id",
            "target_id",
            "edge_type",
            name=op.f("uq_knowledge_graph_edges_workspace_id_source_id_target__5813"),
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "source_id"],
            ["knowledge_graph_nodes.workspace_id", "knowledge_graph_nodes.id"],
            name=op.f("fk_knowledge_graph_edges_workspace_id_source_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "target_id"],
            ["knowledge_graph_nodes.workspace_id", "knowledge_graph_nodes.id"],
            name=op.f("fk_knowledge_graph_edges_workspace_id_target_id"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "btrim(edge_type) <> ''", name=op.f("ck_knowledge_graph_edges_edge_type")
        ),
        sa.CheckConstraint(
            "weight BETWEEN 0 AND 1e+300", name=op.f("ck_knowledge_graph_edges_weight")
        ),
        sa.CheckConstraint(
            "weight > '-Infinity' AND weight < 'Infinity'",
            name=op.f("ck_knowledge_graph_edges_weight_finite"),
        ),
        sa.CheckConstraint(
            "jsonb_typeof(properties) = 'object'",
            name=op.f("ck_knowledge_graph_edges_properties_object"),
        ),
        sa.CheckConstraint(
            "pg_column_size(properties) <= 262144",
            name=op.f("ck_knowledge_graph_edges_properties_size"),
        ),
        sa.CheckConstraint(
            "btrim(external_ref) <> ''",
            name=op.f("ck_knowledge_graph_edges_external_ref"),
        ),
        sa.CheckConstraint(
            f"created_at BETWEEN {READABLE}",
            name=op.f("ck_knowledge_graph_edges_created_at_readable"),
        ),
        sa.CheckConstraint(
            f"updated_at BETWEEN {READABLE}",
            name=op.f("ck_knowledge_graph_edges_updated_at_readable"),
        ),
    )
    op.create_index(
        "idx_knowledge_graph_edges_source",
        "knowledge_graph_edges",
        [
            "workspace_id",
            "source_id",
            sa.text("weight DESC NULLS LAST"),
            sa.text("id DESC"),
        ],
    )
    op.create_index(
        "idx_knowledge_graph_edges_target",
        "knowledge_graph_edges",
        [
            "workspace_id",
            "target_id",
            sa.text("weight DESC NULLS LAST"),
            sa.text("id DESC"),
        ],
    )
    op.create_index(
        "idx_knowledge_graph_edges_type",
        "knowledge_graph_edges",
        ["workspace_id", "edge_type", "id"],
    )
    op.create_index(
        "idx_knowledge_graph_edges_weight",
        "knowledge_graph_edges",
        ["workspace_id", sa.text("weight DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index(
        "uq_knowledge_graph_edges_external_ref",
        "knowledge_graph_edges",
        ["workspace_id", "external_ref"],
        unique=True,
        postgresql_where=sa.text("external_ref IS NOT NULL"),
    )
