"""`graph-api generate`: made-up data, to play with and to measure."""

import asyncio
from typing import Annotated

import asyncpg
import typer

from graph_api.cli.options import DatabaseUrl, DataDir, new_app, opened
from graph_api.cli.progress import shown
from graph_api.database.local import LOCAL_WORKSPACE_ID, local_caller
from graph_api.errors import ConfigurationError
from graph_api.generating import Sizes, fill
from graph_api.transfer import Summary, connect

app = new_app()


@app.command()
def generate(
    *,
    scale: Annotated[
        float,
        typer.Option(
            metavar="N", min=0.001, max=100, help="How many years' worth of data."
        ),
    ] = 1.0,
    seed: Annotated[
        int,
        typer.Option(
            metavar="N", help="The same seed makes up the same; another, other data."
        ),
    ] = 1,
    force: Annotated[
        bool,
        typer.Option(help="Do it though there is something in the workspace already."),
    ] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Fill the workspace with made-up data.

    What one year leaves behind: 1,000 parties with 2,000 roles and 10,000 commitments,
    5,000 documents with 15,000 links, 5,000 signals, and 50,000 interactions that tell
    how all that came and changed; and 20,000 knowledge nodes with 60,000 edges. It
    takes about a minute, and is stored as an import would store it.

    \b
    Examples:
      graph-api generate --data-dir .playground
      graph-api generate --scale 0.1 --seed 7
    """
    with opened(data_dir, database_url) as (_, database):
        database.make_usable()
        summaries = asyncio.run(
            _generate(database.url, Sizes.scaled(scale), seed, force=force)
        )
    typer.echo(_told(summaries))


async def _generate(url: str, sizes: Sizes, seed: int, *, force: bool) -> list[Summary]:
    try:
        async with connect(url, LOCAL_WORKSPACE_ID) as connection:
            with shown() as progress:
                return await fill(
                    connection,
                    local_caller(),
                    sizes,
                    seed=seed,
                    force=force,
                    progress=progress,
                )
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise ConfigurationError(
            f"It was broken off: {error}. Once that is mended, do it again with "
            "--force: what was stored is not stored twice."
        ) from error


def _told(summaries: list[Summary]) -> str:
    counts = [one for summary in summaries for one in summary.types.values()]
    created = sum(one.created for one in counts)
    updated = sum(one.updated for one in counts)
    seconds = sum(summary.seconds for summary in summaries)
    return f"Created {created:,} rows and changed {updated:,} times in {seconds:.1f} s"
