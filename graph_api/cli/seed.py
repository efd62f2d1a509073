"""`graph-api seed`: a few collections and tags to start with."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from sqlalchemy import select

from graph_api.cli.options import DatabaseUrl, DataDir, new_app, opened
from graph_api.config import Settings
from graph_api.database.engine import Connection, Database
from graph_api.database.local import LOCAL_WORKSPACE_ID, local_caller
from graph_api.models import Collection, Tag
from graph_api.permissions import MemberRole
from graph_api.services.credentials import user_named
from graph_api.services.entities import EntityService
from graph_api.services.founding import (
    Founding,
    make_user,
    set_password,
    write_as_system,
)
from graph_api.services.organizing import Collections, Tags
from graph_api.services.unit_of_work import Terms

app = new_app()

DEMO_USER, DEMO_PASSWORD = "testuser", "Test123!Test123!"

BLUE, GREEN, PURPLE, GRAY = "#1f77b4", "#2ca02c", "#9467bd", "#7f7f7f"
RED, ORANGE, YELLOW = "#d62728", "#ff7f0e", "#edc948"


@dataclass(frozen=True)
class Seed:
    """A collection or a tag to start with."""

    name: str
    color: str
    icon: str


COLLECTIONS = (
    Seed("Work Documents", BLUE, "📁"),
    Seed("Personal Notes", GREEN, "📝"),
    Seed("Research Papers", PURPLE, "🔬"),
    Seed("Archive", GRAY, "📦"),
)
TAGS = (
    Seed("Important", RED, "⭐"),
    Seed("TODO", ORANGE, "✅"),
    Seed("Ideas", YELLOW, "💡"),
    Seed("Reference", BLUE, "📚"),
    Seed("Learning", GREEN, "🎓"),
    Seed("Archive", GRAY, "📦"),
    Seed("Meeting Notes", PURPLE, "📋"),
)


@app.command()
def seed(
    *,
    with_demo_user: Annotated[
        bool,
        typer.Option(
            "--with-demo-user",
            help=f"Make {DEMO_USER} with the password {DEMO_PASSWORD}, an editor of "
            "the local workspace: to try out accounts, never where others come.",
        ),
    ] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Store a few collections and tags to start with.

    Four collections and seven tags. Those whose name is there already are left as
    they are, so that doing it twice changes nothing.
    """
    with opened(data_dir, database_url) as (settings, database):
        database.make_usable()
        collections, tags = asyncio.run(
            _store(database.url, settings, with_demo_user=with_demo_user)
        )
    typer.echo(f"Stored {collections} collections and {tags} tags")
    if with_demo_user:
        typer.echo(f"{DEMO_USER} can sign in with {DEMO_PASSWORD}")


async def _store(
    url: str, settings: Settings, *, with_demo_user: bool
) -> tuple[int, int]:
    database = Database(url, settings)
    try:
        if with_demo_user:
            await _store_demo_user(database)
        async with database.connect(LOCAL_WORKSPACE_ID) as connection:
            return (
                await _missing(connection, Collections, Collection, COLLECTIONS),
                await _missing(connection, Tags, Tag, TAGS),
            )
    finally:
        await database.close()


async def _store_demo_user(database: Database) -> None:
    known = await user_named(database, DEMO_USER)
    user_id = known.user_id if known else await make_user(database, DEMO_USER, None)
    await set_password(database, user_id, DEMO_PASSWORD)
    await write_as_system(
        database,
        LOCAL_WORKSPACE_ID,
        Founding,
        lambda founding: founding.add(user_id, MemberRole.EDITOR),
        "seed",
    )


async def _missing(
    connection: Connection,
    service: type[EntityService[Any]],
    model: type[Collection | Tag],
    seeds: Sequence[Seed],
) -> int:
    """Store those of `seeds` whose name is not there; how many there were."""

    async def start() -> Connection:
        return connection

    names = select(model.name).filter_by(workspace_id=connection.workspace_id)
    there = {row.name for row in await connection.rows(names)}
    missing = [seed for seed in seeds if seed.name not in there]
    for seed in missing:
        one = service(start, local_caller(), Terms("seed", reason="graph-api seed"))
        await one.create({"name": seed.name, "color": seed.color, "icon": seed.icon})
    return len(missing)
