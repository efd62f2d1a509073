"""Objects: what is asked of objects that are at hand, as the root and payloads are.

There are few of them, so that they are asked one by one; the rows that they lead to
are read for all of them at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from graphql import (
    GraphQLAbstractType,
    GraphQLObjectType,
    GraphQLOutputType,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)

from graph_api.execution.plan.fields import Rest, field_of
from graph_api.execution.plan.planning import Planning, Shown
from graph_api.execution.plan.running import Anomaly, Running
from graph_api.execution.plan.selections import Selected


def shown(
    type: GraphQLOutputType, selected: Selected, depth: int, planning: Planning
) -> Shown:
    """How values of `type` are shown, with what is selected below them."""
    if is_non_null_type(type):
        return Required(shown(type.of_type, selected, depth, planning))
    if is_list_type(type):
        return Many(shown(type.of_type, selected, depth, planning))
    if is_leaf_type(type):
        return Leaf(type.serialize)
    if isinstance(type, GraphQLObjectType):
        fields = planning.selections.below(type, selected.details)
        return Object(planning, type, fields, depth)
    assert isinstance(type, GraphQLAbstractType)
    return Abstract(planning, type, selected, depth)


@dataclass(frozen=True)
class Leaf:
    """A scalar or a word."""

    serialize: Callable[[Any], Any]

    def gather(self, value: Any, running: Running) -> None:
        """A leaf leads nowhere."""

    def build(self, value: Any, _: Running) -> Any:
        return None if value is None else self.serialize(value)


@dataclass(frozen=True)
class Required:
    """A value that must be there."""

    of: Shown

    def gather(self, value: Any, running: Running) -> None:
        self.of.gather(value, running)

    def build(self, value: Any, running: Running) -> Any:
        built = self.of.build(value, running)
        if built is None:
            raise Anomaly("null where there must be a value")
        return built


@dataclass(frozen=True)
class Many:
    """A list."""

    of: Shown

    def gather(self, value: Any, running: Running) -> None:
        for one in value or ():
            self.of.gather(one, running)

    def build(self, value: Any, running: Running) -> Any:
        if value is None:
            return None
        return [self.of.build(one, running) for one in value]


class Abstract:
    """An object whose type is seen only when it is there."""

    def __init__(
        self,
        planning: Planning,
        type: GraphQLAbstractType,
        selected: Selected,
        depth: int,
    ) -> None:
        self._type = type
        types: Any = planning.selections.schema.type_map
        self._of = cache(lambda name: shown(types[name], selected, depth, planning))

    def gather(self, value: Any, running: Running) -> None:
        if value is not None:
            self._concrete(value).gather(value, running)

    def build(self, value: Any, running: Running) -> Any:
        return None if value is None else self._concrete(value).build(value, running)

    def _concrete(self, value: Any) -> Shown:
        resolve: Any = self._type.resolve_type
        made: Shown = self._of(resolve(value, None, self._type))
        return made


class Object:
    """An object of one type, with the fields that are asked of it."""

    def __init__(
        self,
        planning: Planning,
        type: GraphQLObjectType,
        fields: list[Selected],
        depth: int,
    ) -> None:
        rest = Rest(planning, type, fields, depth)
        self._entries = [
            (one.response_name, field_of(planning, one, depth, rest)) for one in fields
        ]

    def gather(self, value: Any, running: Running) -> None:
        if value is not None:
            for _, field in self._entries:
                field.gather(value, running)

    def build(self, value: Any, running: Running) -> Any:
        if value is None:
            return None
        return {name: field.build(value, running) for name, field in self._entries}
