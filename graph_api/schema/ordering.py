"""Orders as GraphQL has them: `orderBy: [{field: DUE_AT, direction: ASC}]`."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Any

import strawberry

from graph_api.errors import BadUserInput
from graph_api.models import Base, public_name
from graph_api.reading.ordering import Key, Order, orderable, total
from graph_api.schema.fields import Input, describe, enum_type, input_type, maybe

# Each more is another column to sort by, which no index serves.
MAX_KEYS = 3


@strawberry.enum(description="Which end of an order comes first.")
class Direction(StrEnum):
    ASC = "asc"
    DESC = "desc"


@strawberry.enum(description="Where the rows without a value come.")
class Nulls(StrEnum):
    FIRST = "first"
    LAST = "last"


describe(Direction, {"ASC": "The least first.", "DESC": "The greatest first."})
describe(Nulls, {"FIRST": "Before all others.", "LAST": "After all others."})


@cache
def order_type(model: type[Base]) -> Any:
    """The input type that says one key of an order of `model`'s rows."""
    name = model.__name__
    fields = enum_type(
        f"{name}OrderField",
        f"What {name} objects can be sorted by.",
        {attribute: _description(attribute) for attribute in orderable(model)},
    )
    return input_type(
        f"{name}Order",
        f"One key of an order of {name} objects. A single one is served by an index.",
        {
            "field": Input(fields, "What to sort by."),
            "direction": Input(Direction, "Which end comes first.", Direction.ASC),
            "nulls": Input(
                maybe(Nulls), "Where rows without a value come; by default last."
            ),
        },
    )


def _description(attribute: str) -> str:
    if attribute == "id":
        return "The order in which they were made."
    return f"By `{public_name(attribute)}`."


def order(model: type[Base], given: Sequence[Mapping[str, Any]] | None) -> Order:
    """The total order that values of `order_type(model)` stand for.

    Raises BadUserInput for more than MAX_KEYS keys.
    """
    if given and len(given) > MAX_KEYS:
        raise BadUserInput(
            f"`orderBy` takes at most {MAX_KEYS} keys, not {len(given)}."
        )
    return total(model, tuple(_key(one) for one in given or ()))


def _key(given: Mapping[str, Any]) -> Key:
    return Key(
        str(given["field"]),
        descending=given["direction"] == Direction.DESC,
        nulls_last=given.get("nulls") != Nulls.FIRST,
    )
