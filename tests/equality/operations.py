"""Operations at random, over the schema as it is, most of them valid and with data.

A response name means the same field with the same arguments throughout a document, so
that whatever is selected twice can be merged, and a fragment can be spread anywhere.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from givens import CONNECTION, Givens, Place, Word
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLSchema,
    Undefined,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_composite_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from rich_world import Worlds
from world import World

from graph_api.errors import BadUserInput
from graph_api.execution.messages import Request
from graph_api.ids import global_id, parse_global_id
from graph_api.keys import new_key
from graph_api.models import Base, public_name
from graph_api.reading.columns import columns_of
from graph_api.reading.cursors import Cursors
from graph_api.reading.relations import Relation, Rows, all_rows
from graph_api.schema import graphql_schema
from graph_api.schema.registry import SHOWN, model_named

# How many selections an operation has at the most: it must not be its size that tells.
MOST_SELECTIONS = 45
# The aliases that are allowed are 30, fragments expanded.
MOST_ALIASES = 12
MOST_DIRECTIVES = 8

assert graphql_schema.query_type is not None
assert graphql_schema.mutation_type is not None
QUERIES = sorted(graphql_schema.query_type.fields)
MUTATIONS = sorted(graphql_schema.mutation_type.fields)


@dataclass(frozen=True)
class Operation:
    """An operation as it is sent, in the name of a world's caller."""

    world: World
    query: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None
    # What it is called in reports: by what it can be made again.
    label: str = ""

    def request(self, **options: Any) -> Request:
        return Request(
            self.query,
            self.name,
            self.variables,
            self.world.caller.request_id,
            **options,
        )


class Variable(str):
    """The name of a variable, in the place of a value."""

    __slots__ = ()


@dataclass(frozen=True)
class Meant:
    """What a response name stands for in a document."""

    field: str
    arguments: str
    type: str


def random_operation(
    worlds: Worlds, cursors: Cursors, seed: int, number: int
) -> Operation:
    """The operation of this number; the same for the same seed and worlds."""
    random = Random(f"{seed}:{number}")
    world = worlds.broken if random.random() < 0.15 else worlds.sound
    writer = Writer(graphql_schema, Givens(random, worlds, world, cursors))
    mutates = number % 6 == 5
    pool = MUTATIONS if mutates else QUERIES
    # Each root field in its turn.
    main = pool[number // 6 % len(pool) if mutates else number % len(pool)]
    return writer.operation(main, mutates=mutates, label=f"{seed}:{number}")


class Writer:
    """Writes one document."""

    def __init__(self, schema: GraphQLSchema, givens: Givens) -> None:
        self._schema = schema
        self._givens = givens
        self._random = givens.random
        self._chance = givens.chance
        self._meanings: dict[str, Meant] = {}
        self._fragments: dict[str, tuple[str, str]] = {}
        self._declared: dict[str, str] = {}
        self._variables: dict[str, Any] = {}
        self._left = self._random.randint(4, MOST_SELECTIONS)
        self._aliases = 0
        self._directives = 0
        # The place of the value that is not as it should be, if any.
        self._until_wrong = self._random.randint(1, 6) if self._chance(0.07) else 10**9

    def operation(self, main: str, *, mutates: bool, label: str) -> Operation:
        """An operation with the root field `main`, and perhaps others."""
        pool = MUTATIONS if mutates else QUERIES
        root = self._schema.mutation_type if mutates else self._schema.query_type
        assert root is not None
        names = [main]
        while self._chance(0.25) and len(names) < 3:
            names.append(self._random.choice(pool))
        depth = self._random.choice([1, 2, 2, 3, 3, 4])
        lines = [self._field(root, name, depth) for name in names]
        if self._chance(0.1):
            lines.insert(self._random.randrange(len(lines) + 1), "__typename")
        if not mutates and self._chance(0.15):
            lines = [self._wrapped(root, lines)]
        return self._document(lines, mutates=mutates, label=label)

    def _document(self, lines: list[str], *, mutates: bool, label: str) -> Operation:
        declared = ", ".join(f"${n}: {t}" for n, t in self._declared.items())
        head = "mutation" if mutates else "query"
        named = self._chance(0.3) or bool(self._fragments and self._chance(0.2))
        name = "Main" if named else None
        start = f"{head} {name or ''}{f'({declared})' if declared else ''} "
        if head == "query" and not name and not declared and self._chance(0.5):
            start = ""
        parts = [f"{start}{{ {' '.join(lines)} }}"]
        parts += [
            f"fragment {fragment} on {on} {body}"
            for fragment, (on, body) in self._fragments.items()
        ]
        if named and self._chance(0.25):
            other = self._random.choice(["query Other { viewer { __typename } }"])
            parts.insert(self._random.randrange(len(parts) + 1), other)
        chosen = name if len(parts) > 1 or self._chance(0.5) else None
        if self._chance(0.01):
            chosen = "Missing"
        query = "\n".join(parts)
        if "query Other" in query and chosen is None and self._chance(0.9):
            chosen = name
        return Operation(self._givens.world, query, self._variables, chosen, label)

    # Selections

    def _selections(
        self,
        type: GraphQLNamedType,
        depth: int,
        likely: GraphQLNamedType | None = None,
    ) -> str:
        """A selection set on a type; `likely` is what an abstract one may well be."""
        assert is_composite_type(type)
        lines = list(self._lines(type, depth, likely))
        if self._chance(0.15) or not lines:
            lines.insert(self._random.randrange(len(lines) + 1), "__typename")
        if self._chance(0.12) and len(lines) > 1:
            at = self._random.randrange(1, len(lines))
            lines[:at] = [self._wrapped(type, lines[:at])]
        return f"{{ {' '.join(lines)} }}"

    def _lines(
        self, type: Any, depth: int, likely: GraphQLNamedType | None
    ) -> Iterator[str]:
        if not is_object_type(type) and not self._chance(0.1):
            yield "__typename"
        fields: Mapping[str, GraphQLField] = getattr(type, "fields", {})
        leaves, composites = _sorted(fields)
        most = 2 if self._left <= 0 else 5
        if type.name.endswith("GroupKey"):
            # Only those that it is grouped by have a value.
            most = max(most, len(leaves) // 2)
        for name in self._some(leaves, self._random.randint(1, most)):
            yield self._field(type, name, depth)
            if self._chance(0.08):
                yield self._field(type, name, depth)
        for name in self._composites(type, composites, depth):
            if self._left <= 0 and not _is_paging(type):
                break
            yield self._field(type, name, depth)
            if self._chance(0.12):
                yield from self._again(type, fields, depth)
        if is_abstract_type(type):
            yield from self._conditions(type, depth, likely)
        elif self._chance(0.08):
            yield self._condition(type, self._an_interface(type), depth)

    def _composites(
        self, type: GraphQLNamedType, names: list[str], depth: int
    ) -> list[str]:
        if "nodes" in names and "pageInfo" in names:
            chosen = [n for n in names if self._chance(_WEIGHTS.get(n, 0.2))]
            return chosen or ["nodes"]
        if "node" in names and "cursor" in getattr(type, "fields", {}):
            return names
        if _is_figures(type) or type.name.endswith("Payload"):
            return self._some(names, self._random.randint(1, 3))
        if depth <= 0:
            return []
        return self._some(names, self._random.choice([0, 1, 1, 2, 2, 3]))

    def _some(self, names: list[str], number: int) -> list[str]:
        return self._random.sample(names, min(number, len(names)))

    def _again(
        self, type: Any, fields: Mapping[str, GraphQLField], depth: int
    ) -> Iterator[str]:
        """A field that the document has already, with another selection: merged."""
        known = [
            (name, meant)
            for name, meant in self._meanings.items()
            if meant.field in fields
            and meant.type == str(fields[meant.field].type)
            and is_composite_type(get_named_type(fields[meant.field].type))
        ]
        if not known:
            return
        name, meant = self._random.choice(known)
        below = get_named_type(fields[meant.field].type)
        alias = "" if name == meant.field else f"{name}: "
        if alias:
            self._aliases += 1
        body = self._selections(below, min(depth - 1, 1))
        yield f"{alias}{meant.field}{meant.arguments} {body}"

    def _field(self, type: Any, name: str, depth: int) -> str:
        """The text of one field, with alias, arguments and directives as it comes."""
        self._left -= 1
        of: GraphQLField = type.fields[name]
        place = _place(type, name, of)
        arguments, likely = self._arguments(type, name, of, place)
        key = self._response_name(name, arguments, str(of.type))
        alias = "" if key == name else f"{key}: "
        below = get_named_type(of.type)
        text = f"{alias}{name}{arguments}{self._directive()}"
        if not is_composite_type(below):
            return text
        inner = depth - (0 if _is_paging(type) or _is_figures(below) else 1)
        return f"{text} {self._selections(below, inner, likely)}"

    def _response_name(self, name: str, arguments: str, type: str) -> str:
        """A name for a field: its own, an alias that there is, or a new one."""
        meant = Meant(name, arguments, type)
        known = [key for key, other in self._meanings.items() if other == meant]
        if known and self._chance(0.9):
            if any(key == name for key in known) and self._chance(0.7):
                return name
            key = self._random.choice(known)
            self._aliases += key != name
            return key
        wanted = self._aliases < MOST_ALIASES and self._chance(0.12)
        if name not in self._meanings and not wanted:
            self._meanings[name] = meant
            return name
        self._aliases += 1
        key = f"{self._random.choice(['a', 'Z', '_', 'id', 'nodes'])}{len(self._meanings)}"
        self._meanings[key] = meant
        return key

    # Fragments

    def _wrapped(self, type: Any, lines: list[str]) -> str:
        """Some selections in a fragment on the same type, or without a condition."""
        condition = f" on {type.name}" if self._chance(0.6) else ""
        if self._chance(0.4):
            return self._spread(type.name, f"{{ {' '.join(lines)} }}")
        return f"...{condition}{self._directive()} {{ {' '.join(lines)} }}"

    def _spread(self, on: str, body: str) -> str:
        name = f"F{len(self._fragments)}"
        self._fragments[name] = (on, body)
        return f"...{name}{self._directive()}"

    def _conditions(
        self, type: Any, depth: int, likely: GraphQLNamedType | None
    ) -> Iterator[str]:
        """Fragments on what an abstract type may be, interfaces among them."""
        possible = list(self._schema.get_possible_types(type))
        chosen = self._random.sample(
            possible, min(len(possible), self._random.randint(1, 3))
        )
        if likely in possible and likely not in chosen:
            chosen.append(likely)
        for one in chosen:
            yield self._condition(type, one, depth)
        if self._chance(0.35):
            interfaces = [
                other
                for other in self._schema.type_map.values()
                if isinstance(other, GraphQLInterfaceType)
                and set(self._schema.get_possible_types(other)) & set(possible)
            ]
            yield self._condition(type, self._random.choice(interfaces), depth)

    def _condition(self, parent: Any, on: Any, depth: int) -> str:
        known = [
            name
            for name, (of, _) in self._fragments.items()
            if of == on.name and self._aliases < MOST_ALIASES
        ]
        if known and self._chance(0.3):
            return f"...{self._random.choice(known)}{self._directive()}"
        before = self._aliases
        body = self._selections(on, depth)
        if self._chance(0.3) and self._aliases == before:
            return self._spread(on.name, body)
        return f"... on {on.name}{self._directive()} {body}"

    def _an_interface(self, type: Any) -> Any:
        return self._random.choice([type, *type.interfaces])

    def _directive(self) -> str:
        if self._directives >= MOST_DIRECTIVES or not self._chance(0.06):
            return ""
        self._directives += 1
        name = self._random.choice(["skip", "include"])
        kept = self._chance(0.7)
        value: Any = kept is (name == "include")
        if self._chance(0.6):
            value = Variable(self._declare("Boolean!", value))
        return f" @{name}(if: {literal(value)})"

    # Arguments and variables

    def _arguments(
        self, type: Any, name: str, of: GraphQLField, place: Place
    ) -> tuple[str, GraphQLNamedType | None]:
        if type is self._schema.mutation_type:
            return self._mutation_arguments(name, of)
        given = self._given(name, of, place)
        if not given:
            return "", None
        likely = self._likely(given)
        texts = []
        for argument, value in given.items():
            hoisted = self._perhaps_hoisted(of.args[argument], value)
            if hoisted is not ABSENT:
                texts.append(f"{argument}: {literal(hoisted)}")
        return (f"({', '.join(texts)})" if texts else ""), likely

    def _given(self, name: str, of: GraphQLField, place: Place) -> dict[str, Any]:
        """The values of a field's arguments, in whatever order."""
        if of.args.keys() >= CONNECTION:
            return self._page(of, place)
        given = {
            argument: self._given_one(argument, of.args[argument], name, place)
            for argument, definition in of.args.items()
            if (is_non_null_type(definition.type) and _has_no_default(definition))
            or self._chance(0.6)
        }
        return self._shuffled(given)

    def _given_one(
        self, argument: str, definition: GraphQLArgument, name: str, place: Place
    ) -> Any:
        if argument == "hash":
            hashes = [row["file_hash"] for row in _rows(self._givens.world, "FileHash")]
            return self._random.choice([*hashes, hashes[0].upper(), "x"])
        return self._givens.value(definition.type, argument, place)

    def _page(self, of: GraphQLField, place: Place) -> dict[str, Any]:
        """The arguments of a connection: small pages, forwards or backwards."""
        givens, given = self._givens, dict[str, Any]()

        def value(name: str, place: Place) -> Any:
            return givens.value(of.args[name].type, name, place)

        if self._chance(0.3):
            given["filter"] = value("filter", Place())
        if self._chance(0.3):
            given["orderBy"] = value("orderBy", Place())
        place = Place(place.model, rows=place.rows, order=given.get("orderBy"))
        backward = self._chance(0.3)
        if self._chance(0.85):
            size = "last" if backward else "first"
            given[size] = value(size, place)
            if self._chance(0.01):
                given[size] = self._random.choice([100, 101, -1, None])
            if self._chance(0.01):
                given["first"] = given["last"] = 1
        for name, likely in (("after", 0.25), ("before", 0.12)):
            if self._chance(likely + 0.1 * (backward is (name == "before"))):
                given[name] = value(name, place)
        for name in of.args.keys() - given.keys():
            if self._chance(0.02):
                given[name] = None
        return self._shuffled(given)

    def _shuffled(self, given: dict[str, Any]) -> dict[str, Any]:
        names = sorted(given)
        self._random.shuffle(names)
        return {name: given[name] for name in names}

    def _likely(self, given: dict[str, Any]) -> GraphQLNamedType | None:
        """The type of the object that an id among the arguments names."""
        ids = given.get("id") or given.get("ids") or ""
        one = self._random.choice(ids) if isinstance(ids, list) and ids else ids
        model = _model_of_id(one) if isinstance(one, str) else None
        return self._schema.get_type(model.__name__) if model else None

    def _perhaps_hoisted(
        self, of: GraphQLArgument | GraphQLInputField, value: Any
    ) -> Any:
        """The value, or a variable with it; ABSENT where nothing is to be said."""
        self._until_wrong -= 1
        if self._until_wrong == 0:
            value = self._givens.wrong()
        if self._chance(0.3) or _unwritable(value):
            return self._hoisted(of, value)
        return self._inner(of.type, value)

    def _inner(self, type: GraphQLInputType, value: Any) -> Any:
        """The value with variables in some places of its inside."""
        nullable = get_nullable_type(type)
        if is_list_type(nullable) and isinstance(value, list):
            return [
                Variable(self._declare(str(nullable.of_type), item))
                if self._chance(0.1) or _unwritable(item)
                else self._inner(nullable.of_type, item)
                for item in value
            ]
        named = get_named_type(type)
        if isinstance(named, GraphQLInputObjectType) and isinstance(value, dict):
            made = {}
            for name, item in value.items():
                of = named.fields.get(name)
                if of is not None and (self._chance(0.08) or _unwritable(item)):
                    made[name] = self._hoisted(of, item)
                else:
                    made[name] = self._inner(of.type, item) if of else item
            return {name: item for name, item in made.items() if item is not ABSENT}
        return value

    def _hoisted(self, of: GraphQLArgument | GraphQLInputField, value: Any) -> Any:
        """A variable for a value, declared in one of the ways that would do."""
        type = of.type
        optional = not is_non_null_type(type)
        roll = self._random.random()
        if optional and roll < 0.08:
            return Variable(self._declare(str(type), ABSENT))
        if optional and roll < 0.11:
            return Variable(self._declare(str(type), None))
        if optional and roll < 0.25 and value is not None:
            return Variable(self._declare(f"{type}!", value))
        bare = str(get_nullable_type(type))
        if roll < 0.35 and value is not None and not _unwritable(value):
            default = f"{bare} = {literal(value)}"
            given = self._random.choice([ABSENT, value, None if optional else value])
            return Variable(self._declare(default, given))
        if not optional and not _has_no_default(of) and roll < 0.5:
            return Variable(self._declare(bare, self._random.choice([ABSENT, value])))
        return Variable(self._declare(str(type), value))

    def _declare(self, type: str, value: Any) -> str:
        if self._until_wrong < 0 and self._chance(0.01):
            value = self._random.choice([None, "wrong", 2**40, [], {}])
        name = f"v{len(self._declared)}"
        self._declared[name] = type
        if value is not ABSENT:
            self._variables[name] = value
        return name

    # Mutations

    def _mutation_arguments(self, name: str, of: GraphQLField) -> tuple[str, None]:
        argument = of.args["input"]
        type = get_named_type(argument.type)
        assert isinstance(type, GraphQLInputObjectType)
        given = self._mutation_input(name, type, _written_model(name, of))
        given["dryRun"] = True
        if self._chance(0.5):
            hoisted: Any = Variable(self._declare(str(argument.type), given))
        else:
            hoisted = self._inner(argument.type, given)
            hoisted["dryRun"] = True
        return f"(input: {literal(hoisted)})", None

    def _mutation_input(
        self, mutation: str, type: GraphQLInputObjectType, model: type[Base]
    ) -> dict[str, Any]:
        rows = self._givens.world.rows.get(model) or [{"id": new_key(), "version": 1}]
        if (state := MOVES.get(mutation)) and self._chance(0.7):
            rows = [row for row in rows if row["state"] == state] or rows
        row = self._random.choice(rows)
        given: dict[str, Any] = {}
        for name, of in type.fields.items():
            needed = is_non_null_type(of.type) and _has_no_default(of)
            if needed or self._chance(0.25):
                given[name] = self._mutation_value(mutation, name, of, model, row)
        return self._shuffled(given)

    def _mutation_value(
        self,
        mutation: str,
        name: str,
        of: GraphQLInputField,
        model: type[Base],
        row: Mapping[str, Any],
    ) -> Any:
        givens = self._givens
        self._until_wrong -= 1
        if self._until_wrong == 0:
            return givens.wrong()
        if name == "items":
            item = get_named_type(of.type)
            assert isinstance(item, GraphQLInputObjectType)
            number = self._random.choice([0, 1, 1, 2, 3])
            return [self._mutation_input(mutation, item, model) for _ in range(number)]
        if name == "id" and self._chance(0.9):
            return global_id(model.__name__, row["id"])
        if name == "expectedVersion":
            return row.get("version", 1) if self._chance(0.8) else 7
        if not is_non_null_type(of.type) and self._chance(0.05):
            return None
        attributes = {public_name(k): k for k in columns_of(model)}
        named = {"add": "Tag", "remove": "Tag", "ids": "Document"}.get(name)
        named = named or (
            name[:-2][:1].upper() + name[1:-2] if name[-2:] == "Id" else ""
        )
        about = model_named(named)
        attribute = attributes.get(name)
        if attribute and name in _UNIQUE and self._chance(0.7):
            return _fresh(name, self._random)
        if attribute and name != "id":
            return givens.value(of.type, name, Place(model, attribute))
        return givens.value(
            of.type, name, Place(about or (model if name == "id" else None))
        )


class _Absent:
    """Stands for a value that is not given at all."""


ABSENT = _Absent()

_WEIGHTS = {
    "nodes": 0.6,
    "edges": 0.45,
    "pageInfo": 0.35,
    "aggregate": 0.2,
    "groups": 0.2,
}
MOVES = {
    "acceptCommitment": "proposed",
    "activateCommitment": "accepted",
    "cancelCommitment": "active",
    "fulfillCommitment": "active",
    "markCommitmentDelinquent": "active",
    "pauseCommitment": "active",
    "resumeCommitment": "paused",
}
_UNIQUE = {"externalRef", "name", "sha256", "dedupeKey"}


def _fresh(name: str, random: Random) -> str:
    if name == "sha256":
        return f"{random.getrandbits(256):064x}"
    return f"new {random.getrandbits(32)}"


def literal(value: Any) -> str:
    """A value as a document writes it."""
    if isinstance(value, Variable):
        return f"${value}"
    if isinstance(value, Word):
        return str(value)
    if isinstance(value, dict):
        inner = ", ".join(f"{name}: {literal(item)}" for name, item in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _unwritable(value: Any) -> bool:
    """Whether a document has no words for it: an object's keys must be names there."""
    if isinstance(value, dict):
        named = all(key.isidentifier() and key.isascii() for key in value)
        return not named or any(map(_unwritable, value.values()))
    if isinstance(value, list):
        return any(map(_unwritable, value))
    if isinstance(value, str):
        return any(
            ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 for letter in value
        )
    return (isinstance(value, int) and abs(value) >= 10**19) or value in (
        float("inf"),
        -float("inf"),
    )


def _sorted(fields: Mapping[str, GraphQLField]) -> tuple[list[str], list[str]]:
    """The names of fields: those with values, those with objects."""
    leaves = [
        n for n, f in fields.items() if not is_composite_type(get_named_type(f.type))
    ]
    return leaves, [n for n in fields if n not in leaves]


def _is_paging(type: Any) -> bool:
    fields = getattr(type, "fields", {})
    return "pageInfo" in fields or ("cursor" in fields and "node" in fields)


_FIGURES = ("Aggregate", "Avg", "Sum", "Min", "Max", "Group", "GroupKey", "PageInfo")


def _is_figures(type: Any) -> bool:
    return bool(type.name.endswith(_FIGURES))


def _place(type: GraphQLNamedType, name: str, of: GraphQLField) -> Place:
    """What the arguments of a field are about: the list that it shows, its model."""
    shown = get_named_type(of.type).name
    model = model_named(shown.removesuffix("Connection"))
    if of.args.keys() >= CONNECTION and model is not None:
        return Place(model, rows=_list_shown(type, name, model))
    return Place(model)


def _list_shown(type: GraphQLNamedType, name: str, model: type[Base]) -> Rows:
    parent = model_named(type.name)
    if parent is None:
        return all_rows(model)
    relations: dict[str, Relation] = {
        public_name(key): relation for key, relation in SHOWN[parent].relations.items()
    }
    return relations.get(name) or all_rows(model)


def _written_model(name: str, of: GraphQLField) -> type[Base]:
    """The model whose rows a mutation writes."""
    if name in {"linkDocument", "unlinkDocument"}:
        found = model_named("DocumentLink")
    elif name == "tagDocuments":
        found = model_named("Document")
    else:
        words = name.lstrip("abcdefghijklmnopqrstuvwxyz")
        found = next(
            model_named(one)
            for one in (
                words,
                words.removesuffix("s"),
                words.removesuffix("Delinquent"),
            )
            if model_named(one)
        )
    assert found is not None, name
    return found


def _model_of_id(id: str) -> type[Base] | None:
    try:
        return model_named(parse_global_id(id)[0])
    except BadUserInput:
        return None


def _has_no_default(of: GraphQLArgument | GraphQLInputField) -> bool:
    default = getattr(of, "default", None)
    return of.default_value is Undefined and default is None


def _rows(world: World, name: str) -> list[dict[str, Any]]:
    return next(rows for model, rows in world.rows.items() if model.__name__ == name)
