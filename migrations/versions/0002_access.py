"""Workspaces, users, their memberships, and keys of requests that were answered."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# What Python can read, and a life graph needs.
READABLE = "'1900-01-01T00:00:00+00:00' AND '2200-01-01T00:00:00+00:00'"


def upgrade() -> None:
    _create_workspaces()
    _create_users()
    _create_workspace_members()
    _create_idempotency_keys()
    for table in ("workspaces", "users", "workspace_members", "idempotency_keys"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for table in ("workspaces", "users"):
        op.execute(
            f"CREATE TRIGGER touch BEFORE UPDATE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION app.touch()"
        )
    for table in ("workspace_members", "idempotency_keys"):
        op.execute(
            f"CREATE POLICY tenant ON {table} TO graph_api "
            "USING (workspace_id = (SELECT app.workspace())) "
            "WITH CHECK (workspace_id = (SELECT app.workspace()))"
        )
    # What no workspace owns can be seen from where one belongs to it, and not changed.
    op.execute(
        "CREATE POLICY tenant ON workspaces FOR SELECT TO graph_api "
        "USING (id = (SELECT app.workspace()))"
    )
    op.execute(
        "CREATE POLICY tenant ON users FOR SELECT TO graph_api USING (EXISTS ("
        "SELECT FROM workspace_members AS member WHERE member.user_id = users.id "
        "AND member.workspace_id = (SELECT app.workspace())))"
    )
    op.execute("GRANT SELECT ON workspaces, workspace_members TO graph_api")
    # All but password_hash.
    op.execute(
        "GRANT SELECT (id, username, email, full_name, preferences, theme, ai_model, "
        "is_active, last_login_at, created_at, updated_at, version) "
        "ON users TO graph_api"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO graph_api")


def downgrade() -> None:
    # The policy of `users` reads `workspace_members`.
    op.execute("DROP POLICY tenant ON users")
    for table in ("idempotency_keys", "workspace_members", "users", "workspaces"):
        op.drop_table(table)


def _create_workspaces() -> None:
    op.create_table(
        "workspaces",
        sa.Column("id", sa.Uuid(), nullable=False, comment="The key of the row."),
        sa.Column(
            "name", sa.String(255), nullable=False, comment="The name people use."
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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspaces")),
        sa.CheckConstraint("btrim(name) <> ''", name=op.f("ck_workspaces_name")),
        sa.CheckConstraint(
            f"created_at BETWEEN {READABLE}",
            name=op.f("ck_workspaces_created_at_readable"),
        ),
        sa.CheckConstraint(
            f"updated_at BETWEEN {READABLE}",
            name=op.f("ck_workspaces_updated_at_readable"),
        ),
    )


def _create_users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False, comment="The key of the row."),
        sa.Column(
            "username",
            sa.String(255),
            nullable=False,
            comment="The name to sign in with; unique.",
        ),
        sa.Column(
            "email",
            sa.String(255),
            nullable=True,
            comment="The address for mail; unique.",
        ),
        sa.Column(
            "password_hash",
            sa.String(255),
            nullable=True,
            comment="Argon2, never shown.",
        ),
        sa.Column(
            "full_name",
            sa.String(255),
            nullable=True,
            comment="The name to show, where it differs from the username.",
        ),
        sa.Column(
            "preferences",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="What clients remember for the user.",
        ),
        sa.Column(
            "theme",
            sa.String(50),
            nullable=True,
            comment="The look that the user prefers, such as `dark`.",
        ),
        sa.Column(
            "ai_model",
            sa.String(100),
            nullable=True,
            comment="The language model that the user prefers.",
        ),
        sa.Column(
            "is_active",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="Whether the user may sign in.",
        ),
        sa.Column(
            "last_login_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the user last signed in.",
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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.CheckConstraint("btrim(username) <> ''", name=op.f("ck_users_username")),
        sa.CheckConstraint("btrim(email) <> ''", name=op.f("ck_users_email")),
        sa.CheckConstraint(
            "jsonb_typeof(preferences) = 'object'",
            name=op.f("ck_users_preferences_object"),
        ),
        sa.CheckConstraint(
            "pg_column_size(preferences) <= 262144",
            name=op.f("ck_users_preferences_size"),
        ),
        sa.CheckConstraint(
            f"last_login_at BETWEEN {READABLE}",
            name=op.f("ck_users_last_login_at_readable"),
        ),
        sa.CheckConstraint(
            f"created_at BETWEEN {READABLE}", name=op.f("ck_users_created_at_readable")
        ),
        sa.CheckConstraint(
            f"updated_at BETWEEN {READABLE}", name=op.f("ck_users_updated_at_readable")
        ),
    )
    op.create_index("idx_users_created_at", "users", ["created_at"])
    op.create_index("idx_users_username", "users", ["username"], unique=True)
    op.create_index("idx_users_email", "users", ["email"], unique=True)


def _create_workspace_members() -> None:
    op.create_table(
        "workspace_members",
        sa.Column(
            "workspace_id",
            sa.Uuid(),
            nullable=False,
            comment="The workspace that the row belongs to.",
        ),
        sa.Column("id", sa.Uuid(), nullable=False, comment="The key of the row."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="Who is a member."),
        sa.Column("role", sa.Text(), nullable=False, comment="What the member may do."),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was first stored.",
        ),
        sa.PrimaryKeyConstraint(
            "workspace_id", "id", name=op.f("pk_workspace_members")
        ),
        sa.UniqueConstraint(
            "workspace_id",
            "user_id",
            name=op.f("uq_workspace_members_workspace_id_user_id"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_workspace_members_user_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspaces.id"],
            name=op.f("fk_workspace_members_workspace_id"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "role IN ('owner', 'editor', 'viewer', 'agent')",
            name=op.f("ck_workspace_members_role_word"),
        ),
        sa.CheckConstraint(
            f"created_at BETWEEN {READABLE}",
            name=op.f("ck_workspace_members_created_at_readable"),
        ),
    )
    op.create_index("idx_workspace_members_user", "workspace_members", ["user_id"])


def _create_idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column(
            "workspace_id",
            sa.Uuid(),
            nullable=False,
            comment="The workspace that the row belongs to.",
        ),
        sa.Column(
            "key",
            sa.String(200),
            nullable=False,
            comment="The client's name for the request.",
        ),
        sa.Column(
            "request_hash",
            sa.String(64),
            nullable=False,
            comment="SHA-256 of the mutation and its input.",
        ),
        sa.Column(
            "result",
            postgresql.JSONB(),
            nullable=False,
            comment=(
                "Ids and versions of what it changed, from which it is answered again."
            ),
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was first used.",
        ),
        sa.PrimaryKeyConstraint(
            "workspace_id", "key", name=op.f("pk_idempotency_keys")
        ),
        sa.CheckConstraint(
            "jsonb_typeof(result) = 'object'",
            name=op.f("ck_idempotency_keys_result_object"),
        ),
        sa.CheckConstraint(
            "pg_column_size(result) <= 262144",
            name=op.f("ck_idempotency_keys_result_size"),
        ),
        sa.CheckConstraint(
            f"created_at BETWEEN {READABLE}",
            name=op.f("ck_idempotency_keys_created_at_readable"),
        ),
    )
    op.create_index(
        "idx_idempotency_keys_created",
        "idempotency_keys",
        ["workspace_id", "created_at"],
    )
