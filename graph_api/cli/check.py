"""`graph-api check`: whether the database is sound, said in a line a check."""

import asyncio

import typer

from graph_api.cli.health import findings
from graph_api.cli.options import DatabaseUrl, DataDir, new_app, opened
from graph_api.config import Settings
from graph_api.database.migrations import current, head
from graph_api.database.running import RunningDatabase
from graph_api.errors import ConfigurationError

app = new_app()


@app.command()
def check(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Check that the database is sound, and report what is not.

    Extensions, tables, indexes, the revision, whether row-level security holds the
    server, the triggers of the log, links whose target is gone. Exits with 1 when any
    of these is not as it must be; settings that are only unwise are warned of.
    """
    with opened(data_dir, database_url) as (settings, database):
        # Whether it can be reached at all; if not, this says why.
        current(database.admin_url)
        sound = asyncio.run(_tell(database.admin_url))
        sound = sound and _holds_the_server(database, settings)
    if not sound:
        raise typer.Exit(1)


async def _tell(url: str) -> bool:
    sound = True
    async for finding in findings(url, head()):
        typer.echo(str(finding))
        sound = sound and not finding.fails
    return sound


def _holds_the_server(database: RunningDatabase, settings: Settings) -> bool:
    try:
        database.verify(settings)
    except ConfigurationError as error:
        typer.echo(f"❌ Row-level security does not hold the server: {error}")
        return False
    typer.echo("✅ Row-level security holds the server")
    return True
