"""`graph-api key`: what lets programs in."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer

from graph_api.cli.accounts import (
    Accounts,
    WorkspaceName,
    print_table,
    with_accounts,
)
from graph_api.cli.options import DatabaseUrl, DataDir, new_app
from graph_api.errors import ConfigurationError
from graph_api.permissions import Scope
from graph_api.services.api_keys import MARK, PREFIX, ApiKeys
from graph_api.services.founding import write_as_system

app = new_app(help="Make, list and revoke keys to the API.", no_args_is_help=True)

Prefix = Annotated[
    str, typer.Argument(help="The first characters of the key, as `list` shows them.")
]

_ALL = """
SELECT prefix, api_keys.name, username, array_to_string(scopes, ' '),
       api_keys.created_at, last_used_at, expires_at, revoked_at
FROM api_keys JOIN users ON users.id = user_id
WHERE workspace_id = :workspace ORDER BY api_keys.created_at
"""
_KNOWN = """
SELECT id FROM api_keys WHERE workspace_id = :workspace AND prefix = :prefix
"""


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    user: Annotated[
        str, typer.Option(metavar="USERNAME", help="The member whom it acts for.")
    ],
    scope: Annotated[
        list[Scope] | None,
        typer.Option(help="What it may do; everything that the member may by default."),
    ] = None,
    expires_in_days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="How long it lets in.")
    ] = None,
    *,
    workspace: WorkspaceName = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a key for a member, and print it: it is shown only this once.

    \b
    Examples:
      graph-api key create laptop --user ada
      graph-api key create reader --user ada --scope read --expires-in-days 90
    """
    scopes = [one.value for one in scope or Scope]
    expires_at = None
    if expires_in_days is not None:
        expires_at = datetime.now(UTC) + timedelta(days=expires_in_days)

    async def do(accounts: Accounts) -> str:
        id = await accounts.workspace(workspace)
        user_id = await accounts.user(user)
        made = await write_as_system(
            accounts.database,
            id,
            ApiKeys,
            lambda keys: keys.create(name, scopes, expires_at, user_id),
            "key create",
        )
        assert made.outcome.secret is not None
        return made.outcome.secret

    typer.echo(with_accounts(data_dir, database_url, do))


@app.command(name="list")
def list_(
    workspace: WorkspaceName = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """List the keys of a workspace, never the keys themselves."""

    async def do(accounts: Accounts) -> None:
        id = await accounts.workspace(workspace)
        rows = await accounts.all(_ALL, workspace=id)
        columns = ("prefix", "name", "user", "scopes", "made", "used", "expires")
        print_table((*columns, "revoked"), rows)

    with_accounts(data_dir, database_url, do)


@app.command()
def rotate(
    prefix: Prefix,
    overlap_s: Annotated[
        int, typer.Option(help="Seconds that the old one still lets in.")
    ] = 3_600,
    workspace: WorkspaceName = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a key like another one, which goes on for a while; print the new one."""

    async def do(accounts: Accounts) -> str:
        id = await accounts.workspace(workspace)
        key = await _key(accounts, id, prefix)
        made = await write_as_system(
            accounts.database,
            id,
            ApiKeys,
            lambda keys: keys.rotate(key, timedelta(seconds=overlap_s)),
            "key rotate",
        )
        assert made.outcome.secret is not None
        return made.outcome.secret

    typer.echo(with_accounts(data_dir, database_url, do))


@app.command()
def revoke(
    prefix: Prefix,
    workspace: WorkspaceName = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Let a key let nobody in any more, within a second."""

    async def do(accounts: Accounts) -> None:
        id = await accounts.workspace(workspace)
        key = await _key(accounts, id, prefix)
        await write_as_system(
            accounts.database, id, ApiKeys, lambda keys: keys.revoke(key), "key revoke"
        )

    with_accounts(data_dir, database_url, do)
    typer.echo(f"{prefix} lets nobody in any more")


async def _key(accounts: Accounts, workspace_id: UUID, prefix: str) -> UUID:
    """The key of the row of the key that begins so."""
    found = await accounts.all(
        _KNOWN, workspace=workspace_id, prefix=prefix.removeprefix(MARK)[:PREFIX]
    )
    if not found:
        raise ConfigurationError(
            f"No key of this workspace begins with {prefix!r}. `graph-api key list` "
            "shows all."
        )
    id: UUID = found[0].id
    return id
