"""Refused lines, as they were, beside the file that they are from."""

from collections.abc import Sequence
from pathlib import Path

from graph_api.transfer.connecting import Connection
from graph_api.transfer.lines import Source, read_again

_REFUSED = """
SELECT n - $1 AS line FROM import_refusals WHERE n > $1 AND n <= $2 ORDER BY n
"""


async def write_rejected(
    connection: Connection, sources: Sequence[Source], total: int
) -> list[Path]:
    """Write `FILE.rejected.jsonl` for each of `sources` with refused lines.

    Of `total` lines in all. Too long lines are left out.
    """
    written = []
    ends = [*(source.base for source in sources[1:]), total]
    for source, end in zip(sources, ends, strict=True):
        if await _write(connection, source, end):
            written.append(source.rejected)
    return written


async def _write(connection: Connection, source: Source, end: int) -> bool:
    async with connection.transaction(readonly=True):
        refused = connection.cursor(_REFUSED, source.base, end, prefetch=5_000)
        numbers = aiter(refused)
        wanted = await anext(numbers, None)
        if wanted is None:
            return False
        with source.rejected.open("wb") as file:
            for number, line in read_again(source):
                if wanted is None:
                    break
                if number == wanted["line"]:
                    file.write((line or b"").rstrip(b"\r\n") + b"\n" * bool(line))
                    wanted = await anext(numbers, None)
    return True
