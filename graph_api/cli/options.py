"""What commands have in common: their options, and the database that these name."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from graph_api.cli.logs import configure_logging
from graph_api.config import Settings, settings
from graph_api.database.running import RunningDatabase, running

DataDir = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Use the embedded PostgreSQL of this directory, whatever DATABASE_URL "
        "says. By default GRAPH_API_DATA_DIR, or ~/.local/share/graph-api.",
        show_default=False,
    ),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Use this PostgreSQL, for which other users of the machine can see the "
        "password in the command; better set DATABASE_URL.",
        show_default=False,
    ),
]

# What a shell reports of a program that SIGTERM ended.
TERMINATED = 143


def new_app(**options: Any) -> typer.Typer:
    """For the command, or the commands, of a module."""
    return typer.Typer(
        rich_markup_mode=None,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        **options,
    )


def chosen(data_dir: Path | None, database_url: str | None) -> Settings:
    """The settings, with the options in place of what the environment says."""
    given: dict[str, Any] = {}
    if data_dir is not None:
        given = {"graph_api_data_dir": data_dir, "database_url": None}
    if database_url is not None:
        given |= {"database_url": SecretStr(database_url), "database_admin_url": None}
    return settings().model_copy(update=given)


@contextmanager
def opened(
    data_dir: Path | None, database_url: str | None
) -> Iterator[tuple[Settings, RunningDatabase]]:
    """The settings and the database of a command that does one thing and ends."""
    settings = chosen(data_dir, database_url)
    # Of what it does it says by itself what there is to say.
    configure_logging("warning" if settings.log_level == "info" else settings.log_level)
    end_in_order(TERMINATED)
    with running(settings) as database:
        yield settings, database


def end_in_order(exit_code: int) -> None:
    """Let SIGTERM and a hang-up end the program as its own end would.

    By default they end it at once, and the embedded PostgreSQL would be left behind.
    """

    def end(*_: object) -> None:
        sys.exit(exit_code)

    signal.signal(signal.SIGTERM, end)
    # A terminal that was closed, unless `nohup` said otherwise.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
