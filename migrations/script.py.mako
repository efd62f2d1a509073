"""${message}.

What rows become of this, and whether an old server can work beside it.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision: str = ${repr(up_revision)}
down_revision: str | Sequence[str] | None = ${repr(down_revision)}
branch_labels: str | Sequence[str] | None = ${repr(branch_labels)}
depends_on: str | Sequence[str] | None = ${repr(depends_on)}

# A new table with a workspace_id needs all that `0003_life_graph.py` does for one:
# forced row-level security, the policy `tenant`, grants for graph_api, and, where its
# rows change, the trigger `touch`; where its changes are told, `needs_interaction`.
#
# Row-level security is forced: even the owner of a table sees none of its rows. Where
# rows are read or changed, as in `UPDATE parties SET ...`, lift that for the length of
# the transaction, and let the log know, or `needs_interaction` refuses the change:
#
#     op.execute("ALTER TABLE parties NO FORCE ROW LEVEL SECURITY")
#     ...
#     op.execute("ALTER TABLE parties FORCE ROW LEVEL SECURITY")
#
# Autogenerate sees no CHECK constraints: write down those of new columns as well.
# A new column that may not be null on a table with rows: add it, fill it, then
# constrain it. An index on a large table is built beside the work on it:
#
#     with op.get_context().autocommit_block():
#         op.create_index(..., postgresql_concurrently=True)


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
