"""Filters: they find exactly what they say, and take every value literally."""

from random import Random
from typing import Any

import asyncpg
import pytest
from conftest import new_caller
from factories import NOBODY, Make
from graphql import print_ast
from graphql.language import StringValueNode
from hypothesis import given
from hypothesis import strategies as st
from oracle import (
    Filter,
    Oracle,
    attributes,
    comparisons,
    filter_fields,
    filters,
    operators,
    samples,
)
from running import Run
from world import World, populated, repeatable, store, varied

from graph_api.execution.operation import Executor
from graph_api.ids import global_id
from graph_api.keys import new_key
from graph_api.models import Base, Commitment, Party
from graph_api.reading.columns import columns_of
from graph_api.schema import graphql_schema
from graph_api.schema.context import Surroundings
from graph_api.schema.registry import SHOWN

# The list of each type at the root; `parties` is the only irregular one.
ROOTS: dict[type[Base], str] = {
    model: name
    for model in SHOWN
    for name in [model.__name__[0].lower() + model.__name__[1:] + "s"]
    if name in graphql_schema.query_type.fields  # type: ignore[union-attr]
} | {Party: "parties"}

# Two hundred texts that would be more than texts, were they ever part of a statement.
PAYLOADS = [
    f"{start}{middle}{end}"
    for start in ("'", '"', "\\", "$$", "%", "{", "(", "1", "🐜", "\t")
    for middle in (
        " OR 1=1",
        "; DROP TABLE commitments",
        " UNION SELECT NULL",
        "||(SELECT current_user)",
        ") OR (TRUE",
        "::int",
        "\\'; SELECT pg_sleep(9)",
        ":workspace",
        "$1",
        "%(workspace)s",
    )
    for end in ("", " --")
]


def of_every_kind() -> list[tuple[type[Base], str]]:
    """A column of each GraphQL type, with and without NULLs."""
    kinds = {
        (str(filter_fields(model)[name].type), columns_of(model)[attribute].nullable): (
            model,
            name,
        )
        for model in ROOTS
        for name, attribute in attributes(model).items()
    }
    return list(kinds.values())


def to_and_fro(times: int) -> Filter:
    """From a commitment to its role and back to its commitments, several times."""
    inner: Filter = {}
    for _ in range(times):
        inner = {"role": {"commitments": {"some": inner}}}
    return inner


@pytest.fixture(scope="module")
async def oracle(admin: "asyncpg.Connection[Any]") -> Oracle:
    """Thirty rows of every kind; no test of the module changes them."""
    world = await populated(admin, await new_caller(admin), each=30)
    return await Oracle.of(world, admin)


@pytest.fixture(scope="module")
async def payloads(admin: "asyncpg.Connection[Any]") -> World:
    """A commitment for each payload, which is its title."""
    caller, random = await new_caller(admin), Random(1)
    rows = [
        varied(Commitment, random, title=payload, domain_tags=[payload], details={})
        for payload in PAYLOADS
    ]
    await store(admin, caller, Commitment, rows)
    return World(caller, {Commitment: rows})


@pytest.fixture
def read(executor: Executor, surroundings: Surroundings, oracle: Oracle) -> Run:
    """What runs operations in the oracle's workspace."""
    return Run(executor, surroundings, oracle.world.caller)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        pytest.param(model, name, id=f"{model.__name__}.{name}")
        for model, name in of_every_kind()
    ],
)
async def test_every_operator_of_every_kind_of_column_finds_what_it_says(
    read: Run, oracle: Oracle, model: type[Base], name: str
) -> None:
    asked = [
        {name: {operator: value}}
        for operator in operators(model, name)
        for value in samples(oracle.world, model, name, operator)
    ]

    found = [(one, await found_by(read, model, one)) for one in asked]

    assert asked
    assert found == [(one, oracle.found(model, one)) for one in asked]


@repeatable(150)
@given(data=st.data())
async def test_filters_of_whatever_shape_find_what_they_say(
    read: Run, oracle: Oracle, data: st.DataObject
) -> None:
    model = data.draw(st.sampled_from(sorted(ROOTS, key=str)))
    asked = data.draw(filters(oracle.world, model))

    assert await found_by(read, model, asked) == oracle.found(model, asked)


@repeatable(100)
@given(data=st.data())
async def test_not_takes_exactly_what_a_filter_leaves(
    read: Run, oracle: Oracle, data: st.DataObject
) -> None:
    model = data.draw(st.sampled_from(sorted(ROOTS, key=str)))
    name = data.draw(st.sampled_from(sorted(attributes(model))))
    asked = data.draw(comparisons(oracle.world, model, name))

    found = await found_by(read, model, asked := {name: asked})
    left = await found_by(read, model, {"not": asked})

    assert sorted(found + left) == sorted(oracle.found(model, {}))


@pytest.mark.parametrize(
    "nothing",
    [
        None,
        {},
        {"title": {}},
        {"and": []},
        {"metadata": {}},
        {"metadata": {"path": "a"}},
        {"documents": {}},
        {"role": {}},
        {"documents": {"every": {}}},
        {"not": {"or": []}},
    ],
)
async def test_a_filter_that_says_nothing_finds_everything(
    read: Run, oracle: Oracle, nothing: Filter | None
) -> None:
    found = await found_by(read, Commitment, nothing)

    assert found == oracle.found(Commitment, {})


@pytest.mark.parametrize(
    "impossible",
    [
        {"or": []},
        {"not": {}},
        {"id": {"in": []}},
        {"documents": {"some": {"or": []}}},
        {"documents": {"none": {}, "some": {}}},
    ],
)
async def test_a_filter_that_nothing_can_fulfil_finds_nothing(
    read: Run, impossible: Filter
) -> None:
    assert await found_by(read, Commitment, impossible) == []


async def test_a_row_without_relatives_has_none_and_every_but_not_some(
    run: Run, make: Make
) -> None:
    alone = await make.party()
    asked: list[Filter] = [
        {"roles": {quantifier: {"roleName": {"eq": "Vendor"}}}}
        for quantifier in ("none", "every", "some")
    ]

    found = [await found_by(run, Party, one) for one in asked]

    here = [global_id("Party", alone.id)]
    assert found == [here, here, []]


async def test_rows_are_found_by_what_their_relatives_relatives_are(
    run: Run, make: Make
) -> None:
    acme = await make.party(name="ACME")
    theirs = await make.commitment(role_id=(await make.role(party_id=acme.id)).id)
    await make.commitment(role_id=(await make.role()).id, title="Another's")
    await make.party(name="Bystander")

    found = await found_by(
        run, Commitment, {"role": {"party": {"id": {"eq": str(acme.id)}}}}
    )

    assert found == [global_id("Commitment", theirs.id)]


@pytest.mark.parametrize("operator", ["eq", "contains", "startsWith"])
async def test_texts_that_look_like_sql_are_only_texts(
    executor: Executor, surroundings: Surroundings, payloads: World, operator: str
) -> None:
    run = Run(executor, surroundings, payloads.caller)
    asked = [{"title": {operator: payload}} for payload in PAYLOADS]

    found = [await found_by(run, Commitment, one, size=100) for one in asked]

    oracle = Oracle(payloads)
    assert len(set(PAYLOADS)) == 200
    assert found == [oracle.found(Commitment, one)[:100] for one in asked]


async def test_so_they_are_where_they_stand_in_the_operation_itself(
    executor: Executor, surroundings: Surroundings, payloads: World
) -> None:
    run = Run(executor, surroundings, payloads.caller)

    answers = [
        await run(
            f"{{ commitments(filter: {{title: {{in: [{written}]}}, "
            f"domainTags: {{hasAll: [{written}]}}, "
            f"not: {{metadata: {{path: {written}, eq: {written}}}}}}}) "
            "{ nodes { title } } }"
        )
        for payload in PAYLOADS
        for written in [print_ast(StringValueNode(value=payload))]
    ]

    assert [answer["data"]["commitments"]["nodes"] for answer in answers] == [
        [{"title": payload}] for payload in PAYLOADS
    ]


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        ("50%", ["50%", "150% sure"]),
        ("5_", ["5_0"]),
        ("\\", ["C:\\"]),
        ("%", ["50%", "150% sure"]),
        ("'", ["it's"]),
        ("🐜", ["🐜🐜"]),
        ("SURE", ["150% sure"]),
        ("ÜM", ["ümlaut"]),
    ],
)
async def test_contains_takes_wildcards_literally_and_ignores_case(
    run: Run, make: Make, sought: str, found: list[str]
) -> None:
    for title in ["50%", "150% sure", "500", "5_0", "C:\\", "it's", "🐜🐜", "ümlaut"]:
        await make.document(title=title)

    answer = await run(
        "query($sought: String!) { documents(filter: {title: {contains: $sought}}) "
        "{ nodes { title } } }",
        sought=sought,
    )

    assert answer["data"]["documents"]["nodes"] == [{"title": title} for title in found]


async def test_a_text_is_never_cut_to_the_length_of_its_column(
    run: Run, make: Make
) -> None:
    await make.party(name="A" * 255)

    found = [
        await found_by(run, Party, {"name": {operator: "A" * 256}})
        for operator in ("eq", "gte", "startsWith", "contains")
    ]

    assert found == [[], [], [], []]


async def test_rows_are_found_by_global_and_by_bare_ids(run: Run, make: Make) -> None:
    role = await make.role()
    commitment = await make.commitment(role_id=role.id)
    await make.commitment()

    found = [
        await found_by(run, Commitment, {"roleId": {"eq": id}})
        for id in (global_id("Role", role.id), str(role.id), str(role.id).upper())
    ]

    assert found == [[global_id("Commitment", commitment.id)]] * 3


@pytest.mark.parametrize(
    ("id", "message"),
    [
        (
            global_id("Party", NOBODY),
            "This is the id of a Party; the id of a Role goes here.",
        ),
        ("1", "'1' is not an id. Pass the `id` of an object as you received it."),
        ("", "'' is not an id. Pass the `id` of an object as you received it."),
    ],
)
async def test_an_id_that_names_no_such_row_is_refused(
    run: Run, id: str, message: str
) -> None:
    refused = await refusal(run, Commitment, {"roleId": {"in": [id]}})

    assert refused == ("BAD_USER_INPUT", message)


@pytest.mark.parametrize(
    "with_null",
    [
        {"title": None},
        {"title": {"eq": None}},
        {"title": {"isNull": None}},
        {"title": {"resembles": None}},
        {"title": {"resembles": {"to": "x", "threshold": None}}},
        {"and": None},
        {"or": None},
        {"not": None},
        {"role": None},
        {"documents": None},
        {"documents": {"some": None}},
        {"metadata": None},
        {"metadata": {"exists": None}},
        {"metadata": {"in": None}},
        {"metadata": {"path": None, "eq": 1}},
        {"domainTags": {"hasAny": None}},
        {"not": {"and": [{"or": [{"dueAt": {"lt": None}}]}]}},
    ],
)
async def test_a_null_in_a_filter_is_refused(run: Run, with_null: Filter) -> None:
    code, message = await refusal(run, Commitment, with_null)

    assert code == "BAD_USER_INPUT"
    assert "null" in message


async def test_null_is_a_value_within_json(run: Run, make: Make) -> None:
    null = await make.party(details={"a": None})
    await make.party(details={})
    await make.party(details={"a": 0})

    found = await found_by(run, Party, {"metadata": {"path": "a", "eq": None}})

    assert found == [global_id("Party", null.id)]


@pytest.mark.parametrize(
    "too_much",
    [
        {"id": {"in": [str(new_key())] * 1_001}},
        {"title": {"notIn": ["x"] * 1_001}},
        {"domainTags": {"hasAny": ["x"] * 1_001}},
        {"metadata": {"in": [1] * 1_001}},
        {"and": [{"title": {"eq": "x"}}] * 101},
        {"or": [{"title": {"ne": "x", "gt": "x"}}] * 51},
        {"and": [{}] * 101},
        {"and": [{"documents": {"some": {}}}] * 21},
        to_and_fro(11),
        {"title": {"resembles": {"to": "x" * 201}}},
        {"title": {"resembles": {"to": ""}}},
        {"title": {"resembles": {"to": "x", "threshold": 1.01}}},
        {"title": {"resembles": {"to": "x", "threshold": -0.1}}},
    ],
)
async def test_more_than_anyone_could_mean_is_refused(
    run: Run, too_much: Filter
) -> None:
    code, _ = await refusal(run, Commitment, too_much)

    assert code == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "much",
    [
        {"id": {"in": [str(new_key())] * 1_000}},
        {"metadata": {"in": [1] * 1_000}},
        {"and": [{"title": {"eq": "x"}}] * 100},
        {"title": {"resembles": {"to": "x" * 200, "threshold": 1}}},
        to_and_fro(10),
    ],
)
async def test_as_much_as_is_allowed_is_answered(run: Run, much: Filter) -> None:
    assert await found_by(run, Commitment, much) == []


async def found_by(
    run: Run, model: type[Base], given: Filter | None, size: int = 100
) -> list[str]:
    """The ids of the rows that a filter finds."""
    answer = await run(_query(model), filter=given, first=size)
    assert "errors" not in answer, (given, answer["errors"])
    nodes = answer["data"][ROOTS[model]]["nodes"]
    return [node["id"] for node in nodes]


async def refusal(run: Run, model: type[Base], given: Filter) -> tuple[str, str]:
    """The code and message with which a filter is refused."""
    answer = await run(_query(model), filter=given, first=1)
    (error,) = answer["errors"]
    assert answer.get("data") is None
    return error["extensions"]["code"], error["message"]


def _query(model: type[Base]) -> str:
    return (
        f"query($filter: {model.__name__}Filter, $first: Int) "
        f"{{ {ROOTS[model]}(filter: $filter, first: $first) {{ nodes {{ id }} }} }}"
    )
