"""`graph-api migrate`: the revisions of the schema, without a file of settings."""

from typing import Annotated

import typer

from graph_api.cli.options import DatabaseUrl, DataDir, new_app, opened
from graph_api.database import migrations

app = new_app(
    help="Move the database from one revision to another.",
    epilog="Each exits with 1 when it could not do what it says, and says what to do.",
    no_args_is_help=True,
)

AsSql = Annotated[
    bool, typer.Option("--sql", help="Only print what psql would have to run.")
]


@app.command()
def upgrade(
    revision: Annotated[str, typer.Argument(help="Such as 0003, +1 or head.")] = "head",
    *,
    sql: AsSql = False,
    since: Annotated[
        str, typer.Option(help="With --sql: the revision that the database is at.")
    ] = "base",
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Bring the database up to a revision, by default to this version's.

    Each revision is a transaction of its own; one that fails leaves nothing behind. At
    head, what local mode needs is stored as well.

    \b
    Examples:
      graph-api migrate upgrade
      graph-api migrate upgrade --sql --since 0003 > upgrade.sql
    """
    if sql:
        typer.echo(migrations.upgrade_sql(revision, since=since), nl=False)
        return
    with opened(data_dir, database_url) as (_, database):
        if revision == "head":
            applied = database.bring_up_to_date()
        else:
            applied = migrations.upgrade(database.admin_url, revision)
    _tell("Applied", applied)


@app.command()
def downgrade(
    revision: Annotated[str, typer.Argument(help="Such as 0003, -1 or base.")],
    *,
    sql: AsSql = False,
    since: Annotated[
        str, typer.Option(help="With --sql: the revision that the database is at.")
    ] = "head",
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Take the database back to a revision. What only later ones store is lost.

    \b
    Examples:
      graph-api migrate downgrade -- -1
      graph-api migrate downgrade base
    """
    if sql:
        typer.echo(migrations.downgrade_sql(revision, since=since), nl=False)
        return
    with opened(data_dir, database_url) as (_, database):
        undone = migrations.downgrade(database.admin_url, revision)
    _tell("Undid", undone)


@app.command()
def current(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Print the revision that the database is at, or base before the first."""
    with opened(data_dir, database_url) as (_, database):
        revision = migrations.current(database.admin_url)
    typer.echo(_marked(revision or "base"))


@app.command()
def history() -> None:
    """List the revisions, the first one first."""
    for revision in migrations.history():
        typer.echo(f"{_marked(revision.id)}  {revision.title}")


@app.command()
def check(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Exit with 1 unless the database is at head, and its tables are the models'."""
    with opened(data_dir, database_url) as (_, database):
        migrations.check(database.admin_url)
    typer.echo(f"The database is at {_marked(migrations.head())}, as the models are.")


@app.command()
def stamp(
    revision: Annotated[str, typer.Argument(help="Such as 0003 or head.")],
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Note that the database is at a revision, and do nothing else.

    For a database whose tables are there and whose revision is not noted, such as one
    from a backup without the table alembic_version.
    """
    with opened(data_dir, database_url) as (_, database):
        migrations.stamp(database.admin_url, revision)
        noted = migrations.current(database.admin_url)
    typer.echo(f"Noted {_marked(noted or 'base')}")


def _tell(done: str, revisions: list[str]) -> None:
    typer.echo(f"{done} {', '.join(revisions)}" if revisions else "Nothing to do")


def _marked(revision: str) -> str:
    return f"{revision} (head)" if revision == migrations.head() else revision
