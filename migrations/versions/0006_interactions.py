"""The log, which cannot be changed, and without which nothing else can be.

A change of an audited row is refused at COMMIT unless the same transaction has told of
it in `interactions`. The error comes from COMMIT, not from the statement.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import UserDefinedType

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Each by its own id.
ENTITIES = (
    "parties",
    "roles",
    "commitments",
    "signals",
    "documents",
    "collections",
    "tags",
    "annotations",
    "knowledge_graph_nodes",
    "knowledge_graph_edges",
)

# What is a change of the document that it belongs to.
PARTS_OF_DOCUMENTS = ("document_links", "document_tags")

# What Python can read, and a life graph needs.
READABLE = "'1900-01-01T00:00:00+00:00' AND '2200-01-01T00:00:00+00:00'"
APPEND_ONLY = """
CREATE FUNCTION app.append_only() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
  RAISE restrict_violation USING
    MESSAGE = format('%s is append-only: %s is refused', TG_TABLE_NAME, TG_OP);
END $$
"""

# It runs as the caller, who has to see the log of his workspace: as a function of the
# owner's it would see nothing, because row-level security is forced.
#
# It looks for the last row that is not after (entity, this transaction), which nothing
# but idx_interactions_entity has in order, and may not sort. Asked whether a row with
# the three values EXISTS, the planner, who knows nothing of a transaction that still
# runs, may as well read all that it has told so far: an import of 40,000 rows took 7
# times as long.
REQUIRE_INTERACTION = """
CREATE FUNCTION app.require_interaction() RETURNS trigger LANGUAGE plpgsql
SET enable_sort = off
AS $$
DECLARE
  workspace uuid := coalesce(NEW.workspace_id, OLD.workspace_id);
  entity uuid;
  former uuid;
  told boolean;
BEGIN
  IF TG_ARGV[0] = 'document_id' THEN
    entity := coalesce(NEW.document_id, OLD.document_id);
    former := coalesce(OLD.document_id, NEW.document_id);
  ELSE
    entity := coalesce(NEW.id, OLD.id);
    former := entity;
  END IF;
  LOOP
    SELECT (primary_entity_id, xid) = (entity, pg_current_xact_id()) INTO told
    FROM public.interactions
    WHERE workspace_id = workspace
      AND (primary_entity_id, xid) <= (entity, pg_current_xact_id())
    ORDER BY primary_entity_id DESC, xid DESC
    LIMIT 1;
    IF told IS NOT TRUE THEN
      RAISE integrity_constraint_violation USING
        MESSAGE = format(
          '%s of %s %s has no interaction', TG_OP, TG_TABLE_NAME, entity),
        HINT = 'Tell it in interactions, in the same transaction.';
    END IF;
    EXIT WHEN entity = former;
    entity := former;
  END LOOP;
  RETURN NULL;
END $$
"""

AUDIT_LOG = """
CREATE VIEW audit_log WITH (security_invoker = true) AS
SELECT id,
       primary_entity_id AS document_id,
       split_part(type, '.', 2) AS action,
       created_at AS action_timestamp,
       coalesce(actor_label::text, actor_id::text, actor_type) AS user_or_system,
       before AS old_value,
       after AS new_value,
       reason::text AS change_reason
FROM interactions
WHERE primary_entity_type = 'document'
"""

AUDIT_LOG_COMMENTS = {
    "id": "The key of the interaction.",
    "document_id": "The document that it was done to.",
    "action": "What was done, such as `classified`.",
    "action_timestamp": "When it was done.",
    "user_or_system": "Who did it: the name of a program or model, or a user's id.",
    "old_value": "The columns that changed, as they were.",
    "new_value": "The columns that changed, as they became.",
    "change_reason": "Why it was done.",
}


class Xid8(UserDefinedType[int]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


def upgrade() -> None:
    _create_interactions()
    _protect_interactions()
    _forbid_changes()
    op.execute(REQUIRE_INTERACTION)
    op.execute(
        "COMMENT ON FUNCTION app.require_interaction() IS "
        "'Refuses what interactions does not tell of'"
    )
    for table in ENTITIES:
        _audit(table, "id")
    for table in PARTS_OF_DOCUMENTS:
        _audit(table, "document_id")
    _create_audit_log()


def downgrade() -> None:
    op.execute("DROP VIEW audit_log")
    for table in (*PARTS_OF_DOCUMENTS, *ENTITIES):
        op.execute(f"DROP TRIGGER needs_interaction ON {table}")
    op.execute("DROP FUNCTION app.require_interaction()")
    op.drop_table("interactions")
    op.execute("DROP FUNCTION app.append_only()")


def _protect_interactions() -> None:
    op.execute("ALTER TABLE interactions ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE interactions FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY tenant ON interactions TO graph_api "
        "USING (workspace_id = (SELECT app.workspace())) "
        "WITH CHECK (workspace_id = (SELECT app.workspace()))"
    )
    # Without xid and position: a forged one would let a change pass untold.
    op.execute(
        "GRANT SELECT, INSERT (workspace_id, id, type, actor_type, actor_id, "
        "actor_label, primary_entity_type, primary_entity_id, related_entities, "
        "metadata, cost, before, after, reason, request_id, change_set_id, undo_of, "
        "created_at) ON interactions TO graph_api"
    )


def _forbid_changes() -> None:
    op.execute(APPEND_ONLY)
    op.execute("COMMENT ON FUNCTION app.append_only() IS 'Refuses every change'")
    op.execute(
        "CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON interactions "
        "FOR EACH ROW EXECUTE FUNCTION app.append_only()"
    )
    op.execute(
        "CREATE TRIGGER no_truncate BEFORE TRUNCATE ON interactions "
        "FOR EACH STATEMENT EXECUTE FUNCTION app.append_only()"
    )
    # Also for a session whose session_replication_role is replica.
    for trigger in ("no_change", "no_truncate"):
        op.execute(f"ALTER TABLE interactions ENABLE ALWAYS TRIGGER {trigger}")


def _audit(table: str, key: str) -> None:
    op.execute(
        f"CREATE CONSTRAINT TRIGGER needs_interaction AFTER INSERT OR UPDATE OR DELETE "
        f"ON {table} DEFERRABLE INITIALLY DEFERRED "
        f"FOR EACH ROW EXECUTE FUNCTION app.require_interaction('{key}')"
    )


def _create_audit_log() -> None:
    op.execute(AUDIT_LOG)
    op.execute("COMMENT ON VIEW audit_log IS 'The log of documents'")
    for column, comment in AUDIT_LOG_COMMENTS.items():
        quoted = comment.replace("'", "''")
        op.execute(f"COMMENT ON COLUMN audit_log.{column} IS '{quoted}'")
    op.execute("GRANT SELECT ON audit_log TO graph_api")


def _create_interactions() -> None:
    op.create_table(
        "interactions",
        sa.Column(
            "workspace_id",
            sa.Uuid(),
            nullable=False,
            comment="The workspace that the row belongs to.",
        ),
        sa.Column("id", sa.Uuid(), nullable=False, comment="The key of the row."),
        sa.Column(
            "position",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="Its place in the log; later ones have greater numbers.",
        ),
        sa.Column(
            "xid",
            Xid8(),
            server_default=sa.text("pg_current_xact_id()"),
            nullable=False,
            comment="The transaction that it was written in.",
        ),
        sa.Column(
            "type",
            sa.String(100),
            nullable=False,
            comment="What was done, such as `commitment.accepted`.",
        ),
        sa.Column(
            "actor_type",
            sa.Text(),
            nullable=False,
            comment="What sort of actor did it.",
        ),
        sa.Column("actor_id", sa.Uuid(), nullable=True, comment="Who did it."),
        sa.Column(
            "actor_label",
            sa.String(255),
            nullable=True,
            comment="The name of the program or model that did it.",
        ),
        sa.Column(
            "primary_entity_type",
            sa.Text(),
            nullable=False,
            comment="The kind of thing that it was done to.",
        ),
        sa.Column(
            "primary_entity_id",
            sa.Uuid(),
            nullable=False,
            comment="What it was done to.",
        ),
        sa.Column(
            "related_entities",
            postgresql.JSONB(),
            server_default=sa.text("'[]'"),
            nullable=False,
            comment="What else it concerns, as a list of {type, id}.",
        ),
        sa.Column(
            "metadata",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="What else there is to say.",
        ),
        sa.Column(
            "cost",
            sa.Numeric(10, 4),
            nullable=True,
            comment="What it cost, in US dollars.",
        ),
        sa.Column(
            "before",
            postgresql.JSONB(),
            nullable=True,
            comment=("The columns that changed, as they were; null for something new."),
        ),
        sa.Column(
            "after",
            postgresql.JSONB(),
            nullable=True,
            comment=("The columns that changed, as they became; null for a deletion."),
        ),
        sa.Column(
            "reason",
            sa.String(2000),
            nullable=True,
            comment="Why it was done, in the words of who did it.",
        ),
        sa.Column(
            "request_id",
            sa.Uuid(),
            nullable=True,
            comment="The request that did it, as in the header `X-Request-Id`.",
        ),
        sa.Column(
            "change_set_id",
            sa.Uuid(),
            nullable=True,
            comment=(
                "What was done together: a deletion with all it took along, an import."
            ),
        ),
        sa.Column(
            "undo_of",
            sa.Uuid(),
            nullable=True,
            comment="The interaction that it undoes.",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was done.",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_interactions")),
        sa.CheckConstraint(
            "actor_type IN ('user', 'agent', 'system')",
            name=op.f("ck_interactions_actor_type_word"),
        ),
        sa.CheckConstraint(
            "primary_entity_type IN ('party', 'role', 'commitment', "
            "'signal', 'document', 'collection', 'tag', 'annotation', "
            "'knowledge_node', 'knowledge_edge')",
            name=op.f("ck_interactions_primary_entity_type_word"),
        ),
        sa.CheckConstraint(
            "jsonb_typeof(related_entities) = 'array'",
            name=op.f("ck_interactions_related_entities_array"),
        ),
        sa.CheckConstraint(
            "pg_column_size(related_entities) <= 262144",
            name=op.f("ck_interactions_related_entities_size"),
        ),
        sa.CheckConstraint(
            "jsonb_typeof(metadata) = 'object'",
            name=op.f("ck_interactions_metadata_object"),
        ),
        sa.CheckConstraint(
            "pg_column_size(metadata) <= 262144",
            name=op.f("ck_interactions_metadata_size"),
        ),
        sa.CheckConstraint("cost <> 'NaN'", name=op.f("ck_interactions_cost_number")),
        sa.CheckConstraint(
            "jsonb_typeof(before) = 'object'",
            name=op.f("ck_interactions_before_object"),
        ),
        sa.CheckConstraint(
            "jsonb_typeof(after) = 'object'", name=op.f("ck_interactions_after_object")
        ),
        sa.CheckConstraint(
            f"created_at BETWEEN {READABLE}",
            name=op.f("ck_interactions_created_at_readable"),
        ),
    )
    op.create_index(
        "idx_interactions_entity",
        "interactions",
        ["workspace_id", "primary_entity_id", "xid", "position"],
    )
    op.create_index(
        "idx_interactions_type", "interactions", ["workspace_id", "type", "position"]
    )
    op.create_index(
        "idx_interactions_created",
        "interactions",
        [
            "workspace_id",
            sa.text("created_at DESC NULLS LAST"),
            sa.text("position DESC"),
        ],
    )
    op.create_index(
        "idx_interactions_actor",
        "interactions",
        ["workspace_id", "actor_id", "position"],
        postgresql_where=sa.text("actor_id IS NOT NULL"),
    )
    op.create_index(
        "idx_interactions_change_set",
        "interactions",
        ["workspace_id", "change_set_id", "position"],
        postgresql_where=sa.text("change_set_id IS NOT NULL"),
    )
    op.create_index(
        "idx_interactions_position", "interactions", ["workspace_id", "position"]
    )
    op.create_index(
        "idx_interactions_feed", "interactions", ["workspace_id", "xid", "position"]
    )
