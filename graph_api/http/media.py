"""Which media type a client wants: the `Accept` header, as far as GraphQL needs it."""

from starlette.datastructures import Headers

from graph_api.http.refusal import JSON, Refused

GRAPHQL_RESPONSE = "application/graphql-response+json"
HTML = "text/html"
# A header with a thousand types is not worth reading to its end.
MAX_TYPES = 32


def wanted(headers: Headers) -> str:
    """The type to answer in: GRAPHQL_RESPONSE if named, JSON by default, or Refused.

    JSON is what old clients expect of `*/*` or of no header at all.
    """
    accepted = _accepted(headers)
    graphql = accepted.get(GRAPHQL_RESPONSE, 0.0)
    if graphql > 0 and graphql >= accepted.get(JSON, 0.0):
        return GRAPHQL_RESPONSE
    for name in (JSON, "application/*", "*/*"):
        if name in accepted:
            if accepted[name] > 0:
                return JSON
            break
    raise Refused(406, "NOT_ACCEPTABLE", f"The answer is {GRAPHQL_RESPONSE} or {JSON}.")


def wants_page(headers: Headers) -> bool:
    """Whether a browser asks, which wants HTML before JSON."""
    accepted = _accepted(headers)
    json = max(accepted.get(JSON, 0.0), accepted.get(GRAPHQL_RESPONSE, 0.0))
    return accepted.get(HTML, 0.0) > json


def is_json(headers: Headers) -> bool:
    """Whether the body is declared as JSON in UTF-8 and not compressed."""
    name, *parameters = _pieces(headers.get("content-type", ""), ";")
    charset = [part[8:].strip('"') for part in parameters if part[:8] == "charset="]
    encoding = headers.get("content-encoding", "identity").strip().lower()
    return name == JSON and charset in ([], ["utf-8"]) and encoding == "identity"


def _accepted(headers: Headers) -> dict[str, float]:
    """Each type of the header with its quality; without a header, anything."""
    accepted = {}
    for entry in _pieces(headers.get("accept") or "*/*", ",")[:MAX_TYPES]:
        name, *parameters = _pieces(entry, ";")
        quality = next((part[2:] for part in parameters if part[:2] == "q="), "1")
        accepted[name] = _number(quality)
    return accepted


def _pieces(text: str, separator: str) -> list[str]:
    return [piece.strip().lower() for piece in text.split(separator)]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
