"""What an answer says, however a server puts it, so that answers can be compared."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson

from benchmarks.workload import Operation

# Words that some servers write in small letters.
_WORDS = frozenset({"kind", "state", "commitmentType", "source"})
# What is every server's own.
_OWN = frozenset({"endCursor", "userErrors"})


class WrongAnswer(Exception):
    """A server did not answer, or not as the others did."""


def said(operation: Operation, body: bytes) -> Any:
    """What `body` says, without what is the server's own.

    Raises WrongAnswer when it tells of an error, or of nothing.
    """
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise WrongAnswer(f"{operation.key} was answered by {body[:600]!r}") from error
    data = answer.get("data")
    if answer.get("errors") or not data or None in data.values():
        raise WrongAnswer(f"{operation.key} was answered by {body[:600]!r}")
    if operation.own_schema:
        return sorted({"__schema"} & data.keys())
    plain = _plain(None, data)
    return _shape(plain) if operation.by_shape else plain


def compare(operation: Operation, one: Any, other: Any, names: tuple[str, str]) -> None:
    """Raise WrongAnswer, with the first difference, unless both say the same."""
    if one != other:
        where, left, right = _difference(one, other, operation.key)
        raise WrongAnswer(
            f"{names[0]} and {names[1]} differ at {where}: {left!r:.300} and "
            f"{right!r:.300}"
        )


def _plain(key: str | None, value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(None, one) for one in value]
    if isinstance(value, dict):
        if value.keys() == {"nodes"}:
            return _plain(None, value["nodes"])
        fold = _FOLDS.get(frozenset(value), _same)
        return {k: _plain(k, v) for k, v in fold(value).items() if k not in _OWN}
    if isinstance(value, str):
        return _text(key or "", value)
    # JSON has one kind of number.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _text(key: str, value: str) -> str:
    if key in _WORDS:
        return value.upper()
    if key.endswith("At"):
        return datetime.fromisoformat(value).astimezone(UTC).isoformat()
    return value


def _same(value: dict[str, Any]) -> dict[str, Any]:
    return value


def _link(value: dict[str, Any]) -> dict[str, Any]:
    """PostGraphile has a list for each type that a link may lead to."""
    found = [*value["commitments"], *value["parties"]]
    return {"relation": value["relation"], "target": found[0] if found else {}}


def _made(value: dict[str, Any]) -> dict[str, Any]:
    """PostGraphile has the interaction with the commitment."""
    commitment = dict(value["commitment"])
    (interaction,) = commitment.pop("interaction", [None])
    return {"commitment": commitment, "interaction": interaction}


_FOLDS: dict[frozenset[str], Callable[[dict[str, Any]], dict[str, Any]]] = {
    frozenset({"relation", "commitments", "parties"}): _link,
    frozenset({"commitment"}): _made,
}


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_shape(one) for one in value]
    return (
        value if value in {"commitment.created", "ACCEPTED"} else type(value).__name__
    )


def _difference(one: Any, other: Any, where: str) -> tuple[str, Any, Any]:
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        pairs = ((f"{where}.{key}", one[key], other[key]) for key in one)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = (
            (f"{where}[{place}]", left, right)
            for place, (left, right) in enumerate(zip(one, other, strict=True))
        )
    else:
        return where, one, other
    place, left, right = next(pair for pair in pairs if pair[1] != pair[2])
    return _difference(left, right, place)
