"""What is told to whom: the ways in to everybody, the schema as the settings say."""

from dataclasses import dataclass
from typing import Literal

from graphql import DocumentNode, FieldNode, OperationDefinitionNode, Visitor, visit

from graph_api.errors import IntrospectionDisabled, Unauthenticated

Audience = Literal["all", "signed-in", "nobody"]

OPEN = frozenset({"__typename", "acceptInvitation", "signIn"})
OF_THE_SCHEMA = frozenset({"__schema", "__type"})


@dataclass(frozen=True)
class Disclosure:
    """Who may ask for the schema, and to whom wrong names are put right.

    In local mode everybody is signed in.
    """

    introspection: Audience = "signed-in"
    suggestions: Audience = "signed-in"

    def hides_suggestions(self, *, is_anonymous: bool) -> bool:
        """Whether an error keeps to itself what somebody may have meant."""
        return self.suggestions == "nobody" or (
            is_anonymous and self.suggestions != "all"
        )

    def refuse(self, tree: DocumentNode) -> None:
        """Raise IntrospectionDisabled for a document that asks for the schema."""
        if self.introspection == "nobody":
            visit(tree, _NoIntrospection())

    def refuse_closed(self, operation: OperationDefinitionNode) -> None:
        """Raise Unauthenticated for what nobody may ask who has no credential.

        Fragments at the root are not followed: who wants in has no need of them.
        """
        open = OPEN | OF_THE_SCHEMA if self.introspection == "all" else OPEN
        fields = operation.selection_set.selections
        if not all(
            isinstance(one, FieldNode) and one.name.value in open for one in fields
        ):
            raise Unauthenticated(
                "This needs a credential. Send it as `Authorization: Bearer …`: a key "
                "to the API, or a token from the mutation `signIn`."
            )


class _NoIntrospection(Visitor):
    def enter_field(self, node: FieldNode, *_: object) -> None:
        if node.name.value in OF_THE_SCHEMA:
            raise IntrospectionDisabled(
                "This server does not tell its schema; its operator has the file "
                "schema.graphql."
            )
