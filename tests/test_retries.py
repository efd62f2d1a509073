"""What becomes of a write that others get into the way of, or that is interrupted."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asyncpg import Connection
from conftest import SECRET, new_caller
from databases import execute, migrated_database, session
from factories import Make
from running import Run
from sqlalchemy import QueuePool, make_url
from writing import Admin, id_of, not_found, send, stored, types, write

from graph_api.config import Settings
from graph_api.database.engine import Database
from graph_api.execution.limits import Limits
from graph_api.execution.operation import Executor
from graph_api.reading.cursors import Cursors
from graph_api.schema import graphql_schema
from graph_api.schema.context import Surroundings

LOCK = "SELECT FROM tags WHERE workspace_id = $1 AND id = $2 FOR UPDATE"
WAITING = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
      AND application_name = 'graph-api'
"""
OPEN = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'graph-api'
      AND state <> 'idle'
"""


@pytest.fixture
async def rival(database_url: str) -> AsyncIterator[Connection]:
    """Somebody else's connection, in a transaction."""
    async with session(database_url) as connection:
        # It waits, so that it is the other one that finds the deadlock.
        await connection.execute("SET deadlock_timeout = '60s'")
        await connection.execute("BEGIN")
        yield connection
        await connection.execute("ROLLBACK")


@pytest.fixture
async def impatient(
    run: Run, database_url: str, settings: Settings
) -> AsyncIterator[Run]:
    """The same caller, who waits for locks only so long."""
    hurried = settings.model_copy(update={"lock_timeout_s": 0.1})
    async with on(run, database_url, hurried) as theirs:
        yield theirs


async def test_a_deadlock_is_tried_again_as_a_whole(
    run: Run, make: Make, admin: "Admin[Any]", rival: Connection
) -> None:
    document, first, second = (
        await make.document(),
        await make.tag(),
        await make.tag(),
    )
    await lock(rival, run, second)
    tagging = asyncio.create_task(
        write(
            run,
            "tagDocuments",
            "documents { version }",
            ids=[id_of(document)],
            add=[id_of(first), id_of(second)],
        )
    )
    await waiting(admin)

    await lock(rival, run, first)
    await rival.execute("COMMIT")
    payload = await tagging

    assert payload == {"documents": [{"version": 2}], "userErrors": []}
    assert (await types(admin, run))["document.tagged"] == 1


async def test_mutations_in_opposite_orders_all_come_to_their_end(
    run: Run, make: Make
) -> None:
    tag, documents = await make.tag(), [await make.document() for _ in range(5)]
    ids = [id_of(document) for document in documents]

    bodies = await asyncio.gather(
        *(
            send(run, mutation, "", given)
            for id in ids
            for mutation, given in (
                ("tagDocuments", {"ids": ids, "add": [id_of(tag)]}),
                ("tagDocuments", {"ids": ids[::-1], "remove": [id_of(tag)]}),
                ("linkDocument", {"documentId": id, "targetId": id_of(tag)}),
                ("linkDocument", {"documentId": id, "targetId": ids[0]}),
            )
        )
    )

    assert [body for body in bodies if "errors" in body] == []


async def test_a_serialization_failure_is_tried_again(
    server_url: str, run: Run, settings: Settings
) -> None:
    with migrated_database(server_url) as url:
        name = make_url(url).database
        execute(
            server_url,
            f'ALTER DATABASE "{name}" '
            "SET default_transaction_isolation = 'repeatable read'",
        )
        async with session(url) as admin, on(run, url, settings) as elsewhere:
            theirs = elsewhere.by(await new_caller(admin))
            tag = await Make(theirs.surroundings, theirs.caller).tag()

            payloads = await asyncio.gather(
                *(
                    write(theirs, "updateTag", id=id_of(tag), name=f"{i}")
                    for i in range(3)
                )
            )
            told = await types(admin, theirs)

    assert payloads == [{"userErrors": []}] * 3
    assert told == {"tag.created": 1, "tag.updated": 3}


async def test_whoever_comes_second_with_a_name_is_shown_the_first(
    run: Run, admin: "Admin[Any]"
) -> None:
    payloads = await asyncio.gather(
        *(write(run, "createTag", "tag { uuid }", name="tax") for _ in range(10))
    )

    (made,) = [payload["tag"] for payload in payloads if payload["tag"]]
    errors = [error for payload in payloads for error in payload["userErrors"]]
    assert Counter(error["code"] for error in errors) == {"DUPLICATE": 9}
    assert [error["existing"] for error in errors] == [made] * 9
    assert await types(admin, run) == {"tag.created": 1}


async def test_what_is_named_may_go_until_it_is_stored(
    run: Run, make: Make, admin: "Admin[Any]", rival: Connection
) -> None:
    role = await make.role()
    # As an administrator, who is held by no trigger.
    await rival.execute("SET LOCAL session_replication_role = replica")
    await rival.execute("DELETE FROM roles WHERE id = $1", role.id)
    given = {"commitmentType": "GOAL", "title": "x", "source": "API"}
    creating = asyncio.create_task(
        write(run, "createCommitment", **given, roleId=id_of(role))
    )
    await waiting(admin)

    await rival.execute("COMMIT")
    payload = await creating

    assert payload == not_found("roleId")
    assert (await types(admin, run))["commitment.created"] == 0


async def test_a_lock_that_is_not_to_be_had_is_a_busy_server(
    impatient: Run, make: Make, admin: "Admin[Any]", rival: Connection
) -> None:
    tag = await make.tag()
    before = await stored(admin, impatient)
    await lock(rival, impatient, tag)

    body = await send(impatient, "updateTag", "", {"id": id_of(tag), "name": "new"})
    unchanged = await stored(admin, impatient)
    await rival.execute("ROLLBACK")
    again = await write(impatient, "updateTag", id=id_of(tag), name="new")

    assert codes(body) == ["SERVICE_BUSY"]
    assert unchanged == before
    assert again == {"userErrors": []}


async def test_a_field_after_one_that_found_no_lock_is_written(
    impatient: Run, make: Make, rival: Connection
) -> None:
    tag = await make.tag()
    await lock(rival, impatient, tag)

    body = await impatient(
        """
        mutation ($id: ID!) {
          a: updateTag(input: {id: $id, name: "new"}) { tag { name } }
          b: createTag(input: {name: "other"}) { tag { name } }
        }
        """,
        id=id_of(tag),
    )

    assert codes(body) == ["SERVICE_BUSY"]
    assert body["data"] is None or body["data"]["b"] == {"tag": {"name": "other"}}


async def test_a_database_that_goes_away_leaves_nothing_half_done(
    run: Run, make: Make, admin: "Admin[Any]", rival: Connection
) -> None:
    documents = [await make.document(), await make.document()]
    first, second = await make.tag(), await make.tag()
    before = await stored(admin, run)
    await lock(rival, run, second)
    given = {"ids": [id_of(d) for d in documents], "add": [id_of(first), id_of(second)]}
    tagging = asyncio.create_task(send(run, "tagDocuments", "", given))
    pid = await waiting(admin)

    await admin.execute("SELECT pg_terminate_backend($1)", pid)
    body = await tagging
    unchanged = await stored(admin, run)
    await rival.execute("ROLLBACK")
    again = await write(run, "tagDocuments", **given)

    assert codes(body) == ["SERVICE_BUSY"]
    assert unchanged == before
    assert again == {"userErrors": []}


async def test_the_fields_after_a_lost_connection_are_refused_with_a_code(
    run: Run, make: Make, admin: "Admin[Any]", rival: Connection
) -> None:
    tag = await make.tag()
    await lock(rival, run, tag)
    writing = asyncio.create_task(
        run(
            """
            mutation ($id: ID!) {
              a: createTag(input: {name: "a"}) { tag { name } }
              b: updateTag(input: {id: $id, name: "b"}) { tag { name } }
              c: createTag(input: {name: "c"}) { tag { name } }
            }
            """,
            id=id_of(tag),
        )
    )
    pid = await waiting(admin)

    await admin.execute("SELECT pg_terminate_backend($1)", pid)
    body = await writing

    assert set(codes(body)) == {"SERVICE_BUSY"}
    assert await types(admin, run) == {"tag.created": 2}
    assert checked_out(run) == 0


async def test_a_request_whose_client_is_gone_leaves_nothing_open(
    run: Run, make: Make, admin: "Admin[Any]", rival: Connection
) -> None:
    tag = await make.tag()
    await lock(rival, run, tag)
    writing = asyncio.create_task(write(run, "updateTag", id=id_of(tag), name="new"))
    await waiting(admin)

    writing.cancel()
    await asyncio.sleep(0)
    await rival.execute("ROLLBACK")
    await asyncio.wait((writing,))

    assert await admin.fetchval(OPEN) == 0
    assert checked_out(run) == 0
    assert (await types(admin, run))["tag.updated"] == 1


async def test_a_write_beyond_its_deadline_is_rolled_back_and_leaves_nothing_open(
    run: Run,
    make: Make,
    admin: "Admin[Any]",
    rival: Connection,
) -> None:
    tag = await make.tag()
    before = await stored(admin, run)
    await lock(rival, run, tag)
    executor = Executor(graphql_schema, Limits(), timeout_s=0.2)
    late = Run(executor, run.surroundings, run.caller)

    body = await send(late, "updateTag", "", {"id": id_of(tag), "name": "new"})
    unchanged = await stored(admin, run)
    await rival.execute("ROLLBACK")
    again = await write(run, "updateTag", id=id_of(tag), name="new")

    assert codes(body) == ["TIMEOUT"]
    assert unchanged == before
    assert again == {"userErrors": []}
    assert await admin.fetchval(OPEN) == 0
    assert checked_out(run) == 0


@asynccontextmanager
async def on(run: Run, url: str, settings: Settings) -> AsyncIterator[Run]:
    """The same caller, on another database or by other settings."""
    database = Database(url, settings)
    surroundings = Surroundings(database, Cursors(SECRET), settings)
    try:
        yield Run(run.executor, surroundings, run.caller)
    finally:
        await database.close()


async def lock(rival: Connection, run: Run, tag: Any) -> None:
    await rival.fetch(LOCK, run.caller.workspace_id, tag.id)


def checked_out(run: Run) -> int:
    """How many connections are in use."""
    database = run.surroundings.database
    pool = database._engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout() - len(database._leases._idle)


async def waiting(admin: "Admin[Any]") -> int:
    """The backend that waits for a lock, as soon as there is one."""
    async with asyncio.timeout(5):
        pid = await admin.fetchval(WAITING)
        # The database has no event that could be awaited.
        while pid is None:
            await asyncio.sleep(0.01)
            pid = await admin.fetchval(WAITING)
    return int(pid)


def codes(body: dict[str, Any]) -> list[str]:
    return [error["extensions"]["code"] for error in body["errors"]]
