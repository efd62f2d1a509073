"""`graph-api import`: files of JSON Lines into the workspace."""

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import asyncpg
import typer

from graph_api.cli.options import DatabaseUrl, DataDir, new_app, opened
from graph_api.cli.progress import shown
from graph_api.database.local import LOCAL_WORKSPACE_ID, local_caller
from graph_api.errors import ConfigurationError
from graph_api.transfer import Summary, connect, import_files

app = new_app()


class OnError(StrEnum):
    """What becomes of the other lines where some are wrong."""

    STOP = "stop"
    SKIP = "skip"


@app.command("import")
def import_(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Plain or .gz; - is standard input."),
    ],
    *,
    on_error: Annotated[
        OnError,
        typer.Option(
            metavar="stop|skip",
            help="stop imports nothing if a line is wrong; skip imports the others, "
            "and writes those that are into FILE.rejected.jsonl.",
        ),
    ] = OnError.STOP,
    reason: Annotated[
        str | None, typer.Option(help="Why, as the log is to tell it.")
    ] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Import files of JSON Lines into the workspace.

    A line is an object, as `export` writes them; README shows one of each type. What
    was imported before is recognized by its `ref`, and changed where the line differs.
    It may be done beside a running server.

    \b
    Examples:
      graph-api import examples/debian-sample.jsonl.gz
      graph-api import --on-error skip --reason "moving in" contacts.jsonl
      generate | graph-api import -
    """
    with opened(data_dir, database_url) as (_, database):
        database.make_usable()
        summary = asyncio.run(_import(database.url, files, on_error, reason))
    for refusal in summary.refusals:
        typer.echo(str(refusal), err=True)
    for file in summary.rejected_files:
        typer.echo(f"The lines that were refused are in {file}", err=True)
    typer.echo(_told(summary))


async def _import(
    url: str, files: Sequence[str], on_error: OnError, reason: str | None
) -> Summary:
    paths: list[Path | Literal["-"]] = [
        "-" if file == "-" else Path(file) for file in files
    ]
    try:
        async with connect(url, LOCAL_WORKSPACE_ID) as connection:
            with shown() as progress:
                return await import_files(
                    connection,
                    local_caller(),
                    paths,
                    on_error=on_error.value,
                    progress=progress,
                    reason=reason,
                )
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise ConfigurationError(
            f"The import was broken off: {error}. Once that is mended, import again: "
            "what was stored is not stored twice."
        ) from error


def _told(summary: Summary) -> str:
    names = ("created", "updated", "unchanged", "duplicates", "refused")
    sums = {
        name: sum(getattr(counts, name) for counts in summary.types.values())
        for name in names
    }
    told = ", ".join(f"{count:,} {name}" for name, count in sums.items() if count)
    return (
        f"Imported {summary.lines:,} lines in {summary.seconds:.1f} s "
        f"({summary.rows_per_second:,.0f} a second): {told or 'nothing'}"
    )
