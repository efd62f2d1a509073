"""Whatever is sent that cannot be is refused with a code, and changes nothing.

For every mutation, and every field of its input, values of each sort that its type has
no room for.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from every_mutation import GIVEN, MUTATIONS
from factories import Make
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    get_named_type,
    is_list_type,
    is_required_input_field,
)
from running import Run
from writing import Admin, Json, input_type, send, stored

from graph_api.caller import Caller
from graph_api.ids import global_id
from graph_api.keys import new_key
from graph_api.models import Entity
from graph_api.schema import graphql_schema

REFUSALS = {"VALIDATION", "NOT_FOUND", "CONFLICT", "INVALID_TRANSITION", "DUPLICATE"}
ERRORS = {"BAD_USER_INPUT", "TOO_COMPLEX", "GRAPHQL_VALIDATION_FAILED"}

TOO_LONG = "x" * 5_000_001


def nested(levels: int) -> Any:
    return {"a": nested(levels - 1)} if levels else 1


BAD: dict[str, list[Any]] = {
    "ID": [
        *("", "nonsense", "é" * 36, "x" * 36, "{" * 36, "x" * 100_000),
        *(global_id("Nonsense", new_key()), global_id("Interaction", new_key())),
        *(1.5, True, ["a", "b"], {"a": 1}, 10**30),
    ],
    "String": [TOO_LONG, 1, True, {"a": 1}, ["a", "b"]],
    "Int": [-1, 2**31, -(2**31) - 1, 10**30, 1.5, "1", True, float("nan"), [1, 2]],
    "Float": [-0.5, 1e301, float("nan"), float("inf"), -float("inf"), "1", True],
    "Boolean": ["true", 1, None],
    "BigInt": ["-1", -1, 2**63, "9" * 30, "1.5", 1.5, "x", "", True, "²", {}],
    "Decimal": [
        *("NaN", "sNaN", "Infinity", "-Infinity", "0.00001", "-1", "1000000", "1e9"),
        *("1e999999999", "9" * 100, "", "x", "1,5", True, float("nan"), {}),
    ],
    "DateTime": [
        *("2026-01-01T00:00:00", "2026-01-01", "today", "", 1_700_000_000, {}),
        *("1899-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"),
        *("2200-01-01T00:00:01Z", "9999-12-31T23:59:59-14:00", "2026-02-30T00:00:00Z"),
    ],
    "JSON": [
        *([], [1], "text", 1, 1.5, True, nested(17), {"x": "y" * 65_536}),
        {"numbers": [0] * 40_000},
    ],
}
LISTS: dict[str, list[Any]] = {
    "String": [["x"] * 51, [""], ["x" * 101], [None], [1], "x" * 101],
    "Float": [[0.5] * 4097, [float("nan")], [1e39], [None], ["1"]],
    "ID": [["nonsense"], [None], [""], [str(new_key())] * 101, {"a": 1}],
}
ITEMS: list[Any] = [[], [{}], [None], "text", [{"nonsense": 1}]]

# What the fields of inputs name; `id` is of the kind that the mutation is about.
KINDS = {
    "partyId": "Party",
    "counterpartyId": "Party",
    "roleId": "Role",
    "userId": "User",
    "ownerId": "User",
    "authorId": "User",
    "documentId": "Document",
    "collectionId": "Collection",
    "parentId": "Collection",
    "sourceId": "KnowledgeNode",
    "targetId": "KnowledgeNode",
    "ids": "Document",
    "add": "Tag",
    "remove": "Tag",
}


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_what_cannot_be_is_refused_with_a_code_and_changes_nothing(
    run: Run, make: Make, admin: "Admin[Any]", mutation: str
) -> None:
    sound = await GIVEN[mutation](make)
    before = await stored(admin, run)

    answers = [
        (where, await send(run, mutation, "", given))
        for where, given in broken(mutation, sound)
    ]

    assert len(answers) > 10
    assert [(where, cut(body)) for where, body in answers if not refused(body)] == []
    assert await stored(admin, run) == before


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_a_strangers_id_is_refused_as_one_that_nobody_has(
    run: Run, make: Make, admin: "Admin[Any]", stranger: Caller, mutation: str
) -> None:
    sound = await GIVEN[mutation](make)
    theirs = Theirs(make.by(stranger), stranger)
    pairs = [
        (with_id(sound, path, await theirs.id(kind)), with_id(sound, path, nobodys))
        for path, kind in ids_of(mutation)
        for nobodys in [global_id(kind, new_key())]
    ]
    here, there = await stored(admin, run), await stored(admin, theirs.run(run))

    foreign = [await send(run, mutation, MESSAGE, given) for given, _ in pairs]
    nobodys = [await send(run, mutation, MESSAGE, given) for _, given in pairs]

    assert foreign == nobodys
    assert [cut(body) for body in foreign if not refused(body)] == []
    assert await stored(admin, run) == here
    assert await stored(admin, theirs.run(run)) == there


@pytest.mark.parametrize("text", ["\\u0000", "\\u{0}", "\\ud800", "\\ud800\\ud800"])
@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_text_that_no_database_keeps_is_refused_in_every_field(
    run: Run, make: Make, admin: "Admin[Any]", mutation: str, text: str
) -> None:
    sound = await GIVEN[mutation](make)
    fields = [name for name, type in fields_of(mutation) if takes_text(type)]
    before = await stored(admin, run)

    bodies = [
        await run(
            f"mutation {{ {mutation}(input: "
            f"{literal(sound | {name: 0}).replace(f'{name}: 0', f'{name}: {value}')}"
            ") { userErrors { code } } }"
        )
        for name in fields
        for value in [f'"a{text}"']
    ]

    assert fields
    assert {tuple(codes(body)) for body in bodies} <= {
        ("BAD_USER_INPUT",),
        ("GRAPHQL_PARSE_FAILED",),
    }
    assert await stored(admin, run) == before


MESSAGE = "userErrors { message }"


class Theirs:
    """What a stranger has, made when it is asked for."""

    def __init__(self, make: Make, stranger: Caller) -> None:
        self._make, self._stranger = make, stranger

    def run(self, run: Run) -> Run:
        return run.by(self._stranger)

    async def id(self, kind: str) -> str:
        """The global id of something of theirs."""
        if kind == "User":
            assert self._stranger.user_id is not None
            return global_id(kind, self._stranger.user_id)
        if kind == "DocumentLink":
            document = await self._make.document()
            return global_id(kind, await self._make.link(document, document))
        if kind == "Membership":
            return global_id(kind, (await self._make.member()).id)
        snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in kind)
        row: Entity = await getattr(self._make, snake.lstrip("_"))()
        return global_id(kind, row.id)


def fields_of(mutation: str) -> list[tuple[str, GraphQLInputType]]:
    """The fields of a mutation's input."""
    given = graphql_schema.type_map[input_type(mutation)]
    assert isinstance(given, GraphQLInputObjectType)
    return [(name, field.type) for name, field in given.fields.items()]


def broken(mutation: str, sound: Json) -> Iterator[tuple[Any, Json]]:
    """The input, each time with one value in it that cannot be."""
    yield "nonsense", sound | {"nonsense": 1}
    for name, type in fields_of(mutation):
        for number, value in enumerate(bad_values(type)):
            yield (name, number), sound | {name: value}
    given = graphql_schema.type_map[input_type(mutation)]
    assert isinstance(given, GraphQLInputObjectType)
    for name, field in given.fields.items():
        if is_required_input_field(field):
            yield (name, "null"), sound | {name: None}
            yield (name, "absent"), {k: v for k, v in sound.items() if k != name}
    if "items" in given.fields:
        yield from broken_items(given.fields["items"].type, sound)


def broken_items(type: GraphQLInputType, sound: Json) -> Iterator[tuple[Any, Json]]:
    """The same for the items of a mutation that takes many."""
    (item,) = sound["items"]
    of = get_named_type(type)
    assert isinstance(of, GraphQLInputObjectType)
    for name, field in of.fields.items():
        for number, value in enumerate(bad_values(field.type)):
            yield (("items", name), number), {"items": [item | {name: value}]}
    yield ("items", "many"), {"items": [item] * 1_001}
    yield ("items", "twice"), {"items": [item] * 2}


def bad_values(type: GraphQLInputType) -> list[Any]:
    of = get_named_type(type)
    if isinstance(of, GraphQLEnumType):
        return ["NONSENSE", "", next(iter(of.values)).lower(), 1, True, {}]
    if isinstance(of, GraphQLInputObjectType):
        return ITEMS
    if is_list_type(getattr(type, "of_type", type)) or is_list_type(type):
        return LISTS[of.name]
    return BAD[of.name]


def takes_text(type: GraphQLInputType) -> bool:
    return not is_list_type(type) and get_named_type(type).name in {"String", "ID"}


def ids_of(mutation: str) -> list[tuple[tuple[str, ...], str]]:
    """Where a mutation's input names something, and of what kind."""
    given = graphql_schema.type_map[input_type(mutation)]
    assert isinstance(given, GraphQLInputObjectType)
    found: list[tuple[tuple[str, ...], Any]] = [
        ((name,), kind_of(mutation, name)) for name in given.fields
    ]
    if "items" in given.fields:
        item = get_named_type(given.fields["items"].type)
        assert isinstance(item, GraphQLInputObjectType)
        found = [(("items", name), kind_of(mutation, name)) for name in item.fields]
    return [(path, kind) for path, kind in found if kind is not None]


def kind_of(mutation: str, name: str) -> Any:
    if mutation == "linkDocument" and name == "targetId":
        return "Party"
    if mutation in {"changeMemberRole", "removeMember"} and name == "id":
        return "Membership"
    if name == "id":
        verbless = mutation.lstrip("abcdefghijklmnopqrstuvwxyz")
        return (
            "DocumentLink"
            if mutation == "unlinkDocument"
            else ("Commitment" if verbless.startswith("Commitment") else verbless)
        )
    return KINDS.get(name)


def with_id(sound: Json, path: tuple[str, ...], id: str) -> Json:
    *outer, name = path
    if outer:
        (item,) = sound["items"]
        return {"items": [item | {name: id}]}
    return sound | {name: [id] if name in {"ids", "add", "remove"} else id}


def refused(body: Json) -> bool:
    """Whether it is refused by a code from the closed list, and nothing else."""
    if "errors" in body:
        return set(codes(body)) <= ERRORS and not body.get("data")
    (payload,) = body["data"].values()
    errors = {error["code"] for error in payload["userErrors"] if "code" in error}
    return bool(payload["userErrors"]) and errors <= REFUSALS


def codes(body: Json) -> list[str]:
    return [error["extensions"]["code"] for error in body.get("errors", ())]


def cut(body: Json) -> str:
    return json.dumps(body)[:300]


def literal(value: Any) -> str:
    """A value as GraphQL writes it; what is in capitals is taken for an enum's."""
    if isinstance(value, dict):
        inner = ", ".join(f"{name}: {literal(of)}" for name, of in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, str) and value.isupper() and value != "ACME":
        return value
    return json.dumps(value)
