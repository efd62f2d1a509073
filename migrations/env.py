"""How revisions meet the database: over asyncpg, or as SQL for psql (`--sql`).

The runner (`graph_api.database.migrations`) says in `config.attributes` which `url` or
`connection` is meant; alembic's own commands get it from the settings. Each revision is
a transaction of its own. An advisory lock lets one upgrade run at a time: a second one
waits, and then finds nothing left to do.
"""

import asyncio
import time
from logging.config import fileConfig
from typing import Any, Literal

from alembic import context
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, pool, text
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.ext.asyncio import create_async_engine

from graph_api.config import settings
from graph_api.database.engine import async_url
from graph_api.errors import ConfigurationError
from graph_api.models import Base
from graph_api.models.interactions import Xid8
from graph_api.models.rules import JsonObject, Words

config = context.config

if config.config_file_name is not None:
    fileConfig(config.config_file_name, disable_existing_loggers=False)

# So that comparing knows the type of `interactions.xid`.
ischema_names["xid8"] = Xid8

OLDEST_SERVER = 15

# Any number, as long as nobody else in the same database means something else by it.
LOCK = 7_016_996_765_293_437_281
PAUSE_S = 0.1
# Who waits this long for another upgrade waits for one that is stuck.
PATIENCE_S = 600

# Everything of ours lies in `public`, whatever the login's own search path is. A
# statement that waits for a lock makes everyone behind it wait as well, so it gives up
# soon; one that works may take its time.
SESSION = {
    "search_path": "public",
    "lock_timeout": f"{settings().lock_timeout_s * 1000:.0f}",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}


def render_type(kind: str, item: Any, autogenerate: Any) -> str | Literal[False]:
    """The types of the models as those of the database, which a revision can keep."""
    if kind != "type" or not isinstance(item, Words | JsonObject):
        return False
    if isinstance(item, Words):
        return "sa.Text()"
    autogenerate.imports.add("from sqlalchemy.dialects import postgresql")
    return "postgresql.JSONB()"


def show_version(*, ctx: MigrationContext, heads: set[str], **_: Any) -> None:
    """Let the application see where the database is, even in a table that was lost."""
    if heads:
        ctx.execute("GRANT SELECT ON alembic_version TO graph_api")
    else:
        ctx.execute("REVOKE ALL ON alembic_version FROM graph_api")


OPTIONS: dict[str, Any] = {
    "target_metadata": Base.metadata,
    "render_item": render_type,
    "compare_type": True,
    "compare_server_default": True,
    "transaction_per_migration": True,
    "on_version_apply": (show_version, *config.attributes.get("on_version_apply", ())),
}


def run_offline() -> None:
    context.configure(dialect_name="postgresql+asyncpg", literal_binds=True, **OPTIONS)
    for name, value in SESSION.items():
        context.execute(f"SET {name} TO {value}")
    context.execute(f"SELECT pg_advisory_lock({LOCK})")
    context.run_migrations()
    context.execute(f"SELECT pg_advisory_unlock({LOCK})")


async def run_online() -> None:
    engine = create_async_engine(
        async_url(config.attributes.get("url") or _url_of_settings()),
        poolclass=pool.NullPool,
        connect_args={"server_settings": {"application_name": "graph-api migrate"}},
    )
    async with engine.connect() as connection:
        await connection.run_sync(run_on)


def run_on(connection: Connection) -> None:
    """Run the revisions over `connection`; after a failure it has to be closed."""
    _refuse_old_servers(connection)
    for name, value in SESSION.items():
        connection.execute(text(f"SET {name} TO {value}"))
    # Who only looks does not wait.
    alone = config.attributes.get("alone", True)
    if alone:
        _lock(connection)
    connection.commit()
    context.configure(connection=connection, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()
    if alone:
        connection.execute(text(f"SELECT pg_advisory_unlock({LOCK})"))
        connection.commit()


def _refuse_old_servers(connection: Connection) -> None:
    version = connection.dialect.server_version_info or (0,)
    if version < (OLDEST_SERVER,):
        raise ConfigurationError(
            f"The database is PostgreSQL {version[0]}. Use one from {OLDEST_SERVER} on."
        )


def _lock(connection: Connection) -> None:
    """Wait until no other upgrade runs.

    By asking again and again: a statement that waits has a snapshot, for the end of
    which CREATE INDEX CONCURRENTLY in the other upgrade would wait in turn.
    """
    give_up_at = time.monotonic() + PATIENCE_S
    while not connection.scalar(text(f"SELECT pg_try_advisory_lock({LOCK})")):
        connection.commit()
        if time.monotonic() > give_up_at:
            raise ConfigurationError(
                f"Another upgrade has been running for {PATIENCE_S} s. Wait for its "
                "end, or find it in pg_stat_activity as `graph-api migrate` and end it."
            )
        time.sleep(PAUSE_S)


def _url_of_settings() -> str:
    url = settings().database_admin_url or settings().database_url
    if url is None:
        raise ConfigurationError(
            "Neither DATABASE_ADMIN_URL nor DATABASE_URL is set. Set one of them, or "
            "let `graph-api migrate` work on the embedded database."
        )
    return url.get_secret_value()


if context.is_offline_mode():
    run_offline()
elif (given := config.attributes.get("connection")) is not None:
    run_on(given)
else:
    asyncio.run(run_online())
