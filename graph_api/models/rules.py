"""What a value must be like: said once, for the database and for the service.

A rule hangs on its column (`info=rule(Within(0, 100))`). From it comes the CHECK
constraint, which holds whatever writes, and the message that a client reads before.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from sqlalchemy import CheckConstraint, Column, DateTime, Dialect, Double, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Numeric, TypeDecorator

from graph_api.permissions import Scope

E = TypeVar("E", bound=StrEnum)

# Python cannot read what PostgreSQL can store beyond the years 1 and 9999; a life
# graph needs far less.
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)

# A JSON value this large is a file, and files have a place of their own.
MAX_JSON_BYTES = 256 * 1024


class Rule(Protocol):
    """A claim about the values of a column."""

    def sql(self, column: str) -> str:
        """The claim as an SQL condition on `column`."""

    def refusal(self, value: Any) -> str | None:
        """Why `value` is refused, saying what would be accepted; None if it is not."""


@dataclass(frozen=True)
class Within:
    """A number from `low` to `high`, both included."""

    low: float
    high: float

    def sql(self, column: str) -> str:
        return f"{column} BETWEEN {self.low} AND {self.high}"

    def refusal(self, value: Any) -> str | None:
        if self.low <= value <= self.high:
            return None
        return f"must be from {self.low} to {self.high}, not {value}"


@dataclass(frozen=True)
class Matching:
    """A text that the whole of `pattern` matches; `says` puts it into words."""

    pattern: str
    says: str

    def sql(self, column: str) -> str:
        return f"{column} ~ '^{self.pattern}$'"

    def refusal(self, value: Any) -> str | None:
        if re.fullmatch(self.pattern, value):
            return None
        return f"must be {self.says}"


@dataclass(frozen=True)
class Filled:
    """A text that is more than white space."""

    def sql(self, column: str) -> str:
        return f"btrim({column}) <> ''"

    def refusal(self, value: Any) -> str | None:
        return None if value.strip(" ") else "must not be empty"


@dataclass(frozen=True)
class AtMost:
    """A text of at most `length` characters, or a list of at most `length` items."""

    length: int
    of: str = "characters"

    def sql(self, column: str) -> str:
        measure = "length" if self.of == "characters" else "cardinality"
        return f"{measure}({column}) <= {self.length}"

    def refusal(self, value: Any) -> str | None:
        if len(value) <= self.length:
            return None
        return f"must have at most {self.length} {self.of}, not {len(value)}"


@dataclass(frozen=True)
class Among:
    """A list that has nothing but these words, and one of them at least."""

    words: tuple[str, ...]

    def sql(self, column: str) -> str:
        words = ", ".join(f"'{word}'" for word in self.words)
        return f"{column} <@ ARRAY[{words}]::text[] AND cardinality({column}) > 0"

    def refusal(self, value: Any) -> str | None:
        if value and set(value) <= set(self.words):
            return None
        return f"must name some of {', '.join(f'`{word}`' for word in self.words)}"


def rule(rule: Rule) -> dict[str, Any]:
    """The `info` of a column that keeps `rule`."""
    return {"rule": rule}


@dataclass(frozen=True)
class Reserved:
    """For whom a value is: who has the scope, and the user whose key `owner` holds."""

    needs: Scope
    owner: str | None = None


def reserved(needs: Scope, owner: str | None = None) -> dict[str, Any]:
    """The `info` of a column that only some see, and with which nobody compares."""
    return {"reserved": Reserved(needs, owner)}


# The `info` of a column that clients neither see nor compare with.
HIDDEN: dict[str, Any] = {"hidden": True}


class JsonObject(JSONB):
    """A JSON object; an absent one is NULL and not JSON's null.

    `max_bytes` is None for what holds whole rows, which their own rules bound.
    """

    cache_ok = True

    def __init__(self, max_bytes: int | None = MAX_JSON_BYTES) -> None:
        super().__init__(none_as_null=True)
        self.max_bytes = max_bytes


class JsonArray(JSONB):
    """A JSON array."""

    cache_ok = True


class Words(TypeDecorator[E]):
    """An enumeration stored as text, whose `=` keeps its index under row security."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[E]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: E | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else self.words(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> E | None:  # noqa: ARG002
        return None if value is None else self.words(value)


def checks(column: Column[Any]) -> Iterator[CheckConstraint]:
    """The constraints of `column`: of its own rule, and of its type."""
    name, type = column.name, column.type
    if own := column.info.get("rule"):
        yield CheckConstraint(own.sql(name), name=name)
    if isinstance(type, Words):
        words = ", ".join(f"'{word.value}'" for word in type.words)
        yield CheckConstraint(f"{name} IN ({words})", name=f"{name}_word")
    elif isinstance(type, DateTime):
        bounds = f"'{EARLIEST.isoformat()}' AND '{LATEST.isoformat()}'"
        yield CheckConstraint(f"{name} BETWEEN {bounds}", name=f"{name}_readable")
    elif isinstance(type, JsonObject):
        yield CheckConstraint(f"jsonb_typeof({name}) = 'object'", name=f"{name}_object")
        if type.max_bytes is not None:
            yield CheckConstraint(
                f"pg_column_size({name}) <= {type.max_bytes}", name=f"{name}_size"
            )
    elif isinstance(type, JsonArray):
        yield CheckConstraint(f"jsonb_typeof({name}) = 'array'", name=f"{name}_array")
        yield CheckConstraint(
            f"pg_column_size({name}) <= {MAX_JSON_BYTES}", name=f"{name}_size"
        )
    elif isinstance(type, ARRAY):
        # Of more than one dimension, or with a NULL, a list of ours cannot be.
        yield CheckConstraint(
            f"coalesce(array_ndims({name}), 1) = 1 "
            f"AND array_position({name}, NULL) IS NULL",
            name=f"{name}_list",
        )
    elif isinstance(type, Double):
        yield CheckConstraint(
            f"{name} > '-Infinity' AND {name} < 'Infinity'", name=f"{name}_finite"
        )
    elif isinstance(type, Numeric):
        yield CheckConstraint(f"{name} <> 'NaN'", name=f"{name}_number")
