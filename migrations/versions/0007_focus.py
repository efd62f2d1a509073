"""What is open, in the order of its urgency: the index that `focus` is read along."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "idx_commitments_focus",
        "commitments",
        [
            "workspace_id",
            sa.text("due_at DESC NULLS LAST"),
            sa.text("priority ASC NULLS FIRST"),
            sa.text("id DESC"),
        ],
        postgresql_where=sa.text("state IN ('accepted', 'active', 'delinquent')"),
    )


def downgrade() -> None:
    op.drop_index("idx_commitments_focus", "commitments")
