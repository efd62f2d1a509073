"""What links lead to: a reference that may name a line or a row of any type."""

from uuid import UUID

from graph_api.transfer.connecting import Connection
from graph_api.transfer.kinds import ENTITIES, LINKS, Field, Kind, quoted
from graph_api.transfer.sql import sql

_WANT = """
CREATE TEMP TABLE import_wanted AS
SELECT DISTINCT {ref} AS ref, {key} AS key, coalesce({type}, '') AS type FROM {lines}
"""

# A ref counts before a key, and a refused line before all others.
_OF_REFUSED = """
SELECT w.ref, w.type, 0 AS rank, NULL AS entity_type, NULL::uuid AS entity_id,
       r.n AS other, r.type AS named
FROM import_wanted AS w JOIN import_refusals AS r USING (ref)
WHERE (w.type = '' AND r.type IN ({names})) OR w.type = {entity_type_of}
"""
_OF_LINES = """
SELECT w.ref, w.type, 1, '{entity_type}', f.key, NULL::bigint, '{name}'
FROM import_wanted AS w JOIN {found} AS f USING (ref)
WHERE w.type IN ('', '{entity_type}')
"""
_OF_ROWS = """
SELECT w.ref, w.type, {rank}, '{entity_type}', t.id, NULL::bigint, '{name}'
FROM import_wanted AS w
JOIN {stored} AS t ON t.workspace_id = $1 AND t.{column} = w.{by}
WHERE w.type IN ('', '{entity_type}')
"""

_CHOOSE = """
CREATE TEMP TABLE import_targets AS
WITH candidates AS ({candidates}),
ranked AS (
  SELECT *, min(rank) OVER (PARTITION BY ref, type) AS least FROM candidates
)
SELECT ref, type, least, min(entity_type) AS entity_type,
       (array_agg(entity_id))[1] AS entity_id, min(other) AS other,
       CASE WHEN least = 0 THEN 0 ELSE count(*) END AS choices,
       array_agg(named ORDER BY named) AS named
FROM ranked WHERE rank = least GROUP BY ref, type, least
"""

# Of links whose target is not exactly one.
AMBIGUOUS = sql(
    """
SELECT e.n, 'target' AS field,
       CASE
         WHEN x.least = 0 THEN 'names a line that is refused itself'
         WHEN x.choices > 1 THEN
           format('names %L, which is a %s: write %s', left(s.{ref}, 100),
                  array_to_string(x.named, ' and a '),
                  left(x.named[1] || ':' || s.{ref}, 100))
         ELSE format('names %L, which is neither one of these lines nor one that is '
                     'stored', left(s.{ref}, 100))
       END AS reason,
       x.other, coalesce(x.least, 1) > 0 AS direct
FROM {ends} AS e JOIN {lines} AS s USING (n)
LEFT JOIN import_targets AS x
  ON x.ref = s.{ref} AND x.type = coalesce(s.{type}, '')
WHERE e.entity_id IS NULL
""",
    ends=LINKS.temporary("ends"),
    lines=LINKS.temporary("lines"),
    ref=quoted("entity_id_ref"),
    type=quoted("entity_id_type"),
)


async def find_targets(
    connection: Connection, kind: Kind, field: Field, workspace_id: UUID
) -> None:
    """Make `import_targets`: for each reference of `field` what it may mean."""
    await connection.execute("DROP TABLE IF EXISTS import_wanted, import_targets")
    ref, key, type = (quoted(name) for name, _ in field.staged)
    lines = kind.temporary("lines")
    await connection.execute(sql(_WANT, ref=ref, key=key, type=type, lines=lines))
    await connection.execute("ANALYZE import_wanted")
    candidates = [_of_refused(), *(part for k in ENTITIES for part in _of(k))]
    await connection.execute(
        sql(_CHOOSE, candidates=" UNION ".join(candidates)), workspace_id
    )
    await connection.execute("ANALYZE import_targets")


def _of_refused() -> str:
    names = ", ".join(f"'{kind.name}'" for kind in ENTITIES)
    cases = " ".join(
        f"WHEN '{kind.name}' THEN '{kind.entity_type}'" for kind in ENTITIES
    )
    return sql(_OF_REFUSED, names=names, entity_type_of=f"CASE r.type {cases} END")


def _of(kind: Kind) -> list[str]:
    parts = {
        "entity_type": kind.entity_type,
        "name": kind.name,
        "found": kind.temporary("found"),
        "stored": kind.stored,
    }
    by_key = sql(_OF_ROWS, rank="2", column="id", by="key", **parts)
    by_ref = sql(_OF_ROWS, rank="1", column="external_ref", by="ref", **parts)
    return [sql(_OF_LINES, **parts), *([by_ref] if kind.keeps_ref else []), by_key]
