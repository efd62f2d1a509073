"""The parameters of GraphQL over HTTP, from a body or a query string, by type."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from graph_api.execution.messages import Request
from graph_api.http.json_text import BadJson, BadJsonValue, decode
from graph_api.http.refusal import bad_input, bad_request

PARAMETERS = ("query", "operationName", "variables", "extensions")


def in_body(body: bytes) -> Mapping[str, Any]:
    """The parameters of a POST."""
    return _object(_json(body), "body")


def in_query_string(query_string: bytes) -> Mapping[str, Any]:
    """The parameters of a GET, of which two are JSON within."""
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=100,
        )
    except ValueError:
        raise bad_request("The query string is not URL-encoded UTF-8.") from None
    parameters: dict[str, Any] = {}
    for name, value in pairs:
        if name in parameters and name in PARAMETERS:
            raise bad_request(f"The parameter {name} comes twice.")
        parameters[name] = value
    for name in ("variables", "extensions"):
        if parameters.get(name):
            parameters[name] = _json(parameters[name].encode())
    return {name: value for name, value in parameters.items() if value != ""}


def as_request(
    parameters: Mapping[str, Any],
    request_id: UUID | None,
    *,
    is_anonymous: bool = False,
) -> Request:
    """What the parameters ask for; Refused where one has not its type."""
    query = parameters.get("query")
    name = parameters.get("operationName")
    if not isinstance(query, str):
        raise bad_request("`query` must be a string, an operation's text.")
    if not isinstance(name, str | None):
        raise bad_request("`operationName` must be a string or null.")
    extensions = _object(parameters.get("extensions"), "extensions")
    variables = _object(parameters.get("variables"), "variables")
    explain = extensions.get("explain") is True
    return Request(query, name, variables, request_id, explain, is_anonymous)


def _object(value: Any, what: str) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return value
    if value is None and what != "body":
        return {}
    if isinstance(value, list) and what == "body":
        raise bad_request("Batches are not taken; send one operation a request.")
    raise bad_request(f"The {what} must be a JSON object.")


def _json(text: bytes) -> Any:
    try:
        return decode(text)
    except BadJsonValue as error:
        raise bad_input(str(error)) from None
    except BadJson as error:
        raise bad_request(str(error)) from None
