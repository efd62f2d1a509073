"""What goes wrong with a migration, what it says then, and what to do about it."""

import asyncio
from collections.abc import Iterator

import pytest
from databases import (
    empty_database,
    execute,
    migrated_database,
    ordinary_owner,
    query,
    session,
    taken_back,
    url_of,
)

from graph_api.config import settings as settings_of_process
from graph_api.database.migrations import (
    check,
    current,
    downgrade,
    head,
    stamp,
    upgrade,
    upgrade_sql,
)
from graph_api.errors import ConfigurationError

# The server says this of its own accord when the disk is full; here it is told to.
OBEDIENT = """
    CREATE FUNCTION obey() RETURNS event_trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'as you wish' USING ERRCODE = '{sqlstate}';
    END $$
"""

MORTAL = """
    CREATE FUNCTION obey() RETURNS event_trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_terminate_backend(pg_backend_pid());
    END $$
"""

ON_NEW_TABLES = """
    CREATE EVENT TRIGGER obedient ON ddl_command_start WHEN TAG IN ('CREATE TABLE')
    EXECUTE FUNCTION obey()
"""


READABLE = "SELECT has_table_privilege('graph_api', 'alembic_version', 'SELECT')"


@pytest.fixture
def empty(server_url: str) -> Iterator[str]:
    with empty_database(server_url) as url:
        yield url


@pytest.fixture
def migrated(server_url: str) -> Iterator[str]:
    with migrated_database(server_url) as url:
        yield url


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Waits but briefly for locks."""
    monkeypatch.setenv("LOCK_TIMEOUT_S", "0.1")
    settings_of_process.cache_clear()
    yield
    settings_of_process.cache_clear()


def test_a_server_that_is_not_there() -> None:
    refusal = _refusal_of("postgresql://postgres@127.0.0.1:1/graph_api")

    assert "graph_api at 127.0.0.1 does not answer" in refusal.message
    assert "See that PostgreSQL runs there" in refusal.message


def test_a_socket_that_is_not_there() -> None:
    refusal = _refusal_of("postgresql:///graph_api?host=/nowhere")

    assert "graph_api at /nowhere does not answer" in refusal.message


def test_another_sort_of_database() -> None:
    refusal = _refusal_of("mysql://root@127.0.0.1/graph_api")

    assert "must be PostgreSQL" in refusal.message


def test_a_database_that_is_not_there(server_url: str) -> None:
    refusal = _refusal_of(url_of(server_url, "mig_nowhere"))

    assert refusal.details["sqlstate"] == "3D000"
    assert refusal.message.endswith("Create it first: createdb NAME.")


def test_a_login_that_is_not_there(server_url: str) -> None:
    refusal = _refusal_of(server_url.replace("://postgres", "://mig_nobody", 1))

    assert refusal.details["sqlstate"] in {"28000", "28P01"}
    assert "pg_hba.conf" in refusal.details["remedy"]


def test_a_password_is_never_repeated() -> None:
    refusal = _refusal_of("postgresql://postgres:hunter2@127.0.0.1:1/graph_api")

    assert "hunter2" not in str(refusal)


def test_a_replica(empty: str) -> None:
    execute(
        empty, f"ALTER DATABASE {_name(empty)} SET default_transaction_read_only = on"
    )

    refusal = _refusal_of(empty)

    assert refusal.details["sqlstate"] == "25006"
    assert "name the primary" in refusal.message


def test_an_owner_who_is_not_a_member_of_the_role(server_url: str) -> None:
    with ordinary_owner(server_url) as (url, owner):
        refusal = _refusal_of(url)
        reached = current(url)

    assert refusal.details["sqlstate"] == "42501"
    assert refusal.details["remedy"] == f"As a superuser: GRANT graph_api TO {owner};"
    assert reached is None


def test_a_login_that_may_not_create_extensions(server_url: str) -> None:
    with ordinary_owner(server_url, "graph_api") as (url, owner):
        name = _name(url)
        execute(server_url, f"ALTER DATABASE {name} OWNER TO CURRENT_USER")
        execute(url, f"SET ROLE NONE; GRANT CREATE ON SCHEMA public TO {owner}")
        refusal = _refusal_of(url)

    assert refusal.details["remedy"] == (
        f"As its owner: GRANT CREATE ON DATABASE {name} TO {owner}; or as a superuser, "
        "in this database: CREATE EXTENSION pg_trgm;"
    )


def test_a_login_that_may_not_create_tables(server_url: str) -> None:
    with ordinary_owner(server_url, "graph_api") as (url, _):
        execute(server_url, f"ALTER DATABASE {_name(url)} OWNER TO CURRENT_USER")
        refusal = _refusal_of(url)

    assert refusal.details["sqlstate"] == "42501"
    assert "permission denied for schema public" in refusal.message
    assert "GRANT CREATE ON SCHEMA public" in refusal.message


@pytest.mark.parametrize(
    ("before", "sqlstate"),
    [
        ("CREATE TABLE parties ()", "42P07"),
        ("CREATE SCHEMA app", "42P06"),
    ],
)
def test_a_table_that_exists_already(empty: str, before: str, sqlstate: str) -> None:
    execute(empty, before)

    refusal = _refusal_of(empty)

    assert refusal.details["sqlstate"] == sqlstate
    assert "graph-api migrate stamp" in refusal.details["remedy"]


@pytest.mark.parametrize(
    ("sqlstate", "remedy"),
    [
        ("53100", "Make room"),
        ("53300", "max_connections"),
        ("53200", "short of resources"),
        ("23503", "`graph-api check` lists them"),
        ("23514", "Mend them"),
        ("57014", "statement_timeout"),
        ("57P03", "Try again"),
        ("XX000", "`graph-api migrate current` tells"),
    ],
)
def test_what_the_server_runs_into(empty: str, sqlstate: str, remedy: str) -> None:
    upgrade(empty, "0002")
    execute(empty, OBEDIENT.format(sqlstate=sqlstate), ON_NEW_TABLES)

    refusal = _refusal_of(empty)

    assert refusal.details["sqlstate"] == sqlstate
    assert "says: as you wish" in refusal.message
    assert remedy in refusal.details["remedy"]
    assert current(empty) == "0002"


def test_a_server_that_stops_in_the_middle(empty: str) -> None:
    upgrade(empty, "0002")
    execute(empty, MORTAL, ON_NEW_TABLES)

    refusal = _refusal_of(empty)
    execute(empty, "DROP EVENT TRIGGER obedient")
    applied = upgrade(empty)

    assert refusal.details["remedy"].endswith("try again: it goes on where it was.")
    assert applied == since("0003")


def test_a_revision_that_fails_is_undone_and_those_before_it_stay(empty: str) -> None:
    execute(empty, "CREATE TABLE knowledge_graph_edges ()")

    refusal = _refusal_of(empty)
    reached = current(empty)
    nodes = query(empty, "SELECT to_regclass('knowledge_graph_nodes')")
    execute(empty, "DROP TABLE knowledge_graph_edges")
    applied = upgrade(empty)

    assert refusal.details["sqlstate"] == "42P07"
    assert (reached, nodes) == ("0004", [(None,)])
    assert applied == since("0005")


@pytest.mark.usefixtures("_impatient")
async def test_a_table_that_somebody_else_holds(migrated: str) -> None:
    async with session(migrated) as other, taken_back(other):
        await other.execute("LOCK TABLE interactions IN ACCESS SHARE MODE")
        with pytest.raises(ConfigurationError) as refused:
            await asyncio.to_thread(downgrade, migrated, "0005")

    assert refused.value.details["sqlstate"] == "55P03"
    assert "LOCK_TIMEOUT_S" in refused.value.message


def test_a_database_of_a_newer_version(migrated: str) -> None:
    execute(migrated, "UPDATE alembic_version SET version_num = '9999'")

    refusal = _refusal_of(migrated)

    assert "Can't locate revision identified by '9999'" in refusal.message
    assert "newer version of graph-api" in refusal.message


def test_a_lost_version_can_be_noted_again(migrated: str) -> None:
    execute(migrated, "DROP TABLE alembic_version")

    stamp(migrated, "head")

    assert upgrade(migrated) == []
    assert query(migrated, READABLE) == [(True,)]
    check(migrated)


def test_a_revision_that_nobody_knows(empty: str) -> None:
    refusal = _refusal_of(empty, "nonsense")

    assert "Can't locate revision" in refusal.message
    assert "graph-api migrate history" in refusal.message


def test_more_steps_than_there_are(migrated: str) -> None:
    with pytest.raises(ConfigurationError, match="not so many revisions that way"):
        downgrade(migrated, "-9")

    assert current(migrated) == head()


def test_a_check_before_the_upgrade(empty: str) -> None:
    with pytest.raises(ConfigurationError, match="Run `graph-api migrate upgrade`"):
        check(empty)


def test_statements_for_a_revision_that_nobody_knows() -> None:
    with pytest.raises(ConfigurationError, match="Can't locate revision"):
        upgrade_sql("nonsense")


def _refusal_of(url: str, revision: str = "head") -> ConfigurationError:
    """What an upgrade is refused with."""
    with pytest.raises(ConfigurationError) as refused:
        upgrade(url, revision)
    return refused.value


def _name(url: str) -> str:
    return url.rpartition("/")[2].partition("?")[0]


def since(first: str) -> list[str]:
    """The revisions from `first` on, which are numbered."""
    return [f"{number:04}" for number in range(int(first), int(head()) + 1)]
