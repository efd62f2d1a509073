"""Variables: not too many, and coerced, by graphql-core or at once where they need
no coercion.
"""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLSchema,
    NamedTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    OperationType,
    TypeNode,
)
from graphql.execution.values import VariableValues, get_variable_values

from graph_api.errors import TooComplex

# To coerce a value takes some microseconds. A query has use for a thousand at the most,
# in the lists of a filter.
MAX_VALUES = 5_000
# More has no value of 64 KiB of JSON, which a mutation may store.
MAX_ITEMS = 32_768
# As many wrong values in variables are told of as graphql-core does.
MAX_ERRORS = 50
_INT32 = range(-(2**31), 2**31)
# Whether a value of these types is sent as it should be: then it is what it will be.
_PLAIN: dict[str, Callable[[Any], bool]] = {
    "ID": lambda value: type(value) is str,
    "String": lambda value: type(value) is str,
    "Boolean": lambda value: type(value) is bool,
    "Int": lambda value: type(value) is int and value in _INT32,
}


def refuse_many_values(
    operation: OperationDefinitionNode, given: Mapping[str, Any]
) -> None:
    """Refuse more values than a query has use for, and lists that nothing takes."""
    is_query = operation.operation is OperationType.QUERY
    allowed = MAX_VALUES if is_query else MAX_ITEMS
    rest = [value for value in given.values() if isinstance(value, dict | list)]
    values = 0
    for part in rest:
        values = values + len(part) if is_query else len(part)
        if values > allowed:
            what = "values" if is_query else "values in a list"
            raise TooComplex(
                f"The variables of the operation hold more than {allowed} {what}. Send "
                "fewer at once.",
                limit="values",
                allowed=allowed,
            )
        inner = part.values() if isinstance(part, dict) else part
        rest += [value for value in inner if isinstance(value, dict | list)]


class Variables:
    """The variables of one operation."""

    def __init__(
        self,
        schema: GraphQLSchema,
        operation: OperationDefinitionNode,
        *,
        hide_suggestions: bool,
    ) -> None:
        self._schema = schema
        self._definitions = operation.variable_definitions or ()
        self._hide_suggestions = hide_suggestions
        self._plain = {
            definition.variable.name.value: _PLAIN.get(_name(definition.type), _never)
            for definition in self._definitions
        }

    def coerced(self, given: Mapping[str, Any]) -> VariableValues | list[GraphQLError]:
        """The values of the variables, or what is wrong with them.

        Plain ones are as they were sent. Plans look at no more than the values; the
        sources, which say where each came from, are left to graphql-core.
        """
        if given.keys() == self._plain.keys() and all(
            is_plain(given[name]) for name, is_plain in self._plain.items()
        ):
            return VariableValues({}, dict(given))
        return get_variable_values(
            self._schema,
            self._definitions,
            dict(given),
            max_errors=MAX_ERRORS,
            hide_suggestions=self._hide_suggestions,
        )


def _never(_: Any) -> bool:
    return False


def _name(type_: TypeNode) -> str:
    if isinstance(type_, NonNullTypeNode):
        type_ = type_.type
    return type_.name.value if isinstance(type_, NamedTypeNode) else ""
