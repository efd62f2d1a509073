"""Operations that ask for all that there is, found in the schema.

A route leads from the root of queries to the objects of a type. Whatever is asked of
them has its type beside it, as `met`, so that an answer shows who was there.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_object_type,
    is_required_argument,
)
from world import World

from graph_api.models import FileHash, Party
from graph_api.schema import graphql_schema
from graph_api.schema.registry import SHOWN

# Wide enough for lists to lead somewhere.
WIDE = 50

assert graphql_schema.query_type is not None
assert graphql_schema.mutation_type is not None
QUERY = graphql_schema.query_type
OBJECT_TYPES = {
    name
    for name, type in graphql_schema.type_map.items()
    if is_object_type(type) and not name.startswith("__")
}


@dataclass(frozen=True)
class Asking:
    """Writes operations about the rows of a world."""

    world: World

    def route(self, type: str, selection: str) -> str:
        """The query that leads to `selection` on objects of `type`."""
        while type != QUERY.name:
            way = WAYS[type]
            given = self._arguments(way.name, way.field, type, first=WIDE)
            on = f"{{ ... on {type} {selection} }}" if way.is_abstract else selection
            selection = f"{{ {way.name}{given} {on} }}"
            type = way.leaves
        return selection

    def shallow(self, type: str, prefix: str = "") -> str:
        """A selection of all fields of a type; `prefix` tells its aliases apart."""
        return self._selection(type, _name_alone, prefix)

    def deep(self, type: str) -> str:
        """The same, and of all fields of what these lead to."""
        return self._selection(type, self._each)

    def id(self, type: str) -> str:
        """The id of the newest row that is shown as `type`, or of any."""
        models = {model.__name__: model for model in self.world.rows}
        return self.world.ids(models.get(type, Party))[-1]

    def _selection(
        self, type: str, nested: Callable[[GraphQLField], str], prefix: str = ""
    ) -> str:
        asked = (
            f"{prefix and f'{prefix}{name}: '}{name}"
            f"{self._arguments(name, field)} {nested(field)}"
            for name, field in fields_of(type).items()
        )
        return f"{{ met: __typename {' '.join(asked)} }}"

    def _each(self, field: GraphQLField) -> str:
        types = [type.name for type in _possible(field)]
        if not is_abstract_type(get_named_type(field.type)):
            return self.shallow(types[0]) if types else ""
        # Fields of one name may be of several types.
        on = (f"... on {type} {self.shallow(type, f'{type}_')}" for type in types)
        return f"{{ {' '.join(on)} }}"

    def _arguments(
        self, name: str, field: GraphQLField, type: str = "", first: int | None = None
    ) -> str:
        type = type or next((one.name for one in _possible(field)), "")
        given = [
            f"{argument}: {self._value(argument, of, type)}"
            for argument, of in field.args.items()
            if is_required_argument(of)
        ]
        if first is not None and "first" in field.args and name != "groups":
            given.append(f"first: {first}")
        return f"({', '.join(given)})" if given else ""

    def _value(self, name: str, argument: GraphQLArgument, type: str) -> str:
        of = get_named_type(argument.type)
        if isinstance(of, GraphQLEnumType):
            return f"[{next(iter(of.values))}]"
        known = {
            "id": self.id(type),
            "ids": self.id(type),
            "hash": self.world.rows[FileHash][0]["file_hash"],
            "from": "2026-01-01T00:00:00Z",
            "to": "2026-02-01T00:00:00Z",
        }[name]
        return f'["{known}"]' if name == "ids" else f'"{known}"'


def fields_of(type: str) -> Mapping[str, GraphQLField]:
    found: Any = graphql_schema.type_map[type]
    fields: Mapping[str, GraphQLField] = found.fields
    return fields


def met(data: Any) -> Iterator[str]:
    """The types of the objects of an answer that were asked for them as `met`."""
    if isinstance(data, dict):
        yield from (data["met"],) if "met" in data else ()
        data = list(data.values())
    if isinstance(data, list):
        for one in data:
            yield from met(one)


def _name_alone(field: GraphQLField) -> str:
    return "{ __typename }" if is_composite_type(get_named_type(field.type)) else ""


@dataclass(frozen=True)
class Way:
    """The field by which the objects of a type are reached first, and that of which."""

    leaves: str
    name: str
    field: GraphQLField

    @property
    def is_abstract(self) -> bool:
        return is_abstract_type(get_named_type(self.field.type))


def _ways() -> dict[str, Way]:
    ways: dict[str, Way] = {}
    todo = deque([QUERY])
    while todo:
        type = todo.popleft()
        for name, field in type.fields.items():
            for reached in _possible(field):
                if reached.name not in ways and reached is not QUERY:
                    ways[reached.name] = Way(type.name, name, field)
                    todo.append(reached)
    return ways


def _possible(field: GraphQLField) -> Iterable[GraphQLObjectType]:
    type: GraphQLNamedType = get_named_type(field.type)
    if is_abstract_type(type):
        return graphql_schema.get_possible_types(type)
    return [type] if isinstance(type, GraphQLObjectType) else []


WAYS = _ways()
NODES = sorted(model.__name__ for model in SHOWN)
