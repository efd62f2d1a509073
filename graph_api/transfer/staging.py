"""The lines of an import, in temporary tables of the database.

They hold what would not fit into memory: one table for each type's rows, and one for
what was refused.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from typing import Any

from graph_api.transfer.connecting import Connection
from graph_api.transfer.kinds import KINDS, Kind, quoted
from graph_api.transfer.lines import Source, read
from graph_api.transfer.parsing import LEADING, Parser, UnfitLine, staged_columns
from graph_api.transfer.report import OnProgress, Progress, Refusal
from graph_api.transfer.sql import joined, sql

REFUSALS = "import_refusals"

# Rows, and bytes of their lines, that are sent at once.
_BATCH_ROWS = 5_000
_BATCH_BYTES = 8 * 1024 * 1024

_ROLES = ("lines", "found", "ends", "new", "changed", "carried", "again")

_CREATE_REFUSALS = """
CREATE TEMP TABLE import_refusals (
  n bigint PRIMARY KEY,
  type text,
  ref text,
  field text,
  reason text NOT NULL,
  other bigint,
  direct boolean NOT NULL DEFAULT true
)
"""


class Staging:
    """The staged lines of one import."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._batches: dict[str, list[Any]] = {}
        self._bytes = 0
        self._sources: Sequence[Source] = ()
        self.lines: Counter[str] = Counter()
        self.total = 0

    async def create(self) -> None:
        """Make the tables, anew if an earlier import has left them."""
        await self.drop()
        await self._connection.execute(_CREATE_REFUSALS)
        for kind in KINDS:
            columns = (f"{quoted(n)} {type}" for n, type in staged_columns(kind))
            await self._connection.execute(
                f"CREATE TEMP TABLE {kind.temporary('lines')} ({', '.join(columns)})"
            )

    async def drop(self) -> None:
        """Remove all that an import has made for itself."""
        tables = [kind.temporary(role) for kind in KINDS for role in _ROLES]
        tables += [REFUSALS, "import_targets", "import_wanted", "import_levels"]
        await self._connection.execute(f"DROP TABLE IF EXISTS {', '.join(tables)}")

    async def fill(
        self, sources: Sequence[Source], parser: Parser, progress: OnProgress
    ) -> None:
        """Read all lines of `sources`."""
        self._sources = sources
        for source in sources:
            source.base = self.total
            for number, line in read(source):
                self.total = source.base + number
                self._take(parser, source, line)
                await self._send_if_full(line, progress)
        await self._send()
        await self._index()
        progress(Progress("reading", self.total, self.total))

    async def refused(self, most: int) -> list[Refusal]:
        """The first refusals, those that have their cause in themselves before."""
        rows = await self._connection.fetch(
            "SELECT n, field, reason, other FROM import_refusals "
            "ORDER BY direct DESC, n LIMIT $1",
            most,
        )
        return sorted(map(self._refusal, rows), key=lambda r: (r.file, r.line))

    async def refused_count(self) -> int:
        count = await self._connection.fetchval("SELECT count(*) FROM import_refusals")
        assert isinstance(count, int)
        return count

    async def refused_types(self) -> dict[str, int]:
        rows = await self._connection.fetch(
            "SELECT coalesce(type, '?') AS type, count(*) "
            "FROM import_refusals GROUP BY 1"
        )
        return {row["type"]: row["count"] for row in rows}

    def place(self, n: int) -> tuple[str, int]:
        """The file and the line in it of the line `n` of all."""
        source = self._sources[bisect_right([s.base for s in self._sources], n - 1) - 1]
        return source.name, n - source.base

    def _take(self, parser: Parser, source: Source, line: bytes | None) -> None:
        if line is not None and not line.strip():
            return
        try:
            parsed = parser.parse(self.total, line, source.folder)
        except UnfitLine as error:
            row = (self.total, error.type, error.ref, error.field, error.reason)
            self._batches.setdefault(REFUSALS, []).append(row)
            self.lines[error.type or "?"] += 1
        else:
            self._batches.setdefault(parsed.kind.name, []).append(parsed.row)
            self.lines[parsed.kind.name] += 1

    async def _send_if_full(self, line: bytes | None, progress: OnProgress) -> None:
        self._bytes += len(line or b"")
        if self._bytes > _BATCH_BYTES or self.total % _BATCH_ROWS == 0:
            await self._send()
            progress(Progress("reading", self.total))

    async def _send(self) -> None:
        for kind in KINDS:
            if rows := self._batches.pop(kind.name, None):
                names = [name for name, _ in staged_columns(kind)]
                await self._copy(kind.temporary("lines"), rows, names)
        if rows := self._batches.pop(REFUSALS, None):
            names = ["n", "type", "ref", "field", "reason"]
            await self._copy(REFUSALS, rows, names)
        self._bytes = 0

    async def _copy(self, table: str, rows: list[Any], names: list[str]) -> None:
        await self._connection.copy_records_to_table(
            table.strip('"'), records=rows, columns=names
        )

    async def _index(self) -> None:
        for kind in KINDS:
            lines = kind.temporary("lines")
            if self.lines[kind.name]:
                await self._connection.execute(f"CREATE INDEX ON {lines} (n)")
            await self._connection.execute(f"ANALYZE {lines}")
        await self._connection.execute(f"ANALYZE {REFUSALS}")

    def _refusal(self, row: Any) -> Refusal:
        reason = row["reason"]
        if row["other"] is not None:
            file, line = self.place(row["other"])
            reason = f"{reason} ({file}:{line})"
        return Refusal(*self.place(row["n"]), row["field"], reason)


def same_content(kind: Kind, one: str, other: str) -> str:
    """Whether two staged rows say the same, but for what they are called."""
    named = {name for name, _ in LEADING} - {"given"}
    columns = [quoted(n) for n, _ in staged_columns(kind) if n not in named]
    return sql(
        "({one}) IS NOT DISTINCT FROM ({other})",
        one=joined([f"{one}.{column}" for column in columns]),
        other=joined([f"{other}.{column}" for column in columns]),
    )
