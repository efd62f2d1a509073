"""Cursors: where a page ends, signed, so that a client cannot make one up.

A cursor holds the values of the row's order keys and the name of the list and order it
belongs to. Anything else is refused with BAD_CURSOR.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson

from graph_api.errors import BadCursor
from graph_api.models import Base
from graph_api.reading.columns import Kind, column_of, kind
from graph_api.reading.ordering import Order

# 64 bits: forging one takes 2^63 requests on average, and gains only a row's place.
_MAC_BYTES = 8

_READERS: dict[Kind, Callable[[Any], Any]] = {
    Kind.ID: UUID,
    Kind.TIME: datetime.fromisoformat,
    Kind.DECIMAL: Decimal,
    Kind.BIG_INT: int,
}

Values = tuple[Any, ...]


class Cursors:
    """Writes and reads the cursors of one server, or of several with one secret."""

    def __init__(self, secret: str) -> None:
        self._secret = hashlib.sha256(b"cursor:" + secret.encode()).digest()

    def write(self, list_name: str, order: Order, row: Any) -> str:
        """The cursor of `row` in the list `list_name`, sorted by `order`."""
        keys = [getattr(row, key.attribute) for key in order]
        return self.write_values(list_name, order, keys)

    def write_values(self, list_name: str, order: Order, keys: Iterable[Any]) -> str:
        """The cursor of the row whose order keys have the values `keys`."""
        payload = orjson.dumps([_place(list_name, order), *map(_plain, keys)])
        return _encoded(self._mac(payload) + payload)

    def read(
        self, cursor: str, list_name: str, order: Order, model: type[Base]
    ) -> Values:
        """The values of the order's keys where `cursor` stands.

        Raises BadCursor when it was not written by us, or for another list or order.
        """
        place, *values = self._open(cursor)
        if place != _place(list_name, order) or len(values) != len(order):
            raise BadCursor(
                "This cursor belongs to another list or another order. Pass it to the "
                "field it came from, with the `orderBy` it came with."
            )
        return tuple(
            None if value is None else _reader(model, key.attribute)(value)
            for key, value in zip(order, values, strict=True)
        )

    def _open(self, cursor: str) -> list[Any]:
        signed = _decoded(cursor)
        mac, payload = signed[:_MAC_BYTES], signed[_MAC_BYTES:]
        if not payload or not hmac.compare_digest(mac, self._mac(payload)):
            raise BadCursor(
                "This is no cursor of ours. Pass an `endCursor`, `startCursor` or "
                "`cursor` as you received it."
            )
        opened: list[Any] = orjson.loads(payload)
        return opened

    def _mac(self, payload: bytes) -> bytes:
        return hmac.digest(self._secret, payload, "sha256")[:_MAC_BYTES]


@lru_cache(maxsize=1024)
def _place(list_name: str, order: Order) -> str:
    return hashlib.sha256(f"{list_name} {order}".encode()).hexdigest()[:10]


def _encoded(signed: bytes) -> str:
    return urlsafe_b64encode(signed).decode().rstrip("=")


def _decoded(cursor: str) -> bytes:
    """The bytes of a cursor that is spelled as we spell it, or none.

    Python passes over strange letters, and over the last letter's spare bits.
    """
    try:
        signed = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        return b""
    return signed if _encoded(signed) == cursor else b""


def _plain(value: Any) -> Any:
    """A value as JSON holds it without loss."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID | Decimal) or (
        isinstance(value, int) and abs(value) >= 2**53
    ):
        return str(value)
    return value


def _reader(model: type[Base], attribute: str) -> Callable[[Any], Any]:
    return _READERS.get(kind(column_of(model, attribute)), lambda value: value)
