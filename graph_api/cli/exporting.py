"""`graph-api export`: the workspace as JSON Lines."""

import asyncio
import gzip
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, cast

import asyncpg
import typer

from graph_api.cli.options import DatabaseUrl, DataDir, new_app, opened
from graph_api.cli.progress import shown
from graph_api.database.local import LOCAL_WORKSPACE_ID
from graph_api.errors import ConfigurationError
from graph_api.transfer import Summary, connect, export_workspace

app = new_app()


@app.command()
def export(
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write to FILE, compressed if its name ends in .gz; it is complete, "
            "or not there.",
        ),
    ] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Export the workspace as JSON Lines, as `import` reads.

    As it is at one moment, also while others write. The log is not exported: an import
    writes its own.

    \b
    Examples:
      graph-api export -o backup.jsonl.gz
      graph-api export | grep '"type":"Party"'
    """
    with opened(data_dir, database_url) as (_, database):
        database.make_usable()
        with _opened(output) as file:
            summary = asyncio.run(_export(database.url, file))
    typer.echo(
        f"Exported {summary.lines:,} lines in {summary.seconds:.1f} s "
        f"({summary.rows_per_second:,.0f} a second)",
        err=True,
    )


async def _export(url: str, file: IO[bytes]) -> Summary:
    def write(data: bytes) -> None:
        file.write(data)

    try:
        async with connect(url, LOCAL_WORKSPACE_ID) as connection:
            with shown() as progress:
                return await export_workspace(connection, write, progress=progress)
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise ConfigurationError(f"The export was broken off: {error}.") from error


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[bytes]]:
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    # Beside its place, and renamed when it is whole: a backup is never half a one.
    fresh = output.with_name(f".{output.name}.part")
    try:
        with _new(fresh, compressed=output.suffix == ".gz") as file:
            yield file
        fresh.replace(output)
    except OSError as error:
        raise ConfigurationError(f"{output} cannot be written: {error}.") from error
    finally:
        fresh.unlink(missing_ok=True)


def _new(file: Path, *, compressed: bool) -> IO[bytes]:
    if compressed:
        return cast("IO[bytes]", gzip.GzipFile(file, "wb", compresslevel=6))
    return file.open("wb")
