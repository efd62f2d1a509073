"""The GraphQL schema, put together from its domains."""

from collections.abc import Callable
from typing import Any

import strawberry
from graphql import GraphQLSchema, lexicographic_sort_schema, print_schema
from strawberry.schema.config import StrawberryConfig
from strawberry.types.arguments import convert_arguments
from strawberry.types.base import StrawberryContainer
from strawberry.types.enum import has_enum_definition

from graph_api.schema import enums  # noqa: F401 - describes the enumerations
from graph_api.schema.access import AccessMutations
from graph_api.schema.accounts import AccountQueries
from graph_api.schema.coming_in import ComingInMutations
from graph_api.schema.commitments import CommitmentMutations, CommitmentQueries
from graph_api.schema.documents import DocumentMutations, DocumentQueries
from graph_api.schema.entity import Node, node_meant, nodes_meant
from graph_api.schema.fields import RowField, argument, maybe, row_field
from graph_api.schema.knowledge import KnowledgeMutations, KnowledgeQueries
from graph_api.schema.links import LinkMutations, LinkQueries
from graph_api.schema.organizing import OrganizingMutations, OrganizingQueries
from graph_api.schema.parties import PartyMutations, PartyQueries
from graph_api.schema.payloads import ERROR_TYPES
from graph_api.schema.quotas import QuotaQueries
from graph_api.schema.registry import SHOWN
from graph_api.schema.scalars import SCALARS
from graph_api.schema.sources import Referred, ReferredMany


@strawberry.type(description="Where reading starts.")
class Query(
    AccountQueries,
    PartyQueries,
    CommitmentQueries,
    DocumentQueries,
    LinkQueries,
    OrganizingQueries,
    KnowledgeQueries,
    QuotaQueries,
):
    """All root fields for reading."""

    node = row_field(
        maybe(Node),
        Referred(node_meant),
        "The object with this id, of whatever type; null if there is none.",
        [argument("id", strawberry.ID, "The global id.")],
    )
    nodes = row_field(
        list[maybe(Node)],  # type: ignore[misc]
        ReferredMany(nodes_meant),
        "The objects with these ids, in their order; null where there is none.",
        [argument("ids", list[strawberry.ID], "The global ids; at most 100.")],
    )


@strawberry.type(description="Everything that can be done; each tells it in the log.")
class Mutation(
    ComingInMutations,
    AccessMutations,
    PartyMutations,
    CommitmentMutations,
    DocumentMutations,
    LinkMutations,
    OrganizingMutations,
    KnowledgeMutations,
):
    """All root fields for writing."""


schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    types=[*(shown.type for shown in SHOWN.values()), *ERROR_TYPES],
    config=StrawberryConfig(scalar_map=SCALARS),
)
graphql_schema: GraphQLSchema = schema._schema  # noqa: SLF001 - there is no other door


def converter(field: RowField) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """What makes of coerced arguments those that the field's source gets.

    They get their Python names, and words become members of their enumerations, as
    Strawberry does it; inputs are dictionaries already.
    """
    config, scalars = schema.config, schema.schema_converter.scalar_registry
    if any(_has_words(argument.type) for argument in field.arguments):
        return lambda coerced: convert_arguments(
            coerced, field.arguments, scalars, config
        )
    names = {
        config.name_converter.from_argument(argument): argument.python_name
        for argument in field.arguments
    }
    return lambda coerced: {names[name]: value for name, value in coerced.items()}


def _has_words(type: Any) -> bool:
    while isinstance(type, StrawberryContainer):
        type = type.of_type
    return has_enum_definition(type)


def sdl() -> str:
    """The schema as `schema.graphql` holds it: sorted, with every description."""
    return print_schema(lexicographic_sort_schema(graphql_schema)) + "\n"
