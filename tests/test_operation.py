"""An operation from its text to its answer, on a small schema without a database."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    OperationType,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from graph_api.caller import Caller
from graph_api.errors import BadCursor, BadUserInput, NotFound
from graph_api.execution.limits import Limits
from graph_api.execution.messages import Answer, Request
from graph_api.execution.openness import Disclosure
from graph_api.execution.operation import Executor
from graph_api.quotas import Charge

REQUEST_ID = UUID("01a20126-66ae-7615-9b1b-922bb8d93b90")
NOBODY = Caller(REQUEST_ID, None)
QUERY_ONLY = frozenset({OperationType.QUERY})


@dataclass
class Context:
    """A request's context that tells what was done with it."""

    raises: Exception | None = None
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    told: list[str] = field(default_factory=list)
    caller: Caller = NOBODY
    charge: Charge | None = None

    async def fetch(self, sql: str, arguments: Sequence[Any]) -> list[Any]:
        raise NotImplementedError

    @property
    def cost(self) -> tuple[int, int, int]:
        return 0, 0, 0

    @property
    def redacted(self) -> Sequence[str]:
        return ()

    def let_go(self) -> bool:
        return False

    async def close(self) -> None:
        await asyncio.sleep(0)
        self.told.append("closed")


async def failing(_root: object, info: Any) -> None:
    raise info.context.raises


async def waiting(_root: object, info: Any) -> str:
    info.context.entered.set()
    await info.context.release.wait()
    info.context.told.append("done")
    return "done"


def parse_even(value: Any) -> int:
    if value == 13:
        raise BadCursor("Thirteen brings bad luck.", accepted="any other")
    if value == 15:
        raise ValueError("secret of Python")
    return int(value)


def unserializable(_value: Any) -> Any:
    raise ValueError("secret of Python")


EVEN = GraphQLScalarType("Even", parse_value=parse_even, serialize=unserializable)
QUERY = GraphQLObjectType(
    "Query",
    {
        "hello": GraphQLField(
            GraphQLString,
            args={"name": GraphQLArgument(GraphQLNonNull(GraphQLString))},
            resolve=lambda _root, _info, name: f"Hello {name}",
        ),
        "even": GraphQLField(
            GraphQLInt,
            args={"value": GraphQLArgument(EVEN)},
            resolve=lambda _root, _info, value: value,
        ),
        "odd": GraphQLField(EVEN, resolve=lambda _root, _info: 1),
        "big": GraphQLField(GraphQLInt, resolve=lambda _root, _info: 2**40),
        "never": GraphQLField(
            GraphQLNonNull(GraphQLString), resolve=lambda _root, _info: None
        ),
        "fail": GraphQLField(GraphQLString, resolve=failing),
        "wait": GraphQLField(GraphQLString, resolve=waiting),
    },
)
SCHEMA = GraphQLSchema(
    QUERY,
    mutation=GraphQLObjectType(
        "Mutation",
        {
            "write": GraphQLField(GraphQLString, resolve=waiting),
            "fail": GraphQLField(GraphQLString, resolve=failing),
        },
    ),
    subscription=GraphQLObjectType(
        "Subscription", {"tick": GraphQLField(GraphQLString)}
    ),
)


@pytest.fixture
def executor() -> Executor:
    return Executor(SCHEMA, Limits(), timeout_s=5)


@pytest.fixture
def context() -> Context:
    return Context()


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.DEBUG):
        yield


async def run(
    executor: Executor,
    context: Context,
    text: str,
    variables: dict[str, Any] | None = None,
    *,
    name: str | None = None,
    allow: frozenset[OperationType] = frozenset(OperationType),
) -> Answer:
    async def make_context() -> Context:
        context.told.append("made")
        return context

    request = Request(text, name, variables or {}, REQUEST_ID)
    return await executor.run(request, make_context, allow=allow)


def code_of(answer: Answer) -> str:
    [code] = answer.codes
    return code


async def test_a_query_is_answered_and_its_context_closed(
    executor: Executor, context: Context
) -> None:
    answer = await run(
        executor, context, "query($n: String!){hello(name: $n)}", {"n": "you"}
    )

    assert answer.body() == {"data": {"hello": "Hello you"}}
    assert context.told == ["made", "closed"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("", "GRAPHQL_PARSE_FAILED"),
        ("{nope}", "GRAPHQL_VALIDATION_FAILED"),
        ("{hello}", "GRAPHQL_VALIDATION_FAILED"),
        ("query A{odd} query B{odd}", "OPERATION_RESOLUTION_FAILURE"),
        ("fragment A on Query{odd}", "OPERATION_RESOLUTION_FAILURE"),
        ("{" + "odd " * 21 + "}", "TOO_COMPLEX"),
        ('{hello(name: "\\u0000")}', "BAD_USER_INPUT"),
        ("query($n: String!){hello(name: $n)}", "BAD_USER_INPUT"),
        ("query($n: Nope!){hello(name: $n)}", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription{tick}", "UNSUPPORTED_OPERATION"),
        ("{even(value: 13)}", "BAD_CURSOR"),
        ("{even(value: 15)}", "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_a_request_is_refused_as_a_whole(
    executor: Executor, context: Context, text: str, code: str
) -> None:
    answer = await run(executor, context, text)

    assert "data" not in answer.body()
    assert answer.codes[0] == code
    assert "Python" not in str(answer.body())


async def test_a_name_that_no_operation_has_is_refused(
    executor: Executor, context: Context
) -> None:
    answer = await run(executor, context, "query A{odd}", name="B")

    assert code_of(answer) == "OPERATION_RESOLUTION_FAILURE"
    assert context.told == []


async def test_a_refusal_says_what_would_fit(
    executor: Executor, context: Context
) -> None:
    answer = await run(executor, context, "{" + "odd " * 21 + "}")

    assert answer.errors == [
        {
            "message": "The operation has 21 fields at its root; at most 20 are "
            "allowed. Use several operations.",
            "extensions": {
                "limit": "rootFields",
                "allowed": 20,
                "actual": 21,
                "code": "TOO_COMPLEX",
            },
        }
    ]


async def test_a_variable_that_a_scalar_refuses_keeps_its_code(
    executor: Executor, context: Context
) -> None:
    text = "query($v: Even){even(value: $v)}"

    coded = await run(executor, context, text, {"v": 13})
    raw = await run(executor, context, text, {"v": 15})

    assert coded.errors[0]["extensions"] == {
        "accepted": "any other",
        "code": "BAD_CURSOR",
    }
    assert code_of(raw) == "BAD_USER_INPUT"
    assert "'$v'" in raw.errors[0]["message"]
    assert "secret" not in raw.errors[0]["message"]


async def test_an_argument_refused_while_running_is_the_clients_mistake(
    executor: Executor, context: Context
) -> None:
    text = 'query($n: String = "x"){hello(name: $n)}'

    answer = await run(executor, context, text, {"n": None})

    assert answer.data == {"hello": None}
    assert code_of(answer) == "BAD_USER_INPUT"


async def test_no_more_than_five_errors_are_told(
    executor: Executor, context: Context
) -> None:
    context.raises = BadUserInput("No.")
    fields = " ".join(f"a{i}: fail" for i in range(9))
    unknown = " ".join(f"nope{i}" for i in range(9))

    failed = await run(executor, context, "{" + fields + "}")
    invalid = await run(executor, context, "{" + unknown + "}")

    assert len(failed.errors) == 5
    assert len(invalid.errors) == 5


async def test_an_error_for_clients_is_told_with_its_details_and_place(
    executor: Executor, context: Context
) -> None:
    context.raises = NotFound("There is no such party.", current_version=3)

    answer = await run(executor, context, "{fail}")

    assert answer.body() == {
        "errors": [
            {
                "message": "There is no such party.",
                "locations": [{"line": 1, "column": 2}],
                "path": ["fail"],
                "extensions": {"currentVersion": 3, "code": "NOT_FOUND"},
            }
        ],
        "data": {"fail": None},
    }


@pytest.mark.parametrize("text", ["{odd}", "{big}", "{never}", "{fail}"])
async def test_a_bug_is_masked_and_logged_with_the_requests_id(
    executor: Executor,
    context: Context,
    caplog: pytest.LogCaptureFixture,
    text: str,
) -> None:
    context.raises = ValueError("SELECT secret FROM somewhere")

    answer = await run(executor, context, text)

    [error] = answer.errors
    assert error["message"] == "Something went wrong on our side."
    assert error["extensions"] == {"requestId": str(REQUEST_ID), "code": "INTERNAL"}
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.__dict__["request_id"] == str(REQUEST_ID)
    assert record.exc_info is not None


def wrapped(error: type[asyncpg.PostgresError]) -> DBAPIError:
    return DBAPIError("SELECT secret", None, error("secret"))


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (PoolTimeout("secret"), "SERVICE_BUSY"),
        (ConnectionRefusedError("secret"), "SERVICE_BUSY"),
        (asyncpg.AdminShutdownError("secret"), "SERVICE_BUSY"),
        (asyncpg.CannotConnectNowError("secret"), "SERVICE_BUSY"),
        (asyncpg.TooManyConnectionsError("secret"), "SERVICE_BUSY"),
        (asyncpg.ConnectionDoesNotExistError("secret"), "SERVICE_BUSY"),
        (asyncpg.InterfaceError("connection is closed"), "SERVICE_BUSY"),
        (wrapped(asyncpg.LockNotAvailableError), "SERVICE_BUSY"),
        (wrapped(asyncpg.DeadlockDetectedError), "SERVICE_BUSY"),
        (wrapped(asyncpg.QueryCanceledError), "TIMEOUT"),
        (TimeoutError(), "TIMEOUT"),
        (wrapped(asyncpg.UniqueViolationError), "INTERNAL"),
        (asyncpg.UndefinedColumnError("secret"), "INTERNAL"),
        (asyncpg.InterfaceError("secret"), "INTERNAL"),
    ],
)
async def test_what_the_database_refuses_is_told_by_its_state(
    executor: Executor, context: Context, raised: Exception, code: str
) -> None:
    context.raises = raised

    answer = await run(executor, context, "{fail}")

    assert code_of(answer) == code
    assert "secret" not in str(answer.body())


async def test_a_context_that_cannot_be_made_refuses_the_request(
    executor: Executor,
) -> None:
    async def make_context() -> Context:
        raise PoolTimeout("secret")

    answer = await executor.run(Request("{odd}"), make_context)

    assert not answer.executed
    assert code_of(answer) == "SERVICE_BUSY"


async def test_only_a_query_passes_where_only_queries_are_allowed(
    executor: Executor, context: Context
) -> None:
    answer = await run(executor, context, "mutation{write}", allow=QUERY_ONLY)

    assert code_of(answer) == "METHOD_NOT_ALLOWED"
    assert context.told == []


@pytest.mark.parametrize("text", ["{wait}", "mutation{write}"])
async def test_an_operation_beyond_its_deadline_is_stopped(
    context: Context, text: str
) -> None:
    executor = Executor(SCHEMA, Limits(), timeout_s=0.05)

    answer = await run(executor, context, text)

    assert code_of(answer) == "TIMEOUT"
    assert not answer.executed
    assert context.told == ["made", "closed"]


async def test_a_cancelled_query_is_stopped_and_its_context_closed(
    executor: Executor, context: Context
) -> None:
    running = asyncio.create_task(run(executor, context, "{wait}"))
    await context.entered.wait()

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert context.told == ["made", "closed"]


async def test_a_cancelled_mutation_runs_to_its_end(
    executor: Executor, context: Context
) -> None:
    running = asyncio.create_task(run(executor, context, "mutation{write}"))
    await context.entered.wait()

    running.cancel()
    await asyncio.sleep(0)
    running.cancel()
    context.release.set()
    answer = await running

    assert answer.data == {"write": "done"}
    assert context.told == ["made", "done", "closed"]


async def test_a_context_that_does_not_close_spoils_no_answer(
    executor: Executor, caplog: pytest.LogCaptureFixture
) -> None:
    class Unclosable(Context):
        async def close(self) -> None:
            raise OSError("No.")

    answer = await run(executor, Unclosable(), '{hello(name: "x")}')

    assert answer.body() == {"data": {"hello": "Hello x"}}
    assert "was not closed" in caplog.text


async def test_suggestions_can_be_hidden(context: Context) -> None:
    telling = Executor(SCHEMA, Limits(), timeout_s=5)
    closed = Disclosure(suggestions="nobody")
    hiding = Executor(SCHEMA, Limits(), timeout_s=5, disclosure=closed)

    told = await run(telling, context, "{helo}")
    hidden = await run(hiding, context, "{helo}")

    assert "Did you mean" in told.errors[0]["message"]
    assert "Did you mean" not in hidden.errors[0]["message"]
