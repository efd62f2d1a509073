"""What the log says of a change, made by the database in bulk.

The shape is that of `services.log`, key by key and digit by digit.
"""

from typing import Any

from sqlalchemy import Column

from graph_api.models import public_name
from graph_api.models.rules import AtMost
from graph_api.reading.columns import Kind as Values
from graph_api.reading.columns import kind as kind_of
from graph_api.services.log import MAX_TEXT_BYTES, UNTOLD
from graph_api.transfer.kinds import Kind, quoted
from graph_api.transfer.sql import joined, sql

# The parameters of every statement that writes the log: the workspace, the chunk, who
# does it, why, at whose request, and as part of what.
ACTOR = "$3::text, $4::uuid, $5::text, $6::text, $7::uuid, $8::uuid"

TELL = """
INSERT INTO interactions
  (workspace_id, actor_type, actor_id, actor_label, reason, request_id, change_set_id,
   id, type, primary_entity_type, primary_entity_id, before, after{more})
SELECT $1::uuid, {actor}, {what}
"""


def tell(what: str, *more: str) -> str:
    """The statement that tells of what a SELECT gives.

    `what` goes on from its list of columns: id, type, entity type, entity, before,
    after, and whatever columns of the log are named in `more`.
    """
    columns = "".join(f", {name}" for name in more)
    return sql(TELL, actor=ACTOR, what=what, more=columns)


def told_columns(kind: Kind) -> tuple[Column[Any], ...]:
    """The columns of a row that the log repeats."""
    return tuple(c for c in kind.table.columns if c.name not in UNTOLD)


def row_json(kind: Kind, alias: str) -> str:
    """A row as the log holds it."""
    pairs = []
    for column in told_columns(kind):
        attribute = kind.model.__mapper__.get_property_by_column(column).key
        pairs.append(f"'{public_name(attribute)}', {_value(column, alias)}")
    return f"jsonb_build_object({joined(pairs)})"


def moved_json(alias: str) -> str:
    """What of a row moves with every change."""
    return sql(
        "jsonb_build_object('updatedAt', {updated}, 'version', {alias}.version)",
        updated=time_json(f"{alias}.updated_at"),
        alias=alias,
    )


def difference(one: str, other: str) -> str:
    """Of the JSON object `one` what is otherwise in `other`."""
    return sql(
        "(SELECT jsonb_object_agg(key, value) FROM jsonb_each({one}) "
        "WHERE value IS DISTINCT FROM {other} -> key)",
        one=one,
        other=other,
    )


def time_json(time: str) -> str:
    """A time as Python's isoformat writes it, on a connection that works in UTC."""
    return sql(
        "to_char({time}, CASE WHEN {time} = date_trunc('second', {time}) "
        """THEN 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"' """
        """ELSE 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"' END)""",
        time=time,
    )


def _value(column: Column[Any], alias: str) -> str:
    here = f"{alias}.{quoted(column.name)}"
    values = kind_of(column)
    if values is Values.TIME:
        return time_json(here)
    if values is Values.DECIMAL:
        return f"{here}::text"
    if values is Values.TEXT and _may_be_long(column):
        return sql(
            "CASE WHEN octet_length({here}) > {most} THEN jsonb_build_object("
            "'sha256', encode(sha256(convert_to({here}, 'UTF8')), 'hex'), "
            "'length', length({here})) ELSE to_jsonb({here}) END",
            here=here,
            most=str(MAX_TEXT_BYTES),
        )
    return here


def _may_be_long(column: Column[Any]) -> bool:
    length = getattr(column.type, "length", None)
    if length is None and isinstance(rule := column.info.get("rule"), AtMost):
        length = rule.length
    return length is None or length * 4 > MAX_TEXT_BYTES
