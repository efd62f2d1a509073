"""Connections for reading: kept at hand, never mixed up, and given back in the end."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import orjson
import pytest
from asyncpg import Connection
from databases import session
from factories import Make
from running import Run
from starlette.types import ASGIApp, Message
from test_retries import codes, on, waiting
from writing import Admin, send, types, write

from graph_api.caller import Caller
from graph_api.config import Settings
from graph_api.database.migrations import head
from graph_api.execution.limits import Limits
from graph_api.execution.operation import Executor
from graph_api.http import graphql_endpoint
from graph_api.ids import global_id
from graph_api.schema import graphql_schema
from graph_api.schema.context import Context

NAMES = "{ parties(first: 100) { nodes { name } } }"
# What no lock on parties hinders.
TAGS = "{ tags { totalCount } }"
NO_TAGS = {"data": {"tags": {"totalCount": 0}}}
LOCK = "LOCK TABLE parties IN ACCESS EXCLUSIVE MODE"
# It writes nothing, but takes what writing takes.
NOBODY = global_id("Signal", UUID(int=1))
MISSING = f'mutation {{ archiveSignal(input: {{id: "{NOBODY}"}}) {{ replayed }} }}'
OURS = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'graph-api'
"""
BUSY = f"{OURS} AND state <> 'idle'"
KILL = "SELECT pg_terminate_backend($1, 2000)"

On = Callable[..., Any]


@pytest.fixture
async def rival(database_url: str) -> AsyncIterator[Connection]:
    """Somebody else, who can lock what is to be read until `ROLLBACK`."""
    async with session(database_url) as connection:
        await connection.execute("BEGIN")
        yield connection
        await connection.execute("ROLLBACK")


@pytest.fixture(autouse=True)
async def _alone(run: Run, admin: "Admin[Any]") -> None:
    """No connection but those that the test itself causes."""
    await run.surroundings.database.close()
    await admin.execute(f"SELECT pg_terminate_backend(pid) FROM ({OURS}) others")
    await until(lambda: none_of(admin, OURS))


@pytest.fixture
def pool(run: Run, database_url: str, settings: Settings) -> On:
    """Gives the same caller with so many connections of his own."""

    @asynccontextmanager
    async def made(size: int, **given: Any) -> AsyncIterator[Run]:
        chosen = {"pool_size": size, "max_overflow": 0, "lock_timeout_s": 20, **given}
        async with on(run, database_url, settings.model_copy(update=chosen)) as theirs:
            yield theirs

    return made


async def test_one_operation_after_the_other_uses_one_connection(
    pool: On, admin: "Admin[Any]"
) -> None:
    async with pool(3) as run:
        answers = [await run(TAGS) for _ in range(5)]
        connections = await admin.fetch(OURS)

    assert answers == [NO_TAGS] * 5
    assert len(connections) == 1


async def test_a_client_that_goes_away_frees_its_connection(
    pool: On, admin: "Admin[Any]", rival: Connection
) -> None:
    await rival.execute(LOCK)
    async with pool(1) as run:
        reading = asyncio.create_task(run(NAMES))
        await waiting(admin)

        since = time.monotonic()
        reading.cancel()
        await asyncio.wait((reading,))
        answer = await run(TAGS)
        took = time.monotonic() - since
        busy = await admin.fetch(BUSY)

    assert reading.cancelled()
    assert answer == NO_TAGS
    assert took < 1
    assert busy == []


async def test_so_does_one_that_closes_its_socket(
    pool: On, admin: "Admin[Any]", rival: Connection, settings: Settings
) -> None:
    await rival.execute(LOCK)
    async with pool(1) as run:
        request = Posted(NAMES)
        answering = asyncio.create_task(request.to(endpoint(run, settings)))
        await waiting(admin)

        since = time.monotonic()
        request.leave()
        await answering
        answer = await run(TAGS)
        took = time.monotonic() - since
        busy = await admin.fetch(BUSY)

    assert request.sent == []
    assert answer == NO_TAGS
    assert took < 1
    assert busy == []


async def test_an_operation_beyond_its_deadline_frees_its_connection(
    pool: On, admin: "Admin[Any]", rival: Connection
) -> None:
    await rival.execute(LOCK)
    executor = Executor(graphql_schema, Limits(), timeout_s=0.2)
    async with pool(1) as run:
        late = Run(executor, run.surroundings, run.caller)

        since = time.monotonic()
        answer = await late(NAMES)
        took = time.monotonic() - since
        after = await run(TAGS)
        busy = await admin.fetch(BUSY)

    assert codes(answer) == ["TIMEOUT"]
    assert took < 1.2
    assert after == NO_TAGS
    assert busy == []


@pytest.mark.parametrize(
    ("setting", "code"),
    [("statement_timeout_s", "TIMEOUT"), ("lock_timeout_s", "SERVICE_BUSY")],
)
async def test_a_statement_that_the_database_stops_costs_no_connection(
    pool: On, admin: "Admin[Any]", rival: Connection, setting: str, code: str
) -> None:
    await rival.execute(LOCK)
    async with pool(1, **{setting: 0.1}) as run:
        answer = await run(NAMES)
        (before,) = await admin.fetch(OURS)
        after = await run(TAGS)
        (left,) = await admin.fetch(OURS)

    assert codes(answer) == [code]
    assert after == NO_TAGS
    assert left == before


async def test_operations_of_two_workspaces_are_never_mixed_up(
    pool: On, make: Make, stranger: Caller
) -> None:
    await make.party(name="ours")
    await make.by(stranger).party(name="theirs")
    async with pool(2, pool_timeout=20) as run:
        one, other = run, run.by(stranger)

        answers = await asyncio.gather(*(who(NAMES) for who in [one, other] * 10))

    assert answers == [only("ours"), only("theirs")] * 10


async def test_reads_and_writes_of_two_workspaces_are_never_mixed_up(
    pool: On, stranger: Caller
) -> None:
    async with pool(2, pool_timeout=20) as run:
        callers = [run, run.by(stranger)] * 10

        await asyncio.gather(
            *(write(one, "createTag", name=f"{i}") for i, one in enumerate(callers)),
            *(one(TAGS) for one in callers),
        )
        ours, theirs = [await one("{ tags { nodes { name } } }") for one in callers[:2]]

    assert names(ours) == {f"{i}" for i in range(0, 20, 2)}
    assert names(theirs) == {f"{i}" for i in range(1, 20, 2)}


async def test_whoever_gets_no_connection_in_time_is_told_that_we_are_busy(
    pool: On, admin: "Admin[Any]", rival: Connection
) -> None:
    await rival.execute(LOCK)
    async with pool(1, pool_timeout=0.3) as run:
        reading = asyncio.create_task(run(NAMES))
        await waiting(admin)

        since = time.monotonic()
        answer = await run(TAGS)
        took = time.monotonic() - since
        await rival.execute("ROLLBACK")
        first = await reading

    assert codes(answer) == ["SERVICE_BUSY"]
    assert 0.3 <= took < 1
    assert first == only()


async def test_who_waits_is_next_when_a_read_is_done(
    pool: On, admin: "Admin[Any]", rival: Connection
) -> None:
    await rival.execute(LOCK)
    async with pool(1, pool_timeout=5) as run:
        reading = asyncio.create_task(run(NAMES))
        await waiting(admin)
        next_one = asyncio.create_task(run(TAGS))
        writing = asyncio.create_task(write(run, "createTag", name="tax"))
        await asyncio.sleep(0.1)

        await rival.execute("ROLLBACK")
        answers = await asyncio.gather(reading, next_one, writing)

    assert "errors" not in answers[1]
    assert answers[2] == {"userErrors": []}


async def test_who_waits_is_next_when_a_write_is_done(
    pool: On, admin: "Admin[Any]", rival: Connection
) -> None:
    await rival.execute(LOCK)
    async with pool(1, pool_timeout=2) as run:
        writing = asyncio.create_task(write(run, "createParty", kind="ORG", name="A"))
        await waiting(admin)
        reading = asyncio.create_task(run(TAGS))
        await asyncio.sleep(0.1)

        since = time.monotonic()
        await rival.execute("ROLLBACK")
        payload, answer = await asyncio.gather(writing, reading)
        took = time.monotonic() - since

    assert payload == {"userErrors": []}
    assert answer == NO_TAGS
    assert took < 1


async def test_who_waits_is_next_when_a_connection_has_had_its_time(
    pool: On, admin: "Admin[Any]", rival: Connection
) -> None:
    await rival.execute(LOCK)
    async with pool(1, pool_recycle=0) as run:
        first = asyncio.create_task(run(NAMES))
        await waiting(admin)
        second = asyncio.create_task(run(TAGS))
        await asyncio.sleep(0.05)

        await rival.execute("ROLLBACK")
        answers = list(await asyncio.gather(first, second))

    assert answers[0] == only()
    assert answers[1] == NO_TAGS


async def test_whether_we_are_ready_can_be_asked_though_all_are_kept(
    pool: On,
) -> None:
    async with pool(1, pool_timeout=0.5) as run:
        await run(TAGS)

        revision = await run.surroundings.database.revision()

    assert revision == head()


async def test_who_gives_up_waiting_takes_no_connection_along(
    pool: On, admin: "Admin[Any]", rival: Connection
) -> None:
    await rival.execute(LOCK)
    async with pool(1) as run:
        reading = asyncio.create_task(run(NAMES))
        await waiting(admin)
        impatient = asyncio.create_task(run(TAGS))
        await asyncio.sleep(0.05)

        impatient.cancel()
        await rival.execute("ROLLBACK")
        await asyncio.wait((reading, impatient))
        answer = await run(TAGS)

    assert impatient.cancelled()
    assert answer == NO_TAGS


async def test_a_connection_that_was_closed_while_idle_is_replaced(
    pool: On, admin: "Admin[Any]"
) -> None:
    async with pool(2) as run:
        before = await run(TAGS)
        (idle,) = await admin.fetch(OURS)

        await admin.execute(KILL, idle["pid"])
        after = await run(TAGS)

    assert before == after == NO_TAGS


async def test_all_that_were_closed_while_idle_are_replaced(
    pool: On, admin: "Admin[Any]"
) -> None:
    async with pool(3) as run:
        await asyncio.gather(*(run(TAGS) for _ in range(6)))
        idle = await admin.fetch(OURS)

        closed = [await admin.fetchval(KILL, one["pid"]) for one in idle]
        answers = await asyncio.gather(*(run(TAGS) for _ in range(6)))

    assert closed == [True] * 3
    assert answers == [NO_TAGS] * 6


async def test_a_connection_that_is_lost_within_a_read_is_told_and_replaced(
    pool: On, admin: "Admin[Any]", rival: Connection
) -> None:
    await rival.execute(LOCK)
    async with pool(1) as run:
        reading = asyncio.create_task(run(NAMES))
        pid = await waiting(admin)

        await admin.execute(KILL, pid)
        answer = await reading
        after = await run(TAGS)

    assert codes(answer) == ["SERVICE_BUSY"]
    assert after == NO_TAGS


async def test_what_is_written_stays_though_its_answer_is_lost(
    pool: On, admin: "Admin[Any]", rival: Connection
) -> None:
    await rival.execute(LOCK.replace("parties", "documents"))
    async with pool(1) as run:
        writing = asyncio.create_task(
            send(run, "createTag", "tag { documents { totalCount } }", {"name": "tax"})
        )
        pid = await waiting(admin)

        await admin.execute(KILL, pid)
        answer = await writing
        after = await run("{ tags { nodes { name } } }")

    assert set(codes(answer)) == {"SERVICE_BUSY"}
    assert names(after) == {"tax"}
    assert await types(admin, run) == {"tag.created": 1}


async def test_a_write_gets_a_connection_though_all_are_kept_for_reading(
    pool: On, admin: "Admin[Any]"
) -> None:
    async with pool(2) as run:
        await asyncio.gather(*(run(TAGS) for _ in range(4)))
        kept = await admin.fetch(OURS)

        payloads = await asyncio.gather(
            *(write(run, "createTag", name=f"{i}") for i in range(4))
        )

    assert len(kept) == 2
    assert payloads == [{"userErrors": []}] * 4


async def test_a_write_gets_a_connection_while_reads_keep_coming(pool: On) -> None:
    async with pool(1, pool_timeout=1) as run, coming(run, TAGS) as answers:
        payload = await write(run, "createTag", name="tax")

    assert payload == {"userErrors": []}
    assert [answer for answer in answers if "errors" in answer] == []


async def test_a_read_gets_a_connection_while_writes_keep_coming(pool: On) -> None:
    async with pool(1, pool_timeout=1) as run, coming(run, MISSING) as answers:
        answer = await run(TAGS)

    assert answer == NO_TAGS
    assert [answer for answer in answers if "errors" in answer] == []


async def test_nothing_is_left_open_in_the_end(pool: On, admin: "Admin[Any]") -> None:
    async with pool(3) as run:
        await asyncio.gather(*(run(TAGS) for _ in range(6)))
        await write(run, "createTag", name="tax")
        before = await admin.fetch(OURS)

    assert len(before) == 3
    await until(lambda: none_of(admin, OURS))


class Posted:
    """A request over HTTP, whose client may leave."""

    def __init__(self, query: str) -> None:
        self.sent: list[Message] = []
        self._body = orjson.dumps({"query": query})
        self._messages = iter([{"type": "http.request", "body": self._body}])
        self._left = asyncio.Event()

    def leave(self) -> None:
        self._left.set()

    async def to(self, app: ASGIApp) -> None:
        headers = [(b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "headers": headers, "path": "/"}
        await app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        message = next(self._messages, None)
        if message is None:
            await self._left.wait()
        return message or {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)


def endpoint(run: Run, settings: Settings) -> ASGIApp:
    """What answers a caller's operations over HTTP."""

    async def make_context(_: Any) -> Context:
        return Context(run.surroundings, run.caller)

    return graphql_endpoint(run.executor, settings, make_context)


@asynccontextmanager
async def coming(run: Run, query: str) -> AsyncIterator[list[Any]]:
    """Have four callers ask the same again and again; gives what is answered."""
    answers: list[Any] = []
    stopped = asyncio.Event()

    async def ask() -> None:
        while not stopped.is_set():
            answers.append(await run(query))

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(ask())
        await asyncio.sleep(0.1)
        try:
            yield answers
        finally:
            stopped.set()


async def none_of(admin: "Admin[Any]", query: str) -> bool:
    return not await admin.fetch(query)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds; a backend ends some time after its client."""
    async with asyncio.timeout(2):
        found = await holds()
        # The database has no event that could be awaited.
        while not found:
            await asyncio.sleep(0.01)
            found = await holds()


def only(*names: str) -> dict[str, Any]:
    return {"data": {"parties": {"nodes": [{"name": name} for name in names]}}}


def names(answer: dict[str, Any]) -> set[str]:
    return {node["name"] for node in answer["data"]["tags"]["nodes"]}
