"""The export: a workspace as lines that the import reads.

The server makes whole lines and sends them as they come, so memory stays small however
large the workspace is. All of it is seen as it was at one moment.
"""

import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from graph_api.reading.columns import Kind as Values
from graph_api.reading.columns import kind as kind_of
from graph_api.transfer.connecting import Connection
from graph_api.transfer.kinds import (
    ANY,
    BY_NAME,
    DOCUMENTS,
    EDGES,
    ENTITIES,
    KINDS,
    LINKS,
    USER,
    Field,
    Kind,
    quoted,
)
from graph_api.transfer.report import Counts, OnProgress, Progress, Summary
from graph_api.transfer.sql import joined, sql

# How a row is written as a line: JSON has none of these control characters, so nothing
# is quoted or escaped, and a line is exactly what row_to_json makes.
_DELIMITER, _QUOTE = "\x01", "\x02"

_EXPORT = """
SELECT row_to_json(line) FROM (
  SELECT {fields} FROM {stored} AS t {joins}
  WHERE t.workspace_id = $1 ORDER BY t.id
) AS line {only}
"""

_TYPES = "|".join(kind.name for kind in ENTITIES)


async def export_workspace(
    connection: Connection,
    write: Callable[[bytes], None],
    *,
    progress: OnProgress | None = None,
) -> Summary:
    """Write the workspace that `connection` is bound to, line by line."""
    started = time.monotonic()
    summary = Summary()
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        workspace_id = await connection.fetchval("SELECT app.workspace()")
        for kind in KINDS:
            status = await connection.copy_from_query(
                _lines(kind),
                workspace_id,
                output=_writer(write),
                format="csv",
                delimiter=_DELIMITER,
                quote=_QUOTE,
                escape=_QUOTE,
            )
            summary.types[kind.name] = Counts(unchanged=int(status.split()[-1]))
            if progress:
                progress(Progress("exporting", summary.lines))
    summary.seconds = time.monotonic() - started
    return summary


def _writer(
    write: Callable[[bytes], None],
) -> Callable[[bytes], Coroutine[Any, Any, None]]:
    async def written(data: bytes) -> None:
        write(data)

    return written


def _lines(kind: Kind) -> str:
    fields = {"type": f"'{kind.name}'"}
    if kind.is_entity:
        fields["ref"] = _ref_to_write(kind)
    fields |= {field.name: _value(field) for field in kind.fields}
    return sql(
        _EXPORT,
        fields=joined([f"{value} AS {quoted(name)}" for name, value in fields.items()]),
        stored=kind.stored,
        joins=" ".join(_joins(kind)),
        # A link whose target is gone leads nowhere, and could not be imported.
        only="WHERE line.target IS NOT NULL" if kind is LINKS else "",
    )


def _ref_to_write(kind: Kind) -> str:
    """What the row is called: by its key where it has no name from elsewhere."""
    if kind is EDGES:
        # Known by its ends and type, it needs no name unless something is linked to it.
        return sql(
            "CASE WHEN t.external_ref <> '' OR EXISTS ("
            "SELECT FROM document_links AS l WHERE l.workspace_id = $1 "
            "AND l.entity_id = t.id AND l.entity_type = '{type}') THEN {ref} END",
            type=kind.entity_type,
            ref=_ref(kind, "t"),
        )
    return _ref(kind, "t")


def _ref(kind: Kind, alias: str) -> str:
    key = f"{alias}.id::text"
    return (
        f"coalesce(nullif({alias}.external_ref, ''), {key})" if kind.keeps_ref else key
    )


def _value(field: Field) -> str:
    here = f"t.{quoted(field.column.name)}"
    if not field.own:
        return f"hash.{quoted(field.column.name)}"
    if field.refers_to == ANY:
        cases = " ".join(_target(kind, here) for kind in ENTITIES)
        return f"CASE t.entity_type {cases} END"
    if field.refers_to == USER:
        return sql("(SELECT u.username FROM users AS u WHERE u.id = {id})", id=here)
    if field.refers_to is not None:
        to = BY_NAME[field.refers_to]
        return _unmistakable(to, _ref(to, quoted(field.name + "_row")))
    return f"{here}::text" if kind_of(field.column) is Values.DECIMAL else here


def _target(kind: Kind, key: str) -> str:
    return sql(
        "WHEN '{type}' THEN (SELECT '{name}:' || {ref} FROM {stored} AS x "
        "WHERE x.workspace_id = $1 AND x.id = {key})",
        type=kind.entity_type,
        name=kind.name,
        ref=_ref(kind, "x"),
        stored=kind.stored,
        key=key,
    )


def _unmistakable(kind: Kind, ref: str) -> str:
    """`ref` with its type in front where it begins like one that has it."""
    return f"CASE WHEN {ref} ~ '^({_TYPES}):' THEN '{kind.name}:' ELSE '' END || {ref}"


def _joins(kind: Kind) -> Iterator[str]:
    for field in kind.references:
        if field.refers_to != ANY and field.refers_to is not None:
            row = quoted(field.name + "_row")
            yield sql(
                "LEFT JOIN {stored} AS {row} ON {row}.workspace_id = $1 "
                "AND {row}.id = t.{column}",
                stored=BY_NAME[field.refers_to].stored,
                row=row,
                column=quoted(field.column.name),
            )
    if kind is DOCUMENTS:
        yield (
            "LEFT JOIN hash_index AS hash ON hash.workspace_id = $1 "
            "AND hash.document_id = t.id AND hash.file_hash = t.sha256"
        )
