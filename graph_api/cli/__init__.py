"""The commands of `graph-api`, each in a module of its own.

A command's module is imported when the command is run, and not for the help of the
others: the server's takes a second, which `graph-api --help` need not.
"""

import importlib.metadata
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from graph_api.errors import GraphApiError

# The module of each command, and the first sentence of its help.
COMMANDS = {
    "serve": ("serve", "Serve the graph over HTTP, with GraphiQL for browsers."),
    "import": ("importing", "Import files of JSON Lines into the workspace."),
    "export": ("exporting", "Export the workspace as JSON Lines, as `import` reads."),
    "generate": ("generate", "Fill the workspace with made-up data."),
    "seed": ("seed", "Store a few collections and tags to start with."),
    "user": ("users", "Make, list and change users."),
    "workspace": ("workspaces", "Make workspaces, and say who works in them."),
    "key": ("api_keys", "Make, list and revoke keys to the API."),
    "migrate": ("migrate", "Move the database from one revision to another."),
    "check": ("check", "Check that the database is sound, and report what is not."),
    "schema": ("schema", "Print the GraphQL schema in its definition language."),
}


class Commands(TyperGroup):
    """The commands, imported by name; Typer keeps the types of contexts private."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        return get_command(import_module(f"{__name__}.{module}").app)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, help) for name, (_, help) in COMMANDS.items()])


app = typer.Typer(
    cls=Commands,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command that the arguments name.

    Its exit code is 0 when it did what it says, 1 when it could not, for a reason that
    it tells in one sentence, and 2 when it was not understood.
    """
    try:
        app(prog_name="graph-api")
    except GraphApiError as error:
        sys.exit(f"graph-api: {error}")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"graph-api {importlib.metadata.version('graph-api')}")
        raise typer.Exit


@app.callback()
def graph_api(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the version and exit.",
        ),
    ] = False,
) -> None:
    """One GraphQL graph over everything a person or a team knows and owes.

    Without settings it works on an embedded PostgreSQL in your home directory; with
    DATABASE_URL on any other from version 15 on. Each command has a --help.
    """
