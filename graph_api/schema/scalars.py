"""Values as GraphQL has them: few scalars of our own, and those strict."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NewType
from uuid import UUID

import strawberry
from graphql import GraphQLError
from sqlalchemy import Column
from strawberry.types.scalar import ScalarDefinition

from graph_api.models.rules import EARLIEST, LATEST, Words
from graph_api.reading.columns import Kind, kind

BigInt = NewType("BigInt", int)
Json = NewType("Json", object)

# Nobody's money has more; a thousand would take a while.
MAX_DIGITS = 40

_INT64 = range(-(2**63), 2**63)


def write_time(value: datetime) -> str:
    """A time in UTC, with as many places of a second as it has.

    PostgreSQL spells it so as well: without zeros at the end.
    """
    text = value.astimezone(UTC).isoformat().removesuffix("+00:00")
    return f"{text.rstrip('0') if '.' in text else text}Z"


def _read_time(value: Any) -> datetime:
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _refusal(
            "DateTime", value, "write it as 2026-11-22T10:00:00Z, with an offset"
        ) from None
    if time.tzinfo is None:
        raise _refusal("DateTime", value, "add its offset, such as Z or +02:00")
    if not EARLIEST <= _utc(time, value) <= LATEST:
        raise _refusal("DateTime", value, "it must lie in the years 1900 to 2199")
    return time.astimezone(UTC)


def _utc(time: datetime, value: Any) -> datetime:
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise _refusal(
            "DateTime", value, "it must lie in the years 1900 to 2199"
        ) from None


def _read_decimal(value: Any) -> Decimal:
    is_number = isinstance(value, str | int | float) and not isinstance(value, bool)
    try:
        short = is_number and len(str(value)) <= MAX_DIGITS
        number = Decimal(str(value) if short else "NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or (number and abs(number.adjusted()) > MAX_DIGITS):
        raise _refusal("Decimal", value, 'write it as "12.3456"')
    # 0e999999999 is nothing, but would be written with as many digits.
    return number or Decimal(0)


def _read_big_int(value: Any) -> int:
    is_number = isinstance(value, int | str) and not isinstance(value, bool)
    text = str(value) if is_number else ""
    if len(text) > 20 or not text.removeprefix("-").isdecimal() or not text.isascii():
        raise _refusal("BigInt", value, 'write it as "9007199254740993"')
    if int(text) not in _INT64:
        raise _refusal("BigInt", value, "it must fit into 64 bits")
    return int(text)


def _read_uuid(value: Any) -> UUID:
    try:
        return UUID(value)
    except (TypeError, ValueError, AttributeError):
        raise _refusal("UUID", value, "write it as 32 hexadecimal digits") from None


def _refusal(name: str, value: Any, advice: str) -> GraphQLError:
    return GraphQLError(f"{name} cannot represent {str(value)[:100]!r}: {advice}.")


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment, as RFC 3339 writes it. Answers are in UTC; what is sent "
        "must have an offset and lie in the years 1900 to 2199.",
        specified_by_url="https://datatracker.ietf.org/doc/html/rfc3339",
        serialize=write_time,
        parse_value=_read_time,
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description="An exact decimal number, as a string; such as an amount of money.",
        serialize=lambda value: format(value, "f"),
        parse_value=_read_decimal,
    ),
    BigInt: strawberry.scalar(
        name="BigInt",
        description="An integer of up to 64 bits, as a string, since JavaScript would "
        "round it.",
        serialize=str,
        parse_value=_read_big_int,
    ),
    UUID: strawberry.scalar(
        name="UUID",
        description="The bare key of a row, as RFC 9562 writes it.",
        specified_by_url="https://datatracker.ietf.org/doc/html/rfc9562",
        serialize=str,
        parse_value=_read_uuid,
    ),
    Json: strawberry.scalar(
        name="JSON",
        description="Any JSON value.",
        specified_by_url="https://datatracker.ietf.org/doc/html/rfc8259",
        serialize=lambda value: value,
        parse_value=lambda value: value,
    ),
}

# The GraphQL types of values; lists are compared item by item.
VALUES: dict[Kind, Any] = {
    Kind.ID: strawberry.ID,
    Kind.TEXT: str,
    Kind.INT: int,
    Kind.BIG_INT: BigInt,
    Kind.FLOAT: float,
    Kind.DECIMAL: Decimal,
    Kind.BOOLEAN: bool,
    Kind.TIME: datetime,
    Kind.JSON: Json,
    Kind.TEXTS: str,
    Kind.FLOATS: float,
}


def type_of(column: Column[Any]) -> Any:
    """The GraphQL type of the values in `column`, leaving NULL aside."""
    if isinstance(column.type, Words):
        return column.type.words
    found = kind(column)
    value: Any = UUID if found is Kind.ID else VALUES[found]
    return list[value] if found in {Kind.TEXTS, Kind.FLOATS} else value
