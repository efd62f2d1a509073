"""Collections lie in collections: none in itself, and the outer ones come first."""

from uuid import UUID

from graph_api.transfer.connecting import Connection
from graph_api.transfer.kinds import COLLECTIONS
from graph_api.transfer.refusing import refuse
from graph_api.transfer.sql import sql

LEVELS = "import_levels"

# Whoever is not reached from above lies in a circle, or below one.
_LEVELS = sql(
    """
CREATE TEMP TABLE import_levels AS
WITH RECURSIVE parents AS (
  SELECT f.key AS id, {parent} AS parent_id
  FROM {found} AS f {sources}
  LEFT JOIN {stored} AS t ON t.workspace_id = $1 AND t.id = f.stored
  UNION ALL
  SELECT t.id, t.parent_id FROM {stored} AS t
  WHERE t.workspace_id = $1
    AND NOT EXISTS (SELECT FROM {found} AS f WHERE f.stored = t.id)
),
levels AS (
  SELECT id, 0 AS level FROM parents WHERE parent_id IS NULL
  UNION ALL
  SELECT p.id, l.level + 1 FROM parents AS p JOIN levels AS l ON p.parent_id = l.id
)
SELECT id, level FROM levels
""",
    parent=COLLECTIONS.when_given(COLLECTIONS.field("parent"), "t.parent_id"),
    found=COLLECTIONS.temporary("found"),
    sources=COLLECTIONS.sources,
    stored=COLLECTIONS.stored,
)

_CIRCLES = sql(
    """
SELECT f.n, 'parent' AS field, 'leads, through others perhaps, back to the collection '
       'itself' AS reason, NULL::bigint AS other, true AS direct
FROM {found} AS f WHERE NOT EXISTS (SELECT FROM import_levels WHERE id = f.key)
""",
    found=COLLECTIONS.temporary("found"),
)


async def refuse_circles(connection: Connection, workspace_id: UUID) -> None:
    """Refuse collections that would lie in themselves; note how deep the others lie."""
    await connection.execute(f"DROP TABLE IF EXISTS {LEVELS}")
    await connection.execute(_LEVELS, workspace_id)
    await refuse(connection, COLLECTIONS, "found", _CIRCLES)
