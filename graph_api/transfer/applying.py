"""Chunk by chunk, what was planned is written: one transaction each, with its story."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from asyncpg.prepared_stmt import PreparedStatement

from graph_api.caller import Caller
from graph_api.transfer import documents
from graph_api.transfer.connecting import Connection
from graph_api.transfer.kinds import BY_NAME, DOCUMENTS, ENTITIES, LINKS, TAGGINGS, Kind
from graph_api.transfer.report import Counts
from graph_api.transfer.sql import sql
from graph_api.transfer.writing import (
    create_statement,
    lock_statement,
    update_statement,
)


class Overtaken(Exception):
    """Somebody else has removed what a chunk refers to since it was planned."""


@dataclass(frozen=True)
class Story:
    """What all interactions of an import have in common."""

    caller: Caller
    reason: str | None
    change_set_id: UUID

    def arguments(self, chunk: int) -> tuple[Any, ...]:
        """The parameters of a statement that writes the log."""
        caller = self.caller
        return (
            caller.workspace_id,
            chunk,
            caller.actor_type,
            caller.user_id,
            caller.label,
            self.reason,
            caller.request_id,
            self.change_set_id,
        )


@dataclass(frozen=True)
class Statement:
    """A statement of a chunk; one that locks links' targets gives how many are gone."""

    text: str
    tells: bool = False
    counts_gone: bool = False


@dataclass(frozen=True)
class Pass:
    """All chunks of a table of planned rows, and what is done with each."""

    kind: Kind
    role: str
    becomes: str
    statements: tuple[Statement, ...]
    carries: bool = False


_CHUNKS = "SELECT chunk, count(*) AS rows FROM {planned} GROUP BY chunk ORDER BY chunk"

_CARRIED = """
SELECT count(*) FROM {carried} AS f JOIN {new} AS d ON d.key = f.document_id
WHERE d.chunk = $1
"""

# Targets of links have no foreign key: held until we commit, they cannot be removed.
_HOLD_TARGETS = """
WITH wanted AS (
  SELECT DISTINCT e.entity_id AS id FROM {links} AS f {sources} {document}
  WHERE {here}.chunk = $2::bigint AND e.entity_type = '{entity_type}'
),
held AS (
  SELECT t.id FROM {stored} AS t
  WHERE t.workspace_id = $1::uuid AND t.id = ANY (ARRAY(SELECT id FROM wanted))
  FOR KEY SHARE
)
SELECT (SELECT count(*) FROM wanted) - (SELECT count(*) FROM held)
"""


async def write(
    connection: Connection,
    story: Story,
    counts: dict[str, Counts],
    wrote: Callable[[int], None],
) -> None:
    """Write all that is planned; `counts` and `wrote` learn of each chunk.

    Raises what the driver raises, and Overtaken, when somebody else has changed in the
    meantime what the plan was made for; chunks before stay written.
    """
    present = [BY_NAME[name] for name in counts if name in BY_NAME]
    types = await _linked_types(connection) if LINKS in present else []
    for one in _passes(present, types):
        await _run(connection, one, story, counts, wrote)


def _passes(present: Sequence[Kind], linked: Sequence[Kind]) -> Iterator[Pass]:
    for kind in ENTITIES:
        if kind is DOCUMENTS and {DOCUMENTS, LINKS, TAGGINGS} & set(present):
            yield from _documents(kind in present, linked)
        elif kind in present:
            yield Pass(kind, "new", "created", (_told(create_statement(kind)),))
            yield Pass(kind, "changed", "updated", _update(kind))
    if LINKS in present:
        hold = tuple(_hold(to, carried=False) for to in linked)
        lock, add = Statement(documents.LOCK_LINKED), _told(documents.ADD_LINKS)
        yield Pass(LINKS, "new", "created", (lock, *hold, add))
        lock, change = Statement(documents.LOCK_CHANGED), _told(documents.CHANGE_LINKS)
        yield Pass(LINKS, "changed", "updated", (lock, change))
    if TAGGINGS in present:
        lock, add = Statement(documents.LOCK_TAGGED), _told(documents.ADD_TAGS)
        yield Pass(TAGGINGS, "new", "created", (lock, add))


def _documents(present: bool, linked: Sequence[Kind]) -> Iterator[Pass]:
    if not present:
        return
    hold = tuple(_hold(to, carried=True) for to in linked)
    create = (*hold, _told(documents.CREATE_DOCUMENTS))
    follow = (Statement(documents.FORGET_HASHES), Statement(documents.FOLLOW_HASHES))
    yield Pass(DOCUMENTS, "new", "created", create, carries=True)
    yield Pass(DOCUMENTS, "changed", "updated", (*_update(DOCUMENTS), *follow))
    count = _told(documents.COUNT_DUPLICATES)
    yield Pass(DOCUMENTS, "again", "duplicates", (count,))


def _update(kind: Kind) -> tuple[Statement, ...]:
    return Statement(lock_statement(kind)), _told(update_statement(kind))


def _told(text: str) -> Statement:
    return Statement(text, tells=True)


def _hold(to: Kind, *, carried: bool) -> Statement:
    document = sql(
        "JOIN {new} AS d ON d.key = f.document_id", new=DOCUMENTS.temporary("new")
    )
    text = sql(
        _HOLD_TARGETS,
        links=LINKS.temporary("carried" if carried else "new"),
        sources=LINKS.sources,
        document=document if carried else "",
        here="d" if carried else "f",
        entity_type=to.entity_type,
        stored=to.stored,
    )
    return Statement(text, counts_gone=True)


async def _linked_types(connection: Connection) -> list[Kind]:
    """The types that links of this import lead to."""
    rows = await connection.fetch(
        sql("SELECT DISTINCT entity_type FROM {ends}", ends=LINKS.temporary("ends"))
    )
    types = {row["entity_type"] for row in rows}
    return [kind for kind in ENTITIES if kind.entity_type in types]


async def _run(
    connection: Connection,
    one: Pass,
    story: Story,
    counts: dict[str, Counts],
    wrote: Callable[[int], None],
) -> None:
    planned = one.kind.temporary(one.role)
    chunks = await connection.fetch(sql(_CHUNKS, planned=planned))
    if not chunks:
        return
    prepared = [(s, await connection.prepare(s.text)) for s in one.statements]
    for done, (chunk, rows) in enumerate(chunks):
        # Foreign keys are checked with plans that were made when the table was empty,
        # and then read all of it for each row. So they are made anew as it grows; we
        # may not ANALYZE, for the tables are not ours.
        if done & (done - 1) == 0:
            await connection.execute("DISCARD PLANS")
        async with connection.transaction():
            for statement, ready in prepared:
                await _execute(statement, ready, story, chunk)
        _count(counts[one.kind.name], one.becomes, rows)
        wrote(rows)
        for kind in (LINKS, TAGGINGS) if one.carries else ():
            if kind.name in counts:
                carried = await _carried(connection, kind, chunk)
                _count(counts[kind.name], "created", carried)
                wrote(carried)


async def _execute(
    statement: Statement, ready: "PreparedStatement[Any]", story: Story, chunk: int
) -> None:
    arguments = story.arguments(chunk)
    if not statement.tells:
        arguments = arguments[:2]
    # All rows, for those that are not fetched are not locked either.
    rows = await ready.fetch(*arguments)
    if statement.counts_gone and rows[0][0]:
        raise Overtaken


async def _carried(connection: Connection, kind: Kind, chunk: int) -> int:
    count = await connection.fetchval(
        sql(
            _CARRIED, carried=kind.temporary("carried"), new=DOCUMENTS.temporary("new")
        ),
        chunk,
    )
    assert isinstance(count, int)
    return count


def _count(counts: Counts, becomes: str, rows: int) -> None:
    setattr(counts, becomes, getattr(counts, becomes) + rows)
