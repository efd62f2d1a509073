"""`graph-api schema`: the schema as clients and their code generators read it."""

import difflib
from pathlib import Path
from typing import Annotated

import typer

from graph_api.cli.options import new_app
from graph_api.errors import ConfigurationError
from graph_api.schema import sdl

app = new_app()

COMMITTED = Path("schema.graphql")


@app.command()
def schema(
    *,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Only compare it with FILE, by default schema.graphql."
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write it to FILE."),
    ] = None,
) -> None:
    """Print the GraphQL schema in its definition language.

    With --check it prints how the file differs, if it does, and exits with 1.

    \b
    Examples:
      graph-api schema -o schema.graphql
      graph-api schema --check
    """
    if check:
        _compare(output or COMMITTED)
    elif output is None:
        typer.echo(sdl(), nl=False)
    else:
        try:
            output.write_text(sdl(), encoding="utf-8")
        except OSError as error:
            raise ConfigurationError(
                f"{output} cannot be written: {error.strerror}."
            ) from error


def _compare(file: Path) -> None:
    try:
        committed = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be read: {error.strerror}. `graph-api schema -o {file}` "
            "writes it."
        ) from error
    difference = difflib.unified_diff(
        committed.splitlines(keepends=True),
        sdl().splitlines(keepends=True),
        str(file),
        "the schema as it is",
    )
    said = "".join(difference)
    if said:
        typer.echo(said, nl=False)
        raise ConfigurationError(
            f"{file} is not the schema as it is: `graph-api schema -o {file}` makes it."
        )
