"""What an import would change: rows that are new, and rows that are different.

Only these are written, in chunks that are numbered here, so that importing the same
file again writes nothing.
"""

from uuid import UUID

from graph_api.transfer.connecting import Connection
from graph_api.transfer.hierarchy import LEVELS
from graph_api.transfer.kinds import (
    COLLECTIONS,
    DOCUMENTS,
    KINDS,
    LINKS,
    TAGGINGS,
    Kind,
    quoted,
)
from graph_api.transfer.sql import joined, sql
from graph_api.transfer.staging import Staging

# Rows a transaction: readers of the log wait for no longer one.
CHUNK_ROWS = 2_000

_NEW = """
CREATE TEMP TABLE {new} AS
SELECT f.n, f.key,
       ((sum({weight}) OVER (ORDER BY {order}))::bigint - 1) / {chunk_rows} AS chunk
FROM {found} AS f {joins}
WHERE f.main AND f.stored IS NULL {unless}
"""

_CHANGED = """
CREATE TEMP TABLE {changed} AS
SELECT f.n, f.key, f.by_nature,
       (row_number() OVER (ORDER BY {order}) - 1) / {chunk_rows} AS chunk
FROM {found} AS f {sources}
JOIN {stored} AS t ON t.workspace_id = $1 AND t.id = f.stored
WHERE f.main AND ({differs})
"""

# Links and tags of new documents go with them, where what they lead to is written
# before documents are.
_CARRIED = """
CREATE TEMP TABLE {carried} AS
SELECT f.n, e.document_id
FROM {found} AS f JOIN {ends} AS e USING (n) JOIN {documents} AS d
  ON d.key = e.document_id AND d.main AND d.stored IS NULL
WHERE f.main AND f.stored IS NULL {unless}
"""
_LATER = "AND e.entity_type NOT IN ('document', 'annotation', 'signal')"

# A document counts for more with what it carries, and with its text, whose words are
# indexed: about as long as a row takes for 4,000 characters.
_WEIGHT = """
1 + coalesce(l.count, 0) + coalesce(g.count, 0) + coalesce(length(s.text), 0) / 4000
"""
_CARRIES = """
JOIN {lines} AS s USING (n)
LEFT JOIN (SELECT document_id, count(*) FROM {links} GROUP BY 1) AS l
  ON l.document_id = f.key
LEFT JOIN (SELECT document_id, count(*) FROM {tags} GROUP BY 1) AS g
  ON g.document_id = f.key
"""

_AGAIN = """
CREATE TEMP TABLE {again} AS
SELECT f.n, f.key, (row_number() OVER (ORDER BY f.key, f.n) - 1) / {chunk_rows} AS chunk
FROM {found} AS f
WHERE f.duplicate AND NOT EXISTS (
  SELECT FROM interactions AS i
  WHERE i.workspace_id = $1 AND i.primary_entity_id = f.key
    AND i.type = 'document.duplicate_detected' AND i.metadata ->> 'ref' = f.ref
)
"""


async def compare(
    connection: Connection, staging: Staging, workspace_id: UUID
) -> dict[str, int]:
    """Make `new`, `changed` and the like; how many rows of each type they have."""
    for kind in KINDS:
        for role in ("new", "changed", "carried", "again"):
            await connection.execute(f"DROP TABLE IF EXISTS {kind.temporary(role)}")
    counts: dict[str, int] = {}
    await _find_carried(connection)
    for kind in KINDS:
        if not staging.lines[kind.name]:
            continue
        await _find_new(connection, kind)
        counts[kind.name] = await _finish(connection, kind, "new")
        if kind.mutable_fields:
            await _find_changed(connection, kind, workspace_id)
            counts[kind.name] += await _finish(connection, kind, "changed")
        if kind in {LINKS, TAGGINGS}:
            counts[kind.name] += await _finish(
                connection, kind, "carried", "document_id"
            )
    if staging.lines[DOCUMENTS.name]:
        again = sql(_AGAIN, **_parts(DOCUMENTS))
        await connection.execute(again, workspace_id)
        counts[DOCUMENTS.name] += await _finish(connection, DOCUMENTS, "again")
    return counts


def differs(kind: Kind) -> str:
    """Whether a line (`s`, `e`, `f`) says otherwise than the stored row `t`."""
    tests = []
    for field in kind.mutable_fields:
        here = kind.held(field.column.name)
        there = f"t.{quoted(field.column.name)}"
        given = "" if field.required else f"s.given & {field.bit} <> 0 AND "
        tests.append(f"({given}{there} IS DISTINCT FROM {here})")
    if kind.keeps_ref and kind.natural:
        tests.append(adopts_ref("f"))
    return joined(tests, " OR ")


def adopts_ref(found: str) -> str:
    """Whether `t`, known by its nature, gets the name that others will call it by."""
    return f"({found}.by_nature AND t.external_ref IS NULL AND s.ref IS NOT NULL)"


async def _find_carried(connection: Connection) -> None:
    for kind, unless in ((LINKS, _LATER), (TAGGINGS, "")):
        await connection.execute(
            sql(
                _CARRIED,
                documents=DOCUMENTS.temporary("found"),
                unless=unless,
                **_parts(kind),
            )
        )


async def _find_new(connection: Connection, kind: Kind) -> None:
    parts = _parts(kind) | {"weight": "1", "joins": "", "unless": ""}
    if kind is COLLECTIONS:
        # From the outside to the inside, for no chunk may name what comes later.
        parts["joins"] = f"JOIN {LEVELS} AS level ON level.id = f.key"
        parts["order"] = "level.level, f.n"
    elif kind is DOCUMENTS:
        parts["weight"] = _WEIGHT
        parts["joins"] = sql(
            _CARRIES,
            lines=kind.temporary("lines"),
            links=LINKS.temporary("carried"),
            tags=TAGGINGS.temporary("carried"),
        )
    elif kind in {LINKS, TAGGINGS}:
        parts["joins"] = f"JOIN {kind.temporary('ends')} AS e USING (n)"
        parts["order"] = "e.document_id, f.n"
        parts["unless"] = sql("AND n NOT IN (SELECT n FROM {carried})", **parts)
    await connection.execute(sql(_NEW, **parts))


async def _find_changed(connection: Connection, kind: Kind, workspace_id: UUID) -> None:
    parts = _parts(kind)
    if kind is LINKS:
        parts["order"] = "e.document_id, f.n"
    await connection.execute(sql(_CHANGED, **parts), workspace_id)


async def _finish(
    connection: Connection, kind: Kind, role: str, by: str = "chunk"
) -> int:
    table = kind.temporary(role)
    await connection.execute(f"CREATE INDEX ON {table} ({by})")
    await connection.execute(f"ANALYZE {table}")
    count = await connection.fetchval(sql("SELECT count(*) FROM {table}", table=table))
    assert isinstance(count, int)
    return count


def _parts(kind: Kind) -> dict[str, str]:
    roles = ("lines", "found", "ends", "new", "changed", "carried", "again")
    return {role: kind.temporary(role) for role in roles} | {
        "stored": kind.stored,
        "sources": kind.sources,
        "differs": differs(kind),
        "order": "f.n",
        "chunk_rows": str(CHUNK_ROWS),
    }
