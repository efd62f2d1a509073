"""From what lines are called and refer to, to the rows that are meant.

For each type, in the order in which rows are written, two tables are made: `found`
(which row each line is, stored or new) and `ends` (which rows it refers to). A line
that fails is taken out before the types that may refer to it have their turn, so that
what refers to a refused line is refused as well.
"""

from uuid import UUID

from graph_api.transfer.connecting import Connection
from graph_api.transfer.hierarchy import refuse_circles
from graph_api.transfer.identity import settle_keys, settle_nature, settle_refs
from graph_api.transfer.kinds import (
    ANNOTATIONS,
    ANY,
    BY_NAME,
    COLLECTIONS,
    KINDS,
    Field,
    Kind,
    quoted,
)
from graph_api.transfer.refusing import refuse
from graph_api.transfer.spans import INVERTED
from graph_api.transfer.sql import joined, sql
from graph_api.transfer.staging import Staging
from graph_api.transfer.targets import AMBIGUOUS, find_targets

_FIND = """
CREATE TEMP TABLE {found} AS
SELECT s.n, s.ref, coalesce({stored}) AS stored, coalesce({stored}, {fresh}) AS key,
       {by_nature} AS by_nature, true AS main, false AS duplicate
FROM {source} {joins}
"""

_RESOLVE = """
CREATE TEMP TABLE {ends} AS
SELECT s.n, {columns} FROM {source} {joins}
"""

# Of lines that refer to one that is refused.
_REFERS_TO_REFUSED = """
SELECT e.n, '{field}' AS field, 'names a line that is refused itself' AS reason,
       r.n AS other, false AS direct
FROM {ends} AS e JOIN {alive} AS a USING (n) JOIN {lines} AS s USING (n)
JOIN import_refusals AS r ON r.type = '{to}' AND r.ref = s.{ref}
WHERE NOT EXISTS (SELECT FROM {found} AS f WHERE f.ref = r.ref)
"""

_REFERS_TO_NOTHING = """
SELECT e.n, '{field}' AS field,
       format('names %L, which is neither {a} of these lines nor one that is stored',
              left(s.{ref}, 100)) AS reason,
       NULL::bigint AS other, true AS direct
FROM {ends} AS e JOIN {alive} AS a USING (n) JOIN {lines} AS s USING (n)
WHERE s.{ref} IS NOT NULL AND e.{column} IS NULL
"""


async def resolve(connection: Connection, staging: Staging, workspace_id: UUID) -> None:
    """Make `found` and `ends` of all types."""
    for kind in KINDS:
        for role in ("found", "ends"):
            await connection.execute(f"DROP TABLE IF EXISTS {kind.temporary(role)}")
    for kind in KINDS:
        if kind.known_by_references:
            await _find_ends(connection, kind, workspace_id)
            await _find(connection, kind, workspace_id)
            await settle_refs(connection, kind)
        else:
            await _find(connection, kind, workspace_id)
            await settle_refs(connection, kind)
            await _find_ends(connection, kind, workspace_id)
        if kind is COLLECTIONS and staging.lines[kind.name]:
            await refuse_circles(connection, workspace_id)
        if kind is ANNOTATIONS:
            await refuse(connection, kind, "found", INVERTED, workspace_id)
        if staging.lines[kind.name]:
            await settle_nature(connection, kind, workspace_id)
            await settle_keys(connection, kind)


async def _find(connection: Connection, kind: Kind, workspace_id: UUID) -> None:
    """Find which row each line is: by its ref, or its key, or its nature."""
    lookups: dict[str, list[str]] = {}
    if kind.keeps_ref:
        lookups["by_ref"] = ["external_ref = s.ref"]
    if kind.is_entity:
        lookups["by_key"] = ["id = s.ref_key"]
    if kind.natural:
        same = [f"{quoted(c)} = {kind.held(c)}" for c in kind.natural]
        lookups["by_nature"] = same
    source = f"{kind.temporary('lines')} AS s"
    if kind.known_by_references:
        source += f" JOIN {kind.temporary('ends')} AS e USING (n)"
    # Signals have no ref of their own: theirs is the key, here as where they come from.
    takes_key = kind.is_entity and not kind.keeps_ref
    await connection.execute(
        sql(
            _FIND,
            found=kind.temporary("found"),
            fresh="coalesce(s.ref_key, s.id)" if takes_key else "s.id",
            stored=joined([f"{alias}.id" for alias in lookups]),
            by_nature="by_nature.id IS NOT NULL" if kind.natural else "false",
            source=source,
            joins=_first_of(kind, lookups),
        ),
        workspace_id,
    )
    await connection.execute(f"CREATE INDEX ON {kind.temporary('found')} (ref)")
    await connection.execute(f"ANALYZE {kind.temporary('found')}")


async def _find_ends(connection: Connection, kind: Kind, workspace_id: UUID) -> None:
    """Find the rows that lines refer to, and refuse those that refer to none."""
    if not kind.references:
        return
    alive = "lines" if kind.known_by_references else "found"
    source = f"{kind.temporary('lines')} AS s"
    if alive == "found":
        source += f" JOIN {kind.temporary('found')} AS a USING (n)"
    columns: list[str] = []
    joins: list[str] = []
    for field in kind.references:
        if field.refers_to == ANY:
            await find_targets(connection, kind, field, workspace_id)
        for column, expression in _columns(field).items():
            columns.append(f"{expression} AS {quoted(column)}")
        joins.append(_joins(field))
    ends = kind.temporary("ends")
    await connection.execute(
        sql(
            _RESOLVE,
            ends=ends,
            columns=joined(columns),
            source=source,
            joins=" ".join(joins),
        ),
        workspace_id,
    )
    await connection.execute(f"CREATE INDEX ON {ends} (n)")
    await connection.execute(f"ANALYZE {ends}")
    for field in kind.references:
        await _refuse_dangling(connection, kind, field, alive)


async def _refuse_dangling(
    connection: Connection, kind: Kind, field: Field, alive: str
) -> None:
    # What is refused may not be looked at again: `ends` decides where it comes first.
    role = "ends" if alive == "lines" else "found"
    if field.refers_to == ANY:
        await refuse(connection, kind, role, AMBIGUOUS)
        return
    assert field.refers_to is not None
    to = BY_NAME[field.refers_to]
    parts = {
        "field": field.name,
        "ends": kind.temporary("ends"),
        "alive": kind.temporary(alive),
        "lines": kind.temporary("lines"),
        "found": to.temporary("found"),
        "to": to.name,
        "a": f"a {to.name}",
        "ref": quoted(f"{field.column.name}_ref"),
        "column": quoted(field.column.name),
    }
    # Again and again where a type refers to itself: each may bring down others.
    while await refuse(connection, kind, role, sql(_REFERS_TO_REFUSED, **parts)):
        if to is not kind:
            break
    if await refuse(connection, kind, role, sql(_REFERS_TO_NOTHING, **parts)):
        while to is kind and await refuse(
            connection, kind, role, sql(_REFERS_TO_REFUSED, **parts)
        ):
            pass


def _columns(field: Field) -> dict[str, str]:
    """What `ends` has for a reference."""
    name = field.column.name
    if field.refers_to == ANY:
        return {"entity_type": "target.entity_type", name: "target.entity_id"}
    assert field.refers_to is not None
    aliases = [f"{name}_{way}" for way in _ways(BY_NAME[field.refers_to])]
    keys = [f"{quoted(alias)}.id" for alias in aliases]
    return {name: f"coalesce({quoted(name + '_line')}.key, {joined(keys)})"}


def _joins(field: Field) -> str:
    """The joins that lead to what a reference means: a line, or else a stored row."""
    name = field.column.name
    ref, key = f"s.{quoted(name + '_ref')}", f"s.{quoted(name + '_key')}"
    if field.refers_to == ANY:
        type = f"coalesce(s.{quoted(name + '_type')}, '')"
        return (
            "LEFT JOIN import_targets AS target ON target.choices = 1 "
            f"AND target.ref = {ref} AND target.type = {type}"
        )
    assert field.refers_to is not None
    to = BY_NAME[field.refers_to]
    line = quoted(f"{name}_line")
    ways = {"ref": [f"external_ref = {ref}"], "key": [f"id = {key}"]}
    lookups = {f"{name}_{way}": ways[way] for way in _ways(to)}
    found = to.temporary("found")
    return f"LEFT JOIN {found} AS {line} ON {line}.ref = {ref} " + _first_of(
        to, lookups, f"{line}.key IS NULL"
    )


def _ways(to: Kind) -> tuple[str, ...]:
    return ("ref", "key") if to.keeps_ref else ("key",)


def _first_of(kind: Kind, lookups: dict[str, list[str]], *unless: str) -> str:
    """Joins of stored rows of `kind`, each where those before it found nothing.

    A lookup is an alias with conditions on the columns of the row.
    """
    joins, before = list[str](), list(unless)
    for alias, conditions in lookups.items():
        here = quoted(alias)
        own = [f"{here}.{condition}" for condition in conditions]
        on = " AND ".join([f"{here}.workspace_id = $1", *own, *before])
        joins.append(f"LEFT JOIN {kind.stored} AS {here} ON {on}")
        before.append(f"{here}.id IS NULL")
    return " ".join(joins)
