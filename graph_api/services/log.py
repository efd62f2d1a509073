"""What the log says of a change: the columns that changed, before and after.

Keys are the public names of columns, values are JSON: ids as bare UUIDs, times as ISO
8601, decimals as strings. Folding all interactions of an entity, each `after` over what
was there, gives the row as it is; `transfer` writes the same shape in bulk.
"""

import hashlib
import json
from array import array
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import inspect

from graph_api.models import Base, public_name

# What the log does not repeat: the workspace is the interaction's own, the others are
# derived or too large.
UNTOLD = frozenset({"workspace_id", "search", "embedding", "password_hash"})

# A longer text is told by its digest and length; a deletion keeps it whole, for the row
# is gone.
MAX_TEXT_BYTES = 64 * 1024

Columns = dict[str, Any]


def told(values: dict[str, Any], *, whole: bool = False) -> Columns:
    """Values by attribute as the log holds them."""
    return {
        public_name(key): _plain(value, whole=whole)
        for key, value in values.items()
        if key not in UNTOLD
    }


def values_of(row: Base, attributes: Iterable[str] | None = None) -> dict[str, Any]:
    """The values of the row's columns that are told, or of some of them."""
    names = attributes or (p.key for p in inspect(type(row)).column_attrs)
    return {name: getattr(row, name) for name in names if name not in UNTOLD}


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


def _plain(value: Any, *, whole: bool) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str) and not whole:
        return _shortened(value)
    return value


def _shortened(text: str) -> Any:
    # A character takes at most four bytes: most texts need not be encoded to know.
    if len(text) * 4 <= MAX_TEXT_BYTES:
        return text
    encoded = text.encode()
    if len(encoded) <= MAX_TEXT_BYTES:
        return text
    return {"sha256": hashlib.sha256(encoded).hexdigest(), "length": len(text)}
