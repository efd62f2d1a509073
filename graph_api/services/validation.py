"""Values held against the rules of their columns, before the database does it.

The database has the last word; these refusals have the better words, and the path of
the field that a form can show them at.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import ARRAY, Column, Numeric, String

from graph_api.errors import Invalid
from graph_api.models import Base, public_name
from graph_api.models.rules import JsonObject
from graph_api.reading.columns import column_of

MAX_JSON_BYTES = 64 * 1024
MAX_JSON_DEPTH = 16
MAX_TAG_LENGTH = 100


def validate(model: type[Base], values: Mapping[str, Any]) -> None:
    """Raise Invalid for the first value, by attribute, that `model` cannot hold."""
    for attribute, value in values.items():
        reason = refusal(column_of(model, attribute), value)
        if reason:
            name = public_name(attribute)
            raise Invalid(f"`{name}` {reason}.", path=(name,))


def refusal(column: Column[Any], value: Any) -> str | None:
    """Why `column` cannot hold `value`, saying what it could; None if it can."""
    if value is None:
        return None if column.nullable else "must not be null"
    reason = _type_refusal(column, value)
    if reason is None and (rule := column.info.get("rule")):
        reason = rule.refusal(value)
    return reason


def _type_refusal(column: Column[Any], value: Any) -> str | None:
    type = column.type
    if isinstance(type, JsonObject):
        return json_refusal(value)
    if isinstance(type, ARRAY):
        return _list_refusal(value)
    if isinstance(type, String) and type.length and len(value) > type.length:
        return f"must have at most {type.length} characters, not {len(value)}"
    if isinstance(type, Numeric) and isinstance(value, Decimal):
        return _decimal_refusal(type, value)
    return None


def json_refusal(value: Any) -> str | None:
    """Why `value` is no JSON object that we keep."""
    if not isinstance(value, dict):
        return "must be a JSON object, such as {}"
    if _deeper_than(MAX_JSON_DEPTH, value):
        return f"must be nested at most {MAX_JSON_DEPTH} levels deep"
    size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
    if size > MAX_JSON_BYTES:
        return f"must have at most {MAX_JSON_BYTES} bytes as JSON, not {size}"
    return None


def _deeper_than(levels: int, value: Any) -> bool:
    if not isinstance(value, dict | list):
        return False
    items = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper_than(levels - 1, item) for item in items)


def _list_refusal(values: list[Any]) -> str | None:
    for value in values:
        if isinstance(value, str) and not 0 < len(value.strip()) <= len(value) <= (
            MAX_TAG_LENGTH
        ):
            return f"must hold texts of 1 to {MAX_TAG_LENGTH} characters"
    return None


def _decimal_refusal(type: Numeric[Any], value: Decimal) -> str | None:
    places = -int(value.as_tuple().exponent)
    if type.scale is not None and places > type.scale:
        return f"must have at most {type.scale} decimal places, not {places}"
    return None
