"""The refusals of a whole operation, before any of its fields is asked."""

from graph_api.errors import GraphApiError


class ParseFailed(GraphApiError):
    """The text is not GraphQL."""

    code = "GRAPHQL_PARSE_FAILED"


class ValidationFailed(GraphApiError):
    """The text is GraphQL, but not of this schema."""

    code = "GRAPHQL_VALIDATION_FAILED"


class OperationUnresolved(GraphApiError):
    """The operation name does not choose one operation of the document."""

    code = "OPERATION_RESOLUTION_FAILURE"


class MethodNotAllowed(GraphApiError):
    """The operation is of a type that this way in does not take."""

    code = "METHOD_NOT_ALLOWED"


class UnsupportedOperation(GraphApiError):
    """The operation is of a type that this server does not run."""

    code = "UNSUPPORTED_OPERATION"
