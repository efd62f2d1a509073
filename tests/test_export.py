"""Exports: a workspace leaves as it came."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from test_import import ALL, COLLECTION, DOCUMENT, LINK, PARTY, ROLE, TAG, count, write

from graph_api.caller import Caller
from graph_api.keys import new_key
from graph_api.transfer import (
    Connection,
    Progress,
    Summary,
    connect,
    export_workspace,
    import_files,
)

REF_OWNERS = (
    "parties",
    "roles",
    "commitments",
    "documents",
    "collections",
    "tags",
    "annotations",
    "knowledge_graph_nodes",
    "knowledge_graph_edges",
)


@pytest.fixture
async def connection(database_url: str, caller: Caller) -> AsyncIterator[Connection]:
    async with connect(database_url, caller.workspace_id) as connection:
        yield connection


@pytest.fixture
async def mover(admin: "asyncpg.Connection[Any]", caller: Caller) -> Caller:
    """The same user in another, empty workspace."""
    workspace_id = new_key()
    await admin.execute(
        "INSERT INTO workspaces (id, name) VALUES ($1, 'New home')", workspace_id
    )
    await admin.execute(
        "INSERT INTO workspace_members (workspace_id, id, user_id, role) "
        "VALUES ($1, $2, $3, 'owner')",
        workspace_id,
        new_key(),
        caller.user_id,
    )
    return replace(caller, workspace_id=workspace_id)


@pytest.fixture
async def new_home(database_url: str, mover: Caller) -> AsyncIterator[Connection]:
    async with connect(database_url, mover.workspace_id) as connection:
        yield connection


async def exported(connection: Connection) -> bytes:
    parts: list[bytes] = []
    await export_workspace(connection, parts.append)
    return b"".join(parts)


async def imported(
    connection: Connection, caller: Caller, path: Path, content: bytes
) -> Summary:
    lines = write(path, *content.splitlines())
    return await import_files(connection, caller, [lines])


async def fill(connection: Connection, caller: Caller, folder: Path) -> None:
    """Something of every type, with what is easily lost on the way."""
    odd = {
        "type": "Party",
        "ref": "Role:r1",
        "kind": "person",
        "name": 'Zoë "\\" \n\t\u2028 \x01\x02 Müller 🎲',
        "metadata": {"nested": {"list": [1, 1.5, True, None, "\\n"]}, "äöü": 1e-7},
        "createdAt": "1999-12-31T23:59:59.123450+01:00",
    }
    lines = [
        *ALL,
        odd,
        ROLE | {"ref": "r2", "party": "Party:Role:r1", "user": None},
        DOCUMENT | {"ref": "copy"},
        DOCUMENT | {"ref": "d2", "sha256": None, "text": "ß" * 100_000},
        LINK | {"document": "d2", "target": "Document:d1"},
        LINK | {"document": "d2", "target": "Party:Role:r1"},
    ]
    await import_files(connection, caller, [write(folder / "all.jsonl", *lines)])
    edge = await connection.fetchval("SELECT id FROM knowledge_graph_edges")
    line = LINK | {"document": "d2", "target": f"KnowledgeEdge:{edge}"}
    await import_files(connection, caller, [write(folder / "edge.jsonl", line)])


@pytest.fixture
async def nameless(
    connection: Connection,
    caller: Caller,
    admin: "asyncpg.Connection[Any]",
    tmp_path: Path,
) -> Connection:
    """A workspace whose rows have no refs, as those that the API makes."""
    await fill(connection, caller, tmp_path)
    async with admin.transaction():
        await admin.execute("SET LOCAL session_replication_role = replica")
        for table in REF_OWNERS:
            await admin.execute(
                f'UPDATE "{table}" SET external_ref = NULL WHERE workspace_id = $1',
                caller.workspace_id,
            )
    return connection


async def test_a_line_has_the_fields_of_the_import_format(
    connection: Connection, caller: Caller, tmp_path: Path
) -> None:
    path = write(tmp_path / "file", PARTY, ROLE | {"createdAt": "2026-01-01T00:00:00Z"})
    await import_files(connection, caller, [path])

    lines = [json.loads(line) for line in (await exported(connection)).splitlines()]

    assert lines[1] == {
        "type": "Role",
        "ref": "r1",
        "party": "p1",
        "user": f"user-{caller.user_id}",
        "roleName": "Maintainer",
        "domainTags": [],
        "createdAt": "2026-01-01T00:00:00+00:00",
    }


async def test_a_workspace_leaves_as_it_came(
    connection: Connection,
    new_home: Connection,
    caller: Caller,
    mover: Caller,
    tmp_path: Path,
) -> None:
    await fill(connection, caller, tmp_path)

    before = await exported(connection)
    await imported(new_home, mover, tmp_path / "moved.jsonl", before)

    assert await exported(new_home) == before
    assert await new_home.fetchval("SELECT max(duplicate_count) FROM hash_index") == 1
    assert await count(new_home, "document_links") == 4


async def test_rows_without_ref_leave_as_they_came(
    nameless: Connection, new_home: Connection, mover: Caller, tmp_path: Path
) -> None:
    before = await exported(nameless)
    await imported(new_home, mover, tmp_path / "moved.jsonl", before)

    assert await exported(new_home) == before


async def test_what_was_exported_changes_nothing_where_it_is_from(
    nameless: Connection, caller: Caller, tmp_path: Path
) -> None:
    told_before = await count(nameless, "interactions")

    content = await exported(nameless)
    summary = await imported(nameless, caller, tmp_path / "again.jsonl", content)

    assert summary.written == 0
    assert summary.lines == content.count(b"\n")
    assert await count(nameless, "interactions") == told_before


async def test_an_export_says_how_far_it_is_and_what_it_wrote(
    connection: Connection, caller: Caller, tmp_path: Path
) -> None:
    path = write(tmp_path / "file.jsonl", PARTY, TAG, COLLECTION)
    await import_files(connection, caller, [path])
    heard: list[Progress] = []

    summary = await export_workspace(connection, lambda _: None, progress=heard.append)

    assert summary.lines == 3
    assert summary.types["Tag"].lines == 1
    assert heard[-1] == Progress("exporting", 3)


async def test_a_link_whose_target_is_gone_is_not_exported(
    connection: Connection,
    caller: Caller,
    admin: "asyncpg.Connection[Any]",
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "file.jsonl", DOCUMENT, PARTY, LINK | {"target": "p1"})
    await import_files(connection, caller, [path])
    async with admin.transaction():
        await admin.execute("SET LOCAL session_replication_role = replica")
        await admin.execute(
            "DELETE FROM parties WHERE workspace_id = $1", caller.workspace_id
        )

    assert b"DocumentLink" not in await exported(connection)
