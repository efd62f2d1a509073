"""Who is told of the schema: by introspection, and by what an error says was meant."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from graph_api.config import Settings
from graph_api.execution.limits import Limits
from graph_api.execution.messages import Answer, Request
from graph_api.execution.openness import Audience, Disclosure
from graph_api.execution.operation import Executor
from graph_api.schema import graphql_schema

SCHEMA = "{ __schema { queryType { name } } }"
# Names that are nearly right, wherever graphql-core would put them right.
NEARLY = (
    "{ partys { totalCount } }",
    "{ parties { nods { name } } }",
    "{ parties(frist: 1) { totalCount } }",
    "{ parties(filter: {nam: {eq: 1}}) { totalCount } }",
    "{ parties(orderBy: [{field: NAM}]) { totalCount } }",
    "{ node(id: 1) { ... on Parti { name } } }",
    "query ($kind: PartyKin) { parties { totalCount } }",
    "mutation { createParti { replayed } }",
    "mutation { createParty(inpt: {}) { replayed } }",
    "mutation { createParty(input: {kid: ORG}) { replayed } }",
    'mutation { createParty(input: {kind: OR, name: "a"}) { replayed } }',
)
# What nobody may ask, who may ask for nothing else.
BY_NOBODY = (
    "mutation { signIn(inpt: {}) { token } }",
    "mutation { signIn(input: {logn: 1}) { token } }",
    "mutation { signIn(input: {}) { tokn } }",
    "mutation { signIn(input: {}) { interaction { actr { id } } } }",
    "query ($kind: PartyKin) { __typename }",
    "{ __typename @inclde(if: true) }",
)


async def ask(
    query: str,
    settings: Settings,
    *,
    introspection: Audience = "signed-in",
    suggestions: Audience = "signed-in",
    is_anonymous: bool = False,
    variables: Mapping[str, Any] | None = None,
) -> Answer:
    """The answer of a server that tells of its schema in some way."""
    disclosure = Disclosure(introspection, suggestions)
    limits = Limits.of(settings)
    executor = Executor(graphql_schema, limits, timeout_s=5, disclosure=disclosure)

    async def nobody() -> Any:
        raise AssertionError("Nothing is executed here.")

    request = Request(query, variables=variables or {}, is_anonymous=is_anonymous)
    return await executor.run(request, nobody)


def told(answer: Answer) -> str:
    return " ".join(error["message"] for error in answer.errors)


@pytest.mark.parametrize("is_anonymous", [False, True])
@pytest.mark.parametrize(
    "query",
    [
        SCHEMA,
        '{ __type(name: "Party") { name } }',
        "{ ...F } fragment F on Query { __schema { types { name } } }",
        "{ __typename b: __schema { types { name } } }",
    ],
)
async def test_nobody_is_told_the_schema_where_nobody_is(
    settings: Settings, query: str, is_anonymous: bool
) -> None:
    answer = await ask(
        query, settings, introspection="nobody", is_anonymous=is_anonymous
    )

    assert not answer.executed
    assert answer.codes[0] in {"INTROSPECTION_DISABLED", "UNAUTHENTICATED"}
    assert is_anonymous or answer.codes == ["INTROSPECTION_DISABLED"]


async def test_the_signed_in_are_told_the_schema_by_default(settings: Settings) -> None:
    anonymous = await ask(SCHEMA, settings, is_anonymous=True)

    assert Disclosure() == Disclosure("signed-in", "signed-in")
    assert anonymous.codes == ["UNAUTHENTICATED"]


async def test_all_are_told_the_schema_where_all_are(settings: Settings) -> None:
    answer = await ask(SCHEMA, settings, introspection="all", is_anonymous=True)

    # It came as far as to be executed, which is refused here.
    assert answer.codes == ["INTERNAL"]


@pytest.mark.parametrize("query", NEARLY)
async def test_what_was_meant_is_told_to_nobody_where_nobody_is(
    settings: Settings, query: str
) -> None:
    open = await ask(query, settings)
    closed = await ask(query, settings, suggestions="nobody")

    assert "Did you mean" in told(open)
    assert "Did you mean" not in told(closed)
    assert closed.codes == open.codes


@pytest.mark.parametrize("query", BY_NOBODY)
async def test_who_has_not_signed_in_is_not_told_what_was_meant(
    settings: Settings, query: str
) -> None:
    anonymous = await ask(query, settings, is_anonymous=True)
    open = await ask(query, settings, is_anonymous=True, suggestions="all")

    assert "Did you mean" not in told(anonymous)
    assert not anonymous.executed
    assert anonymous.codes == open.codes


async def test_guessing_names_finds_no_field(settings: Settings) -> None:
    assert graphql_schema.query_type
    fields = [name for name in graphql_schema.query_type.fields if len(name) > 3]
    guesses = [f"{{ {name[:-1]} }}" for name in fields]

    answers = [await ask(one, settings, suggestions="nobody") for one in guesses]

    words = {word for one in answers for word in re.findall(r"\w+", told(one))}
    guessed = {name[:-1] for name in fields}
    assert words & set(fields) - guessed == set()
