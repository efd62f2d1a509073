"""Probes: whatever takes an id is asked for a stranger's, and for nobody's.

They are found in the schema: arguments of root fields, fields of filters, and fields of
mutations' inputs, which are rehearsed. Both answers must be the same, byte for byte,
once the id that was asked for is taken out of them; and none may hold an id of the
stranger's.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any
from uuid import UUID

from every_mutation import MUTATIONS
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputObjectType,
    get_named_type,
)
from running import Run
from test_bad_input import ids_of, with_id
from world import World
from writing import input_type

from graph_api.ids import global_id
from graph_api.models import Base
from graph_api.schema import graphql_schema

assert graphql_schema.query_type is not None
QUERY = graphql_schema.query_type
COUNTED = "{ totalCount nodes { __typename } aggregate { count } }"
OPERATORS = ("eq", "ne", "in", "notIn")
ASKED = "asked-for"

Spelling = Callable[[str, UUID], str]
SPELLINGS: tuple[Spelling, ...] = (global_id, lambda _, id: str(id))


@dataclass(frozen=True)
class Probe:
    """An operation that names something, by the id of a type that goes into it."""

    name: str
    query: str
    type: str
    variables: Callable[[str], Mapping[str, Any]]
    # Where a bare key is no id.
    only_global: bool = False


def probes() -> Iterator[Probe]:
    """All that can be asked of a query, by each way of naming."""
    for name, field in QUERY.fields.items():
        yield from _by_arguments(name, field)
        if "filter" in field.args:
            yield from _by_filter(name, field.args["filter"])


def _by_arguments(name: str, field: GraphQLField) -> Iterator[Probe]:
    types = {model.__name__ for model in _models()}
    query = f"query ($id: ID!) {{ {name}(id: $id) {{ __typename }} }}"
    if name == "node":
        for type in sorted(types):
            yield Probe(f"node: {type}", query, type, _id, only_global=True)
    elif name == "nodes":
        query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename } }"
        for type in sorted(types):
            yield Probe(f"nodes: {type}", query, type, _ids, only_global=True)
    elif "id" in field.args:
        yield Probe(name, query, get_named_type(field.type).name, _id)


def _by_filter(name: str, argument: GraphQLArgument) -> Iterator[Probe]:
    """Of the fields of a filter, and of those of rows that are related."""
    filter = get_named_type(argument.type)
    assert isinstance(filter, GraphQLInputObjectType)
    query = f"query ($f: {filter.name}!) {{ {name}(filter: $f) {COUNTED} }}"
    for path, type in _filtered(filter, depth=2):
        for operator in OPERATORS:
            yield Probe(
                f"{name}: {'.'.join(path)} {operator}",
                query,
                type,
                _filter_of(path, operator),
            )


def _filtered(
    filter: GraphQLInputObjectType, depth: int
) -> Iterator[tuple[tuple[str, ...], str]]:
    """The ways to the ids that a filter compares, with the types that these are of."""
    for name, field in filter.fields.items():
        of = get_named_type(field.type)
        if not isinstance(of, GraphQLInputObjectType) or name in {"and", "or", "not"}:
            continue
        if of.name.startswith("ID") or of.name == "IdFilter":
            yield (name,), _type_behind(filter.name, name)
        elif depth > 0:
            inner = {"some", "none", "every"} & of.fields.keys()
            for quantifier in sorted(inner):
                nested = get_named_type(of.fields[quantifier].type)
                assert isinstance(nested, GraphQLInputObjectType)
                for path, type in _filtered(nested, depth - 1):
                    yield (name, quantifier, *path), type
            if not inner and of.name.endswith("Filter"):
                for path, type in _filtered(of, depth - 1):
                    yield (name, *path), type


def _type_behind(filter: str, name: str) -> str:
    """The type whose ids a field of a filter takes."""
    if name == "id":
        return filter.removesuffix("Filter")
    known = {
        "actorId": "User",
        "authorId": "User",
        "collectionId": "Collection",
        "counterpartyId": "Party",
        "documentId": "Document",
        "entityId": "Party",
        "extractionId": "Document",
        "ownerId": "User",
        "parentId": "Collection",
        "partyId": "Party",
        "primaryEntityId": "Party",
        "roleId": "Role",
        "sourceId": "KnowledgeNode",
        "targetId": "KnowledgeNode",
        "userId": "User",
        "workspaceId": "Workspace",
    }
    return known.get(name, "Party")


def _filter_of(path: tuple[str, ...], operator: str) -> Callable[[str], Any]:
    def variables(id: str) -> Mapping[str, Any]:
        made: Any = {operator: [id] if operator in {"in", "notIn"} else id}
        for name in reversed(path):
            made = {name: made}
        return {"f": made}

    return variables


def _id(id: str) -> Mapping[str, Any]:
    return {"id": id}


def _ids(id: str) -> Mapping[str, Any]:
    return {"ids": [id]}


def _models() -> list[type[Base]]:
    return [
        mapper.class_
        for mapper in Base.registry.mappers
        if mapper.class_.__name__ in graphql_schema.type_map
    ]


def written(sound: Mapping[str, Mapping[str, Any]]) -> Iterator[Probe]:
    """The same for mutations, as rehearsals, given an input for each that is sound."""
    for mutation in MUTATIONS:
        given = {**sound[mutation], "dryRun": True}
        query = (
            f"mutation ($input: {input_type(mutation)}!) {{ {mutation}(input: $input) "
            "{ userErrors { __typename message path code } } }"
        )
        for path, type in ids_of(mutation):
            yield Probe(
                f"{mutation}: {'.'.join(path)}", query, type, _input_of(given, path)
            )


def _input_of(given: dict[str, Any], path: tuple[str, ...]) -> Callable[[str], Any]:
    return lambda id: {"input": {**given, **with_id(given, path, id)}}


@dataclass
class Found:
    """What came of some probes."""

    probes: int = 0
    different: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()


@dataclass
class Stranger:
    """What somebody else has, and what of it must not be met."""

    world: World

    @cached_property
    def marks(self) -> set[str]:
        """The ids of all of the stranger's rows, in both spellings."""
        return {
            spell(model.__name__, row["id"])
            for model, rows in self.world.rows.items()
            for row in rows
            for spell in SPELLINGS
            if "id" in row
        }

    def ids(self, type: str) -> list[UUID]:
        return [
            row["id"]
            for model, rows in self.world.rows.items()
            if model.__name__ == type
            for row in rows
        ]


async def probe(run: Run, probe: Probe, stranger: Stranger, random: Random) -> Found:
    """Ask for one of the stranger's ids, and for one that nobody has."""
    theirs = random.choice(
        stranger.ids(probe.type) or [UUID(int=random.getrandbits(128))]
    )
    nobodys = UUID(int=random.getrandbits(128), version=4)
    spell = SPELLINGS[0] if probe.only_global else random.choice(SPELLINGS)
    answers = []
    for id in (theirs, nobodys):
        asked = spell(probe.type, id)
        body = json.dumps(await run(probe.query, **probe.variables(asked)))
        answers.append(body.replace(asked, ASKED).replace(str(id), ASKED))
    found = Found(1)
    if answers[0] != answers[1]:
        found.different = (f"{probe.name}\n  {answers[0][:200]}\n  {answers[1][:200]}",)
    if any(mark in answers[0] for mark in stranger.marks):
        found.foreign = (probe.name,)
    return found
