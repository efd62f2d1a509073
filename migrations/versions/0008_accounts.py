"""Keys, invitations and passwords; who is not yet anybody can be found by what he has.

Nobody knows a workspace before a credential names it. So a transaction may say what was
presented (`app.credential`, `app.sign_in`), or who has proven to be somebody
(`app.user`), and policies show what that alone leads to, as they show a workspace's
rows by `app.workspace`. No function has its owner's rights, and nobody is exempt.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# What Python can read, and a life graph needs.
READABLE = "'1900-01-01T00:00:00+00:00' AND '2200-01-01T00:00:00+00:00'"

ENTITIES = (
    "'party', 'role', 'commitment', 'signal', 'document', 'collection', 'tag', "
    "'annotation', 'knowledge_node', 'knowledge_edge'"
)
ACCESS = "'workspace', 'user', 'membership', 'invitation', 'api_key'"
SCOPES = (
    "'read', 'parties:write', 'commitments:write', 'documents:write', "
    "'signals:write', 'knowledge:write', 'workspace:admin'"
)

# Like app.workspace(): what is not set is NULL, and shows nothing.
FUNCTIONS = {
    "user": ("uuid", "Who has proven to be this user"),
    "credential": ("text", "The SHA-256 of the key or the code that was presented"),
    "sign_in": ("text", "The username or e-mail that wants to sign in"),
}

OWN = "(SELECT app.user())"
PRESENTED = "(SELECT app.credential())"
HERE = "(SELECT app.workspace())"

# What the application may set; a trigger sets versions.
OF_WORKSPACES = "INSERT (id, name), UPDATE (name, updated_at)"
OF_USERS = (
    "INSERT (id, username, email, full_name, theme, ai_model, last_login_at), "
    "UPDATE (username, email, full_name, preferences, theme, ai_model, is_active, "
    "last_login_at, updated_at)"
)

OWN_WORKSPACES = """
CREATE POLICY own ON workspaces FOR SELECT TO graph_api USING (EXISTS (
  SELECT FROM workspace_members AS member
  WHERE member.workspace_id = workspaces.id AND member.user_id = (SELECT app.user())))
"""

# The earlier log has no words for what is told of access.
FORGET_ACCESS = (
    "ALTER TABLE interactions NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE interactions DISABLE TRIGGER no_change",
    (
        "DELETE FROM interactions WHERE primary_entity_type IN "
        "('workspace', 'user', 'membership', 'invitation', 'api_key')"
    ),
    "ALTER TABLE interactions ENABLE ALWAYS TRIGGER no_change",
    "ALTER TABLE interactions FORCE ROW LEVEL SECURITY",
)

KEEP_PASSWORDS = """
INSERT INTO user_passwords (user_id, password_hash)
SELECT id, password_hash FROM users WHERE password_hash IS NOT NULL
"""
GIVE_PASSWORDS_BACK = """
UPDATE users SET password_hash = known.password_hash
FROM user_passwords AS known WHERE known.user_id = users.id
"""


def upgrade() -> None:
    for name, (type_, comment) in FUNCTIONS.items():
        op.execute(
            f"CREATE FUNCTION app.{name}() RETURNS {type_} "
            "LANGUAGE sql STABLE PARALLEL SAFE AS "
            f"$$ SELECT nullif(current_setting('app.{name}', true), '')::{type_} $$"
        )
        op.execute(f"COMMENT ON FUNCTION app.{name}() IS '{comment}'")
    op.add_column(
        "workspace_members",
        sa.Column(
            "left_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment=(
                "When the member left, or was removed; null for who is one still."
            ),
        ),
    )
    op.create_check_constraint(
        op.f("ck_workspace_members_left_at_readable"),
        "workspace_members",
        f"left_at BETWEEN {READABLE}",
    )
    _create_api_keys()
    _create_invitations()
    _create_user_passwords()
    for table in ("api_keys", "invitations", "user_passwords"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    _move_passwords(KEEP_PASSWORDS)
    op.drop_column("users", "password_hash")
    _let_in()
    _let_write()
    _tell_of(f"{ENTITIES}, {ACCESS}")


def downgrade() -> None:
    for statement in FORGET_ACCESS:
        op.execute(statement)
    _tell_of(ENTITIES)
    op.add_column(
        "users",
        sa.Column(
            "password_hash",
            sa.String(255),
            nullable=True,
            comment="Argon2, never shown.",
        ),
    )
    _move_passwords(GIVE_PASSWORDS_BACK)
    for policy, table in (
        ("own", "workspaces"),
        ("administered", "workspaces"),
        ("founded", "workspaces"),
        ("own", "users"),
        ("sign_in", "users"),
        ("changed", "users"),
        ("joined", "users"),
        ("own", "workspace_members"),
    ):
        op.execute(f"DROP POLICY {policy} ON {table}")
    op.execute(f"REVOKE {OF_WORKSPACES} ON workspaces FROM graph_api")
    op.execute(f"REVOKE {OF_USERS} ON users FROM graph_api")
    op.execute(
        "REVOKE INSERT, UPDATE (role, left_at) ON workspace_members FROM graph_api"
    )
    op.drop_table("user_passwords")
    op.drop_table("invitations")
    op.drop_table("api_keys")
    op.drop_column("workspace_members", "left_at")
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION app.{name}()")


def _let_in() -> None:
    """What a credential, a name or a user leads to, in whatever workspace."""
    for table in ("api_keys", "invitations"):
        op.execute(
            f"CREATE POLICY tenant ON {table} TO graph_api "
            f"USING (workspace_id = {HERE}) WITH CHECK (workspace_id = {HERE})"
        )
    op.execute(
        "CREATE POLICY presented ON api_keys FOR SELECT TO graph_api "
        f"USING (key_hash = {PRESENTED})"
    )
    op.execute(
        "CREATE POLICY presented ON invitations FOR SELECT TO graph_api "
        f"USING (code_hash = {PRESENTED})"
    )
    op.execute(
        "CREATE POLICY own ON workspace_members FOR SELECT TO graph_api "
        f"USING (user_id = {OWN})"
    )
    op.execute(OWN_WORKSPACES)
    op.execute(f"CREATE POLICY own ON users FOR SELECT TO graph_api USING (id = {OWN})")
    op.execute(
        "CREATE POLICY sign_in ON users FOR SELECT TO graph_api "
        "USING (username = (SELECT app.sign_in()) OR email = (SELECT app.sign_in()))"
    )
    op.execute(
        "CREATE POLICY own ON user_passwords TO graph_api "
        f"USING (user_id = {OWN}) WITH CHECK (user_id = {OWN})"
    )


def _let_write() -> None:
    """A workspace by itself, a user by himself; who may is the services' business."""
    op.execute(
        "CREATE POLICY founded ON workspaces FOR INSERT TO graph_api "
        f"WITH CHECK (id = {HERE})"
    )
    op.execute(
        "CREATE POLICY administered ON workspaces FOR UPDATE TO graph_api "
        f"USING (id = {HERE}) WITH CHECK (id = {HERE})"
    )
    op.execute(
        f"CREATE POLICY joined ON users FOR INSERT TO graph_api WITH CHECK (id = {OWN})"
    )
    op.execute(
        "CREATE POLICY changed ON users FOR UPDATE TO graph_api "
        f"USING (id = {OWN}) WITH CHECK (id = {OWN})"
    )
    op.execute(f"GRANT {OF_WORKSPACES} ON workspaces TO graph_api")
    op.execute(f"GRANT {OF_USERS} ON users TO graph_api")
    # What a member has done names him, so that he is never deleted.
    op.execute("GRANT INSERT, UPDATE (role, left_at) ON workspace_members TO graph_api")
    op.execute(
        "GRANT SELECT, INSERT, "
        "UPDATE (name, scopes, expires_at, last_used_at, revoked_at) "
        "ON api_keys TO graph_api"
    )
    op.execute(
        "GRANT SELECT, INSERT, UPDATE (accepted_at, revoked_at) "
        "ON invitations TO graph_api"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE ON user_passwords TO graph_api")


def _tell_of(words: str) -> None:
    name = op.f("ck_interactions_primary_entity_type_word")
    op.drop_constraint(name, "interactions")
    op.create_check_constraint(
        name, "interactions", f"primary_entity_type IN ({words})"
    )


def _move_passwords(statement: str) -> None:
    """As the owner, for whose eyes row-level security is lifted meanwhile."""
    for table in ("users", "user_passwords"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(statement)
    for table in ("users", "user_passwords"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _create_api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column(
            "workspace_id",
            sa.Uuid(),
            nullable=False,
            comment="The workspace that the row belongs to.",
        ),
        sa.Column("id", sa.Uuid(), nullable=False, comment="The key of the row."),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="Whom it acts for."),
        sa.Column("name", sa.String(255), nullable=False, comment="What it is for."),
        sa.Column(
            "prefix",
            sa.String(8),
            nullable=False,
            comment="Its first characters, to know it by.",
        ),
        sa.Column(
            "key_hash",
            sa.String(64),
            nullable=False,
            comment="SHA-256 of the key, in hexadecimal.",
        ),
        sa.Column(
            "scopes",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="What it may do, as far as the member may.",
        ),
        sa.Column(
            "expires_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Until when it lets in; null for as long as it is there.",
        ),
        sa.Column(
            "last_used_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it last let somebody in, within a minute.",
        ),
        sa.Column(
            "revoked_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it was revoked.",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was first stored.",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_api_keys")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "user_id"],
            ["workspace_members.workspace_id", "workspace_members.user_id"],
            name=op.f("fk_api_keys_workspace_id_user_id"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("btrim(name) <> ''", name=op.f("ck_api_keys_name")),
        sa.CheckConstraint(
            f"scopes <@ ARRAY[{SCOPES}]::text[] AND cardinality(scopes) > 0",
            name=op.f("ck_api_keys_scopes"),
        ),
        sa.CheckConstraint(
            "coalesce(array_ndims(scopes), 1) = 1 "
            "AND array_position(scopes, NULL) IS NULL",
            name=op.f("ck_api_keys_scopes_list"),
        ),
        *(
            sa.CheckConstraint(
                f"{column} BETWEEN {READABLE}",
                name=op.f(f"ck_api_keys_{column}_readable"),
            )
            for column in ("expires_at", "last_used_at", "revoked_at", "created_at")
        ),
    )
    op.create_index("idx_api_keys_user", "api_keys", ["workspace_id", "user_id"])
    op.create_index("idx_api_keys_created", "api_keys", ["workspace_id", "created_at"])
    op.create_index("idx_api_keys_key_hash", "api_keys", ["key_hash"])


def _create_invitations() -> None:
    op.create_table(
        "invitations",
        sa.Column(
            "workspace_id",
            sa.Uuid(),
            nullable=False,
            comment="The workspace that the row belongs to.",
        ),
        sa.Column("id", sa.Uuid(), nullable=False, comment="The key of the row."),
        sa.Column("email", sa.String(255), nullable=False, comment="Whom it is for."),
        sa.Column(
            "role",
            sa.Text(),
            nullable=False,
            comment="What the member may do then.",
        ),
        sa.Column(
            "code_hash",
            sa.String(64),
            nullable=False,
            comment="SHA-256 of the code, in hexadecimal.",
        ),
        sa.Column(
            "expires_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="Until when it holds.",
        ),
        sa.Column(
            "accepted_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it was accepted.",
        ),
        sa.Column(
            "revoked_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it was revoked.",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was first stored.",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_invitations")),
        sa.CheckConstraint("btrim(email) <> ''", name=op.f("ck_invitations_email")),
        sa.CheckConstraint(
            "role IN ('owner', 'editor', 'viewer', 'agent')",
            name=op.f("ck_invitations_role_word"),
        ),
        *(
            sa.CheckConstraint(
                f"{column} BETWEEN {READABLE}",
                name=op.f(f"ck_invitations_{column}_readable"),
            )
            for column in ("expires_at", "accepted_at", "revoked_at", "created_at")
        ),
    )
    op.create_index(
        "idx_invitations_created", "invitations", ["workspace_id", "created_at"]
    )
    op.create_index("idx_invitations_code_hash", "invitations", ["code_hash"])


def _create_user_passwords() -> None:
    op.create_table(
        "user_passwords",
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="Whose it is."),
        sa.Column(
            "password_hash",
            sa.String(255),
            nullable=False,
            comment="Argon2, never shown.",
        ),
        sa.Column(
            "changed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was last changed.",
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_user_passwords")),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_user_passwords_user_id"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            f"changed_at BETWEEN {READABLE}",
            name=op.f("ck_user_passwords_changed_at_readable"),
        ),
    )
