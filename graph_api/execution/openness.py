"""What is open to who has no credential: the ways to get one, and nothing else."""

from graphql import FieldNode, OperationDefinitionNode

from graph_api.errors import Unauthenticated

OPEN = frozenset({"__typename", "acceptInvitation", "signIn"})


def refuse_closed(operation: OperationDefinitionNode) -> None:
    """Raise Unauthenticated for an operation that asks for anything else.

    Fragments at the root are not followed: who wants in has no need of them.
    """
    fields = operation.selection_set.selections
    if not all(isinstance(one, FieldNode) and one.name.value in OPEN for one in fields):
        raise Unauthenticated(
            "This needs a credential. Send it as `Authorization: Bearer …`: a key to "
            "the API, or a token from the mutation `signIn`."
        )
