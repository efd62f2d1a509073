"""What the commands about accounts have in common: whom and what their words mean."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer

from graph_api.cli.options import opened
from graph_api.database.engine import Database
from graph_api.database.overview import overview
from graph_api.errors import ConfigurationError, GraphApiError, WriteRefused
from graph_api.services.credentials import user_named

T = TypeVar("T")

WorkspaceName = Annotated[
    str | None,
    typer.Option(
        "--workspace",
        metavar="NAME|ID",
        help="The workspace, by its name or its id; may be left out while there is "
        "only one beside the local one.",
        show_default=False,
    ),
]
Username = Annotated[str, typer.Argument(help="The user's name, or e-mail address.")]

_WORKSPACES = """
SELECT id, name FROM workspaces
WHERE CAST(:wanted AS text) IS NULL
      AND id <> '00000000-0000-0000-0000-000000000002'
      OR id::text = :wanted OR name = :wanted
ORDER BY created_at LIMIT 3
"""


class Accounts:
    """The database of a command, and what its words mean there."""

    def __init__(self, database: Database, admin_url: str) -> None:
        self.database = database
        self._admin_url = admin_url

    async def user(self, name: str) -> UUID:
        """The key of the user of this name; raises ConfigurationError without one."""
        found = await user_named(self.database, name)
        if found is None:
            raise ConfigurationError(
                f"There is no user {name!r}. `graph-api user list` shows all."
            )
        return found.user_id

    async def workspace(self, wanted: str | None) -> UUID:
        """The key of the workspace that is meant.

        Raises ConfigurationError if there is none, or more than one.
        """
        found = await overview(self._admin_url, _WORKSPACES, wanted=wanted)
        if len(found) == 1:
            id: UUID = found[0].id
            return id
        if not found:
            raise ConfigurationError(
                "There is no such workspace. `graph-api workspace list` shows all, and "
                "`graph-api workspace create` makes one."
            )
        raise ConfigurationError(
            "There are several; say which with --workspace and its id. "
            "`graph-api workspace list` shows them."
        )

    async def all(self, sql: str, **values: Any) -> Sequence[Any]:
        """Rows about all users, workspaces, members and keys."""
        return await overview(self._admin_url, sql, **values)


def with_accounts(
    data_dir: Path | None,
    database_url: str | None,
    do: Callable[[Accounts], Awaitable[T]],
) -> T:
    """What `do` gives, on the database of a command."""
    with opened(data_dir, database_url) as (settings, running):
        running.make_usable()

        async def run() -> T:
            database = Database(running.url, settings)
            try:
                return await do(Accounts(database, running.admin_url))
            finally:
                await database.close()

        try:
            return asyncio.run(run())
        except WriteRefused as error:
            # Fields of inputs are options here.
            raise GraphApiError(error.message) from error


def read_password(*, from_stdin: bool) -> str:
    """A password that other users of the machine cannot see in the command."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Rows for people, with tabs between the columns as `cut` likes them."""
    typer.echo("\t".join(columns))
    for row in rows:
        typer.echo("\t".join("-" if value is None else str(value) for value in row))
