"""What a sound database is: statements that find what is not so, and find nothing.

The first five are those of the script `check_migration_health.sh`, with its wording.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ARRAY,
    Executable,
    Text,
    bindparam,
    exists,
    pool,
    select,
    text,
    union_all,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from graph_api.database.engine import APPLICATION_ROLE, async_url
from graph_api.database.local import LOCAL_WORKSPACE_ID
from graph_api.models import Base, DocumentLink, Entity

_TOLD = 5


@dataclass(frozen=True)
class Check:
    """Something that is so when `statement` finds nothing; else it finds what is not.

    What is only `unwise` fails no check.
    """

    so: str
    otherwise: str
    statement: Executable
    parameters: dict[str, Any] = field(default_factory=dict)
    unwise: bool = False


@dataclass(frozen=True)
class Finding:
    """What came of a check: `wrong` is what was found, nothing if all is well."""

    check: Check
    wrong: Sequence[str]

    def __str__(self) -> str:
        if not self.wrong:
            return f"✅ {self.check.so}"
        more = len(self.wrong) - _TOLD
        told = ", ".join(self.wrong[:_TOLD]) + (f" and {more} more" if more > 0 else "")
        return f"{'⚠️ ' if self.check.unwise else '❌'} {self.check.otherwise}: {told}"

    @property
    def fails(self) -> bool:
        return bool(self.wrong) and not self.check.unwise


async def findings(url: str, newest: str) -> AsyncIterator[Finding]:
    """What came of each check of the database, which should be at revision `newest`.

    Who is no superuser sees the links of the local workspace alone.
    """
    engine = create_async_engine(
        async_url(url), poolclass=pool.NullPool, isolation_level="AUTOCOMMIT"
    )
    async with engine.connect() as connection:
        await connection.exec_driver_sql(f"SET app.workspace = '{LOCAL_WORKSPACE_ID}'")
        for check in _checks(newest):
            yield Finding(check, await _wrong(connection, check))


async def _wrong(connection: AsyncConnection, check: Check) -> list[str]:
    try:
        found = await connection.scalars(check.statement, check.parameters)
        return sorted(map(str, found))
    except DBAPIError as error:
        return [str(error.orig.__cause__ or error.orig) if error.orig else str(error)]


def _checks(newest: str) -> list[Check]:
    tables = list(Base.metadata.tables)
    return [
        Check(
            "PostgreSQL extensions installed",
            "PostgreSQL extensions missing",
            _of_names("name NOT IN (SELECT extname FROM pg_extension)"),
            {"names": ["pg_trgm", "btree_gin", "btree_gist"]},
        ),
        Check(
            "All tables exist",
            "Tables missing",
            _of_names("to_regclass('public.' || name) IS NULL"),
            {"names": [*tables, "audit_log"]},
        ),
        Check(
            "All indexes created",
            "Indexes missing or invalid",
            _of_names(
                "NOT EXISTS (SELECT FROM pg_index WHERE indisvalid "
                "AND indexrelid = to_regclass('public.' || name))"
            ),
            {"names": _indexes()},
        ),
        Check(
            "Migration status: head",
            f"Migration status, where head is {newest}",
            text(
                "SELECT coalesce(max(version_num), 'base') FROM alembic_version "
                "HAVING max(version_num) IS DISTINCT FROM :newest"
            ),
            {"newest": newest},
        ),
        Check(
            "Database health: OK",
            "Database health",
            text("SELECT 'it is a replica, or read-only' WHERE pg_is_in_recovery()"),
        ),
        Check(
            "Row-level security is forced on all tables",
            "Row-level security is not forced on",
            _of_names(
                "NOT EXISTS (SELECT FROM pg_class JOIN pg_policies "
                "ON tablename = relname AND schemaname = 'public' "
                f"WHERE roles = '{{{APPLICATION_ROLE}}}' AND relname = name "
                "AND relrowsecurity AND relforcerowsecurity)"
            ),
            {"names": tables},
        ),
        Check(
            "The log is complete and append-only by triggers",
            "Triggers of the log missing or disabled",
            _of_names(
                "NOT EXISTS (SELECT FROM pg_trigger WHERE tgenabled <> 'D' "
                "AND tgrelid = to_regclass(split_part(name, '.', 1)) "
                "AND tgname = split_part(name, '.', 2))"
            ),
            {"names": _triggers()},
        ),
        Check(
            "All foreign keys and rules are validated",
            "Rules that old rows may break",
            text(
                "SELECT conname FROM pg_constraint "
                "WHERE connamespace = 'public'::regnamespace AND NOT convalidated"
            ),
        ),
        Check("All links lead somewhere", "Links to what is gone", _dangling_links()),
        Check(
            "Settings keep what was committed",
            "Settings that may lose what was committed",
            text(
                "SELECT name || ' is off' FROM pg_settings WHERE setting = 'off' "
                "AND name IN ('fsync', 'synchronous_commit', 'full_page_writes')"
            ),
            unwise=True,
        ),
    ]


def _of_names(condition: str) -> Executable:
    """Those of the parameter `names` for which `condition` holds."""
    statement = f"SELECT name FROM unnest(:names) AS name WHERE {condition}"  # noqa: S608
    return text(statement).bindparams(bindparam("names", type_=ARRAY(Text)))


def _indexes() -> list[str]:
    tables = Base.metadata.tables.values()
    return sorted(str(index.name) for table in tables for index in table.indexes)


def _triggers() -> list[str]:
    told = [*(model.__tablename__ for model in _entities()), "document_links"]
    return [
        *(f"{table}.needs_interaction" for table in told),
        "interactions.no_change",
        "interactions.no_truncate",
    ]


def _dangling_links() -> Executable:
    return union_all(*map(_links_to_no, _entities()))


def _links_to_no(model: type[Entity]) -> Any:
    there = exists().where(
        model.workspace_id == DocumentLink.workspace_id,
        model.id == DocumentLink.entity_id,
    )
    return (
        select(DocumentLink.id)
        .where(DocumentLink.entity_type == model.entity_type())
        .where(~there)
    )


def _entities() -> list[type[Entity]]:
    mapped = [mapper.class_ for mapper in Base.registry.mappers]
    return sorted(
        (model for model in mapped if issubclass(model, Entity)),
        key=lambda model: model.__name__,
    )
