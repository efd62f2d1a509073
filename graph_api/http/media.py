"""Which media type a client wants: the `Accept` header, as far as GraphQL needs it."""

from functools import lru_cache

from graph_api.http.refusal import JSON, Refused

GRAPHQL_RESPONSE = "application/graphql-response+json"
HTML = "text/html"
# A header with a thousand types is not worth reading to its end.
MAX_TYPES = 32


# What clients say is always the same; what is longer is not worth keeping.
MAX_KEPT = 300


def wanted(accept: str) -> str:
    """The type to answer in: GRAPHQL_RESPONSE if named, JSON by default, or Refused.

    JSON is what old clients expect of `*/*` or of no header at all.
    """
    return _kept_wanted(accept) if len(accept) <= MAX_KEPT else _wanted(accept)


def is_json(content_type: str, content_encoding: str) -> bool:
    """Whether the body is declared as JSON in UTF-8 and not compressed."""
    if len(content_type) + len(content_encoding) <= MAX_KEPT:
        return _kept_is_json(content_type, content_encoding)
    return _is_json(content_type, content_encoding)


def _wanted(accept: str) -> str:
    accepted = _accepted(accept)
    graphql = accepted.get(GRAPHQL_RESPONSE, 0.0)
    if graphql > 0 and graphql >= accepted.get(JSON, 0.0):
        return GRAPHQL_RESPONSE
    for name in (JSON, "application/*", "*/*"):
        if name in accepted:
            if accepted[name] > 0:
                return JSON
            break
    raise Refused(406, "NOT_ACCEPTABLE", f"The answer is {GRAPHQL_RESPONSE} or {JSON}.")


def wants_page(accept: str) -> bool:
    """Whether a browser asks, which wants HTML before JSON."""
    accepted = _accepted(accept)
    json = max(accepted.get(JSON, 0.0), accepted.get(GRAPHQL_RESPONSE, 0.0))
    return accepted.get(HTML, 0.0) > json


def _is_json(content_type: str, content_encoding: str) -> bool:
    name, *parameters = _pieces(content_type, ";")
    charset = [part[8:].strip('"') for part in parameters if part[:8] == "charset="]
    encoding = (content_encoding or "identity").strip().lower()
    return name == JSON and charset in ([], ["utf-8"]) and encoding == "identity"


_kept_wanted = lru_cache(maxsize=256)(_wanted)
_kept_is_json = lru_cache(maxsize=256)(_is_json)


def _accepted(accept: str) -> dict[str, float]:
    """Each type of the header with its quality; without a header, anything."""
    accepted = {}
    for entry in _pieces(accept or "*/*", ",")[:MAX_TYPES]:
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
