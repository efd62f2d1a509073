"""Inputs of mutations: made from the columns that a client may write.

Which columns those are is listed by name; their types, descriptions and whether they
must be given follow from the columns.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import strawberry
from sqlalchemy import Column, Numeric

from graph_api.errors import BadUserInput, Invalid
from graph_api.ids import key_of
from graph_api.models import Base, public_name
from graph_api.models.rules import Words
from graph_api.reading.columns import Kind, column_of, kind
from graph_api.schema.conditions import type_behind
from graph_api.schema.fields import Input, input_type, maybe
from graph_api.schema.scalars import type_of
from graph_api.services.unit_of_work import Terms

TERMS: dict[str, Input] = {
    "reason": Input(
        maybe(str), "Why it is done, for the log; at most 2,000 characters."
    ),
    "dryRun": Input(
        bool,
        "Do all of it, answer what would have been, and undo it.",
        False,
    ),
    "idempotencyKey": Input(
        maybe(str),
        "Your name for this request, such as a UUID: sent again with the same input it "
        "is done only once, and answered again.",
    ),
}
VERSION = Input(
    maybe(int),
    "The `version` you have seen; if there is a newer one, it is a ConflictError.",
)
REQUIRED_VERSION = Input(
    int, "The `version` you have seen; if there is a newer one, it is a ConflictError."
)


def an_id(type: str) -> Input:
    """The field with the id of a row of `type`."""
    return Input(strawberry.ID, f"The id of the {type}, global or as a bare UUID.")


def written(
    model: type[Base], columns: Iterable[str], *, required: bool
) -> dict[str, Input]:
    """Input fields for some columns; with `required`, those that a new row needs."""
    fields: dict[str, Input] = {}
    for attribute in columns:
        column = column_of(model, attribute)
        needed = required and not column.nullable and column.server_default is None
        of = strawberry.ID if kind(column) is Kind.ID else type_of(column)
        fields[public_name(attribute)] = Input(
            of if needed else maybe(of), _described(model, attribute, column)
        )
    return fields


def _described(model: type[Base], attribute: str, column: Column[Any]) -> str:
    target = type_behind(model, attribute) if kind(column) is Kind.ID else None
    said = column.comment or ""
    return f"{said} The id of a {target}." if target else said


def input_of(
    name: str, description: str, fields: Mapping[str, Input], *, repeatable: bool
) -> Any:
    """An input type with `fields`, and with the terms that all mutations take.

    Only what is `repeatable` takes an idempotency key.
    """
    terms = {k: v for k, v in TERMS.items() if repeatable or k != "idempotencyKey"}
    return input_type(name, description, {**fields, **terms})


def terms_of(mutation: str, given: Mapping[str, Any]) -> Terms:
    """The terms of one mutation.

    Raises Invalid when a term is too long.
    """
    reason = given.get("reason")
    if reason is not None and not 0 < len(reason) <= 2_000:
        raise Invalid("`reason` must have 1 to 2,000 characters.", path=("reason",))
    return Terms(
        mutation=mutation,
        given=given,
        reason=reason,
        dry_run=bool(given.get("dryRun")),
        idempotency_key=given.get("idempotencyKey"),
    )


def values_of(
    model: type[Base], columns: Iterable[str], given: Mapping[str, Any]
) -> dict[str, Any]:
    """What a client gave for some columns, by attribute; what was absent stays so.

    Raises Invalid for an id that is none.
    """
    values: dict[str, Any] = {}
    for attribute in columns:
        name = public_name(attribute)
        if name in given:
            values[attribute] = _read(model, attribute, name, given[name])
    return values


def _read(model: type[Base], attribute: str, name: str, value: Any) -> Any:
    column = column_of(model, attribute)
    if value is None:
        return None
    if kind(column) is Kind.ID:
        return read_id(value, type_behind(model, attribute), name)
    if isinstance(column.type, Words):
        return column.type.words(value)
    if isinstance(value, Decimal) and isinstance(column.type, Numeric):
        return _at_scale(value, column.type.scale or 0)
    return value


def _at_scale(value: Decimal, scale: int) -> Decimal:
    """The number with as many places as it will be read with, if it has no more."""
    nothing = Decimal(0).scaleb(-scale)
    if value.is_zero():
        return nothing
    # 1E+999999999 cannot be reckoned with, and is refused later.
    return value + nothing if value.adjusted() < 20 else value


def read_id(id: str, type: str | None, name: str) -> Any:
    """The key that the id in field `name` means.

    Raises Invalid when it is none, or another type's.
    """
    try:
        return key_of(id, type)
    except BadUserInput as error:
        raise Invalid(error.message, path=(name,)) from error
