"""How many rows a field asks for, and how hard to find, as its arguments say.

`first` and `last` say it of a connection, and the length of a list of what is given
one by one (`nodes(ids:)`, the input of a bulk mutation). A size out of range is
refused before anything is done, for a mutation's answer is only read after its commit.
Values that are no numbers count as the most: coercion tells what is wrong with them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    IntValueNode,
    ListValueNode,
    NamedTypeNode,
    NonNullTypeNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    TypeNode,
    ValueNode,
    VariableNode,
)

from graph_api.errors import BadUserInput
from graph_api.execution.cost import SCANNING

# No list comes in one of these, though coercion may make a list of it.
SCALARS = frozenset({"ID", "String", "Int", "Float", "Boolean"})
SIZES = ("first", "last")
# A filter of more parts is refused when it is read: there is no need to see them all.
MAX_PARTS = 1_000


class Pages:
    """The page sizes of one operation, with the variables of one request.

    `sizes`, `lists` and `filters` are the variables that any size or condition so far
    has come from: with the same values for them, an operation weighs the same.
    """

    def __init__(
        self,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
        *,
        default: int,
        largest: int,
    ) -> None:
        self._variables = variables
        self._defaults = {
            definition.variable.name.value: definition.default_value
            for definition in operation.variable_definitions or ()
        }
        self._scalars = {
            definition.variable.name.value
            for definition in operation.variable_definitions or ()
            if _is_scalar(definition.type)
        }
        self._default = default
        self._largest = largest
        self.sizes: set[str] = set()
        self.lists: set[str] = set()
        self.filters: set[str] = set()
        self._refused: list[int] = []

    def refuse_out_of_range(self) -> None:
        """Raise BadUserInput if a size was met that no page can have."""
        if self._refused:
            raise BadUserInput(
                f"`first` and `last` must be from 0 to {self._largest}, not "
                f"{self._refused[0]}."
            )

    def of(self, node: FieldNode, field: GraphQLField | None) -> int | None:
        """How many a field asks for; None where it does not say."""
        values = {
            argument.name.value: argument.value for argument in node.arguments or ()
        }
        if field is not None and any(name in field.args for name in SIZES):
            sizes = [self._size(values[name]) for name in SIZES if name in values]
            return max(sizes, default=self._default)
        return max(map(self._length, values.values()), default=0) or None

    def scans(self, node: FieldNode) -> int:
        """How many conditions of a field's filter no index serves."""
        return sum(
            self._scans(argument.value)
            for argument in node.arguments or ()
            if argument.name.value == "filter"
        )

    def key(self, known: "Decisive") -> tuple[object, ...]:
        """What these variables say of sizes, to compare two requests by."""
        given = self._variables
        return (
            *[self._size_of(given[n]) if n in given else None for n in known.sizes],
            *[_length_of(given[n]) if n in given else None for n in known.lists],
            *[_scans_of(given[n]) if n in given else None for n in known.filters],
        )

    def _size(self, node: ValueNode) -> int:
        if isinstance(node, VariableNode):
            name = node.name.value
            self.sizes.add(name)
            if name in self._variables:
                return self._size_of(self._variables[name])
            given = self._defaults.get(name)
            return self._default if given is None else self._size(given)
        if isinstance(node, NullValueNode):
            return self._default
        # Python takes time for the digits of a huge literal; validation refuses what is
        # no Int, and those have ten digits at the most.
        if isinstance(node, IntValueNode) and len(node.value) <= 10:
            return self._size_of(int(node.value))
        return self._largest

    def _size_of(self, value: Any) -> int:
        if value is None:
            return self._default
        if isinstance(value, int) and not isinstance(value, bool):
            if not 0 <= value <= self._largest:
                self._refused.append(value)
            return min(max(value, 0), self._largest)
        return self._largest

    def _length(self, node: ValueNode) -> int:
        if isinstance(node, VariableNode):
            name = node.name.value
            if name in self._scalars:
                return 0
            self.lists.add(name)
            if name in self._variables:
                return _length_of(self._variables[name])
            given = self._defaults.get(name)
            return 0 if given is None else self._length(given)
        if isinstance(node, ListValueNode):
            return len(node.values)
        if isinstance(node, ObjectValueNode):
            return max((self._length(field.value) for field in node.fields), default=0)
        return 0

    def _scans(self, node: ValueNode) -> int:
        if isinstance(node, VariableNode):
            name = node.name.value
            if name in self._scalars:
                return 0
            self.filters.add(name)
            if name in self._variables:
                return _scans_of(self._variables[name])
            given = self._defaults.get(name)
            return 0 if given is None else self._scans(given)
        if isinstance(node, ListValueNode):
            return sum(map(self._scans, node.values))
        if isinstance(node, ObjectValueNode):
            return sum(
                (field.name.value in SCANNING) + self._scans(field.value)
                for field in node.fields
            )
        return 0


@dataclass(frozen=True)
class Decisive:
    """The variables that decide what the operations of a document weigh, in order."""

    sizes: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()

    def beside(self, pages: Pages) -> "Decisive":
        """These and those that were met in `pages`."""
        return Decisive(
            tuple(sorted({*self.sizes, *pages.sizes})),
            tuple(sorted({*self.lists, *pages.lists})),
            tuple(sorted({*self.filters, *pages.filters})),
        )


def _is_scalar(type: TypeNode) -> bool:
    """Whether a variable's type is one of GraphQL's own, which has no length."""
    if isinstance(type, NonNullTypeNode):
        type = type.type
    return isinstance(type, NamedTypeNode) and type.name.value in SCALARS


def _length_of(value: Any, levels: int = 3) -> int:
    """The longest list in a value, not looking into the lists themselves."""
    if isinstance(value, list):
        return len(value)
    if isinstance(value, dict) and levels:
        lengths = (_length_of(inner, levels - 1) for inner in value.values())
        return max(lengths, default=0)
    return 0


def _scans_of(value: Any) -> int:
    """The conditions in a filter's value that no index serves."""
    scans, parts = 0, [value]
    for part in parts:
        if isinstance(part, dict):
            scans += len(SCANNING & part.keys())
            parts += part.values()
        elif isinstance(part, list):
            parts += part
        if len(parts) > MAX_PARTS:
            break
    return scans
