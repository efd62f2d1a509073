"""Documents, what organizes them, what they are about, and what became documents."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = (
    "collections",
    "tags",
    "documents",
    "hash_index",
    "document_links",
    "document_tags",
    "annotations",
    "signals",
)
VERSIONED = ("collections", "tags", "documents", "annotations", "signals")

# What Python can read, and a life graph needs.
READABLE = "'1900-01-01T00:00:00+00:00' AND '2200-01-01T00:00:00+00:00'"


def upgrade() -> None:
    _create_collections()
    _create_tags()
    _create_documents()
    _create_hash_index()
    _create_document_links()
    _create_document_tags()
    _create_annotations()
    _create_signals()
    for table in TABLES:
        _protect(table)
    for table in VERSIONED:
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


def _create_collections() -> None:
    op.create_table(
        "collections",
        sa.Column(
            "workspace_id",
            sa.Uuid(),
            nullable=False,
            comment="The workspace that the row belongs to.",
        ),
        sa.Column("id", sa.Uuid(), nullable=False, comment="The key of the row."),
        sa.Column(
            "name", sa.String(255), nullable=False, comment="The name people use."
        ),
        sa.Column(
            "description", sa.Text(), nullable=True, comment="What belongs into it."
        ),
        sa.Column(
            "color", sa.String(7), nullable=True, comment="Its color, as `#rrggbb`."
        ),
        sa.Column(
            "icon",
            sa.String(50),
            nullable=True,
            comment="Its icon: an emoji or the name of one.",
        ),
        sa.Column(
            "parent_id",
            sa.Uuid(),
            nullable=True,
            comment="The collection that it lies in.",
        ),
        sa.Column(
            "owner_id",
            sa.Uuid(),
            nullable=True,
            comment="The member who keeps it; by default who made it.",
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
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_collections")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "owner_id"],
            ["workspace_members.workspace_id", "workspace_members.user_id"],
            name=op.f("fk_collections_workspace_id_owner_id"),
            ondelete="SET NULL (owner_id)",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "parent_id"],
            ["collections.workspace_id", "collections.id"],
            name=op.f("fk_collections_workspace_id_parent_id"),
            ondelete="SET NULL (parent_id)",
        ),
        sa.CheckConstraint("btrim(name) <> ''", name=op.f("ck_collections_name")),
        sa.CheckConstraint(
            "length(description) <= 20000", name=op.f("ck_collections_description")
        ),
        sa.CheckConstraint(
            "color ~ '^#[0-9a-fA-F]{6}$'", name=op.f("ck_collections_color")
        ),
        sa.CheckConstraint(
            "btrim(external_ref) <> ''", name=op.f("ck_collections_external_ref")
        ),
        sa.CheckConstraint(
            f"created_at BETWEEN {READABLE}",
            name=op.f("ck_collections_created_at_readable"),
        ),
        sa.CheckConstraint(
            f"updated_at BETWEEN {READABLE}",
            name=op.f("ck_collections_updated_at_readable"),
        ),
        sa.CheckConstraint(
            "parent_id <> id", name=op.f("ck_collections_not_its_own_parent")
        ),
    )
    op.create_index(
        "idx_collections_parent", "collections", ["workspace_id", "parent_id", "id"]
    )
    op.create_index(
        "idx_collections_owner", "collections", ["workspace_id", "owner_id", "id"]
    )
    op.create_index(
        "idx_collections_name",
        "collections",
        ["workspace_id", sa.text("name DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index(
        "idx_collections_created_at",
        "collections",
        ["workspace_id", sa.text("created_at DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index(
        "idx_collections_updated_at",
        "collections",
        ["workspace_id", sa.text("updated_at DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index(
        "uq_collections_external_ref",
        "collections",
        ["workspace_id", "external_ref"],
        unique=True,
        postgresql_where=sa.text("external_ref IS NOT NULL"),
    )


def _create_tags() -> None:
    op.create_table(
        "tags",
        sa.Column(
            "workspace_id",
            sa.Uuid(),
            nullable=False,
            comment="The workspace that the row belongs to.",
        ),
        sa.Column("id", sa.Uuid(), nullable=False, comment="The key of the row."),
        sa.Column(
            "name",
            sa.String(100),
            nullable=False,
            comment="The word; unique in the workspace.",
        ),
        sa.Column(
            "color", sa.String(7), nullable=True, comment="Its color, as `#rrggbb`."
        ),
        sa.Column(
            "icon",
            sa.String(50),
            nullable=True,
            comment="Its icon: an emoji or the name of one.",
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
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_tags")),
        sa.CheckConstraint("btrim(name) <> ''", name=op.f("ck_tags_name")),
        sa.CheckConstraint("color ~ '^#[0-9a-fA-F]{6}$'", name=op.f("ck_tags_color")),
        sa.CheckConstraint(
            "btrim(external_ref) <> ''", name=op.f("ck_tags_external_ref")
        ),
        sa.CheckConstraint(
            f"created_at BETWEEN {READABLE}", name=op.f("ck_tags_created_at_readable")
        ),
        sa.CheckConstraint(
            f"updated_at BETWEEN {READABLE}", name=op.f("ck_tags_updated_at_readable")
        ),
    )
    op.create_index("idx_tags_name", "tags", ["workspace_id", "name"], unique=True)
    op.create_index(
        "idx_tags_name_order",
        "tags",
        ["workspace_id", sa.text("name DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index(
        "idx_tags_updated_at",
        "tags",
        ["workspace_id", sa.text("updated_at DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index(
        "idx_tags_created_at",
        "tags",
        ["workspace_id", sa.text("created_at DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index(
        "uq_tags_external_ref",
        "tags",
        ["workspace_id", "external_ref"],
        unique=True,
        postgresql_where=sa.text("external_ref IS NOT NULL"),
    )


def _create_documents() -> None:
    op.create_table(
        "documents",
        sa.Column(
            "workspace_id",
            sa.Uuid(),
            nullable=False,
            comment="The workspace that the row belongs to.",
        ),
        sa.Column("id", sa.Uuid(), nullable=False, comment="The key of the row."),
        sa.Column(
            "title", sa.String(500), nullable=False, comment="What it is called."
        ),
        sa.Column(
            "language",
            sa.String(35),
            nullable=True,
            comment="The language of its text, as a BCP 47 tag such as `en`.",
        ),
        sa.Column(
            "page_count", sa.Integer(), nullable=True, comment="How many pages it has."
        ),
        sa.Column(
            "is_active",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="False once it has been archived.",
        ),
        sa.Column(
            "owner_id",
            sa.Uuid(),
            nullable=True,
            comment="The member who keeps it; by default who took it in.",
        ),
        sa.Column(
            "collection_id",
            sa.Uuid(),
            nullable=True,
            comment="The collection that it lies in.",
        ),
        sa.Column(
            "file_name",
            sa.String(255),
            nullable=True,
            comment="The name that the file had.",
        ),
        sa.Column(
            "mime_type",
            sa.String(100),
            nullable=True,
            comment="The media type of the file.",
        ),
        sa.Column(
            "file_size",
            sa.BigInteger(),
            nullable=True,
            comment="The size of the file, in bytes.",
        ),
        sa.Column(
            "sha256",
            sa.String(64),
            nullable=True,
            comment=(
                "SHA-256 of the file, in lower-case hexadecimal; the same "
                "file is stored once in a workspace."
            ),
        ),
        sa.Column(
            "storage_uri",
            sa.Text(),
            nullable=True,
            comment="Where the bytes lie; null until they are stored.",
        ),
        sa.Column("source", sa.Text(), nullable=False, comment="The way it came in."),
        sa.Column(
            "ingestion_status",
            sa.Text(),
            server_default="success",
            nullable=False,
            comment="Whether it could be taken in.",
        ),
        sa.Column(
            "ingested_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=True,
            comment="When it was taken in.",
        ),
        sa.Column(
            "error_message",
            sa.Text(),
            nullable=True,
            comment="Why it could not be taken in.",
        ),
        sa.Column(
            "processing_status",
            sa.Text(),
            server_default="pending",
            nullable=False,
            comment="How far the work on it has come.",
        ),
        sa.Column("text", sa.Text(), nullable=True, comment="Its text."),
        sa.Column(
            "metadata_extracted",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="What programs have found out about it.",
        ),
        sa.Column(
            "metadata",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Whatever you wish to keep with it.",
        ),
        sa.Column(
            "classification",
            sa.String(100),
            nullable=True,
            comment="The class it was sorted into, such as `invoice`.",
        ),
        sa.Column(
            "classification_status",
            sa.Text(),
            nullable=True,
            comment="Whether it has been classified.",
        ),
        sa.Column(
            "classification_confidence",
            sa.Double(),
            nullable=True,
            comment="How sure the classifier was, from 0 to 1.",
        ),
        sa.Column(
            "extraction_type",
            sa.String(50),
            nullable=True,
            comment="What was extracted, such as `invoice` or `receipt`.",
        ),
        sa.Column(
            "extraction_data",
            postgresql.JSONB(),
            nullable=True,
            comment="What was extracted.",
        ),
        sa.Column(
            "extraction_cost",
            sa.Numeric(10, 4),
            nullable=True,
            comment="What the extraction cost, in US dollars.",
        ),
        sa.Column(
            "extracted_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it was extracted.",
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
        sa.Column(
            "search",
            postgresql.TSVECTOR(),
            sa.Computed(
                "setweight(to_tsvector('english', title), 'A') || "
                "setweight(to_tsvector('english', left(coalesce(\"text\", ''), "
                "150000)), 'B')",
                persisted=True,
            ),
            nullable=True,
            comment="The words of title and text, as full-text search wants them.",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_documents")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "collection_id"],
            ["collections.workspace_id", "collections.id"],
            name=op.f("fk_documents_workspace_id_collection_id"),
            ondelete="SET NULL (collection_id)",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "owner_id"],
            ["workspace_members.workspace_id", "workspace_members.user_id"],
            name=op.f("fk_documents_workspace_id_owner_id"),
            ondelete="SET NULL (owner_id)",
        ),
        sa.CheckConstraint("btrim(title) <> ''", name=op.f("ck_documents_title")),
        sa.CheckConstraint(
            "page_count BETWEEN 0 AND 1000000", name=op.f("ck_documents_page_count")
        ),
        sa.CheckConstraint(
            "btrim(file_name) <> ''", name=op.f("ck_documents_file_name")
        ),
        sa.CheckConstraint(
            "file_size BETWEEN 0 AND 9007199254740992",
            name=op.f("ck_documents_file_size"),
        ),
        sa.CheckConstraint(
            "sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_documents_sha256")
        ),
        sa.CheckConstraint(
            "source IN ('upload', 'email', 'vision_extract', "
            "'batch_import', 'api', 'manual')",
            name=op.f("ck_documents_source_word"),
        ),
        sa.CheckConstraint(
            "ingestion_status IN ('pending', 'success', 'failed', 'retry')",
            name=op.f("ck_documents_ingestion_status_word"),
        ),
        sa.CheckConstraint(
            f"ingested_at BETWEEN {READABLE}",
            name=op.f("ck_documents_ingested_at_readable"),
        ),
        sa.CheckConstraint(
            "length(error_message) <= 2000", name=op.f("ck_documents_error_message")
        ),
        sa.CheckConstraint(
            "processing_status IN ('pending', 'running', 'completed', 'failed')",
            name=op.f("ck_documents_processing_status_word"),
        ),
        sa.CheckConstraint("length(text) <= 5000000", name=op.f("ck_documents_text")),
        sa.CheckConstraint(
            "jsonb_typeof(metadata_extracted) = 'object'",
            name=op.f("ck_documents_metadata_extracted_object"),
        ),
        sa.CheckConstraint(
            "pg_column_size(metadata_extracted) <= 262144",
            name=op.f("ck_documents_metadata_extracted_size"),
        ),
        sa.CheckConstraint(
            "jsonb_typeof(metadata) = 'object'",
            name=op.f("ck_documents_metadata_object"),
        ),
        sa.CheckConstraint(
            "pg_column_size(metadata) <= 262144",
            name=op.f("ck_documents_metadata_size"),
        ),
        sa.CheckConstraint(
            "classification_status IN ('pending', 'completed', 'failed')",
            name=op.f("ck_documents_classification_status_word"),
        ),
        sa.CheckConstraint(
            "classification_confidence BETWEEN 0 AND 1",
            name=op.f("ck_documents_classification_confidence"),
        ),
        sa.CheckConstraint(
            "classification_confidence > '-Infinity' AND "
            "classification_confidence < 'Infinity'",
            name=op.f("ck_documents_classification_confidence_finite"),
        ),
        sa.CheckConstraint(
            "jsonb_typeof(extraction_data) = 'object'",
            name=op.f("ck_documents_extraction_data_object"),
        ),
        sa.CheckConstraint(
            "pg_column_size(extraction_data) <= 262144",
            name=op.f("ck_documents_extraction_data_size"),
        ),
        sa.CheckConstraint(
            "extraction_cost BETWEEN 0 AND 999999.9999",
            name=op.f("ck_documents_extraction_cost"),
        ),
        sa.CheckConstraint(
            "extraction_cost <> 'NaN'", name=op.f("ck_documents_extraction_cost_number")
        ),
        sa.CheckConstraint(
            f"extracted_at BETWEEN {READABLE}",
            name=op.f("ck_documents_extracted_at_readable"),
        ),
        sa.CheckConstraint(
            "btrim(external_ref) <> ''", name=op.f("ck_documents_external_ref")
        ),
        sa.CheckConstraint(
            f"created_at BETWEEN {READABLE}",
            name=op.f("ck_documents_created_at_readable"),
        ),
        sa.CheckConstraint(
            f"updated_at BETWEEN {READABLE}",
            name=op.f("ck_documents_updated_at_readable"),
        ),
    )
    op.create_index(
        "idx_documents_sha256",
        "documents",
        ["workspace_id", "sha256"],
        unique=True,
        postgresql_where=sa.text("sha256 IS NOT NULL"),
    )
    op.create_index(
        "idx_documents_title",
        "documents",
        ["workspace_id", sa.text("title DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index(
        "idx_documents_user_id", "documents", ["workspace_id", "owner_id", "id"]
    )
    op.create_index(
        "idx_documents_collection_id",
        "documents",
        ["workspace_id", "collection_id", "id"],
    )
    op.create_index(
        "idx_documents_source", "documents", ["workspace_id", "source", "id"]
    )
    op.create_index(
        "idx_documents_extraction_type",
        "documents",
        ["workspace_id", "extraction_type", "id"],
        postgresql_where=sa.text("extraction_type IS NOT NULL"),
    )
    op.create_index(
        "idx_documents_unclassified",
        "documents",
        ["workspace_id", sa.text("ingested_at DESC NULLS LAST"), sa.text("id DESC")],
        postgresql_where=sa.text("classification_status IS NULL"),
    )
    op.create_index(
        "idx_documents_classification",
        "documents",
        ["workspace_id", "classification", "id"],
    )
    op.create_index(
        "idx_documents_ingested_at",
        "documents",
        ["workspace_id", sa.text("ingested_at DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index(
        "idx_documents_created",
        "documents",
        ["workspace_id", sa.text("created_at DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index(
        "idx_documents_updated_at",
        "documents",
        ["workspace_id", sa.text("updated_at DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index(
        "idx_documents_file_size",
        "documents",
        ["workspace_id", sa.text("file_size DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index(
        "uq_documents_external_ref",
        "documents",
        ["workspace_id", "external_ref"],
        unique=True,
        postgresql_where=sa.text("external_ref IS NOT NULL"),
    )
    op.create_index(
        "idx_documents_search",
        "documents",
        ["workspace_id", "search"],
        postgresql_using="gin",
    )


def _create_hash_index() -> None:
    op.create_table(
        "hash_index",
        sa.Column(
            "workspace_id",
            sa.Uuid(),
            nullable=False,
            comment="The workspace that the row belongs to.",
        ),
        sa.Column("id", sa.Uuid(), nullable=False, comment="The key of the row."),
        sa.Column(
            "file_hash", sa.String(64), nullable=False, comment="SHA-256 of the file."
        ),
        sa.Column(
            "document_id",
            sa.Uuid(),
            nullable=False,
            comment="The document with this content.",
        ),
        sa.Column(
            "first_seen",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the file was first taken in.",
        ),
        sa.Column(
            "last_seen",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the file was last seen.",
        ),
        sa.Column(
            "duplicate_count",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="How often it was seen again.",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was first stored.",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_hash_index")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "document_id"],
            ["documents.workspace_id", "documents.id"],
            name=op.f("fk_hash_index_workspace_id_document_id"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "file_hash ~ '^[0-9a-f]{64}$'", name=op.f("ck_hash_index_file_hash")
        ),
        sa.CheckConstraint(
            f"first_seen BETWEEN {READABLE}",
            name=op.f("ck_hash_index_first_seen_readable"),
        ),
        sa.CheckConstraint(
            f"last_seen BETWEEN {READABLE}",
            name=op.f("ck_hash_index_last_seen_readable"),
        ),
        sa.CheckConstraint(
            f"created_at BETWEEN {READABLE}",
            name=op.f("ck_hash_index_created_at_readable"),
        ),
    )
    op.create_index(
        "idx_hash_index_file_hash",
        "hash_index",
        ["workspace_id", "file_hash"],
        unique=True,
    )
    op.create_index(
        "idx_hash_index_document", "hash_index", ["workspace_id", "document_id"]
    )


def _create_document_links() -> None:
    op.create_table(
        "document_links",
        sa.Column(
            "workspace_id",
            sa.Uuid(),
            nullable=False,
            comment="The workspace that the row belongs to.",
        ),
        sa.Column("id", sa.Uuid(), nullable=False, comment="The key of the row."),
        sa.Column(
            "document_id",
            sa.Uuid(),
            nullable=False,
            comment="The document that is linked.",
        ),
        sa.Column(
            "entity_type",
            sa.Text(),
            nullable=False,
            comment="The kind of thing that it is about.",
        ),
        sa.Column("entity_id", sa.Uuid(), nullable=False, comment="What it is about."),
        sa.Column(
            "relation",
            sa.String(100),
            server_default="about",
            nullable=False,
            comment=(
                "What the document is to it, such as `about`, `evidence` or `invoice`."
            ),
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was first stored.",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_document_links")),
        sa.UniqueConstraint(
            "workspace_id",
            "document_id",
            "entity_type",
            "entity_id",
            name=op.f("uq_document_links_workspace_id_document_id_entity_type__264b"),
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "document_id"],
            ["documents.workspace_id", "documents.id"],
            name=op.f("fk_document_links_workspace_id_document_id"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "entity_type IN ('party', 'role', 'commitment', 'signal', "
            "'document', 'collection', 'tag', 'annotation', "
            "'knowledge_node', 'knowledge_edge')",
            name=op.f("ck_document_links_entity_type_word"),
        ),
        sa.CheckConstraint(
            "btrim(relation) <> ''", name=op.f("ck_document_links_relation")
        ),
        sa.CheckConstraint(
            f"created_at BETWEEN {READABLE}",
            name=op.f("ck_document_links_created_at_readable"),
        ),
    )
    op.create_index(
        "idx_doclinks_entity",
        "document_links",
        ["workspace_id", "entity_id", "entity_type", "id"],
    )
    op.create_index(
        "idx_doclinks_document", "document_links", ["workspace_id", "document_id", "id"]
    )


def _create_document_tags() -> None:
    op.create_table(
        "document_tags",
        sa.Column(
            "workspace_id",
            sa.Uuid(),
            nullable=False,
            comment="The workspace that the row belongs to.",
        ),
        sa.Column("id", sa.Uuid(), nullable=False, comment="The key of the row."),
        sa.Column(
            "document_id",
            sa.Uuid(),
            nullable=False,
            comment="The document that bears the tag.",
        ),
        sa.Column("tag_id", sa.Uuid(), nullable=False, comment="The tag."),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was first stored.",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_document_tags")),
        sa.UniqueConstraint(
            "workspace_id",
            "document_id",
            "tag_id",
            name=op.f("uq_document_tags_workspace_id_document_id_tag_id"),
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "document_id"],
            ["documents.workspace_id", "documents.id"],
            name=op.f("fk_document_tags_workspace_id_document_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "tag_id"],
            ["tags.workspace_id", "tags.id"],
            name=op.f("fk_document_tags_workspace_id_tag_id"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            f"created_at BETWEEN {READABLE}",
            name=op.f("ck_document_tags_created_at_readable"),
        ),
    )
    op.create_index(
        "idx_document_tags_document_id",
        "document_tags",
        ["workspace_id", "document_id", "tag_id"],
    )
    op.create_index(
        "idx_document_tags_tag_id",
        "document_tags",
        ["workspace_id", "tag_id", "document_id"],
    )


def _create_annotations() -> None:
    op.create_table(
        "annotations",
        sa.Column(
            "workspace_id",
            sa.Uuid(),
            nullable=False,
            comment="The workspace that the row belongs to.",
        ),
        sa.Column("id", sa.Uuid(), nullable=False, comment="The key of the row."),
        sa.Column(
            "document_id",
            sa.Uuid(),
            nullable=False,
            comment="The document that it stands in.",
        ),
        sa.Column(
            "author_id",
            sa.Uuid(),
            nullable=True,
            comment="The member who wrote it; by default who made it.",
        ),
        sa.Column(
            "kind",
            sa.Text(),
            server_default="note",
            nullable=False,
            comment="What it does.",
        ),
        sa.Column("text", sa.Text(), nullable=True, comment="What was noted."),
        sa.Column(
            "quote",
            sa.Text(),
            nullable=True,
            comment="The words it refers to, to find the place again by.",
        ),
        sa.Column(
            "start_offset",
            sa.Integer(),
            nullable=True,
            comment=(
                "Where the words begin, in characters from the start of the text."
            ),
        ),
        sa.Column(
            "end_offset",
            sa.Integer(),
            nullable=True,
            comment="Where the words end, exclusive.",
        ),
        sa.Column(
            "page", sa.Integer(), nullable=True, comment="The page, counted from 1."
        ),
        sa.Column(
            "color", sa.String(7), nullable=True, comment="Its color, as `#rrggbb`."
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
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_annotations")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "author_id"],
            ["workspace_members.workspace_id", "workspace_members.user_id"],
            name=op.f("fk_annotations_workspace_id_author_id"),
            ondelete="SET NULL (author_id)",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "document_id"],
            ["documents.workspace_id", "documents.id"],
            name=op.f("fk_annotations_workspace_id_document_id"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "kind IN ('highlight', 'note', 'comment', 'bookmark')",
            name=op.f("ck_annotations_kind_word"),
        ),
        sa.CheckConstraint("length(text) <= 20000", name=op.f("ck_annotations_text")),
        sa.CheckConstraint("length(quote) <= 20000", name=op.f("ck_annotations_quote")),
        sa.CheckConstraint(
            "start_offset BETWEEN 0 AND 2147483647",
            name=op.f("ck_annotations_start_offset"),
        ),
        sa.CheckConstraint(
            "end_offset BETWEEN 0 AND 2147483647",
            name=op.f("ck_annotations_end_offset"),
        ),
        sa.CheckConstraint(
            "page BETWEEN 1 AND 1000000", name=op.f("ck_annotations_page")
        ),
        sa.CheckConstraint(
            "color ~ '^#[0-9a-fA-F]{6}$'", name=op.f("ck_annotations_color")
        ),
        sa.CheckConstraint(
            "btrim(external_ref) <> ''", name=op.f("ck_annotations_external_ref")
        ),
        sa.CheckConstraint(
            f"created_at BETWEEN {READABLE}",
            name=op.f("ck_annotations_created_at_readable"),
        ),
        sa.CheckConstraint(
            f"updated_at BETWEEN {READABLE}",
            name=op.f("ck_annotations_updated_at_readable"),
        ),
        sa.CheckConstraint(
            "start_offset <= end_offset", name=op.f("ck_annotations_start_before_end")
        ),
    )
    op.create_index(
        "idx_annotations_document", "annotations", ["workspace_id", "document_id", "id"]
    )
    op.create_index(
        "idx_annotations_author", "annotations", ["workspace_id", "author_id", "id"]
    )
    op.create_index(
        "idx_annotations_created_at",
        "annotations",
        ["workspace_id", sa.text("created_at DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index(
        "uq_annotations_external_ref",
        "annotations",
        ["workspace_id", "external_ref"],
        unique=True,
        postgresql_where=sa.text("external_ref IS NOT NULL"),
    )


def _create_signals() -> None:
    op.create_table(
        "signals",
        sa.Column(
            "workspace_id",
            sa.Uuid(),
            nullable=False,
            comment="The workspace that the row belongs to.",
        ),
        sa.Column("id", sa.Uuid(), nullable=False, comment="The key of the row."),
        sa.Column("source", sa.Text(), nullable=False, comment="The way it came in."),
        sa.Column(
            "payload_json",
            postgresql.JSONB(),
            nullable=False,
            comment="What came in, as it came.",
        ),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it came in.",
        ),
        sa.Column(
            "status",
            sa.Text(),
            server_default="new",
            nullable=False,
            comment="What has become of it.",
        ),
        sa.Column(
            "dedupe_key",
            sa.String(255),
            nullable=True,
            comment=(
                "The sender's name for it; the same signal sent twice is stored once."
            ),
        ),
        sa.Column(
            "extraction_id",
            sa.Uuid(),
            nullable=True,
            comment="The document that was made of it.",
        ),
        sa.Column(
            "extraction_cost",
            sa.Numeric(10, 4),
            nullable=True,
            comment="What it cost to understand it, in US dollars.",
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
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_signals")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "extraction_id"],
            ["documents.workspace_id", "documents.id"],
            name=op.f("fk_signals_workspace_id_extraction_id"),
            ondelete="SET NULL (extraction_id)",
        ),
        sa.CheckConstraint(
            "source IN ('vision_upload', 'email', 'api', 'manual')",
            name=op.f("ck_signals_source_word"),
        ),
        sa.CheckConstraint(
            "jsonb_typeof(payload_json) = 'object'",
            name=op.f("ck_signals_payload_json_object"),
        ),
        sa.CheckConstraint(
            "pg_column_size(payload_json) <= 262144",
            name=op.f("ck_signals_payload_json_size"),
        ),
        sa.CheckConstraint(
            f"received_at BETWEEN {READABLE}",
            name=op.f("ck_signals_received_at_readable"),
        ),
        sa.CheckConstraint(
            "status IN ('new', 'processing', 'attached', 'archived')",
            name=op.f("ck_signals_status_word"),
        ),
        sa.CheckConstraint(
            "btrim(dedupe_key) <> ''", name=op.f("ck_signals_dedupe_key")
        ),
        sa.CheckConstraint(
            "extraction_cost BETWEEN 0 AND 999999.9999",
            name=op.f("ck_signals_extraction_cost"),
        ),
        sa.CheckConstraint(
            "extraction_cost <> 'NaN'", name=op.f("ck_signals_extraction_cost_number")
        ),
        sa.CheckConstraint(
            f"created_at BETWEEN {READABLE}",
            name=op.f("ck_signals_created_at_readable"),
        ),
        sa.CheckConstraint(
            f"updated_at BETWEEN {READABLE}",
            name=op.f("ck_signals_updated_at_readable"),
        ),
    )
    op.create_index("idx_signals_status", "signals", ["workspace_id", "status", "id"])
    op.create_index(
        "idx_signals_received",
        "signals",
        ["workspace_id", sa.text("received_at DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index(
        "idx_signals_dedupe",
        "signals",
        ["workspace_id", "dedupe_key"],
        unique=True,
        postgresql_where=sa.text("dedupe_key IS NOT NULL"),
    )
    op.create_index(
        "idx_signals_extraction", "signals", ["workspace_id", "extraction_id", "id"]
    )
    op.create_index(
        "idx_signals_created_at",
        "signals",
        ["workspace_id", sa.text("created_at DESC NULLS LAST"), sa.text("id DESC")],
    )
