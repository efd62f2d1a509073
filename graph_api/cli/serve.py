"""`graph-api serve`: the parent of all that serving needs.

It alone starts PostgreSQL, migrates and makes the secret; workers get a database that
runs and a socket that listens. On the way out all is taken down in reverse: requests
are drained, connections closed, and PostgreSQL stops when its last user is gone.
"""

import asyncio
import socket
from typing import Annotated

import typer
from pydantic import SecretStr

from graph_api.cli.listening import address_of, listen, refuse_strangers
from graph_api.cli.logs import configure_logging
from graph_api.cli.options import DatabaseUrl, DataDir, chosen, end_in_order, new_app
from graph_api.cli.secret import kept_secret
from graph_api.cli.serving import configured, import_app, run_server
from graph_api.cli.upkeep import kept_up
from graph_api.config import Settings
from graph_api.database.overview import overview
from graph_api.database.running import RunningDatabase, running
from graph_api.errors import ConfigurationError

app = new_app()

_USERS = "SELECT count(*) AS found FROM users WHERE username <> 'local'"


@app.command()
def serve(
    host: Annotated[
        str,
        typer.Option(
            metavar="HOST",
            help="The address to listen at; others than this machine's own "
            "need GRAPH_API_TRUST_BIND=1.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            metavar="PORT", min=0, max=65535, help="The port; 0 is any free one."
        ),
    ] = 8000,
    workers: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, max=64, help="How many processes answer requests."
        ),
    ] = 1,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Serve the graph over HTTP, with GraphiQL for browsers.

    Starts the embedded PostgreSQL unless DATABASE_URL names another, migrates it, and
    answers at /graphql until Ctrl-C or SIGTERM, after which requests have 10 seconds
    to end. That is an orderly end, and its exit code 0. Beside a running server, a
    second one and the other commands use the same PostgreSQL.

    \b
    Examples:
      graph-api serve
      graph-api serve --port 8001 --workers 2
      graph-api serve --data-dir /srv/graph
      DATABASE_URL=postgresql://graph:…@db/graph graph-api serve
    """
    settings = chosen(data_dir, database_url)
    configure_logging(settings.log_level)
    end_in_order(0)
    refuse_strangers(host, settings)
    _refuse_secrets_of_each(settings, workers)
    try:
        with listen(host, port) as listener:
            if workers == 1:
                import_app()
            with running(settings) as database:
                _serve(listener, settings, database, workers)
    except KeyboardInterrupt:
        raise typer.Exit from None


def _serve(
    listener: socket.socket,
    settings: Settings,
    database: RunningDatabase,
    workers: int,
) -> None:
    database.bring_up_to_date()
    ready = settings.model_copy(update=_of_workers(settings, database))
    database.verify(ready)
    config = configured(ready, workers)
    _tell(address_of(listener), database)
    if settings.graph_api_accounts:
        _tell_first_steps(database)
    with kept_up(database.server):
        run_server(config, listener)


def _tell_first_steps(database: RunningDatabase) -> None:
    """Say what to do while nobody could come in."""
    users = asyncio.run(overview(database.admin_url, _USERS))
    if not users[0].found:
        typer.echo(
            "Nobody can come in yet. In another terminal, with the same settings:\n"
            "  graph-api user create NAME\n"
            "  graph-api workspace create NAME --owner NAME\n"
            "  graph-api key create NAME --user NAME"
        )


def _refuse_secrets_of_each(settings: Settings, workers: int) -> None:
    if workers > 1 and settings.database_url and settings.secret_key is None:
        raise ConfigurationError(
            "With DATABASE_URL and several workers SECRET_KEY must be set: to 16 "
            "characters or more, the same wherever this database is served."
        )


def _of_workers(settings: Settings, database: RunningDatabase) -> dict[str, object]:
    """What workers are told that the environment did not say."""
    return {
        "database_url": SecretStr(database.url),
        "database_admin_url": None,
        "secret_key": settings.secret_key or kept_secret(settings.graph_api_data_dir),
    }


def _tell(address: str, database: RunningDatabase) -> None:
    typer.echo(
        f"GraphQL and GraphiQL are at {address}/graphql\n"
        f"The data lies in {database.place}\n"
        "Stop with Ctrl-C"
    )
