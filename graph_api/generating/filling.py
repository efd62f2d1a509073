"""Writing what is made up into a workspace, by way of the importer."""

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from graph_api.caller import Caller
from graph_api.errors import BadUserInput
from graph_api.generating.lines import ROUNDS, changed_lines, first_lines
from graph_api.generating.sizes import Sizes
from graph_api.transfer import Connection, import_files
from graph_api.transfer.report import OnProgress, Summary

# Lines that are written at once, some hundred KiB.
_BATCH = 500


async def fill(
    connection: Connection,
    caller: Caller,
    sizes: Sizes,
    *,
    seed: int = 1,
    force: bool = False,
    progress: OnProgress | None = None,
) -> list[Summary]:
    """Write everything, and then how it changed; a summary for each round.

    `connection` is one that `transfer.connect` gives. Raises BadUserInput when the
    workspace is not empty, unless told to go on by `force`.
    """
    if not force and await _is_used(connection, caller):
        raise BadUserInput(
            "There is something in the workspace already. Generate into an empty "
            "data directory or database, or say --force to add to what is there."
        )
    summaries = []
    with TemporaryDirectory(prefix="graph-api-generate-") as directory:
        file = Path(directory) / "lines.jsonl"
        for revision in range(len(ROUNDS) + 1):
            _write(file, seed, sizes, revision)
            summaries.append(
                await import_files(
                    connection,
                    caller,
                    [file],
                    progress=progress,
                    reason=f"Made up with seed {seed}, round {revision}",
                )
            )
    return summaries


async def _is_used(connection: Connection, caller: Caller) -> bool:
    # Whatever was ever stored has been told.
    return bool(
        await connection.fetchval(
            "SELECT EXISTS (SELECT FROM interactions WHERE workspace_id = $1)",
            caller.workspace_id,
        )
    )


def _write(file: Path, seed: int, sizes: Sizes, revision: int) -> None:
    lines: Iterable[dict[str, Any]]
    if revision:
        lines = changed_lines(seed, sizes, revision)
    else:
        lines = first_lines(seed, sizes)
    batch: list[bytes] = []
    with file.open("wb") as opened:
        for line in lines:
            batch.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
            if len(batch) == _BATCH:
                opened.write(b"".join(batch))
                batch.clear()
        opened.write(b"".join(batch))
