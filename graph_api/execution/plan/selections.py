"""Selections: which fields are asked of a type, as graphql-core collects them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
    is_non_null_type,
    print_ast,
)
from graphql.execution.collect_fields import (
    FieldDetails,
    FragmentDetails,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues

from graph_api.schema.fields import RowField
from graph_api.schema.sources import ColumnValue, Plain, Source


class Unplanned(Exception):
    """An operation that the reference path has to answer; the message says why."""


class Introspection(Unplanned):
    """An operation that asks for the schema alone."""


@dataclass(frozen=True, eq=False)
class Selected:
    """One field of a selection, under one response name, with all its nodes merged."""

    response_name: str
    parent: GraphQLObjectType
    definition: GraphQLField
    details: list[FieldDetails]
    source: Source | None
    row_field: RowField | None
    python_name: str

    @property
    def node(self) -> FieldNode:
        """The node whose arguments count; validation has found the others equal."""
        return self.details[0].node

    @property
    def nodes(self) -> list[FieldNode]:
        return [detail.node for detail in self.details]

    @property
    def type(self) -> GraphQLNamedType:
        return get_named_type(self.definition.type)

    @property
    def is_required(self) -> bool:
        return is_non_null_type(self.definition.type)

    @property
    def signature(self) -> str:
        """What is selected below, for comparing two fields of the same type."""
        return "".join(
            print_ast(node.selection_set) for node in self.nodes if node.selection_set
        )

    def __str__(self) -> str:
        return f"{self.parent.name}.{self.node.name.value}"


class Selections:
    """The selections of one operation, with its `@skip` and `@include` decided."""

    def __init__(
        self,
        schema: GraphQLSchema,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: VariableValues,
    ) -> None:
        self.schema = schema
        self.operation = operation
        self.fragments = fragments
        self._details = {
            name: FragmentDetails(fragment, None)
            for name, fragment in fragments.items()
        }
        self._variables = variables

    def of_root(self, root: GraphQLObjectType) -> list[Selected]:
        """What is asked of the root."""
        collected = collect_fields(
            self.schema, self._details, self._variables, root, self.operation
        )
        grouped = collected.grouped_field_set
        names = {details[0].node.name.value for details in grouped.values()}
        if names & {"__schema", "__type"} == names - {"__typename"} != set():
            raise Introspection("it asks for the schema")
        return list(self._fields(root, grouped))

    def below(
        self, type: GraphQLObjectType, details: list[FieldDetails]
    ) -> list[Selected]:
        """What is asked of objects of `type` below a field."""
        collected = collect_subfields(
            self.schema,
            self._details,
            self._variables,
            self.operation,
            type,
            details,
        )
        return list(self._fields(type, collected.grouped_field_set))

    def _fields(
        self, parent: GraphQLObjectType, grouped: Mapping[str, list[FieldDetails]]
    ) -> Iterator[Selected]:
        for response_name, details in grouped.items():
            name = details[0].node.name.value
            definition = self.schema.get_field(parent, name)
            assert definition is not None
            field: Any = definition.extensions.get("strawberry-definition")
            if name.startswith("__"):
                if name != "__typename":
                    raise Unplanned("it asks for the schema beside data")
            elif field is None:
                raise Unplanned(f"{parent.name}.{name} is not of this schema")
            row_field = field if isinstance(field, RowField) else None
            yield Selected(
                response_name,
                parent,
                definition,
                details,
                _source(field),
                row_field,
                field.python_name if field else name,
            )


def _source(field: Any) -> Source | None:
    """Where a field's values come from; None of `__typename`."""
    if field is None:
        return None
    if isinstance(field, RowField):
        return field.source
    if field.base_resolver is not None:
        return Plain(field.base_resolver)
    return ColumnValue(None, field.python_name)
