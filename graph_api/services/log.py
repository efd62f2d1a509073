"""What the log says of a change: the columns that changed, before and after.

Keys are the public names of columns, values are JSON: ids as bare UUIDs, times as ISO
8601, decimals as strings. Folding all interactions of an entity, each `after` over what
was there, gives the row as it is; `transfer` writes the same shape in bulk.
"""

import hashlib
import json
from array import array
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any
from uuid import UUID

from graph_api.models import Base, public_name

# What the log does not repeat: the workspace is the interaction's own, the others are
# derived or too large.
UNTOLD = frozenset({"workspace_id", "search", "embedding", "key_hash", "code_hash"})

# A longer text is told by its digest and length; a deletion keeps it whole, for the row
# is gone.
MAX_TEXT_BYTES = 64 * 1024

Columns = dict[str, Any]


def told(values: dict[str, Any], *, whole: bool = False) -> Columns:
    """Values by attribute as the log holds them."""
    return {
        public_name(key): None if value is None else _plain(value, whole=whole)
        for key, value in values.items()
        if key not in UNTOLD
    }


def values_of(row: Base, attributes: Iterable[str] | None = None) -> dict[str, Any]:
    """The values of the row's columns that are told, or of some of them.

    What only some may see is not told to all who read the log.
    """
    told = _attributes(type(row))
    names = told if attributes is None else attributes
    return {name: getattr(row, name) for name in names if name in told}


def changes(row: Base, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `values` that the row does not have already."""
    return {k: v for k, v in values.items() if _kept(getattr(row, k)) != _kept(v)}


def _kept(value: Any) -> Any:
    """What becomes of a value when it is stored, to compare two by."""
    if isinstance(value, dict):
        # For Python, true is 1.
        return json.dumps(value, sort_keys=True)
    if isinstance(value, list) and value and isinstance(value[0], float):
        # The database keeps vectors in single precision.
        return list(array("f", value))
    return value


@cache
def _attributes(model: type[Base]) -> dict[str, None]:
    """The attributes that are told, in their order."""
    return {
        attribute.key: None
        for attribute in model.__mapper__.column_attrs
        if attribute.key not in UNTOLD and "reserved" not in attribute.columns[0].info
    }


def _plain(value: Any, *, whole: bool) -> Any:
    kind: Any = type(value)
    spell = _spelling(kind)
    if spell is _shortened and whole:
        return value
    return value if spell is None else spell(value)


@cache
def _spelling(kind: type[Any]) -> Callable[[Any], Any] | None:
    """What makes JSON of values of some type; None where they are JSON already."""
    if issubclass(kind, Enum):
        return _word
    if issubclass(kind, datetime):
        return _instant
    if issubclass(kind, Decimal):
        return _digits
    if issubclass(kind, UUID):
        return str
    return _shortened if issubclass(kind, str) else None


def _word(value: Enum) -> Any:
    return value.value


def _instant(time: datetime) -> str:
    return time.astimezone(UTC).isoformat()


def _digits(number: Decimal) -> str:
    return format(number, "f")


def _shortened(text: str) -> Any:
    # A character takes at most four bytes: most texts need not be encoded to know.
    if len(text) * 4 <= MAX_TEXT_BYTES:
        return text
    encoded = text.encode()
    if len(encoded) <= MAX_TEXT_BYTES:
        return text
    return {"sha256": hashlib.sha256(encoded).hexdigest(), "length": len(text)}
