"""Values as a document writes them, with words for what JSON has none for."""

import json
from typing import Any


class Word(str):
    """A value of an enumeration, which a document writes without quotes."""

    __slots__ = ()


class Variable(str):
    """The name of a variable, in the place of a value."""

    __slots__ = ()


class Absent:
    """Stands for a value that is not given at all."""


ABSENT = Absent()


def literal(value: Any) -> str:
    """A value as a document writes it."""
    if isinstance(value, Variable):
        return f"${value}"
    if isinstance(value, Word):
        return str(value)
    if isinstance(value, dict):
        inner = ", ".join(f"{name}: {literal(item)}" for name, item in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return json.dumps(value, ensure_ascii=False)


def is_unwritable(value: Any) -> bool:
    """Whether a document has no words for it: an object's keys must be names there."""
    if isinstance(value, dict):
        named = all(key.isidentifier() and key.isascii() for key in value)
        return not named or any(map(is_unwritable, value.values()))
    if isinstance(value, list):
        return any(map(is_unwritable, value))
    if isinstance(value, str):
        return any(ord(letter) < 32 for letter in value)
    # Longer literals are refused.
    return isinstance(value, int) and abs(value) >= 10**19
