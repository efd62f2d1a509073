"""From what lines are called and refer to, to the rows that are meant.

For each type, in the order in which rows are written, two tables are made: `found`
(which row each line is, stored or new) and `ends` (which rows it refers to). A line
that fails is taken out of `found` before the types that may refer to it have their
turn, so that what refers to a refused line is refused as well.
"""

from uuid import UUID

from .connecting import Connection
from .identity import settle_twins
from .kinds import ANY, BY_NAME, KINDS, Field, Kind, quoted
from .refusing import refuse
from .sql import joined, sql
from .staging import Staging
from .targets import find_targets

_FIND = """
CREATE TEMP TABLE {found} AS
SELECT s.n, s.ref, {fresh} AS fresh, coalesce({stored}) AS stored,
       coalesce({stored}, {fresh}) AS key,
       {by_nature} AS by_nature, true AS main, false AS duplicate
FROM {source} {joins}
"""

_RESOLVE = """
CREATE TEMP TABLE {ends} AS
SELECT s.n {columns} FROM {lines} AS s {joins}
"""


async def resolve(
    connection: Connection, staging: Staging, workspace_id: UUID
) -> None:
    """Make `found` and `ends` of all types."""
    for kind in KINDS:
        for role in ("found", "ends"):
            await connection.execute(f"DROP TABLE IF EXISTS {kind.temporary(role)}")
    for kind in KINDS:
        if kind.known_by_references:
            await _find_ends(connection, kind, workspace_id, others="ends")
            await _find(connection, kind, workspace_id)
        else:
            await _find(connection, kind, workspace_id)
            await _find_ends(connection, kind, workspace_id, others="found")
        if staging.lines[kind.name]:
            await settle_twins(connection, kind, workspace_id)


async def _find(connection: Connection, kind: Kind, workspace_id: UUID) -> None:
    """Find out which row each line is: by its ref, its key, or its nature."""
    lines, ends = kind.temporary("lines"), kind.temporary("ends")
    joins: list[str] = []
    if kind.keeps_ref:
        joins.append(_lookup(kind, "a", ["external_ref = s.ref"]))
    if kind.is_entity:
        joins.append(_lookup(kind, "b", ["id = s.ref_key"], after="a" * bool(joins)))
    before_nature = len(joins)
    if kind.natural:
        same = [f"{quoted(c)} = {holder(kind, c)}" for c in kind.natural]
        joins.append(_lookup(kind, "c", same, after="ab"[2 - before_nature :]))
    aliases = [join.split(" AS ")[1][0] for join in joins]
    fresh = "s.id" if kind.keeps_ref or not kind.is_entity else "coalesce(s.ref_key, s.id)"
    source = f"{lines} AS s"
    if kind.known_by_references:
        source += f" JOIN {ends} AS e USING (n)"
    await connection.execute(
        sql(
            _FIND,
            found=kind.temporary("found"),
            fresh=fresh,
            stored=joined([f"{alias}.id" for alias in aliases]),
            by_nature=_by_nature(aliases) if kind.natural else "false",
            source=source,
            joins=" ".join(joins),
        ),
        workspace_id,
    )
    await connection.execute(f"CREATE INDEX ON {kind.temporary('found')} (ref)")
    await connection.execute(f"ANALYZE {kind.temporary('found')}")
