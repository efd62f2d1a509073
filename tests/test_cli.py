"""The commands of `graph-api`, as processes: what they print, and how they end."""

import gzip
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import empty_database, execute, migrated_database, query
from server import GRAPH_API, PROJECT, surroundings
from typer.testing import CliRunner

from graph_api.cli import COMMANDS, app
from graph_api.cli.health import findings
from graph_api.database.local import LOCAL_USER_ID
from graph_api.database.migrations import head, history
from graph_api.schema import sdl

REVISIONS = [revision.id for revision in history()]
NOBODY_THERE = "postgresql://graph@127.0.0.1:1/graph"
MODULES = """
import sys
from graph_api.cli import app
try:
    app(["--help"])
finally:
    print(*(name for name in ("sqlalchemy", "strawberry", "uvicorn", "rich")
            if name in sys.modules))
"""
SEED_LINES = [
    "✅ PostgreSQL extensions installed",
    "✅ All tables exist",
    "✅ All indexes created",
    "✅ Migration status: head",
    "✅ Database health: OK",
]
TAGS = """\
{"type":"Tag","ref":"t1","name":"one"}
{"type":"Tag","ref":"t2","name":""}
{"type":"Tag","ref":"t3","name":"three"}
"""


def graph_api(
    *arguments: str | Path, within: Path = PROJECT, given: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*GRAPH_API, *arguments],
        check=False,
        capture_output=True,
        text=True,
        input=given,
        cwd=within,
        env=surroundings({"PYTHONPATH": str(PROJECT)}),
        timeout=60,
    )


@pytest.fixture
def empty(server_url: str) -> Iterator[str]:
    with empty_database(server_url) as url:
        yield url


@pytest.fixture
def migrated(server_url: str) -> Iterator[str]:
    with migrated_database(server_url) as url:
        yield url


def test_the_help_lists_the_commands_and_imports_none_of_them() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", MODULES],
        check=False,
        capture_output=True,
        text=True,
        cwd=PROJECT,
        env=os.environ | {"COLUMNS": "200"},
    )

    assert ran.stderr == ""
    assert ran.stdout.endswith("\n\n") or ran.stdout.splitlines()[-1] == ""
    assert all(help in ran.stdout for _, help in COMMANDS.values())


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_the_help_that_the_list_says(command: str) -> None:
    ran = CliRunner().invoke(app, [command, "--help"])

    _, help = COMMANDS[command]
    assert ran.exit_code == 0
    assert f" {help} " in " ".join(ran.stdout.split())


def test_what_is_misspelt_ends_with_2() -> None:
    ran = graph_api("server")

    assert ran.returncode == 2
    assert "No such command 'server'" in ran.stderr


def test_the_version_is_printed() -> None:
    ran = graph_api("--version")

    assert (ran.returncode, ran.stdout) == (0, "graph-api 0.1.0\n")


@pytest.mark.parametrize("command", ["check", "serve"])
def test_what_a_user_did_wrong_is_said_in_words(command: str) -> None:
    ran = graph_api(command, "--database-url", NOBODY_THERE)

    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith(
        "graph-api: The database graph at 127.0.0.1 does not answer: "
    )
    assert ran.stderr.count("\n") == 1


def test_a_database_is_migrated_up_and_down(empty: str) -> None:
    said = [
        graph_api("migrate", *arguments, "--database-url", empty).stdout
        for arguments in (
            ("upgrade", "0002"),
            ("upgrade",),
            ("upgrade",),
            ("check",),
            ("downgrade", "base"),
            ("current",),
            ("stamp", "head"),
        )
    ]

    assert said == [
        "Applied 0001, 0002\n",
        f"Applied {', '.join(REVISIONS[2:])}\n",
        "Nothing to do\n",
        f"The database is at {head()} (head), as the models are.\n",
        f"Undid {', '.join(reversed(REVISIONS))}\n",
        "base\n",
        f"Noted {head()} (head)\n",
    ]


def test_revisions_are_listed_and_printed_as_sql_without_a_database() -> None:
    listed = CliRunner().invoke(app, ["migrate", "history"])
    up = CliRunner().invoke(app, ["migrate", "upgrade", "--sql"])
    down = CliRunner().invoke(app, ["migrate", "downgrade", "base", "--sql"])

    assert [line.split()[0] for line in listed.stdout.splitlines()] == REVISIONS
    assert "CREATE TABLE parties" in up.stdout
    assert "DROP TABLE parties" in down.stdout


def test_a_migration_that_fails_says_what_to_do(empty: str) -> None:
    execute(empty, "CREATE TABLE parties (id int)")

    upgraded = graph_api("migrate", "upgrade", "--database-url", empty)
    checked = graph_api("migrate", "check", "--database-url", empty)

    assert (upgraded.returncode, checked.returncode) == (1, 1)
    assert "graph-api migrate stamp REVISION" in upgraded.stderr
    assert "graph-api migrate upgrade" in checked.stderr


def test_a_database_of_another_revision_is_left_alone(empty: str) -> None:
    ran = graph_api("export", "--database-url", empty)

    assert (ran.returncode, ran.stdout) == (1, "")
    assert f"works with revision {head()}" in ran.stderr
    assert "Run `graph-api migrate upgrade`" in ran.stderr


def test_the_schema_is_printed_and_compared(tmp_path: Path) -> None:
    file = str(tmp_path / "schema.graphql")

    printed = CliRunner().invoke(app, ["schema"])
    written = CliRunner().invoke(app, ["schema", "-o", file])
    checked = CliRunner().invoke(app, ["schema", "--check", "-o", file])

    assert printed.stdout == sdl() == Path(file).read_text()
    assert (written.exit_code, written.stdout) == (0, "")
    assert (checked.exit_code, checked.stdout) == (0, "")


def test_a_schema_that_differs_is_shown_how(tmp_path: Path) -> None:
    file = tmp_path / "schema.graphql"
    file.write_text(sdl().replace("type Party ", "type Person "))

    ran = graph_api("schema", "--check", within=tmp_path)

    assert ran.returncode == 1
    assert "\n-type Person " in ran.stdout
    assert "\n+type Party " in ran.stdout
    assert ran.stderr == (
        "graph-api: schema.graphql is not the schema as it is: `graph-api schema -o "
        "schema.graphql` makes it.\n"
    )


def test_seeds_are_stored_once_and_told(migrated: str) -> None:
    first = graph_api("seed", "--database-url", migrated)
    second = graph_api("seed", "--database-url", migrated)

    told = "SELECT type, count(*) FROM interactions GROUP BY type ORDER BY type"
    assert first.stdout == "Stored 4 collections and 7 tags\n"
    assert second.stdout == "Stored 0 collections and 0 tags\n"
    assert query(migrated, told) == [("collection.created", 4), ("tag.created", 7)]
    assert query(migrated, "SELECT DISTINCT owner_id FROM collections") == [
        (LOCAL_USER_ID,)
    ]


def test_a_sound_database_is_reported_sound_in_the_words_of_the_script(
    migrated: str,
) -> None:
    ran = graph_api("check", "--database-url", migrated)

    lines = ran.stdout.splitlines()
    assert ran.returncode == 0, ran.stdout
    assert lines[:5] == SEED_LINES
    assert "❌" not in ran.stdout
    assert any(line.startswith("⚠️ ") and "fsync is off" in line for line in lines)


# What no service does, and no trigger lets anybody else do.
LINK_TO_NOTHING = """
    SET session_replication_role = replica;
    INSERT INTO document_links (workspace_id, id, document_id, entity_type, entity_id)
    VALUES ('00000000-0000-0000-0000-000000000002',
            '00000000-0000-0000-0000-00000000000a', md5('d')::uuid,
            'party', md5('p')::uuid)
"""

UNSOUND = {
    "DROP EXTENSION btree_gist": "PostgreSQL extensions missing: btree_gist",
    "DROP VIEW audit_log": "Tables missing: audit_log",
    "DROP INDEX idx_parties_kind": "Indexes missing or invalid: idx_parties_kind",
    "UPDATE alembic_version SET version_num = '0003'": (
        f"Migration status, where head is {head()}: 0003"
    ),
    "ALTER TABLE tags NO FORCE ROW LEVEL SECURITY": (
        "Row-level security is not forced on: tags"
    ),
    "ALTER TABLE tags DISABLE TRIGGER needs_interaction": (
        "Triggers of the log missing or disabled: tags.needs_interaction"
    ),
    "ALTER TABLE tags ADD CONSTRAINT odd CHECK (name <> 'odd') NOT VALID": (
        "Rules that old rows may break: odd"
    ),
    LINK_TO_NOTHING: "Links to what is gone: 00000000-0000-0000-0000-00000000000a",
}


@pytest.mark.parametrize(("mischief", "named"), UNSOUND.items(), ids=UNSOUND.values())
async def test_what_is_not_sound_is_named(
    migrated: str, mischief: str, named: str
) -> None:
    execute(migrated, mischief)

    found = [finding async for finding in findings(migrated, head()) if finding.fails]

    assert [str(finding) for finding in found] == [f"❌ {named}"]


def test_an_unsound_database_ends_the_check_with_1(empty: str) -> None:
    ran = graph_api("check", "--database-url", empty)

    assert ran.returncode == 1
    assert "❌ Tables missing: " in ran.stdout
    assert "Traceback" not in ran.stderr


def test_what_is_exported_can_be_imported(
    migrated: str, server_url: str, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.jsonl.gz"
    graph_api("seed", "--database-url", migrated)

    exported = graph_api("export", "-o", backup, "--database-url", migrated)
    with migrated_database(server_url) as other:
        imported = graph_api("import", backup, "--database-url", other)
        names = query(other, "SELECT name FROM collections ORDER BY name")

    assert exported.stderr.startswith("Exported 11 lines in ")
    assert imported.stdout.endswith(": 11 created\n")
    assert len(gzip.decompress(backup.read_bytes()).splitlines()) == 11
    assert names == query(migrated, "SELECT name FROM collections ORDER BY name")
    assert list(tmp_path.iterdir()) == [backup]


def test_a_wrong_line_stops_an_import_or_is_skipped(
    migrated: str, tmp_path: Path
) -> None:
    file = tmp_path / "tags.jsonl"
    file.write_text(TAGS)
    here = ("--database-url", migrated)

    stopped = graph_api("import", file, *here)
    stored = query(migrated, "SELECT count(*) FROM tags")
    skipped = graph_api("import", file, "--on-error", "skip", "--reason", "why", *here)

    assert (stopped.returncode, stopped.stdout, stored) == (1, "", [(0,)])
    assert f"{file}:2: `name` " in stopped.stderr
    assert skipped.returncode == 0
    assert skipped.stdout.endswith(": 2 created, 1 refused\n")
    assert (tmp_path / "tags.jsonl.rejected.jsonl").read_text() == TAGS.splitlines(
        keepends=True
    )[1]
    assert query(migrated, "SELECT DISTINCT reason FROM interactions") == [("why",)]


def test_standard_input_can_be_imported(migrated: str) -> None:
    ran = graph_api(
        "import", "-", "--database-url", migrated, given=TAGS.splitlines()[0]
    )

    assert ran.stdout.endswith(": 1 created\n")


def test_files_that_cannot_be_read_or_written_are_named(
    migrated: str, tmp_path: Path
) -> None:
    nowhere = tmp_path / "no" / "file.jsonl"

    imported = graph_api("import", nowhere, "--database-url", migrated)
    exported = graph_api("export", "-o", nowhere, "--database-url", migrated)

    assert imported.returncode == exported.returncode == 1
    assert f"{nowhere} cannot be read" in imported.stderr
    assert f"{nowhere} cannot be written" in exported.stderr


def test_a_setting_that_cannot_be_so_is_named() -> None:
    ran = subprocess.run(
        [*GRAPH_API, "migrate", "current"],
        check=False,
        capture_output=True,
        text=True,
        cwd=PROJECT,
        env=surroundings({"POOL_SIZE": "0", "SECRET_KEY": "hunter2"}),
    )

    assert ran.returncode == 1
    assert "POOL_SIZE: Input should be greater than or equal to 1." in ran.stderr
    assert "SECRET_KEY: Value should have at least 16 items" in ran.stderr
    assert "hunter2" not in ran.stderr
