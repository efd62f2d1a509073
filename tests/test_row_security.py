"""A workspace sees and changes its own rows alone, whatever statement is sent."""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import pytest
from asyncpg import (
    Connection,
    ForeignKeyViolationError,
    InsufficientPrivilegeError,
    InvalidTextRepresentationError,
)
from databases import ordinary_owner, query, session, taken_back

from graph_api.database.migrations import upgrade
from graph_api.keys import new_key

LABELS = "SELECT label FROM knowledge_graph_nodes"

REFUSED_BY_POLICY = "violates row-level security policy"

# A workspace with a member, a node, and what its log and its view tell of it.
WORLD = """
    INSERT INTO workspaces (id, name) VALUES ('{workspace}', 'World');
    INSERT INTO users (id, username) VALUES ('{user}', 'user {user}');
    INSERT INTO user_passwords (user_id, password_hash) VALUES ('{user}', 'secret');
    INSERT INTO workspace_members (workspace_id, id, user_id, role)
    VALUES ('{workspace}', gen_random_uuid(), '{user}', 'owner');
    INSERT INTO knowledge_graph_nodes (workspace_id, id, label, node_type)
    VALUES ('{workspace}', '{node}', 'node {node}', 'concept');
    INSERT INTO interactions (workspace_id, id, type, actor_type,
                              primary_entity_type, primary_entity_id)
    VALUES ('{workspace}', gen_random_uuid(), 'knowledge_node.created', 'user',
            'knowledge_node', '{node}'),
           ('{workspace}', gen_random_uuid(), 'document.tagged', 'user',
            'document', '{node}');
"""

# What can be seen of each sort.
VISIBLE = """
    SELECT (SELECT array_agg(id) FROM workspaces),
           (SELECT array_agg(id) FROM users),
           (SELECT array_agg(user_id) FROM workspace_members),
           (SELECT array_agg(id) FROM knowledge_graph_nodes),
           (SELECT array_agg(primary_entity_id) FROM interactions),
           (SELECT array_agg(document_id) FROM audit_log)
"""

NOTHING = [(None, None, None, None, None, None)]


class World:
    """A workspace that is not empty: its id, and those of its user and its node."""

    def __init__(self) -> None:
        self.workspace, self.user, self.node = new_key(), new_key(), new_key()


@pytest.fixture
async def ours(database_url: str) -> World:
    return await make_world(database_url)


@pytest.fixture
async def theirs(database_url: str) -> World:
    return await make_world(database_url)


@pytest.fixture
async def stranger(database_url: str, theirs: World) -> AsyncIterator[Connection]:
    """A connection of the server's that is not bound to any workspace."""
    assert theirs
    async with session(database_url, "graph_api") as connection:
        yield connection


@pytest.fixture
async def application(
    database_url: str, ours: World, theirs: World
) -> AsyncIterator[Connection]:
    """A connection of the server's, bound to our workspace; there is another one."""
    assert theirs
    async with session(database_url, "graph_api") as connection:
        await bind(connection, ours.workspace)
        yield connection


@pytest.fixture(scope="module")
def url_of_ordinary_owner(server_url: str) -> Iterator[str]:
    """A migrated database whose owner is no superuser."""
    with ordinary_owner(server_url, "graph_api") as (url, _):
        upgrade(url)
        yield url


async def test_without_a_workspace_there_is_nothing(stranger: Connection) -> None:
    assert await rows(stranger, VISIBLE) == NOTHING


async def test_with_an_empty_workspace_there_is_nothing(stranger: Connection) -> None:
    await stranger.execute("SET app.workspace = ''")

    assert await rows(stranger, VISIBLE) == NOTHING


async def test_after_a_transaction_its_workspace_is_forgotten(
    stranger: Connection, theirs: World
) -> None:
    async with stranger.transaction():
        await stranger.execute(f"SET LOCAL app.workspace = '{theirs.workspace}'")

    assert await rows(stranger, VISIBLE) == NOTHING


async def test_what_is_no_workspace_is_an_error(stranger: Connection) -> None:
    await stranger.execute("SET app.workspace = '1 OR 1=1'")

    with pytest.raises(InvalidTextRepresentationError):
        await stranger.fetch(LABELS)


async def test_a_workspace_sees_its_own(application: Connection, ours: World) -> None:
    assert await rows(application, VISIBLE) == [
        (
            [ours.workspace],
            [ours.user],
            [ours.user],
            [ours.node],
            [ours.node, ours.node],
            [ours.node],
        )
    ]


async def test_switching_row_security_off_is_an_error(application: Connection) -> None:
    await application.execute("SET row_security = off")

    with pytest.raises(InsufficientPrivilegeError, match="row-level security"):
        await application.fetch(LABELS)


async def test_a_row_of_another_workspace_cannot_be_made(
    application: Connection, theirs: World
) -> None:
    with pytest.raises(InsufficientPrivilegeError, match=REFUSED_BY_POLICY):
        await application.execute(new_node(theirs.workspace, new_key()))


async def test_a_row_cannot_be_moved_to_another_workspace(
    application: Connection, theirs: World
) -> None:
    with pytest.raises(InsufficientPrivilegeError, match=REFUSED_BY_POLICY):
        await application.execute(
            f"UPDATE knowledge_graph_nodes SET workspace_id = '{theirs.workspace}'"
        )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE knowledge_graph_nodes SET label = 'stolen'",
        "DELETE FROM knowledge_graph_nodes",
    ],
)
async def test_rows_of_another_workspace_are_not_there_to_be_changed(
    application: Connection, theirs: World, statement: str
) -> None:
    done = await application.execute(f"{statement} WHERE id = '{theirs.node}'")

    assert done.endswith(" 0")


async def test_an_id_does_not_tell_that_another_workspace_has_it(
    application: Connection, ours: World, theirs: World
) -> None:
    async with taken_back(application):
        done = await application.execute(new_node(ours.workspace, theirs.node))

    assert done == "INSERT 0 1"


async def test_an_upsert_cannot_reach_a_row_of_another_workspace(
    application: Connection, theirs: World
) -> None:
    with pytest.raises(InsufficientPrivilegeError, match=REFUSED_BY_POLICY):
        await application.execute(
            f"{new_node(theirs.workspace, theirs.node)} "
            "ON CONFLICT (workspace_id, id) DO UPDATE SET label = 'stolen'"
        )


async def test_a_foreign_key_cannot_point_into_another_workspace(
    application: Connection, ours: World, theirs: World
) -> None:
    with pytest.raises(ForeignKeyViolationError):
        await application.execute(
            "INSERT INTO knowledge_graph_edges (workspace_id, id, source_id, "
            f"target_id, edge_type) VALUES ('{ours.workspace}', '{new_key()}', "
            f"'{ours.node}', '{theirs.node}', 'x')"
        )


async def test_a_member_of_another_workspace_cannot_be_named(
    application: Connection, ours: World, theirs: World
) -> None:
    with pytest.raises(ForeignKeyViolationError):
        await application.execute(
            "INSERT INTO documents (workspace_id, id, title, source, owner_id) VALUES "
            f"('{ours.workspace}', '{new_key()}', 'x', 'manual', '{theirs.user}')"
        )


@pytest.mark.parametrize(
    "statement",
    [
        "SET ROLE postgres",
        "TRUNCATE knowledge_graph_nodes",
        "ALTER TABLE knowledge_graph_nodes DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON knowledge_graph_nodes",
        "CREATE TABLE mine ()",
        "CREATE FUNCTION app.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "INSERT INTO users (id, username) VALUES (gen_random_uuid(), 'me')",
        "INSERT INTO workspaces (id, name) VALUES (gen_random_uuid(), 'Mine')",
        "UPDATE workspaces SET id = gen_random_uuid()",
        "DELETE FROM workspaces",
        "DELETE FROM workspace_members",
        "UPDATE workspace_members SET user_id = gen_random_uuid()",
        "DELETE FROM users",
        "UPDATE api_keys SET key_hash = 'mine'",
        "UPDATE alembic_version SET version_num = '0001'",
    ],
)
async def test_the_application_may_not(application: Connection, statement: str) -> None:
    with pytest.raises(InsufficientPrivilegeError):
        await application.execute(statement)


async def test_a_prepared_plan_follows_the_workspace(
    application: Connection, ours: World, theirs: World
) -> None:
    await application.execute("SET plan_cache_mode = force_generic_plan")
    nodes = await application.prepare("SELECT id FROM knowledge_graph_nodes")

    before = await nodes.fetchval()
    await bind(application, theirs.workspace)
    after = await nodes.fetchval()
    await application.execute("RESET app.workspace")
    unbound = await nodes.fetch()

    assert (before, after, unbound) == (ours.node, theirs.node, [])


async def test_a_user_of_two_workspaces_is_seen_in_both(
    database_url: str, application: Connection, ours: World, theirs: World
) -> None:
    async with session(database_url) as owner:
        await owner.execute(
            "INSERT INTO workspace_members (workspace_id, id, user_id, role) VALUES "
            f"('{ours.workspace}', '{new_key()}', '{theirs.user}', 'viewer')"
        )

    seen = await rows(application, "SELECT id FROM users ORDER BY id")

    assert seen == sorted([(ours.user,), (theirs.user,)])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE users SET is_active = false",
        "UPDATE user_passwords SET password_hash = 'mine'",
    ],
)
async def test_of_a_fellow_member_nothing_can_be_changed(
    application: Connection, statement: str
) -> None:
    assert await application.execute(statement) == "UPDATE 0"


async def test_a_workspace_changes_itself_alone(
    database_url: str, application: Connection, ours: World, theirs: World
) -> None:
    done = await application.execute("UPDATE workspaces SET name = 'Ours'")
    async with session(database_url) as owner:
        names = await rows(
            owner,
            f"SELECT id, name FROM workspaces WHERE id IN ('{ours.workspace}', "
            f"'{theirs.workspace}')",
        )

    assert done == "UPDATE 1"
    assert dict(names) == {ours.workspace: "Ours", theirs.workspace: "World"}


async def test_no_password_is_seen_from_a_workspace(application: Connection) -> None:
    assert await rows(application, "SELECT * FROM user_passwords") == []


async def test_a_user_who_has_proven_to_be_one_sees_what_is_his(
    stranger: Connection, theirs: World
) -> None:
    await stranger.fetch("SELECT set_config('app.user', $1, false)", str(theirs.user))

    assert await rows(stranger, VISIBLE) == [
        ([theirs.workspace], [theirs.user], [theirs.user], None, None, None)
    ]
    assert await rows(stranger, "SELECT password_hash FROM user_passwords") == [
        ("secret",)
    ]


async def test_a_name_leads_to_its_user_and_to_nothing_else(
    stranger: Connection, theirs: World
) -> None:
    await stranger.execute(f"SET app.sign_in = 'user {theirs.user}'")

    assert await rows(stranger, VISIBLE) == [
        (None, [theirs.user], None, None, None, None)
    ]
    assert await rows(stranger, "SELECT * FROM user_passwords") == []


@pytest.mark.parametrize("name", ["user", "User %", "user %", "%", "' OR true --"])
async def test_what_is_only_like_a_name_leads_nowhere(
    stranger: Connection, name: str
) -> None:
    await stranger.fetch("SELECT set_config('app.sign_in', $1, false)", name)

    assert await rows(stranger, VISIBLE) == NOTHING


@pytest.mark.parametrize("table", ["api_keys", "invitations"])
async def test_a_credential_leads_to_its_row_and_to_nothing_else(
    database_url: str, stranger: Connection, theirs: World, table: str
) -> None:
    keys = [new_key(), new_key()]
    async with session(database_url) as owner:
        for key in keys:
            await owner.execute(_credential(table, theirs, key))

    seen = []
    for presented in (f"hash {keys[0]}", "", "hash", "hash %"):
        await stranger.execute(f"SET app.credential = '{presented}'")
        seen.append([id for (id,) in await rows(stranger, f"SELECT id FROM {table}")])

    assert seen == [[keys[0]], [], [], []]
    assert await rows(stranger, VISIBLE) == NOTHING


def test_audit_log_has_the_columns_of_old(database_url: str) -> None:
    columns = query(
        database_url,
        "SELECT column_name FROM information_schema.columns "
        "WHERE table_name = 'audit_log' ORDER BY ordinal_position",
    )

    assert [name for (name,) in columns] == [
        "id",
        "document_id",
        "action",
        "action_timestamp",
        "user_or_system",
        "old_value",
        "new_value",
        "change_reason",
    ]


async def test_audit_log_shows_what_was_done_to_documents(
    application: Connection, ours: World
) -> None:
    told = await rows(application, "SELECT document_id, action FROM audit_log")

    assert told == [(ours.node, "tagged")]


async def test_an_ordinary_owner_sees_no_rows_either(
    url_of_ordinary_owner: str,
) -> None:
    async with session(url_of_ordinary_owner) as owner:
        # The login is a superuser, who can make rows; the owner, who it is by default,
        # could not.
        await owner.execute(f"SET ROLE NONE; {_world(World())}")
        await owner.execute("RESET ROLE")
        seen = await rows(owner, VISIBLE)

    assert seen == NOTHING


async def bind(connection: Connection, workspace_id: UUID) -> None:
    await connection.execute(f"SET app.workspace = '{workspace_id}'")


async def rows(connection: Connection, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await connection.fetch(statement)]


async def make_world(url: str) -> World:
    world = World()
    async with session(url) as owner:
        await owner.execute(_world(world))
    return world


def new_node(workspace_id: UUID, id: UUID) -> str:
    return (
        "INSERT INTO knowledge_graph_nodes (workspace_id, id, label, node_type) "
        f"VALUES ('{workspace_id}', '{id}', 'x', 'concept')"
    )


def _world(world: World) -> str:
    return WORLD.format(workspace=world.workspace, user=world.user, node=world.node)


def _credential(table: str, world: World, key: UUID) -> str:
    """SQL for a key or an invitation of the world."""
    if table == "api_keys":
        return (
            "INSERT INTO api_keys (workspace_id, id, user_id, name, prefix, key_hash, "
            f"scopes) VALUES ('{world.workspace}', '{key}', '{world.user}', 'sync', "
            f"'{str(key)[:8]}', 'hash {key}', '{{read}}')"
        )
    return (
        "INSERT INTO invitations (workspace_id, id, email, role, code_hash, "
        f"expires_at) VALUES ('{world.workspace}', '{key}', 'you@example.org', "
        f"'editor', 'hash {key}', now() + interval '1 day')"
    )
