"""A database that runs: the one that DATABASE_URL names, or the embedded one.

Commands say what they need of it: that it answers, that it is migrated, that the local
workspace is there. With DATABASE_URL only who is told to migrates; the embedded
database is this version's own, and is brought up to date by whoever comes first.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import asyncpg
from sqlalchemy import pool, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from graph_api.config import Settings
from graph_api.database.embedded import EmbeddedServer
from graph_api.database.engine import APPLICATION_ROLE, Database, async_url
from graph_api.database.local import ensure_local_rows
from graph_api.database.migrations import current, head, upgrade
from graph_api.errors import ConfigurationError


@dataclass(frozen=True)
class RunningDatabase:
    """Where a database is reached, and the share in its server, if it is ours.

    `url` is the server's login, `admin_url` the one that migrates; `place` is what
    people call it.
    """

    url: str
    admin_url: str
    place: str
    server: EmbeddedServer | None = None

    def bring_up_to_date(self) -> list[str]:
        """Migrate, let the server log in, and store what local mode needs.

        Gives the revisions that were applied. Several may do it at once.
        """
        applied = upgrade(self.admin_url)
        if self.server is not None:
            asyncio.run(_let_log_in(self.admin_url))
        ensure_local_rows(self.admin_url)
        return applied

    def make_usable(self) -> None:
        """Make sure that the schema is this version's, and the local rows are there.

        ConfigurationError when a database that is not embedded must be migrated.
        """
        if self.server is not None:
            self.bring_up_to_date()
            return
        revision = current(self.admin_url)
        if revision != head():
            raise ConfigurationError(
                f"This version works with revision {head()}, and {self.place} is at "
                f"{revision or 'base'}. Run `graph-api migrate upgrade`."
            )
        ensure_local_rows(self.admin_url)

    def verify(self, settings: Settings) -> None:
        """Raise ConfigurationError unless the server's login is one it can work with.

        It blocks, and has to run in a thread without an event loop.
        """
        try:
            asyncio.run(_verify(self.url, settings))
        except (SQLAlchemyError, asyncpg.PostgresError, OSError) as error:
            cause = error.__cause__ or error
            raise ConfigurationError(
                f"As the login of DATABASE_URL nobody can work on {self.place}: "
                f"{cause}. See that its name and password are right, and, as a "
                f"superuser: GRANT {APPLICATION_ROLE} TO …;"
            ) from error


@contextmanager
def running(settings: Settings) -> Iterator[RunningDatabase]:
    """The database of these settings, which runs at least until the block ends."""
    if settings.database_url is None:
        with EmbeddedServer(settings.graph_api_data_dir) as server:
            yield RunningDatabase(
                url=server.url(user=APPLICATION_ROLE),
                admin_url=server.url(),
                place=str(settings.graph_api_data_dir.absolute()),
                server=server,
            )
        return
    url = settings.database_url.get_secret_value()
    admin = settings.database_admin_url
    parts = async_url(url)
    host = parts.host or parts.query.get("host") or "localhost"
    yield RunningDatabase(
        url=url,
        admin_url=url if admin is None else admin.get_secret_value(),
        place=f"the database {parts.database or 'by default'} at {host}",
    )


async def _let_log_in(admin_url: str) -> None:
    """Only its owner can connect to the embedded server, and needs no password."""
    engine = create_async_engine(async_url(admin_url), poolclass=pool.NullPool)
    can = text("SELECT rolcanlogin FROM pg_roles WHERE rolname = :role")
    async with engine.begin() as connection:
        if not await connection.scalar(can, {"role": APPLICATION_ROLE}):
            await connection.execute(text(f"ALTER ROLE {APPLICATION_ROLE} LOGIN"))


async def _verify(url: str, settings: Settings) -> None:
    database = Database(url, settings)
    try:
        await database.verify()
    finally:
        await database.close()
