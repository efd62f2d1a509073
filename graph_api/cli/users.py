"""`graph-api user`: who can sign in."""

from typing import Annotated

import typer

from graph_api.cli.accounts import (
    Accounts,
    Username,
    print_table,
    read_password,
    with_accounts,
)
from graph_api.cli.options import DatabaseUrl, DataDir, new_app
from graph_api.services.founding import make_user, set_active, set_password

app = new_app(help="Make, list and change users.", no_args_is_help=True)

FromStdin = Annotated[
    bool,
    typer.Option(
        "--password-stdin", help="Read the password from the first line of stdin."
    ),
]

_ALL = """
SELECT username, email, full_name, is_active, last_login_at FROM users
ORDER BY username
"""


@app.command()
def create(
    username: Annotated[str, typer.Argument(help="The name to sign in with.")],
    email: Annotated[str | None, typer.Option(help="An address for mail.")] = None,
    full_name: Annotated[str | None, typer.Option(help="The name to show.")] = None,
    *,
    password_stdin: FromStdin = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a user, who is a member of no workspace yet.

    Asks for a password of 12 characters or more.

    \b
    Examples:
      graph-api user create ada --email ada@example.org
      graph-api user create ada --password-stdin < password.txt
    """
    password = read_password(from_stdin=password_stdin)

    async def do(accounts: Accounts) -> None:
        await make_user(accounts.database, username, password, email, full_name)

    with_accounts(data_dir, database_url, do)
    typer.echo(
        f"There is a user {username} now. Next: graph-api workspace create NAME "
        f"--owner {username}"
    )


@app.command(name="list")
def list_(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """List all users."""

    async def do(accounts: Accounts) -> None:
        columns = ("username", "email", "full name", "active", "last login")
        print_table(columns, await accounts.all(_ALL))

    with_accounts(data_dir, database_url, do)


@app.command(name="set-password")
def set_password_(
    username: Username,
    *,
    password_stdin: FromStdin = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Give a user another password. Tokens that were given out stay good."""
    password = read_password(from_stdin=password_stdin)

    async def do(accounts: Accounts) -> None:
        user_id = await accounts.user(username)
        await set_password(accounts.database, user_id, password)

    with_accounts(data_dir, database_url, do)
    typer.echo(f"{username} has another password now")


@app.command()
def deactivate(
    username: Username, data_dir: DataDir = None, database_url: DatabaseUrl = None
) -> None:
    """Let no password, key or token of a user let anybody in, within a second."""
    _set_active(username, data_dir, database_url, active=False)
    typer.echo(f"{username} is not let in any more")


@app.command()
def activate(
    username: Username, data_dir: DataDir = None, database_url: DatabaseUrl = None
) -> None:
    """Let a user in again."""
    _set_active(username, data_dir, database_url, active=True)
    typer.echo(f"{username} is let in again")


def _set_active(
    username: str, data_dir: DataDir, database_url: DatabaseUrl, *, active: bool
) -> None:
    async def do(accounts: Accounts) -> None:
        user_id = await accounts.user(username)
        await set_active(accounts.database, user_id, active=active)

    with_accounts(data_dir, database_url, do)
