"""Behind a pooler in transaction mode nothing holds longer than a transaction."""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
from conftest import SECRET
from factories import Make
from pgbouncer import PROGRAM, PgBouncer
from running import Run
from writing import id_of, write

from graph_api.config import Settings
from graph_api.database.engine import Database
from graph_api.execution.operation import Executor
from graph_api.reading.cursors import Cursors
from graph_api.schema.context import Surroundings

HELD = """
    SELECT current_user::text, current_setting('statement_timeout'),
           current_setting('lock_timeout'), current_setting('jit'),
           current_setting('app.workspace', true)
"""


@pytest.fixture(scope="module")
def pooler(database_url: str) -> Iterator[PgBouncer]:
    if PROGRAM is None:
        pytest.skip("pgbouncer is not installed")
    # One session for all: what one leaves behind, the next finds.
    with PgBouncer(database_url, connections=1) as pooler:
        yield pooler


@pytest.fixture
async def pooled(pooler: PgBouncer, settings: Settings) -> AsyncIterator[Database]:
    given = settings.model_copy(update={"database_pooler": "transaction"})
    database = Database(pooler.url, given)
    yield database
    await database.close()


@pytest.fixture
def behind(run: Run, pooled: Database, settings: Settings, executor: Executor) -> Run:
    around = Surroundings(pooled, Cursors(SECRET), settings)
    return Run(executor, around, run.caller)


async def test_a_transaction_is_told_all_that_a_session_would_be(
    pooled: Database, run: Run
) -> None:
    async with pooled.connect(run.caller.workspace_id) as connection:
        (held,) = await connection.fetch(HELD)

    workspace = str(run.caller.workspace_id)
    assert tuple(held) == ("graph_api", "8s", "3s", "off", workspace)


async def test_nothing_is_left_to_who_comes_next(
    pooler: PgBouncer, pooled: Database, run: Run
) -> None:
    async with pooled.connect(run.caller.workspace_id) as connection:
        await connection.fetch(HELD)
    next_one = await asyncpg.connect(pooler.url, statement_cache_size=0)

    (found,) = await next_one.fetch(HELD)
    await next_one.close()

    assert found["current_user"] != "graph_api"
    assert found[4] in (None, "")


async def test_a_mutation_is_answered_and_kept(behind: Run, run: Run) -> None:
    made = await write(behind, "createTag", "tag { name version }", name="tax")
    read = await run("{ tags { nodes { name } } }")

    assert made["tag"] == {"name": "tax", "version": 1}
    assert read["data"]["tags"]["nodes"] == [{"name": "tax"}]


async def test_a_rehearsal_is_answered_and_undone(behind: Run, run: Run) -> None:
    made = await write(behind, "createTag", "tag { name }", name="tax", dryRun=True)
    read = await run("{ tags { totalCount } }")

    assert made["tag"] == {"name": "tax"}
    assert read["data"]["tags"]["totalCount"] == 0


async def test_a_refusal_shows_what_there_is(behind: Run, make: Make) -> None:
    party = await make.party(name="ACME")

    payload = await write(
        behind, "updateParty", id=id_of(party), name="X", expectedVersion=9
    )

    (error,) = payload["userErrors"]
    assert error["current"] == {"uuid": str(party.id)}


async def test_several_mutations_are_each_a_transaction(behind: Run) -> None:
    answer = await behind(
        "mutation { "
        'a: createTag(input: {name: "a"}) { tag { name } } '
        'b: createTag(input: {name: "a"}) { userErrors { code } } '
        'c: createTag(input: {name: "c"}) { tag { name } } }'
    )

    assert answer["data"] == {
        "a": {"tag": {"name": "a"}},
        "b": {"userErrors": [{"code": "DUPLICATE"}]},
        "c": {"tag": {"name": "c"}},
    }
