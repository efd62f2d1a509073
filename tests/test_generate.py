"""Made-up data: as much as is said, the same for the same seed, and well told."""

from collections import Counter
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from graph_api.caller import Caller
from graph_api.errors import BadUserInput
from graph_api.generating import Sizes, fill
from graph_api.generating.lines import ROUNDS, changed_lines, first_lines
from graph_api.transfer import connect

Count = Callable[[str], Awaitable[int]]

SMALL = Sizes.scaled(0.02)
TABLES = {
    "parties": SMALL.parties,
    "roles": SMALL.roles,
    "commitments": SMALL.commitments,
    "documents": SMALL.documents,
    "signals": SMALL.signals,
    "document_links": SMALL.document_links,
    "collections": SMALL.collections,
    "tags": SMALL.tags,
    "document_tags": SMALL.document_tags,
    "annotations": SMALL.annotations,
    "knowledge_graph_nodes": SMALL.knowledge_nodes,
    "knowledge_graph_edges": SMALL.knowledge_edges,
}


@pytest.fixture
def count(admin: "asyncpg.Connection[asyncpg.Record]", caller: Caller) -> Count:
    """Counts what of a table belongs to the caller."""

    async def count(source: str) -> int:
        found = await admin.fetchval(
            f"SELECT count(*) FROM {source} AS t WHERE t.workspace_id = $1",
            caller.workspace_id,
        )
        assert isinstance(found, int)
        return found

    return count


async def test_there_is_as_much_of_everything_as_is_said(
    database_url: str, caller: Caller, count: Count
) -> None:
    async with connect(database_url, caller.workspace_id) as connection:
        await fill(connection, caller, SMALL)

    assert {table: await count(table) for table in TABLES} == TABLES
    knowledge = SMALL.knowledge_nodes + SMALL.knowledge_edges
    assert await count("interactions") == SMALL.interactions + knowledge


async def test_what_has_changed_since_is_told_as_updates(
    database_url: str, caller: Caller, count: Count
) -> None:
    async with connect(database_url, caller.workspace_id) as connection:
        summaries = await fill(connection, caller, SMALL)

    assert len(summaries) == 1 + len(ROUNDS)
    assert await count("(SELECT * FROM interactions WHERE before IS NOT NULL)") == (
        SMALL.updates
    )
    changed = "(SELECT workspace_id, version FROM commitments WHERE version > 1)"
    assert await count(changed) > SMALL.commitments / 3


async def test_a_workspace_that_is_used_is_left_alone_unless_forced(
    database_url: str, caller: Caller, count: Count
) -> None:
    tiny = Sizes.scaled(0.001)
    async with connect(database_url, caller.workspace_id) as connection:
        await fill(connection, caller, tiny)
        before = await count("interactions")

        with pytest.raises(BadUserInput, match="--force"):
            await fill(connection, caller, tiny)

        assert await count("interactions") == before
        await fill(connection, caller, tiny, seed=2, force=True)
    assert await count("commitments") == 2 * tiny.commitments
    assert await count("tags") == tiny.tags


def test_a_seed_always_makes_up_the_same() -> None:
    assert list(first_lines(3, SMALL)) == list(first_lines(3, SMALL))
    assert list(changed_lines(3, SMALL, 2)) == list(changed_lines(3, SMALL, 2))


def test_another_seed_makes_up_something_else() -> None:
    one = [line for line in first_lines(3, SMALL) if line["type"] == "Party"]
    other = [line for line in first_lines(4, SMALL) if line["type"] == "Party"]

    assert [a["name"] for a in one] != [b["name"] for b in other]


def test_a_year_is_what_the_documentation_says() -> None:
    lines = Counter(line["type"] for line in first_lines(1, Sizes()))

    assert lines == {
        "Party": 1_000,
        "Role": 2_000,
        "Commitment": 10_000,
        "Document": 5_000,
        "DocumentLink": 15_000,
        "DocumentTag": 8_000,
        "Signal": 5_000,
        "Collection": 40,
        "Tag": 60,
        "Annotation": 1_000,
        "KnowledgeNode": 20_000,
        "KnowledgeEdge": 60_000,
    }


def test_a_few_are_popular_and_much_is_absent() -> None:
    commitments = [
        line
        for line in first_lines(1, Sizes.scaled(0.2))
        if line["type"] == "Commitment"
    ]

    of_roles = Counter(line["role"] for line in commitments)
    assert of_roles["role/1.0"] > 10 * len(commitments) / 400
    absent = sum(line["dueAt"] is None for line in commitments)
    assert 0.2 < absent / len(commitments) < 0.4
    assert any("rrule" in line for line in commitments)
    assert any(not line["title"].isascii() for line in commitments)


def test_changes_are_spread_over_the_rounds_without_a_rest() -> None:
    sizes = Sizes.scaled(0.1)

    rounds = [len(list(changed_lines(1, sizes, 1 + n))) for n in range(len(ROUNDS))]

    assert sum(rounds) == sizes.updates
    assert rounds == sorted(rounds, reverse=True)
