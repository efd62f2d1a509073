"""What a field's arguments ask for, worked out anew for each request where they vary.

A page that is asked for splits in two: its shape, on which the SQL depends, and its
values, which are binds. Arguments without variables are worked out once.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    ListValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
    get_argument_values,
)
from graphql.execution.values import VariableValues

from graph_api.models import Base
from graph_api.reading.aggregates import Grouping, Measure
from graph_api.reading.cursors import Cursors
from graph_api.reading.pages import Page
from graph_api.reading.slots import Lifting
from graph_api.schema import converter
from graph_api.schema.context import Context
from graph_api.schema.fields import RowField
from graph_api.schema.grouping import grouping


class Arguments:
    """The arguments of one field of an operation."""

    def __init__(
        self, definition: GraphQLField, field: RowField | None, node: FieldNode
    ) -> None:
        self._definition = definition
        self._convert = converter(field) if field else dict
        self._node = node
        self._direct = _direct(definition, node)
        self.vary = any(_has_variable(a.value) for a in node.arguments or ())
        self.names = frozenset(a.name.value for a in node.arguments or ())

    def given(self, variables: VariableValues) -> dict[str, Any]:
        """The arguments by their Python names, as a resolver would get them."""
        if not self._definition.args:
            return {}
        if self.vary:
            return self._converted(variables)
        return self._fixed

    @cached_property
    def _fixed(self) -> dict[str, Any]:
        return self._converted(None)

    def _converted(self, variables: VariableValues | None) -> dict[str, Any]:
        return self._convert(self._coerced(variables))

    def _coerced(self, variables: VariableValues | None) -> dict[str, Any]:
        """The arguments as graphql-core coerces them, and mostly without asking it."""
        if self._direct is not None and variables is not None:
            values = variables.coerced
            found = {name: values.get(of) for name, of in self._direct.items()}
            # What is null or absent may have a default, or be wrong.
            if None not in found.values():
                return found
        return get_argument_values(self._definition, self._node, variables)


def _direct(definition: GraphQLField, node: FieldNode) -> dict[str, str] | None:
    """The variables that are a field's arguments, if all are, and none is left out.

    That their types fit has been validated.
    """
    given = {a.name.value: a.value for a in node.arguments or ()}
    if given.keys() != definition.args.keys():
        return None
    variables = {
        name: value.name.value
        for name, value in given.items()
        if isinstance(value, VariableNode)
    }
    return variables if len(variables) == len(given) else None


def _has_variable(value: ValueNode) -> bool:
    match value:
        case VariableNode():
            return True
        case ListValueNode(values=values):
            return any(map(_has_variable, values))
        case ObjectValueNode(fields=fields):
            return any(_has_variable(field.value) for field in fields)
    return False


class Shaped:
    """A shape to find a statement by, whose hash is worked out once."""

    __slots__ = ("_hash", "of")

    def __init__(self, of: Hashable) -> None:
        self.of = of
        self._hash = hash(of)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shaped) and self.of == other.of


@dataclass(frozen=True)
class At:
    """A page as one request asks for it: the shape, and what fills its slots."""

    page: Page
    shape: Page
    key: Shaped
    values: Mapping[str, Any]
    cursors: Cursors
    list_name: str

    def cursor(self, keys: Any) -> str:
        """The cursor of the row whose order keys have these values."""
        return self.cursors.write_values(self.list_name, self.page.order, keys)

    def cut(self, read: list[Any]) -> list[Any]:
        return self.page.cut(read)

    def has_next(self, read: list[Any]) -> bool:
        return self.page.has_next(read)

    def has_previous(self, read: list[Any]) -> bool:
        return self.page.has_previous(read)

    def start_cursor(self, rows: list[Any], cell: int) -> str | None:
        kept = self.cut(rows)
        return self.cursor(kept[0][cell]) if kept else None

    def end_cursor(self, rows: list[Any], cell: int) -> str | None:
        kept = self.cut(rows)
        return self.cursor(kept[-1][cell]) if kept else None


@dataclass(eq=False)
class PageAsked:
    """A page that a connection or a list asks for.

    `more` is set where one row beyond the page is needed, to know if there are more.
    """

    name: str
    arguments: Arguments
    page: Callable[[Context, Mapping[str, Any]], Page]
    list_name: str
    is_fixed: bool
    more: bool = False
    _known: At | None = None

    @property
    def may_be_cut(self) -> bool:
        """Whether its rows may be read one too many, or last one first."""
        return self.more or "last" in self.arguments.names

    def at(self, variables: VariableValues, context: Context) -> At:
        known = self._known
        if known is not None and known.cursors is context.cursors:
            return known
        page = self.page(context, self.arguments.given(variables))
        lifting = Lifting(self.name)
        read = page.with_limit(page.limit + self.more)
        shape = read.lifted(lifting)
        at = At(
            page, shape, Shaped(shape), lifting.values, context.cursors, self.list_name
        )
        if self.is_fixed and not self.arguments.vary:
            self._known = at
        return at


@dataclass(frozen=True)
class GroupsAt:
    """Groups as one request asks for them."""

    grouping: Grouping
    shape: Grouping
    key: Shaped
    values: Mapping[str, Any]


@dataclass(eq=False)
class GroupsAsked:
    """The groups that a connection asks for."""

    name: str
    model: type[Base]
    arguments: Arguments
    measures: tuple[Measure, ...]

    def at(self, variables: VariableValues, context: Context) -> GroupsAt:
        given = self.arguments.given(variables)
        asked = grouping(self.model, given, self.measures, context.max_page)
        lifting = Lifting(self.name)
        shape = asked.lifted(lifting)
        return GroupsAt(asked, shape, Shaped(shape), lifting.values)


Asked = PageAsked | GroupsAsked
AskedAt = At | GroupsAt
