"""JSON in and out: strict, and refused by its shape before anything is built of it.

Each step before parsing runs in C over the bytes, so that eight megabytes of hostile
JSON cost milliseconds; parsing is orjson's, which is strict in UTF-8 and numbers.
"""

import json
import re
from typing import Any

import orjson

MAX_DEPTH = 32
# orjson needs half a second for two million empty lists, and coercion is Python's.
MAX_VALUES = 200_000

# Most requests are no longer, and cannot hold more values than MAX_VALUES.
SIMPLE_BYTES = 16 * 1024

# The end is optional: a string without one would else be tried from each quote again.
STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
# Beyond 64 bits orjson would quietly make a float of an integer.
LONG_INTEGER = re.compile(rb"(?<![.\d])\d{20}")
BRACKETS = bytes.maketrans(b"{}", b"[]")
NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class BadJson(Exception):
    """Text that is not JSON; the message says where."""


class BadJsonValue(Exception):
    """JSON with a value that nothing of ours could have; the message says which."""


def decode(text: bytes) -> Any:
    """The value of a JSON text, of bounded depth, number of values and numbers."""
    if _is_simple(text):
        return _parsed(text)
    # Each string has two quotes; those within strings follow a backslash.
    strings = (text.count(b'"') - text.count(b'\\"')) // 2
    _refuse_many(strings)
    skeleton = STRINGS.sub(b"", text)
    _refuse_many(sum(map(skeleton.count, (b",", b"[", b"{"))))
    _refuse_deep(skeleton)
    if LONG_INTEGER.search(skeleton):
        raise BadJsonValue(
            "An integer has at most 19 digits; write longer ones as strings."
        )
    return _parsed(text)


def _is_simple(text: bytes) -> bool:
    """Whether a text has too few brackets to be deep, too little to be much."""
    return (
        len(text) <= SIMPLE_BYTES
        and text.count(b"{") + text.count(b"[") <= MAX_DEPTH
        and not LONG_INTEGER.search(text)
    )


def _parsed(text: bytes) -> Any:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _refusal(error) from None
    if b"\\u0000" in text:
        _refuse_nul(value)
    return value


def encode(value: Any) -> bytes:
    """A value as JSON; what JSON has no form for, as a string."""
    try:
        return orjson.dumps(value, default=str)
    except TypeError:
        # An integer beyond 64 bits, or a lone surrogate, from a JSON column.
        return json.dumps(value, default=str, separators=(",", ":")).encode()


def _refuse_many(values: int) -> None:
    if values > MAX_VALUES:
        raise BadJsonValue(
            f"The JSON has more than {MAX_VALUES} values; send fewer at once."
        )


def _refuse_deep(skeleton: bytes) -> None:
    """Peel the innermost brackets off as often as may be; none must be left.

    What is unbalanced is left to the parser.
    """
    brackets = skeleton.translate(BRACKETS, NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        peeled = brackets.replace(b"[]", b"")
        if len(peeled) == len(brackets):
            break
        brackets = peeled
    if b"[]" in brackets:
        raise BadJsonValue(f"The JSON is nested deeper than {MAX_DEPTH} levels.")


def _refusal(error: orjson.JSONDecodeError) -> Exception:
    if "surrogate in" in error.msg:
        return BadJsonValue("Text cannot contain a lone surrogate.")
    if "infinity" in error.msg:
        return BadJsonValue("A number is at most 1.7976931348623157e308.")
    return BadJson(
        "The JSON is malformed or not UTF-8, "
        f"at line {error.lineno}, column {error.colno}."
    )


def _refuse_nul(value: Any) -> None:
    """Refuse U+0000 in any string or key: PostgreSQL has no room for it."""
    rest = [value]
    while rest:
        part = rest.pop()
        if isinstance(part, dict):
            rest += part.keys()
            rest += part.values()
        elif isinstance(part, list):
            rest += part
        elif isinstance(part, str) and "\0" in part:
            raise BadJsonValue("Text cannot contain U+0000.")
