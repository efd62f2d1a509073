"""Lines that are the same row: told apart, folded into one, or refused.

Two lines of one ref must say the same. What is known by its nature (a tag by its name,
an edge by its ends and type) is one row whatever it is called; a document whose file is
there already is a duplicate of it, which is counted.
"""

from uuid import UUID

from graph_api.transfer.connecting import Connection
from graph_api.transfer.kinds import DOCUMENTS, Kind, quoted
from graph_api.transfer.refusing import refuse
from graph_api.transfer.sql import joined, sql
from graph_api.transfer.staging import same_content

_SAME_REF = """
SELECT f.n, g.first FROM {found} AS f JOIN (
  SELECT ref, min(n) AS first FROM {found} WHERE ref IS NOT NULL
  GROUP BY ref HAVING count(*) > 1
) AS g USING (ref) WHERE f.n > g.first
"""

# Among lines of one row, the one that is written is the first that is no duplicate.
_SAME_KEY = """
SELECT f.n, g.first FROM {found} AS f JOIN (
  SELECT key, min(n) AS first FROM {found} WHERE NOT duplicate
  GROUP BY key HAVING count(*) > 1
) AS g USING (key) WHERE f.n > g.first AND NOT f.duplicate
"""

_SAYS_OTHERWISE = """
SELECT s.n, '{field}' AS field, '{reason}' AS reason, o.n AS other, true AS direct
FROM ({twins}) AS twin JOIN {lines} AS s USING (n)
JOIN {lines} AS o ON o.n = twin.first
WHERE NOT ({same})
"""

_SAME_NATURE = """
CREATE TEMP TABLE {again} AS
SELECT f.n, g.first, o.key AS first_key
FROM {found} AS f JOIN {lines} AS s USING (n) {ends} JOIN (
  SELECT {own}, min(n) AS first
  FROM {found} JOIN {lines} AS s USING (n) {ends}
  WHERE {filled} GROUP BY {own} HAVING count(*) > 1
) AS g ON {same_group} JOIN {found} AS o ON o.n = g.first
WHERE f.n > g.first
"""

_FOLD = """
UPDATE {found} AS f SET key = a.first_key, duplicate = {duplicate}
FROM {again} AS a WHERE a.n = f.n AND (f.stored IS NULL OR f.stored = a.first_key)
"""

_TWO_ROWS = """
SELECT f.n, '{field}' AS field, 'is that of another line, which is another row'
       AS reason, a.first AS other, true AS direct
FROM {found} AS f JOIN {again} AS a USING (n) WHERE f.key <> a.first_key
"""

_TAKEN = """
SELECT f.n, '{field}' AS field, format(
         'is that of another {type}, whose UUID is %s', t.id
       ) AS reason, NULL::bigint AS other, true AS direct
FROM {found} AS f JOIN {lines} AS s USING (n) {ends}
JOIN {stored} AS t ON t.workspace_id = $1 AND t.id <> f.key AND {same_row}
WHERE f.stored IS NOT NULL AND NOT f.by_nature
"""


async def settle_refs(connection: Connection, kind: Kind) -> None:
    """Leave one line of each ref."""
    if not kind.is_entity:
        return
    twins = sql(_SAME_REF, found=kind.temporary("found"))
    reason = "is that of another line, which says otherwise"
    await _refuse_contradictions(connection, kind, twins, "ref", reason)
    await connection.execute(
        sql(
            "DELETE FROM {found} WHERE n IN (SELECT n FROM ({twins}) AS twin)",
            found=kind.temporary("found"),
            twins=twins,
        )
    )


async def settle_nature(connection: Connection, kind: Kind, workspace_id: UUID) -> None:
    """Let lines of one nature be one row."""
    if not kind.natural:
        return
    parts = _nature(kind)
    await connection.execute(sql("DROP TABLE IF EXISTS {again}", **parts))
    await connection.execute(sql(_SAME_NATURE, **parts))
    await connection.execute(sql(_FOLD, **parts))
    await refuse(connection, kind, "found", sql(_TWO_ROWS, **parts))
    await refuse(connection, kind, "found", sql(_TAKEN, **parts), workspace_id)
    if kind is DOCUMENTS:
        await connection.execute(
            sql(
                "UPDATE {found} SET duplicate = true WHERE by_nature "
                "AND ref IS NOT NULL",
                **parts,
            )
        )


async def settle_keys(connection: Connection, kind: Kind) -> None:
    """Leave one line to be written of each row."""
    twins = sql(_SAME_KEY, found=kind.temporary("found"))
    reason = "is there twice: another line says otherwise of the same row"
    await _refuse_contradictions(connection, kind, twins, "", reason)
    await connection.execute(
        sql(
            "UPDATE {found} SET main = false "
            "WHERE duplicate OR n IN (SELECT n FROM ({twins}) AS twin)",
            found=kind.temporary("found"),
            twins=twins,
        )
    )
    await connection.execute(f"ANALYZE {kind.temporary('found')}")


async def _refuse_contradictions(
    connection: Connection, kind: Kind, twins: str, field: str, reason: str
) -> None:
    bad = sql(
        _SAYS_OTHERWISE,
        twins=twins,
        field=field,
        reason=reason,
        lines=kind.temporary("lines"),
        same=same_content(kind, "s", "o"),
    )
    await refuse(connection, kind, "found", bad)


def _nature(kind: Kind) -> dict[str, str]:
    """What the statements about a type's nature have in common."""
    own = [kind.held(column) for column in kind.natural]
    named = next(f for f in reversed(kind.fields) if f.column.name in kind.natural)
    ends = f"JOIN {kind.temporary('ends')} AS e USING (n)"
    return {
        "found": kind.temporary("found"),
        "lines": kind.temporary("lines"),
        "again": kind.temporary("again"),
        "stored": kind.stored,
        "type": kind.name,
        "ends": ends if kind.known_by_references else "",
        "own": joined(own),
        "filled": joined([f"{column} IS NOT NULL" for column in own], " AND "),
        "same_group": _equal("g", kind),
        "same_row": _equal("t", kind),
        "field": named.name,
        "duplicate": "f.ref IS NOT NULL" if kind is DOCUMENTS else "false",
    }


def _equal(alias: str, kind: Kind) -> str:
    pairs = [f"{alias}.{quoted(c)} = {kind.held(c)}" for c in kind.natural]
    return joined(pairs, " AND ")
