"""Imports: what files say is stored once, told in the log, or refused by line."""

import asyncio
import gzip
import hashlib
import io
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from databases import execute
from sqlalchemy.dialects.postgresql import JSONB

from graph_api.caller import Caller
from graph_api.errors import BadUserInput
from graph_api.ids import global_id
from graph_api.models import Base
from graph_api.reading.columns import column_of
from graph_api.services.log import UNTOLD, told
from graph_api.transfer import (
    Connection,
    Counts,
    ImportRefused,
    Progress,
    Summary,
    connect,
    import_files,
)
from graph_api.transfer.kinds import ENTITIES

Line = dict[str, Any]
Import = Callable[..., Awaitable[Summary]]

SHA = "ab" * 32

PARTY: Line = {"type": "Party", "ref": "p1", "kind": "ORG", "name": "Games Team"}
ROLE: Line = {"type": "Role", "ref": "r1", "party": "p1", "roleName": "Maintainer"}
COMMITMENT: Line = {
    "type": "Commitment",
    "ref": "c1",
    "role": "r1",
    "commitmentType": "responsibility",
    "title": "Maintain 0ad",
    "source": "api",
    "dueAt": "2026-05-01T12:00:00+02:00",
    "domainTags": ["games"],
}
DOCUMENT: Line = {
    "type": "Document",
    "ref": "d1",
    "title": "0ad",
    "source": "batch_import",
    "sha256": SHA,
    "fileSize": "7891488",
    "text": "Real-time strategy",
    "extractionCost": "0.25",
}
NODE: Line = {
    "type": "KnowledgeNode",
    "ref": "n1",
    "label": "0ad",
    "nodeType": "entity",
}
OTHER_NODE: Line = NODE | {"ref": "n2", "label": "games", "embedding": [0.5, -1]}
EDGE: Line = {
    "type": "KnowledgeEdge",
    "source": "n1",
    "target": "n2",
    "edgeType": "in",
    "properties": {"since": [1, 2.5, None]},
}
COLLECTION: Line = {"type": "Collection", "ref": "k1", "name": "Packages"}
INNER: Line = {"type": "Collection", "ref": "k2", "name": "Games", "parent": "k1"}
TAG: Line = {"type": "Tag", "ref": "t1", "name": "Important", "color": "#d62728"}
LINK: Line = {
    "type": "DocumentLink",
    "document": "d1",
    "target": "c1",
    "relation": "proof",
}
TAGGING: Line = {"type": "DocumentTag", "document": "d1", "tag": "t1"}
ANNOTATION: Line = {"type": "Annotation", "ref": "a1", "document": "d1", "text": "See?"}
SIGNAL: Line = {
    "type": "Signal",
    "source": "EMAIL",
    "dedupeKey": "mail-1",
    "payload": {"subject": "Hello"},
    "extraction": "d1",
}

# References come before what they name: order is free.
ALL: list[Line | bytes] = [
    TAGGING,
    LINK,
    SIGNAL,
    ANNOTATION,
    INNER,
    EDGE,
    DOCUMENT | {"collection": "k2"},
    COMMITMENT,
    ROLE,
    PARTY,
    OTHER_NODE,
    NODE,
    TAG,
    COLLECTION,
]


@pytest.fixture
async def connection(database_url: str, caller: Caller) -> AsyncIterator[Connection]:
    async with connect(database_url, caller.workspace_id) as connection:
        yield connection


@pytest.fixture
def do_import(connection: Connection, caller: Caller, tmp_path: Path) -> Import:
    async def run(*lines: Line | bytes, **options: Any) -> Summary:
        path = write(tmp_path / "file.jsonl", *lines)
        return await import_files(connection, caller, [path], **options)

    return run


def write(path: Path, *lines: Line | bytes) -> Path:
    path.write_bytes(
        b"".join(
            (line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n"
            for line in lines
        )
    )
    return path


async def refusals(do_import: Import, *lines: Line | bytes) -> list[str]:
    """What is said of `lines`, without the folder."""
    with pytest.raises(ImportRefused) as refused:
        await do_import(*lines)
    folder = str(Path(refused.value.refusals[0].file).parent) + "/"
    return [str(one).replace(folder, "") for one in refused.value.refusals]


async def test_lines_of_all_types_arrive_in_whatever_order(
    do_import: Import, connection: Connection
) -> None:
    summary = await do_import(*ALL)

    assert {name: c.created for name, c in summary.types.items()} == {
        "Party": 1,
        "Role": 1,
        "Collection": 2,
        "Tag": 1,
        "Commitment": 1,
        "KnowledgeNode": 2,
        "KnowledgeEdge": 1,
        "Document": 1,
        "Annotation": 1,
        "Signal": 1,
        "DocumentLink": 1,
        "DocumentTag": 1,
    }
    assert summary.lines == summary.written == len(ALL)
    row = await connection.fetchrow(
        "SELECT c.title, c.due_at::text, c.priority, c.state, r.role_name, p.name "
        "FROM commitments c JOIN roles r ON r.id = role_id "
        "JOIN parties p ON p.id = party_id"
    )
    assert row is not None
    assert tuple(row) == (
        "Maintain 0ad",
        "2026-05-01 10:00:00+00",
        50,
        "accepted",
        "Maintainer",
        "Games Team",
    )


async def test_what_belongs_to_somebody_belongs_to_the_caller(
    do_import: Import, connection: Connection, caller: Caller
) -> None:
    await do_import(PARTY, ROLE, DOCUMENT, COLLECTION | {"owner": None})

    owners = await connection.fetchrow(
        "SELECT (SELECT user_id FROM roles), (SELECT owner_id FROM documents), "
        "(SELECT owner_id FROM collections)"
    )

    assert owners is not None
    assert tuple(owners) == (caller.user_id, caller.user_id, None)


async def test_the_same_file_again_changes_nothing(
    do_import: Import, connection: Connection
) -> None:
    await do_import(*ALL)
    told_before = await count(connection, "interactions")

    summary = await do_import(*ALL)

    assert summary.written == 0
    assert sum(counts.unchanged for counts in summary.types.values()) == len(ALL)
    assert await count(connection, "interactions") == told_before


async def test_a_changed_line_updates_its_row_alone(
    do_import: Import, connection: Connection
) -> None:
    await do_import(PARTY, ROLE, COMMITMENT)

    summary = await do_import(PARTY, ROLE, COMMITMENT | {"priority": 90})

    assert summary.types["Commitment"] == Counts(updated=1)
    assert summary.written == 1
    last = await connection.fetchrow(
        "SELECT type, before - 'updatedAt' AS before, after - 'updatedAt' AS after, "
        "change_set_id FROM interactions ORDER BY position DESC LIMIT 1"
    )
    assert last is not None
    assert last["type"] == "commitment.updated"
    assert json.loads(last["before"]) == {"priority": 50, "version": 1}
    assert json.loads(last["after"]) == {"priority": 90, "version": 2}
    assert last["change_set_id"] == summary.change_set_id


async def test_an_absent_field_is_left_alone_and_null_empties_it(
    do_import: Import, connection: Connection
) -> None:
    await do_import(PARTY | {"taxId": "DE1", "contact": {"urls": []}})

    await do_import(PARTY | {"taxId": None})

    row = await connection.fetchrow("SELECT tax_id, contact_json FROM parties")
    assert row is not None
    assert tuple(row) == (None, '{"urls": []}')


async def test_the_log_replays_to_the_rows(
    do_import: Import, connection: Connection
) -> None:
    await do_import(*ALL)
    second = DOCUMENT | {"ref": "d2", "title": "long", "text": "ä" * 70_000}
    await do_import(
        second | {"sha256": None},
        DOCUMENT | {"title": "0ad 2", "collection": None},
        LINK | {"relation": "about"},
        LINK | {"target": "p1"},
        LINK | {"document": "d2", "target": "d1"},
        LINK | {"document": "d2"},
        TAG | {"ref": "t2", "name": "Later"},
        TAGGING | {"tag": "t2"},
        EDGE | {"weight": 0.25},
        COMMITMENT | {"dueAt": None},
    )

    told_of, stored = await replayed(connection), await present(connection)
    for key in stored:
        assert told_of[key] == stored[key]


async def test_a_line_is_told_with_who_and_why(
    do_import: Import, connection: Connection, caller: Caller
) -> None:
    await do_import(PARTY, reason="Moving in")

    told_of = await connection.fetchrow(
        "SELECT type, actor_type, actor_id, reason, request_id, before "
        "FROM interactions"
    )

    assert told_of is not None
    assert tuple(told_of) == (
        "party.created",
        "user",
        caller.user_id,
        "Moving in",
        caller.request_id,
        None,
    )


@pytest.mark.parametrize(
    ("line", "field", "reason"),
    [
        (b"{", None, "is no JSON in UTF-8"),
        (b'{"type":"Tag","name":"\xff"}', None, "is no JSON in UTF-8"),
        (b'{"type":"Tag","name":"\\ud800"}', None, "is no JSON in UTF-8"),
        (b"[]", None, "must be a JSON object"),
        ({"ref": "x"}, "type", "must be one of Annotation, Collection"),
        ({"type": "Node", "ref": "x"}, "type", "must be one of Annotation"),
        (PARTY | {"nmae": "x"}, "nmae", "is no field of a Party; its fields are"),
        (PARTY | {"ref": ""}, "ref", "must be text of 1 to 500 characters"),
        (PARTY | {"ref": "x" * 501}, "ref", "must be text of 1 to 500 characters"),
        (PARTY | {"ref": None}, "ref", "is missing"),
        ({"type": "Party", "ref": "x", "kind": "org"}, "name", "is missing"),
        (PARTY | {"kind": "cat"}, "kind", "must be one of org, person"),
        (PARTY | {"name": "  "}, "name", "must not be empty"),
        (PARTY | {"name": "a\0"}, "name", "must not contain U+0000"),
        (PARTY | {"metadata": {"a": ["\0"]}}, "metadata", "must not contain U+0000"),
        (PARTY | {"name": "x" * 256}, "name", "must have at most 255 characters"),
        (PARTY | {"name": None}, "name", "must not be null"),
        (PARTY | {"metadata": []}, "metadata", "must be a JSON object"),
        (PARTY | {"createdAt": "2026-01-01"}, "createdAt", "time with an offset"),
        (COMMITMENT | {"priority": 101}, "priority", "must be from 0 to 100, not 101"),
        (COMMITMENT | {"priority": True}, "priority", "must be a whole number"),
        (COMMITMENT | {"priority": 1.5}, "priority", "must be a whole number"),
        (COMMITMENT | {"dueAt": "2201-01-01T00:00:00Z"}, "dueAt", "1900 to 2199"),
        (COMMITMENT | {"rrule": "WEEKLY"}, "rrule", "RFC 5545"),
        (COMMITMENT | {"domainTags": [1]}, "domainTags", "must be a list of texts"),
        (COMMITMENT | {"role": 5}, "role", "must be the ref"),
        (COMMITMENT | {"role": "Party:p1"}, "role", "names a Party; a Role is wanted"),
        (ROLE | {"user": "nobody"}, "user", "must be the username or the id"),
        (DOCUMENT | {"sha256": "AB" * 32}, "sha256", "64 hexadecimal digits"),
        (DOCUMENT | {"extractionCost": "0.12345"}, "extractionCost", "4 decimal"),
        (DOCUMENT | {"extractionCost": "NaN"}, "extractionCost", "a decimal number"),
        (DOCUMENT | {"fileSize": -1}, "fileSize", "must be from 0"),
        (NODE | {"embedding": [1e39]}, "embedding", "must hold numbers"),
        (NODE | {"embedding": ["1"]}, "embedding", "must be a finite number"),
        (EDGE | {"weight": -1}, "weight", "must be from 0"),
        (TAG | {"color": "red"}, "color", "must be a color such as #1f77b4"),
        (SIGNAL | {"dedupeKey": None, "ref": "s"}, "ref", "must be a UUID"),
        (ROLE, "party", "names 'p1', which is neither a Party of these lines nor one"),
        (INNER | {"parent": "k2"}, "parent", "leads, through others perhaps"),
        (LINK | {"document": "d9"}, "document", "names 'd9', which is neither"),
    ],
)
async def test_a_wrong_line_is_refused_by_file_line_and_field(
    do_import: Import,
    connection: Connection,
    line: Line | bytes,
    field: str | None,
    reason: str,
) -> None:
    with pytest.raises(ImportRefused) as refused:
        await do_import(TAG | {"ref": "fine", "name": "Fine"}, b"", line)

    (refusal, *_) = refused.value.refusals
    assert (Path(refusal.file).name, refusal.line) == ("file.jsonl", 3)
    assert refusal.field == field
    assert reason in refusal.reason
    assert await count(connection, "tags") == 0


async def test_a_broken_line_among_100_000_stops_all(
    do_import: Import, connection: Connection
) -> None:
    lines: list[Line | bytes] = [NODE | {"ref": f"n{n}"} for n in range(100_000)]
    lines[49_999] = NODE | {"ref": "broken", "label": 7}

    assert await refusals(do_import, *lines) == [
        "file.jsonl:50000: `label` must be text"
    ]

    assert await count(connection, "knowledge_graph_nodes") == 0
    assert await count(connection, "interactions") == 0


async def test_only_the_first_refusals_are_told_in_full(do_import: Import) -> None:
    with pytest.raises(ImportRefused) as refused:
        await do_import(*[b"nonsense"] * 30)

    assert refused.value.count == 30
    assert [one.line for one in refused.value.refusals] == list(range(1, 21))
    assert "and 10 more" in refused.value.message


async def test_skipping_imports_the_rest_and_keeps_what_was_refused(
    do_import: Import, tmp_path: Path
) -> None:
    broken = b'{"type": "Party", "ref":"p1"  }'
    lines: list[Line | bytes] = [
        ROLE,
        broken,
        NODE,
        COMMITMENT,
        LINK | {"target": "n1"},
        DOCUMENT,
        LINK,
    ]

    summary = await do_import(*lines, on_error="skip")

    assert summary.written == 3
    assert summary.refused == 4
    rejected = tmp_path / "file.jsonl.rejected.jsonl"
    assert summary.rejected_files == (rejected,)
    expected: list[Line | bytes] = [ROLE, broken, COMMITMENT, LINK]
    assert rejected.read_bytes() == write(tmp_path / "expected", *expected).read_bytes()
    assert [(r.line, r.field) for r in summary.refusals] == [
        (1, "party"),
        (2, "kind"),
        (4, "role"),
        (7, "target"),
    ]


async def test_what_refers_to_a_refused_line_is_refused_though_the_row_is_stored(
    do_import: Import, connection: Connection
) -> None:
    await do_import(PARTY)

    summary = await do_import(PARTY | {"name": ""}, ROLE, on_error="skip")

    assert summary.refused == 2
    assert "file.jsonl:1" in summary.refusals[1].reason
    assert await count(connection, "roles") == 0


async def test_rows_are_named_by_ref_by_uuid_and_by_global_id(
    do_import: Import, connection: Connection
) -> None:
    await do_import(PARTY)
    key = await connection.fetchval("SELECT id FROM parties")

    await do_import(
        ROLE,
        ROLE | {"ref": "r2", "party": str(key)},
        ROLE | {"ref": "r3", "party": global_id("Party", key)},
        ROLE | {"ref": "r4", "party": "Party:p1"},
        ROLE | {"ref": "r5", "party": f"Party:{key}"},
    )

    roles = await connection.fetch(
        "SELECT party_id, count(*) FROM roles GROUP BY party_id"
    )
    assert [tuple(row) for row in roles] == [(key, 5)]


async def test_a_target_that_two_types_have_needs_its_type(do_import: Import) -> None:
    same = [PARTY | {"ref": "x"}, NODE | {"ref": "x"}, DOCUMENT]

    said = await refusals(do_import, *same, LINK | {"target": "x"})

    assert said[0].startswith("file.jsonl:4: `target` names 'x', which is a Know")
    assert said[0].endswith("a KnowledgeNode and a Party: write KnowledgeNode:x")
    summary = await do_import(*same, LINK | {"target": "Party:x"})
    assert summary.types["DocumentLink"].created == 1


async def test_a_prefix_counts_only_if_it_is_a_type(do_import: Import) -> None:
    summary = await do_import(PARTY | {"ref": "deb:x"}, ROLE | {"party": "deb:x"})

    assert summary.written == 2


async def test_two_documents_with_one_hash_are_one(
    do_import: Import, connection: Connection
) -> None:
    again = DOCUMENT | {"ref": "d2", "title": "the same"}
    lines = [DOCUMENT, again, PARTY, LINK | {"document": "d2", "target": "p1"}]

    summary = await do_import(*lines)
    repeated = await do_import(*lines, DOCUMENT | {"ref": "d3"})

    assert summary.types["Document"] == Counts(created=1, duplicates=1)
    assert summary.types["DocumentLink"] == Counts(created=1)
    assert repeated.types["Document"] == Counts(unchanged=2, duplicates=1)
    assert await connection.fetchval("SELECT title FROM documents") == "0ad"
    assert await connection.fetchval("SELECT duplicate_count FROM hash_index") == 2
    told_of = await connection.fetch(
        "SELECT metadata FROM interactions "
        "WHERE type = 'document.duplicate_detected' ORDER BY position"
    )
    assert [json.loads(row["metadata"]) for row in told_of] == [
        {"duplicateCount": 1, "ref": "d2"},
        {"duplicateCount": 2, "ref": "d3"},
    ]


async def test_the_hash_index_follows_a_changed_hash(
    do_import: Import, connection: Connection
) -> None:
    await do_import(DOCUMENT)

    await do_import(DOCUMENT | {"sha256": "cd" * 32})

    hashes = await connection.fetch("SELECT file_hash FROM hash_index")
    assert [row["file_hash"] for row in hashes] == ["cd" * 32]


async def test_an_edge_without_ref_is_known_by_its_ends_and_type(
    do_import: Import, connection: Connection
) -> None:
    await do_import(NODE, OTHER_NODE, EDGE)

    summary = await do_import(
        EDGE | {"ref": "e1", "weight": 2}, EDGE | {"edgeType": "other"}
    )

    assert summary.types["KnowledgeEdge"] == Counts(created=1, updated=1)
    edges = await connection.fetch(
        "SELECT edge_type, weight, external_ref FROM knowledge_graph_edges ORDER BY 1"
    )
    assert [tuple(row) for row in edges] == [("in", 2.0, "e1"), ("other", 1.0, None)]


async def test_a_tag_of_a_known_name_is_that_tag(
    do_import: Import, connection: Connection
) -> None:
    await do_import({"type": "Tag", "name": "Important"})

    await do_import(TAG, DOCUMENT, TAGGING)

    tags = await connection.fetch("SELECT name, color, external_ref, version FROM tags")
    assert [tuple(row) for row in tags] == [("Important", "#d62728", "t1", 2)]
    assert await count(connection, "document_tags") == 1


async def test_a_name_that_another_tag_has_is_refused(do_import: Import) -> None:
    await do_import(TAG, TAG | {"ref": "t2", "name": "Other"})

    said = await refusals(do_import, TAG | {"name": "Other"})

    assert said[0].startswith("file.jsonl:1: `name` is that of another Tag")


async def test_a_ref_that_two_lines_have_is_refused_unless_they_agree(
    do_import: Import,
) -> None:
    summary = await do_import(PARTY, PARTY)
    said = await refusals(do_import, PARTY, PARTY | {"name": "Other"})

    assert summary.types["Party"] == Counts(created=1, unchanged=1)
    assert said[0].startswith("file.jsonl:2: `ref` is that of another line, which")
    assert said[0].endswith("file.jsonl:1)")


async def test_a_link_of_a_known_document_is_a_change_of_it(
    do_import: Import, connection: Connection
) -> None:
    await do_import(DOCUMENT, PARTY, TAG)

    summary = await do_import(LINK | {"target": "p1"}, TAGGING)

    assert summary.types["DocumentLink"] == Counts(created=1)
    assert summary.types["DocumentTag"] == Counts(created=1)
    assert await connection.fetchval("SELECT version FROM documents") == 3
    types = await connection.fetch("SELECT type FROM interactions ORDER BY position")
    assert [row["type"] for row in types][-2:] == ["document.linked", "document.tagged"]


async def test_a_file_beside_the_import_file_is_measured(
    do_import: Import, connection: Connection, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "letter.txt").write_text("Dear Sirs")
    line = {"type": "Document", "ref": "d", "title": "Letter", "source": "upload"}

    await do_import(line | {"path": "in/letter.txt"})

    row = await connection.fetchrow(
        "SELECT file_name, file_size, sha256, storage_uri FROM documents"
    )
    assert row is not None
    digest = hashlib.sha256(b"Dear Sirs").hexdigest()
    assert tuple(row) == ("letter.txt", 9, digest, None)


@pytest.mark.parametrize(
    "path", ["../file", "/etc/passwd", "link", "none", ".", "in/../../x", 5, ""]
)
async def test_a_path_that_leads_elsewhere_is_refused(
    do_import: Import, connection: Connection, tmp_path: Path, path: Any
) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    line = {"type": "Document", "ref": "d", "title": "Letter", "source": "upload"}

    said = await refusals(do_import, line | {"path": path})

    assert said[0].startswith("file.jsonl:1: `path`")
    assert await count(connection, "documents") == 0


async def test_compressed_files_and_standard_input_are_read_together(
    connection: Connection,
    caller: Caller,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    packed = tmp_path / "roles.jsonl.gz"
    packed.write_bytes(gzip.compress(json.dumps(ROLE).encode()))
    piped = io.BufferedReader(io.BytesIO(json.dumps(PARTY).encode()))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=piped))

    summary = await import_files(connection, caller, [packed, "-"])

    assert summary.written == 2


async def test_a_file_that_cannot_be_read_imports_nothing(
    connection: Connection, caller: Caller, tmp_path: Path
) -> None:
    whole = gzip.compress(json.dumps(PARTY).encode() * 1000)
    damaged = tmp_path / "damaged.gz"
    damaged.write_bytes(whole[: len(whole) // 2])

    with pytest.raises(BadUserInput, match="cannot be read"):
        await import_files(connection, caller, [damaged])
    with pytest.raises(BadUserInput, match="cannot be read"):
        await import_files(connection, caller, [tmp_path / "none"])

    assert await count(connection, "parties") == 0


async def test_collections_arrive_from_the_outside_to_the_inside(
    do_import: Import, connection: Connection
) -> None:
    chain = [
        {"type": "Collection", "ref": f"k{n}", "name": f"{n}", "parent": f"k{n - 1}"}
        for n in range(2_500, 0, -1)
    ]

    await do_import(*chain, COLLECTION | {"ref": "k0"})

    assert await count(connection, "collections") == 2_501


async def test_collections_in_a_circle_are_refused(
    do_import: Import, connection: Connection
) -> None:
    await do_import(COLLECTION, INNER)

    said = await refusals(do_import, COLLECTION | {"parent": "k2"})

    assert said[0].startswith("file.jsonl:1: `parent` leads, through others perhaps,")
    assert await count(connection, "interactions") == 2


async def test_an_annotation_does_not_end_before_it_starts(do_import: Import) -> None:
    await do_import(DOCUMENT, ANNOTATION | {"startOffset": 5})

    said = await refusals(do_import, ANNOTATION | {"endOffset": 4})

    assert said == ["file.jsonl:1: `endOffset` must not lie before startOffset"]


async def test_what_a_crash_left_undone_is_done_by_the_next_import(
    database_url: str, do_import: Import, caller: Caller, tmp_path: Path
) -> None:
    nodes = [NODE | {"ref": f"n{n}"} for n in range(5_000)]
    path = write(tmp_path / "file.jsonl", *nodes)

    class Crash(Exception):
        pass

    def crash(progress: Progress) -> None:
        if progress.phase == "writing":
            raise Crash

    async with connect(database_url, caller.workspace_id) as doomed:
        with pytest.raises(Crash):
            await import_files(doomed, caller, [path], progress=crash)
    summary = await do_import(*nodes)

    assert summary.types["KnowledgeNode"] == Counts(created=3_000, unchanged=2_000)


async def test_a_second_import_waits_and_says_so(
    database_url: str, do_import: Import, caller: Caller, tmp_path: Path
) -> None:
    path = write(tmp_path / "second.jsonl", PARTY)
    phases: list[str] = []
    others: list[asyncio.Task[Summary]] = []

    async def second() -> Summary:
        async with connect(database_url, caller.workspace_id) as connection:
            return await import_files(
                connection,
                caller,
                [path],
                progress=lambda progress: phases.append(progress.phase),
            )

    def start(progress: Progress) -> None:
        if progress.phase == "reading" and not others:
            others.append(asyncio.create_task(second()))

    lines = [PARTY, *(NODE | {"ref": f"n{n}"} for n in range(20_000))]
    first = await do_import(*lines, progress=start)
    waited = await others[0]

    assert phases[0] == "waiting"
    assert first.types["Party"] == Counts(created=1)
    assert waited.types["Party"] == Counts(unchanged=1)


async def test_who_was_faster_in_the_meantime_is_respected(
    database_url: str, do_import: Import, caller: Caller, connection: Connection
) -> None:
    def be_faster(progress: Progress) -> None:
        if progress.phase == "writing" and progress.done == 1:
            execute(
                database_url,
                "SET session_replication_role = replica; INSERT INTO tags "
                "(workspace_id, id, name) VALUES "
                f"('{caller.workspace_id}', gen_random_uuid(), 'Important')",
            )

    summary = await do_import(PARTY, TAG, progress=be_faster)

    assert summary.types["Party"] == Counts(created=1)
    assert summary.types["Tag"] == Counts(updated=1)
    tags = await connection.fetch("SELECT color, external_ref FROM tags")
    assert [tuple(row) for row in tags] == [("#d62728", "t1")]


async def test_an_import_leaves_other_workspaces_alone(
    database_url: str, do_import: Import, stranger: Caller
) -> None:
    await do_import(*ALL)

    async with connect(database_url, stranger.workspace_id) as theirs:
        assert await count(theirs, "interactions") == 0
        assert await count(theirs, "documents") == 0


async def count(connection: Connection, table: str) -> int:
    found = await connection.fetchval(f'SELECT count(*) FROM "{table}"')
    assert isinstance(found, int)
    return found


async def replayed(connection: Connection) -> dict[str, Line]:
    """The rows as the log tells them: each change laid over what was there."""
    rows: dict[str, Line] = {}
    for told_of in await connection.fetch(
        "SELECT primary_entity_id, after FROM interactions ORDER BY position"
    ):
        row = rows.setdefault(str(told_of["primary_entity_id"]), {})
        after = json.loads(told_of["after"])
        links = row.get("links", {}) | after.pop("links", {})
        row |= after
        if links:
            row["links"] = links
    return rows


async def present(connection: Connection) -> dict[str, Line]:
    """The rows as they are, as the log would tell them."""
    rows: dict[str, Line] = {}
    for kind in ENTITIES:
        model: type[Base] = kind.model
        for stored in await connection.fetch(f"SELECT * FROM {kind.stored}"):
            values = {
                prop.key: decoded(stored[prop.columns[0].name], model, prop.key)
                for prop in model.__mapper__.column_attrs
                if prop.key not in UNTOLD
            }
            rows[str(stored["id"])] = told(values)
    for link in await connection.fetch("SELECT * FROM document_links"):
        names = ("entity_type", "entity_id", "relation", "created_at")
        links = rows[str(link["document_id"])].setdefault("links", {})
        links[str(link["id"])] = told({name: link[name] for name in names})
    for tagging in await connection.fetch(
        "SELECT * FROM document_tags ORDER BY tag_id"
    ):
        tags = rows[str(tagging["document_id"])].setdefault("tags", [])
        tags.append(str(tagging["tag_id"]))
    return rows


def decoded(value: Any, model: type[Base], attribute: str) -> Any:
    is_json = isinstance(column_of(model, attribute).type, JSONB)
    return json.loads(value) if is_json and value else value
