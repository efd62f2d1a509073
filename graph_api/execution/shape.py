"""What the schema says of a field that an operation's weight depends on.

Connections and their edges are known by their fields, not by their names: a
`KnowledgeEdge` is a thing of the graph, a `KnowledgeEdgeEdge` belongs to a page.
"""

from graphql import (
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)


class Shape:
    """A schema's paging types and fields, found once."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._paging = frozenset(
            name for name, type_ in schema.type_map.items() if _is_paging(type_)
        )

    def field(self, parent: GraphQLNamedType | None, name: str) -> GraphQLField | None:
        """The field of a type, `__schema` and the like too; None where there is none,
        which validation refuses.
        """
        if parent is None or not is_composite_type(parent):
            return None
        return self._schema.get_field(parent, name)

    def is_paging(self, type_: GraphQLNamedType | None) -> bool:
        """Whether a type is a connection, the edge of one or its PageInfo."""
        return type_ is not None and type_.name in self._paging


def is_introspection(parent: GraphQLNamedType | None, name: str) -> bool:
    """Whether a field asks for the schema and not for data."""
    return name.startswith("__") or (parent is not None and parent.name[:2] == "__")


def is_list(field: GraphQLField | None) -> bool:
    return field is not None and is_list_type(get_nullable_type(field.type))


def _is_paging(type_: GraphQLNamedType) -> bool:
    if not isinstance(type_, GraphQLObjectType):
        return False
    fields = type_.fields
    return (
        type_.name == "PageInfo"
        or "pageInfo" in fields
        or ("cursor" in fields and "node" in fields)
    )
