"""Writing new and changed rows, a chunk a transaction, each with its interaction."""

from collections.abc import Iterator
from typing import Any

from graph_api.transfer.comparing import adopts_ref, differs
from graph_api.transfer.kinds import USER, Field, Kind, quoted
from graph_api.transfer.log_sql import difference, row_json, tell, told_columns
from graph_api.transfer.sql import joined, sql

# The parts of a statement are named and not nested, so that all of them can use the
# rows of the chunk, and the log those that were really written, with their defaults.
_CREATE = """
WITH chosen AS MATERIALIZED (
  SELECT f.key, s.* {ends} FROM {new} AS f {sources} WHERE f.chunk = $2::bigint
),
written AS (
  INSERT INTO {stored} AS t (workspace_id, id, {columns})
  SELECT $1::uuid, s.key, {values} FROM chosen AS s ORDER BY s.n
  RETURNING {told}
){more}
{tell}
"""

_CREATED = """
s.interaction_id, '{type}.created', '{type}', w.id, NULL, {after}
FROM written AS w JOIN chosen AS s ON s.key = w.id {joins} ORDER BY s.n
"""

# In a statement of its own before, so that the next one sees rows that nobody changes.
_LOCK = """
SELECT t.id FROM {stored} AS t JOIN {changed} AS f ON f.key = t.id
WHERE t.workspace_id = $1::uuid AND f.chunk = $2::bigint
ORDER BY t.id FOR UPDATE OF t
"""

_UPDATE = """
WITH chosen AS MATERIALIZED (
  SELECT f.key, f.by_nature, s.* {ends}, {before} AS before
  FROM {changed} AS f {sources}
  JOIN {stored} AS t ON t.workspace_id = $1::uuid AND t.id = f.key
  WHERE f.chunk = $2::bigint AND ({differs})
),
written AS (
  UPDATE {stored} AS t SET {assignments} FROM chosen AS s
  WHERE t.workspace_id = $1::uuid AND t.id = s.key
  RETURNING {told}
)
{tell}
"""

_UPDATED = """
s.interaction_id, '{type}.updated', '{type}', w.id, {before}, {after}
FROM written AS w JOIN chosen AS s ON s.key = w.id ORDER BY s.n
"""


def create_statement(
    kind: Kind, more: str = "", after: str = "", joins: str = ""
) -> str:
    """What stores the new rows of a chunk.

    `more` are further parts of the statement, with what they add to the story: `after`,
    from `joins`.
    """
    columns = dict(_columns(kind))
    parts = _parts(kind)
    created = sql(_CREATED, after=row_json(kind, "w") + after, joins=joins, **parts)
    return sql(
        _CREATE,
        columns=joined([quoted(name) for name in columns]),
        values=joined(list(columns.values())),
        more=more,
        tell=tell(created),
        **parts,
    )


def lock_statement(kind: Kind) -> str:
    """What locks the rows of a chunk that are to be changed."""
    return sql(_LOCK, **_parts(kind))


def update_statement(kind: Kind) -> str:
    """What changes the rows of a chunk."""
    parts = _parts(kind)
    after = row_json(kind, "w")
    updated = sql(
        _UPDATED,
        before=difference("s.before", after),
        after=difference(after, "s.before"),
        **parts,
    )
    return sql(
        _UPDATE,
        before=row_json(kind, "t"),
        differs=differs(kind),
        assignments=joined(list(_assignments(kind))),
        tell=tell(updated),
        **parts,
    )


def value_of(field: Field) -> str:
    """What a new row gets for `field`: the line's value, or else the default.

    The columns of a chunk's `chosen` rows are all in `s`.
    """
    here = f"s.{quoted(field.column.name)}"
    if field.required:
        return here
    default = "$4::uuid" if field.refers_to == USER else field.default
    if default is None:
        return here
    if not field.own:
        return f"coalesce({here}, {default})"
    return f"CASE WHEN s.given & {field.bit} <> 0 THEN {here} ELSE {default} END"


def _columns(kind: Kind) -> Iterator[tuple[str, str]]:
    """The columns of a new row, with their values."""
    if kind.keeps_ref:
        yield "external_ref", "s.ref"
    for field in kind.own_fields:
        yield field.column.name, value_of(field)


def _assignments(kind: Kind) -> Iterator[str]:
    for field in kind.mutable_fields:
        name = quoted(field.column.name)
        value = f"s.{name}"
        if not field.required:
            value = (
                f"CASE WHEN s.given & {field.bit} <> 0 THEN {value} ELSE t.{name} END"
            )
        yield f"{name} = {value}"
    if kind.keeps_ref and kind.natural:
        adopts = adopts_ref("s")
        yield f"external_ref = CASE WHEN {adopts} THEN s.ref ELSE t.external_ref END"


def _parts(kind: Kind) -> dict[str, Any]:
    ends = {f.column.name for f in kind.references}
    return {
        "type": kind.entity_type,
        "stored": kind.stored,
        "new": kind.temporary("new"),
        "changed": kind.temporary("changed"),
        "sources": kind.sources,
        "ends": "".join(f", e.{quoted(name)}" for name in sorted(ends)),
        "told": joined([f"t.{quoted(c.name)}" for c in told_columns(kind)]),
    }
