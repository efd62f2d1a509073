"""Values of lines: what JSON says, made into what a column holds, or refused.

A value is first read as its column's kind, then held against the rules of the column,
which are those that mutations keep.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any

import orjson
from sqlalchemy import Column

from graph_api.models import Commitment
from graph_api.models.rules import EARLIEST, LATEST, Words
from graph_api.reading.columns import Kind, kind, table_of
from graph_api.scheduling import schedule
from graph_api.services.validation import json_refusal, refusal

Convert = Callable[[Any], Any]

# The greatest number that PostgreSQL's `real` holds, which embeddings are made of.
_MAX_REAL = 3.4028234e38
_INT4 = range(-(2**31), 2**31)
_DIGITS = re.compile(r"-?[0-9]{1,18}", re.ASCII)


class Unfit(Exception):
    """A line or a value that cannot be, and what would be accepted."""

    def __init__(self, reason: str, field: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field


def converter(column: Column[Any]) -> Convert:
    """What makes a column's value of one in a line; it raises Unfit."""
    if kind(column) is Kind.JSON:
        return _json
    parse = _PARSERS[kind(column)](column)

    def convert(value: Any) -> Any:
        parsed = parse(value)
        reason = refusal(column, parsed)
        if reason:
            raise Unfit(reason)
        return parsed

    return convert


def text(value: Any) -> str:
    """`value`, if it is text."""
    if not isinstance(value, str):
        raise Unfit("must be text")
    return value


def _text(column: Column[Any]) -> Convert:
    return _recurrence if column is table_of(Commitment).c.rrule else text


def _recurrence(value: Any) -> str:
    reason = schedule.refusal(text(value))
    if reason:
        raise Unfit(reason)
    return text(value)


def _word(column: Column[Any]) -> Convert:
    assert isinstance(column.type, Words)
    words = frozenset(word.value for word in column.type.words)
    accepted = ", ".join(sorted(words))

    def parse(value: Any) -> str:
        if not isinstance(value, str) or value.lower() not in words:
            raise Unfit(f"must be one of {accepted}, in either case")
        return value.lower()

    return parse


def _int(_: Column[Any]) -> Convert:
    def parse(value: Any) -> int:
        if type(value) is not int or value not in _INT4:
            raise Unfit("must be a whole number of at most 32 bits")
        return value

    return parse


def _big_int(_: Column[Any]) -> Convert:
    def parse(value: Any) -> int:
        if isinstance(value, str) and _DIGITS.fullmatch(value):
            return int(value)
        if type(value) is not int:
            raise Unfit("must be a whole number, or one in digits as text")
        return value

    return parse


def _float(_: Column[Any]) -> Convert:
    return _finite


def _finite(value: Any) -> float:
    if type(value) not in {int, float} or not isfinite(value):
        raise Unfit("must be a finite number")
    return float(value)


def _decimal(_: Column[Any]) -> Convert:
    def parse(value: Any) -> Decimal:
        if type(value) not in {int, float, str}:
            raise Unfit('must be a decimal number, best as text such as "12.50"')
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite():
            raise Unfit('must be a decimal number, best as text such as "12.50"')
        return number

    return parse


def _boolean(_: Column[Any]) -> Convert:
    def parse(value: Any) -> bool:
        if not isinstance(value, bool):
            raise Unfit("must be true or false")
        return value

    return parse


def _time(_: Column[Any]) -> Convert:
    def parse(value: Any) -> datetime:
        try:
            time = datetime.fromisoformat(text(value))
        except (ValueError, Unfit):
            time = datetime.min  # noqa: DTZ901 - refused below, as without offset
        if time.tzinfo is None:
            raise Unfit("must be a time with an offset, such as 2026-01-31T12:00:00Z")
        if not EARLIEST <= time <= LATEST:
            raise Unfit(f"must lie in the years {EARLIEST.year} to {LATEST.year - 1}")
        return time.astimezone(UTC)

    return parse


def _json(value: Any) -> str:
    reason = json_refusal(value)
    if reason:
        raise Unfit(reason)
    return orjson.dumps(value).decode()


def _texts(_: Column[Any]) -> Convert:
    def parse(value: Any) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise Unfit("must be a list of texts")
        return value

    return parse


def _floats(_: Column[Any]) -> Convert:
    def parse(value: Any) -> list[float]:
        if not isinstance(value, list):
            raise Unfit("must be a list of numbers")
        numbers = [_finite(number) for number in value]
        if any(abs(number) > _MAX_REAL for number in numbers):
            raise Unfit(f"must hold numbers from -{_MAX_REAL} to {_MAX_REAL}")
        return numbers

    return parse


_PARSERS: dict[Kind, Callable[[Column[Any]], Convert]] = {
    Kind.WORD: _word,
    Kind.TEXT: _text,
    Kind.INT: _int,
    Kind.BIG_INT: _big_int,
    Kind.FLOAT: _float,
    Kind.DECIMAL: _decimal,
    Kind.BOOLEAN: _boolean,
    Kind.TIME: _time,
    Kind.TEXTS: _texts,
    Kind.FLOATS: _floats,
}
