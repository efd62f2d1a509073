"""`graph-api workspace`: separate worlds of data, and who works in them."""

from typing import Annotated

import typer

from graph_api.cli.accounts import (
    Accounts,
    Username,
    WorkspaceName,
    print_table,
    with_accounts,
)
from graph_api.cli.options import DatabaseUrl, DataDir, new_app
from graph_api.errors import ConfigurationError
from graph_api.keys import new_key
from graph_api.permissions import MemberRole
from graph_api.services.founding import Founding, write_as_system

app = new_app(help="Make workspaces, and say who works in them.", no_args_is_help=True)

_ALL = """
SELECT workspaces.id, name, count(member.id) FILTER (WHERE left_at IS NULL)
FROM workspaces LEFT JOIN workspace_members AS member
     ON member.workspace_id = workspaces.id
GROUP BY workspaces.id, name, workspaces.created_at ORDER BY workspaces.created_at
"""
_MEMBERS = """
SELECT username, role, member.created_at, left_at
FROM workspace_members AS member JOIN users ON users.id = user_id
WHERE workspace_id = :workspace ORDER BY member.created_at, username
"""


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="The name people use.")],
    owner: Annotated[str, typer.Option(metavar="USERNAME", help="Its first owner.")],
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a workspace, and a user its owner.

    \b
    Examples:
      graph-api workspace create "The Lovelaces" --owner ada
    """
    id = new_key()

    async def do(accounts: Accounts) -> None:
        user_id = await accounts.user(owner)
        await write_as_system(
            accounts.database,
            id,
            Founding,
            lambda founding: founding.found(name, user_id),
            "workspace create",
        )

    with_accounts(data_dir, database_url, do)
    typer.echo(
        f"There is a workspace {name} now, {id}. Next: graph-api key create NAME "
        f"--user {owner}"
    )


@app.command(name="list")
def list_(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """List all workspaces, the local one too."""

    async def do(accounts: Accounts) -> None:
        print_table(("id", "name", "members"), await accounts.all(_ALL))

    with_accounts(data_dir, database_url, do)


@app.command()
def members(
    workspace: WorkspaceName = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """List the members of a workspace, and those who have left."""

    async def do(accounts: Accounts) -> None:
        id = await accounts.workspace(workspace)
        rows = await accounts.all(_MEMBERS, workspace=id)
        print_table(("username", "role", "since", "left"), rows)

    with_accounts(data_dir, database_url, do)


@app.command(name="add-member")
def add_member(
    username: Username,
    role: Annotated[MemberRole, typer.Option(help="What the member may do.")],
    workspace: WorkspaceName = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a user a member of a workspace, or give a member another role.

    \b
    Examples:
      graph-api workspace add-member charles --role editor
      graph-api workspace add-member robot --role agent --workspace "The Lovelaces"
    """

    async def do(accounts: Accounts) -> None:
        id = await accounts.workspace(workspace)
        user_id = await accounts.user(username)
        await write_as_system(
            accounts.database,
            id,
            Founding,
            lambda founding: founding.add(user_id, role),
            "workspace add-member",
        )

    with_accounts(data_dir, database_url, do)
    typer.echo(f"{username} is {role.value} now")


@app.command(name="remove-member")
def remove_member(
    username: Username,
    workspace: WorkspaceName = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Let a user be a member no more: keys and tokens let nobody in there."""

    async def do(accounts: Accounts) -> None:
        id = await accounts.workspace(workspace)
        user_id = await accounts.user(username)
        was_one = await write_as_system(
            accounts.database,
            id,
            Founding,
            lambda founding: founding.remove(user_id),
            "workspace remove-member",
        )
        if not was_one.outcome.interactions:
            raise ConfigurationError(f"{username} is no member of this workspace.")

    with_accounts(data_dir, database_url, do)
    typer.echo(f"{username} is no member any more")
