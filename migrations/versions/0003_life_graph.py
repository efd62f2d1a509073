"""Parties, their roles, and the commitments that these carry."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = ("parties", "roles", "commitments")

# What Python can read, and a life graph needs.
READABLE = "'1900-01-01T00:00:00+00:00' AND '2200-01-01T00:00:00+00:00'"


def upgrade() -> None:
    _create_parties()
    _create_roles()
    _create_commitments()
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


def _create_parties() -> None:
    op.create_table(
        "parties",
        sa.Column(
            "workspace_id",
            sa.Uuid(),
            nullable=False,
            comment="The workspace that the row belongs to.",
        ),
        sa.Column("id", sa.Uuid(), nullable=False, comment="The key of the row."),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="Whether it is a person or an organization.",
        ),
        sa.Column(
            "name", sa.String(255), nullable=False, comment="The name people use."
        ),
        sa.Column(
            "tax_id",
            sa.String(50),
            nullable=True,
            comment="The number under which it pays taxes.",
        ),
        sa.Column(
            "contact_json",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment=(
                "How to reach it: emails, phones, addresses, urls, and whatever else."
            ),
        ),
        sa.Column(
            "metadata",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Whatever you wish to keep with it.",
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
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_parties")),
        sa.CheckConstraint(
            "kind IN ('person', 'org')", name=op.f("ck_parties_kind_word")
        ),
        sa.CheckConstraint("btrim(name) <> ''", name=op.f("ck_parties_name")),
        sa.CheckConstraint(
            "jsonb_typeof(contact_json) = 'object'",
            name=op.f("ck_parties_contact_json_object"),
        ),
        sa.CheckConstraint(
            "pg_column_size(contact_json) <= 262144",
            name=op.f("ck_parties_contact_json_size"),
        ),
        sa.CheckConstraint(
            "jsonb_typeof(metadata) = 'object'", name=op.f("ck_parties_metadata_object")
        ),
        sa.CheckConstraint(
            "pg_column_size(metadata) <= 262144", name=op.f("ck_parties_metadata_size")
        ),
        sa.CheckConstraint(
            "btrim(external_ref) <> ''", name=op.f("ck_parties_external_ref")
        ),
        sa.CheckConstraint(
            f"created_at BETWEEN {READABLE}",
            name=op.f("ck_parties_created_at_readable"),
        ),
        sa.CheckConstraint(
            f"updated_at BETWEEN {READABLE}",
            name=op.f("ck_parties_updated_at_readable"),
        ),
    )
    op.create_index(
        "idx_parties_name_trgm",
        "parties",
        ["workspace_id", "name"],
        postgresql_using="gin",
        postgresql_ops={"name": "gin_trgm_ops"},
    )
    op.create_index(
        "idx_parties_name",
        "parties",
        ["workspace_id", sa.text("name DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index("idx_parties_kind", "parties", ["workspace_id", "kind", "id"])
    op.create_index(
        "idx_parties_tax_id",
        "parties",
        ["workspace_id", "tax_id"],
        postgresql_where=sa.text("tax_id IS NOT NULL"),
    )
    op.create_index(
        "idx_parties_created_at",
        "parties",
        ["workspace_id", sa.text("created_at DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index(
        "idx_parties_updated_at",
        "parties",
        ["workspace_id", sa.text("updated_at DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index(
        "uq_parties_external_ref",
        "parties",
        ["workspace_id", "external_ref"],
        unique=True,
        postgresql_where=sa.text("external_ref IS NOT NULL"),
    )


def _create_roles() -> None:
    op.create_table(
        "roles",
        sa.Column(
            "workspace_id",
            sa.Uuid(),
            nullable=False,
            comment="The workspace that the row belongs to.",
        ),
        sa.Column("id", sa.Uuid(), nullable=False, comment="The key of the row."),
        sa.Column(
            "party_id",
            sa.Uuid(),
            nullable=False,
            comment="The party that stands in the role.",
        ),
        sa.Column(
            "user_id",
            sa.Uuid(),
            nullable=True,
            comment=(
                "The user whose role it is or who keeps it; by default who made it."
            ),
        ),
        sa.Column(
            "role_name",
            sa.String(100),
            nullable=False,
            comment="What the role is called.",
        ),
        sa.Column(
            "domain_tags",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="The areas of life or work that it belongs to.",
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
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_roles")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "party_id"],
            ["parties.workspace_id", "parties.id"],
            name=op.f("fk_roles_workspace_id_party_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "user_id"],
            ["workspace_members.workspace_id", "workspace_members.user_id"],
            name=op.f("fk_roles_workspace_id_user_id"),
            ondelete="SET NULL (user_id)",
        ),
        sa.CheckConstraint("btrim(role_name) <> ''", name=op.f("ck_roles_role_name")),
        sa.CheckConstraint(
            "cardinality(domain_tags) <= 50", name=op.f("ck_roles_domain_tags")
        ),
        sa.CheckConstraint(
            "coalesce(array_ndims(domain_tags), 1) = 1 AND "
            "array_position(domain_tags, NULL) IS NULL",
            name=op.f("ck_roles_domain_tags_list"),
        ),
        sa.CheckConstraint(
            "btrim(external_ref) <> ''", name=op.f("ck_roles_external_ref")
        ),
        sa.CheckConstraint(
            f"created_at BETWEEN {READABLE}", name=op.f("ck_roles_created_at_readable")
        ),
        sa.CheckConstraint(
            f"updated_at BETWEEN {READABLE}", name=op.f("ck_roles_updated_at_readable")
        ),
    )
    op.create_index("idx_roles_party", "roles", ["workspace_id", "party_id", "id"])
    op.create_index("idx_roles_user", "roles", ["workspace_id", "user_id", "id"])
    op.create_index(
        "idx_roles_role_name",
        "roles",
        ["workspace_id", sa.text("role_name DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index(
        "idx_roles_domains",
        "roles",
        ["workspace_id", "domain_tags"],
        postgresql_using="gin",
    )
    op.create_index(
        "idx_roles_created_at",
        "roles",
        ["workspace_id", sa.text("created_at DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index(
        "idx_roles_updated_at",
        "roles",
        ["workspace_id", sa.text("updated_at DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index(
        "uq_roles_external_ref",
        "roles",
        ["workspace_id", "external_ref"],
        unique=True,
        postgresql_where=sa.text("external_ref IS NOT NULL"),
    )


def _create_commitments() -> None:
    op.create_table(
        "commitments",
        sa.Column(
            "workspace_id",
            sa.Uuid(),
            nullable=False,
            comment="The workspace that the row belongs to.",
        ),
        sa.Column("id", sa.Uuid(), nullable=False, comment="The key of the row."),
        sa.Column(
            "role_id", sa.Uuid(), nullable=False, comment="The role that is bound."
        ),
        sa.Column(
            "commitment_type",
            sa.Text(),
            nullable=False,
            comment="What sort of commitment it is.",
        ),
        sa.Column(
            "title", sa.String(500), nullable=False, comment="What is owed, in a line."
        ),
        sa.Column(
            "description", sa.Text(), nullable=True, comment="What is owed, at length."
        ),
        sa.Column("source", sa.Text(), nullable=False, comment="Where it was found."),
        sa.Column(
            "counterparty_id",
            sa.Uuid(),
            nullable=True,
            comment="The party to whom it is owed.",
        ),
        sa.Column(
            "due_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it is due; for a routine, when it is first due.",
        ),
        sa.Column(
            "rrule",
            sa.String(1000),
            nullable=True,
            comment=(
                "How it repeats, as an RFC 5545 rule such as `FREQ=WEEKLY;BYDAY=MO`."
            ),
        ),
        sa.Column(
            "priority",
            sa.Integer(),
            server_default=sa.text("50"),
            nullable=False,
            comment="0 (whenever) to 100 (now).",
        ),
        sa.Column(
            "state",
            sa.Text(),
            server_default="accepted",
            nullable=False,
            comment="How far it has come; by default ACCEPTED.",
        ),
        sa.Column(
            "severity",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="How bad it would be to miss it: 0 (not at all) to 100.",
        ),
        sa.Column(
            "domain_tags",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="The areas of life or work that it belongs to.",
        ),
        sa.Column(
            "reason",
            sa.Text(),
            nullable=True,
            comment=(
                "Why it stands as it does: the reason given when it was made "
                "or last moved to another state."
            ),
        ),
        sa.Column(
            "metadata",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Whatever you wish to keep with it.",
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
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_commitments")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "counterparty_id"],
            ["parties.workspace_id", "parties.id"],
            name=op.f("fk_commitments_workspace_id_counterparty_id"),
            ondelete="SET NULL (counterparty_id)",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "role_id"],
            ["roles.workspace_id", "roles.id"],
            name=op.f("fk_commitments_workspace_id_role_id"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "commitment_type IN ('obligation', 'responsibility', 'goal', "
            "'routine', 'appointment', 'compliance')",
            name=op.f("ck_commitments_commitment_type_word"),
        ),
        sa.CheckConstraint("btrim(title) <> ''", name=op.f("ck_commitments_title")),
        sa.CheckConstraint(
            "length(description) <= 20000", name=op.f("ck_commitments_description")
        ),
        sa.CheckConstraint(
            "source IN ('email', 'doc', 'vision_extract', 'api', 'manual')",
            name=op.f("ck_commitments_source_word"),
        ),
        sa.CheckConstraint(
            f"due_at BETWEEN {READABLE}", name=op.f("ck_commitments_due_at_readable")
        ),
        sa.CheckConstraint(
            "priority BETWEEN 0 AND 100", name=op.f("ck_commitments_priority")
        ),
        sa.CheckConstraint(
            "state IN ('proposed', 'accepted', 'active', 'paused', "
            "'fulfilled', 'canceled', 'delinquent')",
            name=op.f("ck_commitments_state_word"),
        ),
        sa.CheckConstraint(
            "severity BETWEEN 0 AND 100", name=op.f("ck_commitments_severity")
        ),
        sa.CheckConstraint(
            "cardinality(domain_tags) <= 50", name=op.f("ck_commitments_domain_tags")
        ),
        sa.CheckConstraint(
            "coalesce(array_ndims(domain_tags), 1) = 1 AND "
            "array_position(domain_tags, NULL) IS NULL",
            name=op.f("ck_commitments_domain_tags_list"),
        ),
        sa.CheckConstraint(
            "length(reason) <= 2000", name=op.f("ck_commitments_reason")
        ),
        sa.CheckConstraint(
            "jsonb_typeof(metadata) = 'object'",
            name=op.f("ck_commitments_metadata_object"),
        ),
        sa.CheckConstraint(
            "pg_column_size(metadata) <= 262144",
            name=op.f("ck_commitments_metadata_size"),
        ),
        sa.CheckConstraint(
            "btrim(external_ref) <> ''", name=op.f("ck_commitments_external_ref")
        ),
        sa.CheckConstraint(
            f"created_at BETWEEN {READABLE}",
            name=op.f("ck_commitments_created_at_readable"),
        ),
        sa.CheckConstraint(
            f"updated_at BETWEEN {READABLE}",
            name=op.f("ck_commitments_updated_at_readable"),
        ),
    )
    op.create_index(
        "idx_commitments_role", "commitments", ["workspace_id", "role_id", "id"]
    )
    op.create_index(
        "idx_commitments_state_due",
        "commitments",
        [
            "workspace_id",
            "state",
            sa.text("due_at DESC NULLS LAST"),
            sa.text("id DESC"),
        ],
    )
    op.create_index(
        "idx_commitments_priority",
        "commitments",
        ["workspace_id", sa.text("priority DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index(
        "idx_commitments_due_at",
        "commitments",
        ["workspace_id", sa.text("due_at DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index(
        "idx_commitments_title",
        "commitments",
        ["workspace_id", sa.text("title DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index(
        "idx_commitments_type", "commitments", ["workspace_id", "commitment_type", "id"]
    )
    op.create_index(
        "idx_commitments_domains",
        "commitments",
        ["workspace_id", "domain_tags"],
        postgresql_using="gin",
    )
    op.create_index(
        "idx_commitments_counterparty",
        "commitments",
        ["workspace_id", "counterparty_id", "id"],
        postgresql_where=sa.text("counterparty_id IS NOT NULL"),
    )
    op.create_index(
        "idx_commitments_created_at",
        "commitments",
        ["workspace_id", sa.text("created_at DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index(
        "idx_commitments_updated_at",
        "commitments",
        ["workspace_id", sa.text("updated_at DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.create_index(
        "uq_commitments_external_ref",
        "commitments",
        ["workspace_id", "external_ref"],
        unique=True,
        postgresql_where=sa.text("external_ref IS NOT NULL"),
    )
