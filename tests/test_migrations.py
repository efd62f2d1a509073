"""Revisions: up, down, as SQL for psql, two at once, and as the models say."""

import asyncio
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import (
    create_all,
    empty_database,
    execute,
    migrated_database,
    ordinary_owner,
    psql,
    query,
    session,
    taken_back,
)

from graph_api.database.migrations import (
    Revision,
    check,
    current,
    downgrade,
    downgrade_sql,
    head,
    history,
    upgrade,
    upgrade_sql,
)
from graph_api.errors import ConfigurationError

PROJECT = Path(__file__).parents[1]

REVISIONS = [revision.id for revision in history()]

COLUMNS = """
    SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull,
           attidentity::text, attgenerated::text, pg_get_expr(adbin, adrelid),
           col_description(attrelid, attnum)
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
         LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
          AND attnum > 0 AND NOT attisdropped AND relname <> 'alembic_version'
    ORDER BY relname, attname
"""

CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint
    WHERE contype IN ('p', 'u', 'f', 'c')
          AND connamespace = 'public'::regnamespace
          AND conrelid::regclass::text <> 'alembic_version'
    ORDER BY 1, 2
"""

INDEXES = """
    SELECT tablename, indexname, indexdef FROM pg_indexes
    WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    ORDER BY indexname
"""

TABLE_COMMENTS = """
    SELECT relname, obj_description(oid, 'pg_class') FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
          AND relname <> 'alembic_version'
    ORDER BY relname
"""

# All that revisions make, in a form that can be compared.
EVERYTHING = """
    SELECT relname, concat_ws(' ', relkind, relrowsecurity, relforcerowsecurity,
                              reloptions, pg_get_indexdef(indexrelid))
    FROM pg_class LEFT JOIN pg_index ON indexrelid = oid
    WHERE relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT attrelid::regclass::text, attname FROM pg_attribute JOIN pg_class c
           ON c.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND NOT attisdropped
    UNION ALL
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT tablename, concat_ws(' ', policyname, cmd, roles, qual, with_check)
    FROM pg_policies
    UNION ALL
    SELECT tgrelid::regclass::text, concat_ws(' ', tgenabled, pg_get_triggerdef(oid))
    FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL
    SELECT proname, pg_get_functiondef(oid) FROM pg_proc
    WHERE pronamespace = to_regnamespace('app')
    UNION ALL
    SELECT table_name, concat_ws(' ', privilege_type, column_name)
    FROM information_schema.column_privileges WHERE grantee = 'graph_api'
    UNION ALL
    SELECT table_name, privilege_type
    FROM information_schema.table_privileges WHERE grantee = 'graph_api'
    UNION ALL
    SELECT nspname, nspacl::text FROM pg_namespace WHERE nspname !~ '^pg_'
    UNION ALL
    SELECT extname, obj_description(oid, 'pg_extension') FROM pg_extension
    ORDER BY 1, 2
"""

CATALOGUES = ["columns", "constraints", "indexes", "comments"]

# What is there beside the system's own.
LEFT = """
    SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT extname FROM pg_extension
    UNION ALL SELECT nspname FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    ORDER BY 1
"""

UPGRADES = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'graph-api migrate'
"""

# The log is made by the last revision, so that going back to 0003 loses it.
A_PARTY = """
    BEGIN;
    INSERT INTO parties (workspace_id, id, kind, name)
    VALUES (md5('w')::uuid, md5('p')::uuid, 'org', 'ACME');
    INSERT INTO interactions (workspace_id, id, type, actor_type,
                              primary_entity_type, primary_entity_id)
    VALUES (md5('w')::uuid, md5('i')::uuid, 'party.created', 'system',
            'party', md5('p')::uuid);
    COMMIT
"""


@pytest.fixture
def empty(server_url: str) -> Iterator[str]:
    with empty_database(server_url) as url:
        yield url


@pytest.fixture
def migrated(server_url: str) -> Iterator[str]:
    with migrated_database(server_url) as url:
        yield url


@pytest.fixture(scope="module")
def declared(server_url: str) -> Iterator[str]:
    """A database that was made of the models, without any revision."""
    with empty_database(server_url) as url:
        execute(url, "CREATE EXTENSION pg_trgm", "CREATE EXTENSION btree_gin")
        create_all(url)
        yield url


def test_the_revisions_follow_each_other_in_one_line() -> None:
    revisions = history()

    assert revisions[0] == Revision(
        "0001", None, "Extensions, the application role, and what all tables use."
    )
    assert [r.parent for r in revisions] == [None, *REVISIONS[:-1]]
    assert revisions[-1].id == head()


def test_an_upgrade_brings_an_empty_database_to_the_last_revision(empty: str) -> None:
    applied = upgrade(empty)

    assert applied == REVISIONS
    assert current(empty) == head()


def test_a_second_upgrade_changes_nothing(migrated: str) -> None:
    before = query(migrated, EVERYTHING)

    applied = upgrade(migrated)

    assert applied == []
    assert query(migrated, EVERYTHING) == before


def test_a_downgrade_to_base_leaves_only_the_table_of_versions(migrated: str) -> None:
    undone = downgrade(migrated, "base")

    assert undone == REVISIONS[::-1]
    assert current(migrated) is None
    assert query(migrated, LEFT) == [
        ("alembic_version",),
        ("alembic_version_pkc",),
        ("plpgsql",),
        ("public",),
    ]


def test_a_downgrade_never_drops_the_role(migrated: str) -> None:
    downgrade(migrated, "base")

    role = query(migrated, "SELECT rolname FROM pg_roles WHERE rolname = 'graph_api'")
    assert role == [("graph_api",)]


def test_what_was_undone_can_be_done_again(migrated: str) -> None:
    before = query(migrated, EVERYTHING)

    downgrade(migrated, "base")
    upgrade(migrated)

    assert query(migrated, EVERYTHING) == before


@pytest.mark.parametrize("revision", REVISIONS)
def test_each_revision_can_be_undone_alone(empty: str, revision: str) -> None:
    upgrade(empty, revision)
    before = query(empty, EVERYTHING)

    undone = downgrade(empty, "-1")
    between = query(empty, EVERYTHING)
    applied = upgrade(empty, "+1")

    assert undone == applied == [revision]
    assert between != before
    assert query(empty, EVERYTHING) == before


def test_rows_outlive_the_revisions_after_theirs(migrated: str) -> None:
    execute(migrated, A_PARTY)

    downgrade(migrated, "0003")
    upgrade(migrated)

    assert query(migrated, "SELECT name, version FROM parties") == [("ACME", 1)]


def test_extensions_that_were_there_before_are_kept(empty: str) -> None:
    execute(empty, "CREATE EXTENSION pg_trgm")

    upgrade(empty)
    downgrade(empty, "base")

    assert query(empty, "SELECT extname FROM pg_extension ORDER BY 1") == [
        ("pg_trgm",),
        ("plpgsql",),
    ]


def test_extensions_that_others_have_come_to_use_are_kept(migrated: str) -> None:
    execute(migrated, "CREATE TABLE other (name text)")
    execute(migrated, "CREATE INDEX ON other USING gin (name gin_trgm_ops)")

    downgrade(migrated, "base")

    assert query(migrated, "SELECT extname FROM pg_extension ORDER BY 1") == [
        ("pg_trgm",),
        ("plpgsql",),
    ]


def test_an_ordinary_owner_can_upgrade_and_downgrade(server_url: str) -> None:
    with ordinary_owner(server_url, "graph_api") as (url, owner):
        applied = upgrade(url)
        check(url)
        owners = query(
            url, "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
        )
        undone = downgrade(url, "base")

    assert applied == undone[::-1] == REVISIONS
    assert owners == [(owner,)]


def test_the_models_and_the_migrated_database_are_alike(database_url: str) -> None:
    check(database_url)


@pytest.mark.parametrize(
    "catalogue", [COLUMNS, CONSTRAINTS, INDEXES, TABLE_COMMENTS], ids=CATALOGUES
)
def test_revisions_make_exactly_what_the_models_declare(
    database_url: str, declared: str, catalogue: str
) -> None:
    assert query(database_url, catalogue) == query(declared, catalogue)


def test_a_database_that_was_changed_by_hand_is_found_out(migrated: str) -> None:
    execute(migrated, "ALTER TABLE parties ADD COLUMN nickname text")

    with pytest.raises(ConfigurationError, match=r"nickname.*autogenerate"):
        check(migrated)


def test_psql_can_run_an_upgrade(empty: str, database_url: str) -> None:
    ran = psql(empty, upgrade_sql())

    assert (ran.returncode, ran.stderr) == (0, "")
    assert query(empty, EVERYTHING) == query(database_url, EVERYTHING)
    check(empty)


def test_psql_can_run_a_part_of_an_upgrade(empty: str) -> None:
    upgrade(empty, "0002")

    ran = psql(empty, upgrade_sql("0004", since="0002"))

    assert (ran.returncode, ran.stderr) == (0, "")
    assert current(empty) == "0004"


def test_psql_can_run_a_downgrade(migrated: str) -> None:
    ran = psql(migrated, downgrade_sql("base"))

    assert (ran.returncode, ran.stderr) == (0, "")
    assert current(migrated) is None
    assert ("documents",) not in query(migrated, LEFT)


async def test_of_two_upgrades_at_once_one_does_the_work(empty: str) -> None:
    # Until the schema is given up again, no upgrade gets beyond the first revision.
    async with session(empty) as blocker, taken_back(blocker):
        await blocker.execute("CREATE SCHEMA app")
        both = [_upgrading(empty), _upgrading(empty)]
        await asyncio.to_thread(_wait_for_upgrades, empty, number=2)
    said = [await asyncio.to_thread(process.communicate) for process in both]

    assert sorted(said, reverse=True) == [("[]\n", ""), (f"{REVISIONS}\n", "")]
    await asyncio.to_thread(check, empty)


def test_developers_can_use_alembic_itself(migrated: str) -> None:
    ran = _alembic(PROJECT, "current", url=migrated)

    assert ran.stdout == f"{head()} (head)\n"


def test_alembic_says_which_settings_it_lacks() -> None:
    ran = _alembic(PROJECT, "current", url="")

    assert ran.returncode != 0
    assert "Neither DATABASE_ADMIN_URL nor DATABASE_URL is set" in ran.stderr


def test_a_new_revision_has_the_time_in_its_name_and_advice_within(
    tmp_path: Path,
) -> None:
    shutil.copytree(PROJECT / "migrations", tmp_path / "migrations")
    shutil.copy(PROJECT / "alembic.ini", tmp_path)

    ran = _alembic(tmp_path, "revision", "-m", "Parties have nicknames", url="")

    (made,) = (tmp_path / "migrations" / "versions").glob("2*.py")
    assert ran.returncode == 0, ran.stderr
    assert re.fullmatch(r"20\d{6}_\d{4}_parties_have_nicknames\.py", made.name)
    assert "ALTER TABLE parties NO FORCE ROW LEVEL SECURITY" in made.read_text()


def _wait_for_upgrades(url: str, number: int) -> None:
    """Wait until so many upgrades have connected to the same database."""
    give_up_at = time.monotonic() + 60
    while query(url, UPGRADES) < [(number,)]:
        assert time.monotonic() < give_up_at
        time.sleep(0.05)


def _upgrading(url: str) -> subprocess.Popen[str]:
    """An upgrade in a process of its own, which prints what it applied."""
    code = "import sys; from graph_api.database.migrations import upgrade; "
    return subprocess.Popen(
        [sys.executable, "-c", code + "print(upgrade(sys.argv[1]))", url],
        cwd=PROJECT,
        env={"HOME": "/", "LOCK_TIMEOUT_S": "60"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _alembic(folder: Path, *words: str, url: str) -> subprocess.CompletedProcess[str]:
    environment = {"HOME": "/", "DATABASE_URL": url}
    return subprocess.run(
        [sys.executable, "-m", "alembic", *words],
        check=False,
        cwd=folder,
        env={name: value for name, value in environment.items() if value},
        capture_output=True,
        text=True,
    )
