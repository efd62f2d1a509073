"""The log is complete and stays as it is, whatever is sent to the database."""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import pytest
from asyncpg import (
    Connection,
    InsufficientPrivilegeError,
    IntegrityConstraintViolationError,
    RestrictViolationError,
)
from databases import execute, migrated_database, ordinary_owner, session, taken_back

from graph_api.database.migrations import upgrade
from graph_api.keys import new_key

UNTOLD = "has no interaction"

NODES = "SELECT id, label FROM knowledge_graph_nodes ORDER BY id"
EDGES = "SELECT id FROM knowledge_graph_edges"


# One transaction each, as far as statistics can tell.
HISTORY = """
    INSERT INTO interactions (workspace_id, id, xid, type, actor_type,
                              primary_entity_type, primary_entity_id)
    SELECT app.workspace(), gen_random_uuid(), number::text::xid8, 'x.y', 'user',
           'tag', gen_random_uuid()
    FROM generate_series(1, {length}) AS number
"""

READ = """
    SELECT seq_tup_read, idx_tup_fetch FROM pg_stat_xact_user_tables
    WHERE relname = 'interactions'
"""


@pytest.fixture
async def application(database_url: str) -> AsyncIterator[Connection]:
    """A connection as the server has them, bound to a workspace without rows."""
    async with session(database_url, "graph_api") as connection:
        await connection.execute(f"SET app.workspace = '{new_key()}'")
        yield connection


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[Connection]:
    """A connection of who owns the tables: a superuser, whom no policy holds."""
    async with session(database_url) as connection:
        await connection.execute(f"SET app.workspace = '{new_key()}'")
        yield connection


@pytest.fixture(scope="module")
def url_of_ordinary_owner(server_url: str) -> Iterator[str]:
    """A migrated database whose owner is no superuser."""
    with ordinary_owner(server_url, "graph_api") as (url, _):
        upgrade(url)
        yield url


async def test_a_change_that_is_told_is_kept(application: Connection) -> None:
    a, b, edge = new_key(), new_key(), new_key()

    await transact(
        application, new_node(a), new_node(b), new_edge(edge, a, b), told(a, b, edge)
    )

    assert await rows(application, NODES) == [(a, "x"), (b, "x")]
    assert await rows(application, EDGES) == [(edge,)]


async def test_an_untold_change_is_refused_at_commit(application: Connection) -> None:
    with pytest.raises(IntegrityConstraintViolationError, match=UNTOLD):
        await transact(application, new_node(new_key()))

    assert await rows(application, NODES) == []


async def test_the_interaction_may_come_before_the_change(
    application: Connection,
) -> None:
    a = new_key()

    await transact(application, told(a), new_node(a))

    assert await rows(application, NODES) == [(a, "x")]


async def test_telling_of_something_else_is_not_enough(
    application: Connection,
) -> None:
    with pytest.raises(IntegrityConstraintViolationError, match=UNTOLD):
        await transact(application, new_node(new_key()), told(new_key()))


async def test_an_interaction_of_an_earlier_transaction_is_not_enough(
    application: Connection,
) -> None:
    a = new_key()
    await transact(application, new_node(a), told(a))

    with pytest.raises(IntegrityConstraintViolationError, match=UNTOLD):
        await transact(application, renamed(a, "y"))

    assert await rows(application, NODES) == [(a, "x")]


async def test_what_a_foreign_key_takes_along_must_be_told_too(
    application: Connection,
) -> None:
    a, b, edge = await linked_nodes(application)

    with pytest.raises(IntegrityConstraintViolationError, match=f"{edge} {UNTOLD}"):
        await transact(application, deleted(a), told(a))

    assert await rows(application, NODES) == [(a, "x"), (b, "x")]


async def test_what_a_foreign_key_takes_along_can_be_told(
    application: Connection,
) -> None:
    a, b, edge = await linked_nodes(application)

    await transact(application, deleted(a), told(a, edge))

    assert await rows(application, NODES) == [(b, "x")]
    assert await rows(application, EDGES) == []


async def test_that_holds_as_well_where_the_owner_is_no_superuser(
    url_of_ordinary_owner: str,
) -> None:
    # What a foreign key does, it does as the owner, who has to see the log for it.
    async with session(url_of_ordinary_owner, "graph_api") as application:
        await application.execute(f"SET app.workspace = '{new_key()}'")
        a, b, edge = await linked_nodes(application)

        with pytest.raises(IntegrityConstraintViolationError, match=UNTOLD):
            await transact(application, deleted(a), told(a))
        await transact(application, deleted(a), told(a, edge))

        assert await rows(application, NODES) == [(b, "x")]


async def test_what_a_foreign_key_empties_must_be_told_too(
    application: Connection,
) -> None:
    outer, inner = new_key(), new_key()
    await transact(
        application,
        f"INSERT INTO collections (workspace_id, id, name, parent_id) VALUES "
        f"(app.workspace(), '{outer}', 'outer', NULL), "
        f"(app.workspace(), '{inner}', 'inner', '{outer}')",
        told(outer, inner),
    )

    with pytest.raises(IntegrityConstraintViolationError, match=f"{inner} {UNTOLD}"):
        await transact(
            application, f"DELETE FROM collections WHERE id = '{outer}'", told(outer)
        )


async def test_an_interaction_that_was_rolled_back_is_not_enough(
    application: Connection,
) -> None:
    a = new_key()

    with pytest.raises(IntegrityConstraintViolationError, match=UNTOLD):
        await transact(
            application, new_node(a), "SAVEPOINT s", told(a), "ROLLBACK TO SAVEPOINT s"
        )


async def test_a_change_within_a_savepoint_can_be_told_outside(
    application: Connection,
) -> None:
    a = new_key()

    await transact(
        application, "SAVEPOINT s", new_node(a), "RELEASE SAVEPOINT s", told(a)
    )

    assert await rows(application, NODES) == [(a, "x")]


async def test_a_change_that_was_rolled_back_needs_no_interaction(
    application: Connection,
) -> None:
    await transact(
        application, "SAVEPOINT s", new_node(new_key()), "ROLLBACK TO SAVEPOINT s"
    )

    assert await rows(application, NODES) == []


async def test_checking_at_once_is_no_way_around(application: Connection) -> None:
    with pytest.raises(IntegrityConstraintViolationError, match=UNTOLD):
        await transact(
            application, "SET CONSTRAINTS ALL IMMEDIATE", new_node(new_key())
        )


async def test_leaving_the_workspace_before_commit_is_no_way_around(
    application: Connection,
) -> None:
    a = new_key()

    with pytest.raises(IntegrityConstraintViolationError, match=UNTOLD):
        await transact(
            application, new_node(a), told(a), "SET LOCAL app.workspace = ''"
        )


async def test_an_interaction_of_another_workspace_is_not_enough(
    owner: Connection,
) -> None:
    a = new_key()

    with pytest.raises(IntegrityConstraintViolationError, match=UNTOLD):
        await transact(
            owner, new_node(a), f"SET LOCAL app.workspace = '{new_key()}'", told(a)
        )


@pytest.mark.parametrize(
    ("column", "value"), [("xid", "'999999999'"), ("position", "1")]
)
async def test_nobody_can_forge_when_something_was_told(
    application: Connection, column: str, value: str
) -> None:
    with pytest.raises(InsufficientPrivilegeError, match="permission denied"):
        await application.execute(
            f"INSERT INTO interactions (workspace_id, id, {column}, type, actor_type, "
            "primary_entity_type, primary_entity_id) OVERRIDING SYSTEM VALUE "
            "VALUES (app.workspace(), "
            f"'{new_key()}', {value}, 'x.y', 'user', 'tag', '{new_key()}')"
        )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE interactions SET type = 'x'",
        "DELETE FROM interactions",
        "TRUNCATE interactions",
        "SET session_replication_role = replica",
        "ALTER TABLE interactions DISABLE TRIGGER no_change",
        "ALTER TABLE knowledge_graph_nodes DISABLE TRIGGER needs_interaction",
        "DROP FUNCTION app.require_interaction() CASCADE",
    ],
)
async def test_the_application_may_not_touch_the_log_or_its_guards(
    application: Connection, statement: str
) -> None:
    with pytest.raises(InsufficientPrivilegeError):
        await application.execute(statement)


@pytest.mark.parametrize("role", ["origin", "replica"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE interactions SET type = 'x'",
        "DELETE FROM interactions",
        "TRUNCATE interactions",
    ],
)
async def test_not_even_its_owner_can_change_the_log(
    owner: Connection, statement: str, role: str
) -> None:
    await transact(owner, told(new_key()))
    before = await rows(owner, "SELECT * FROM interactions ORDER BY position")

    await owner.execute(f"SET session_replication_role = {role}")
    with pytest.raises(RestrictViolationError, match="interactions is append-only"):
        await owner.execute(statement)

    assert before
    assert await rows(owner, "SELECT * FROM interactions ORDER BY position") == before


async def test_without_its_trigger_an_untold_change_would_pass(
    server_url: str,
) -> None:
    a = new_key()

    with migrated_database(server_url) as url:
        execute(url, "DROP TRIGGER needs_interaction ON knowledge_graph_nodes")
        async with session(url, "graph_api") as application:
            await application.execute(f"SET app.workspace = '{new_key()}'")
            await transact(application, new_node(a))

            assert await rows(application, NODES) == [(a, "x")]


async def test_a_link_is_told_as_a_change_of_its_document(
    application: Connection,
) -> None:
    document, tag = await tag_and_document(application)

    with pytest.raises(IntegrityConstraintViolationError, match=f"{document} {UNTOLD}"):
        await transact(application, new_link(document, tag), told(tag))
    await transact(application, new_link(document, tag), told(document))
    with pytest.raises(IntegrityConstraintViolationError, match=f"{document} {UNTOLD}"):
        await transact(application, "DELETE FROM document_links")


async def test_a_tag_is_told_as_a_change_of_its_document(
    application: Connection,
) -> None:
    document, tag = await tag_and_document(application)

    with pytest.raises(IntegrityConstraintViolationError, match=f"{document} {UNTOLD}"):
        await transact(application, tagged(document, tag), told(tag))
    await transact(application, tagged(document, tag), told(document))
    with pytest.raises(IntegrityConstraintViolationError, match=f"{document} {UNTOLD}"):
        await transact(application, "DELETE FROM tags", told(tag))


async def test_telling_of_a_deleted_document_is_telling_of_its_links(
    application: Connection,
) -> None:
    document, tag = await tag_and_document(application)
    await transact(application, new_link(document, tag), told(document))

    await transact(application, "DELETE FROM documents", told(document))

    assert await rows(application, "SELECT id FROM document_links") == []


async def test_a_link_that_moves_is_a_change_of_both_documents(
    application: Connection,
) -> None:
    one, tag = await tag_and_document(application)
    other = new_key()
    await transact(application, new_document(other), told(other))
    await transact(application, new_link(one, tag), told(one))
    move = f"UPDATE document_links SET document_id = '{other}'"

    with pytest.raises(IntegrityConstraintViolationError, match=f"{one} {UNTOLD}"):
        await transact(application, move, told(other))
    with pytest.raises(IntegrityConstraintViolationError, match=f"{other} {UNTOLD}"):
        await transact(application, move, told(one))
    await transact(application, move, told(one, other))


@pytest.mark.parametrize("length", [0, 5_000])
async def test_the_check_reads_one_row_of_the_log_for_each_change(
    server_url: str, length: int
) -> None:
    ids = [new_key() for _ in range(100)]

    with migrated_database(server_url) as url:
        async with session(url) as owner:
            await owner.execute(f"SET app.workspace = '{new_key()}'")
            await owner.execute(HISTORY.format(length=length))
            # Of an empty table as well: whoever believes it is read as a whole.
            await owner.execute("ANALYZE interactions")
        async with session(url, "graph_api") as application, taken_back(application):
            await application.execute(f"SET app.workspace = '{new_key()}'")
            await application.execute("; ".join(map(new_node, ids)))
            await application.execute(told(*ids))
            await application.execute("SET CONSTRAINTS ALL IMMEDIATE")
            read = await rows(application, READ)

    assert read == [(0, len(ids))]


async def test_each_change_moves_the_version(application: Connection) -> None:
    a, b = new_key(), new_key()
    await transact(application, new_node(a), new_node(b), told(a, b))

    await transact(
        application,
        "UPDATE knowledge_graph_nodes SET label = 'y', version = 99, "
        "updated_at = '2000-01-01'",
        told(a, b),
    )

    moved = await rows(
        application,
        "SELECT version, updated_at > created_at FROM knowledge_graph_nodes",
    )
    assert moved == [(2, True), (2, True)]


@pytest.mark.parametrize(
    "change", ["id = gen_random_uuid()", "created_at = created_at - interval '1 day'"]
)
async def test_keys_and_times_of_birth_never_change(
    application: Connection, change: str
) -> None:
    a = new_key()
    await transact(application, new_node(a), told(a))

    with pytest.raises(RestrictViolationError, match="never change"):
        await transact(application, f"UPDATE knowledge_graph_nodes SET {change}")


async def transact(connection: Connection, *statements: str) -> None:
    """Run `statements` in one transaction, and commit it."""
    async with connection.transaction():
        for statement in statements:
            await connection.execute(statement)


async def rows(connection: Connection, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await connection.fetch(statement)]


def told(*entities: UUID) -> str:
    ids = ", ".join(f"('{entity}'::uuid)" for entity in entities)
    return (
        "INSERT INTO interactions (workspace_id, id, type, actor_type, "
        "primary_entity_type, primary_entity_id) SELECT app.workspace(), "
        f"gen_random_uuid(), 'x.y', 'user', 'tag', told.id FROM (VALUES {ids}) "
        "AS told (id)"
    )


def new_node(id: UUID) -> str:
    return (
        "INSERT INTO knowledge_graph_nodes (workspace_id, id, label, node_type) "
        f"VALUES (app.workspace(), '{id}', 'x', 'concept')"
    )


def renamed(id: UUID, label: str) -> str:
    return f"UPDATE knowledge_graph_nodes SET label = '{label}' WHERE id = '{id}'"


def deleted(id: UUID) -> str:
    return f"DELETE FROM knowledge_graph_nodes WHERE id = '{id}'"


def new_edge(id: UUID, source: UUID, target: UUID) -> str:
    return (
        "INSERT INTO knowledge_graph_edges (workspace_id, id, source_id, target_id, "
        f"edge_type) VALUES (app.workspace(), '{id}', '{source}', '{target}', 'x')"
    )


def new_document(id: UUID) -> str:
    return (
        "INSERT INTO documents (workspace_id, id, title, source) "
        f"VALUES (app.workspace(), '{id}', 'x', 'manual')"
    )


def new_link(document: UUID, tag: UUID) -> str:
    return (
        "INSERT INTO document_links (workspace_id, id, document_id, entity_type, "
        f"entity_id) VALUES (app.workspace(), '{new_key()}', '{document}', 'tag', "
        f"'{tag}')"
    )


def tagged(document: UUID, tag: UUID) -> str:
    return (
        "INSERT INTO document_tags (workspace_id, id, document_id, tag_id) "
        f"VALUES (app.workspace(), '{new_key()}', '{document}', '{tag}')"
    )


async def linked_nodes(connection: Connection) -> tuple[UUID, UUID, UUID]:
    """Two nodes and the edge from the first to the second."""
    a, b, edge = new_key(), new_key(), new_key()
    await transact(
        connection, new_node(a), new_node(b), new_edge(edge, a, b), told(a, b, edge)
    )
    return a, b, edge


async def tag_and_document(connection: Connection) -> tuple[UUID, UUID]:
    """A document and a tag, which have nothing to do with each other yet."""
    document, tag = new_key(), new_key()
    await transact(
        connection,
        new_document(document),
        "INSERT INTO tags (workspace_id, id, name) "
        f"VALUES (app.workspace(), '{tag}', 'x')",
        told(document, tag),
    )
    return document, tag
