"""Operations at random, over the schema as it is, most of them valid and with data.

A response name means the same field with the same arguments throughout a document, so
that whatever is selected twice can be merged, and a fragment can be spread anywhere.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from arguments import Arguments
from every_mutation import OF_ACCESS, WAYS_IN
from givens import Givens
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_object_type,
)
from literals import Variable, literal
from rich_world import Worlds
from world import World

from graph_api.execution.messages import Request
from graph_api.reading.cursors import Cursors
from graph_api.schema import graphql_schema

# How many selections an operation has at the most: it must not be its size that tells.
MOST_SELECTIONS = 45
# The aliases that are allowed are 30, fragments expanded.
MOST_ALIASES = 12
MOST_DIRECTIVES = 8

assert graphql_schema.query_type is not None
assert graphql_schema.mutation_type is not None
# What is left of a quota is another thing for whoever asks second.
QUERIES = sorted(graphql_schema.query_type.fields.keys() - {"rateLimit"})
# What makes a secret makes another one each time.
MUTATIONS = sorted(graphql_schema.mutation_type.fields.keys() - OF_ACCESS - WAYS_IN)


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
    # Each root field in its turn, queries and mutations counted for themselves.
    turn = number // 6 if mutates else number - number // 6
    main = pool[turn % len(pool)]
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
        self._arguments = Arguments(schema, givens)
        self._left = self._random.randint(4, MOST_SELECTIONS)
        self._aliases = 0
        self._directives = 0

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
        """The document, at times with a second operation, which is not chosen."""
        declared = ", ".join(f"${n}: {t}" for n, t in self._arguments.declared.items())
        name = "Main" if self._chance(0.35) else ""
        start = f"{'mutation' if mutates else 'query'} {name}"
        start += f"({declared})" if declared else ""
        if start == "query " and self._chance(0.5):
            start = ""
        parts = [f"{start} {{ {' '.join(lines)} }}"]
        parts += [
            f"fragment {fragment} on {on} {body}"
            for fragment, (on, body) in self._fragments.items()
        ]
        several = bool(name) and self._chance(0.25)
        if several:
            other = "query Other { viewer { __typename } }"
            parts.insert(self._random.randrange(len(parts) + 1), other)
        chosen = name or None
        if self._chance(0.05 if several else 0.5):
            chosen = None
        if self._chance(0.01):
            chosen = "Missing"
        query, variables = "\n".join(parts), self._arguments.variables
        return Operation(self._givens.world, query, variables, chosen, label)

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
                yield from self._again(fields, depth)
        if is_abstract_type(type):
            yield from self._conditions(type, depth, likely)
        elif self._chance(0.08):
            yield self._condition(self._an_interface(type), depth)

    def _composites(
        self, type: GraphQLNamedType, names: list[str], depth: int
    ) -> list[str]:
        if "nodes" in names and "pageInfo" in names:
            chosen = [n for n in names if self._chance(_WEIGHTS.get(n, 0.2))]
            return chosen or ["nodes"]
        if "node" in names and "cursor" in getattr(type, "fields", {}):
            return names
        if _is_part(type):
            return self._some(names, self._random.randint(1, 3))
        if depth <= 0:
            return []
        return self._some(names, self._random.choice([0, 1, 1, 2, 2, 3]))

    def _some(self, names: list[str], number: int) -> list[str]:
        return self._random.sample(names, min(number, len(names)))

    def _again(self, fields: Mapping[str, GraphQLField], depth: int) -> Iterator[str]:
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
        arguments, likely = self._arguments.of(type, name, of)
        key = self._response_name(name, arguments, str(of.type))
        alias = "" if key == name else f"{key}: "
        below = get_named_type(of.type)
        text = f"{alias}{name}{arguments}{self._directive()}"
        if not is_composite_type(below):
            return text
        inner = depth - (0 if _is_paging(type) or _is_part(below) else 1)
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
        start = self._random.choice(["a", "Z", "_", "id", "nodes"])
        key = f"{start}{len(self._meanings)}"
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
            yield self._condition(one, depth)
        if self._chance(0.35):
            interfaces = [
                other
                for other in self._schema.type_map.values()
                if isinstance(other, GraphQLInterfaceType)
                and set(self._schema.get_possible_types(other)) & set(possible)
            ]
            yield self._condition(self._random.choice(interfaces), depth)

    def _condition(self, on: Any, depth: int) -> str:
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
            value = Variable(self._arguments.declare("Boolean!", value))
        return f" @{name}(if: {literal(value)})"


_WEIGHTS = {
    "nodes": 0.6,
    "edges": 0.45,
    "pageInfo": 0.35,
    "aggregate": 0.2,
    "groups": 0.2,
}


def _sorted(fields: Mapping[str, GraphQLField]) -> tuple[list[str], list[str]]:
    """The names of fields: those with values, those with objects."""
    leaves = [
        n for n, f in fields.items() if not is_composite_type(get_named_type(f.type))
    ]
    return leaves, [n for n in fields if n not in leaves]


def _is_paging(type: Any) -> bool:
    fields = getattr(type, "fields", {})
    return "pageInfo" in fields or ("cursor" in fields and "node" in fields)


# What belongs to the object above it, and is no step to another one.
_PARTS = (
    *("Aggregate", "Avg", "Sum", "Min", "Max", "Group", "GroupKey", "PageInfo"),
    *("Payload", "Result", "Error"),
)


def _is_part(type: Any) -> bool:
    return bool(type.name.endswith(_PARTS))
