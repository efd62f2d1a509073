"""Values for arguments and variables, made from the schema and from a world's rows.

A filter compares with what rows hold, an id is one that there is, a cursor stands in
the list it is passed to: mostly. Now and then each is not, for that must be refused
alike. One `Random` decides it all.
"""

import base64
import builtins
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from random import Random
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    get_named_type,
    get_nullable_type,
    is_enum_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
)
from literals import Word
from rich_world import TIMES, Worlds
from world import World

from graph_api.ids import global_id
from graph_api.keys import new_key
from graph_api.models import Base, public_name
from graph_api.models.rules import Words
from graph_api.reading.columns import Kind, column_of, columns_of, kind
from graph_api.reading.cursors import Cursors
from graph_api.reading.relations import Rows, all_rows
from graph_api.schema.conditions import type_behind
from graph_api.schema.ordering import order
from graph_api.schema.registry import SHOWN, model_named

CONNECTION = {"filter", "orderBy", "first", "after", "last", "before"}
MANY = ("and", "or")
# What arguments of these names mean, where their type does not tell.
NAMED: dict[str, Sequence[Any]] = {
    "timeZone": ("Europe/Berlin", "UTC", "America/New_York", "Mars/Olympus"),
    "idempotencyKey": ("once", "twice", ""),
    "reason": ("Because.", "שלום", "", "x" * 2_001),
    "relation": ("about", "evidence", ""),
    "rrule": ("FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO", "nonsense"),
}
WORDS = ("", "x", "an", "%", "\\", '"', "\u2028", "🐜", "e\u0301", "nothing")
PATHS = ("a", "b", "a.b", "a.b.c", "a.2.c", "a.0", "", "big", "i64", "twice", "1.2.1")
PARTS: tuple[Any, ...] = (
    *(None, 0, 1, 1.0, 2.5, "1", True, [], [1], {}, {"c": True}, {"a": 1}),
    *(9223372036854775807, -1, 1e2, "🐜", {"a": [1, {"c": "x"}]}, 0.1),
)
WRONG: tuple[Any, ...] = (
    *("wrong", "", 1, -1, 1.5, True, None, [], {}, {"wrong": 1}, ["a"], 10**18),
    *("2020-02-30T00:00:00Z", "1e999", "0x10", "\u2028", [[1]], 2**31),
)
MALFORMED_IDS = ("", "x", "x" * 36, "é", "UGFydHk6", "Tm9uZTo=", "%%%", "null")


@dataclass(frozen=True)
class Place:
    """What a value is for: a column of a model, or a list of its rows in an order."""

    model: type[Base] | None = None
    attribute: str | None = None
    rows: Rows | None = None
    order: Any = None


class Givens:
    """Makes values for one operation that is asked in `world`."""

    def __init__(
        self, random: Random, worlds: Worlds, world: World, cursors: Cursors
    ) -> None:
        self.random = random
        self.world = world
        self.others = [other for other in worlds.all if other is not world]
        self._cursors = cursors
        # How deep a filter that is being made already is.
        self._depth = 0

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    # Values by their types

    def value(self, type: GraphQLInputType, name: str, place: Place) -> Any:
        """A value for the argument or input field `name`; not null."""
        nullable = get_nullable_type(type)
        if is_list_type(nullable):
            return self._list(nullable.of_type, name, place)
        if is_enum_type(nullable):
            assert isinstance(nullable, GraphQLEnumType)
            return self._word(nullable, place)
        if is_input_object_type(nullable):
            assert isinstance(nullable, GraphQLInputObjectType)
            return self._object(nullable, place)
        return self._scalar(get_named_type(type).name, name, place)

    def wrong(self) -> Any:
        """A value that most types have no room for."""
        return self.random.choice(WRONG)

    def _list(self, of: GraphQLInputType, name: str, place: Place) -> list[Any]:
        most = {"by": 3, "orderBy": 2, "ids": 6}.get(name, 2)
        least = 0 if self.chance(0.1) else 1
        length = self.random.randint(least, most)
        return [self.value(of, name, place) for _ in range(length)]

    def _word(self, type: GraphQLEnumType, place: Place) -> Any:
        if place.model and place.attribute and self.chance(0.7):
            held = self._held(place)
            if isinstance(held, Word) and held in type.values:
                return held
        return Word(self.random.choice(list(type.values)))

    def _object(self, type: GraphQLInputObjectType, place: Place) -> dict[str, Any]:
        about = model_named(type.name.removesuffix("Filter"))
        if about is not None:
            return self._filter(type, about)
        listed = model_named(type.name.removesuffix("ListFilter"))
        if listed is not None:
            return self._some(type, Place(listed), most=1)
        if type.name.endswith("Filter"):
            return self._some(type, place, most=2)
        return {
            field: self.value(of.type, field, place)
            for field, of in type.fields.items()
            if is_non_null_type(of.type) or self.chance(0.5)
        }

    def _filter(
        self, type: GraphQLInputObjectType, model: builtins.type[Base]
    ) -> dict[str, Any]:
        """Conditions on the rows of a model: on columns, and on related rows."""
        relations = {public_name(k) for k in SHOWN[model].relations}
        columns = {public_name(k): k for k in columns_of(model)}
        deeper = [*relations, "and", "or", "not"] if self._depth < 2 else []
        self._depth += 1
        try:
            made: dict[str, Any] = {}
            for _ in range(self.random.choice([1, 1, 1, 2, 2, 3])):
                deep = deeper and self.chance(0.4)
                pool = deeper if deep else list(columns)
                field = self.random.choice([f for f in pool if f in type.fields])
                about = Place(model, columns.get(field))
                made[field] = self.value(type.fields[field].type, field, about)
            return made
        finally:
            self._depth -= 1

    def _some(
        self, type: GraphQLInputObjectType, place: Place, most: int
    ) -> dict[str, Any]:
        """Some of the fields of an input object, such as a filter's operators."""
        number = self.random.choice([1] * 6 + [most] * 2 + [0])
        names = self.random.sample(list(type.fields), min(number, len(type.fields)))
        if type.name == "JSONFilter" and "path" not in names and self.chance(0.7):
            names.append("path")
        return {n: self.value(type.fields[n].type, n, place) for n in names}

    def _scalar(self, type: str, name: str, place: Place) -> Any:
        if name in NAMED and self.chance(0.9):
            return self.random.choice(NAMED[name])
        if name in {"first", "last"}:
            return self.random.choice([0, 1, 1, 2, 2, 3, 3, 4, 5])
        if name in {"after", "before"} and place.rows is not None:
            return self.cursor(place.rows, place.order)
        if type == "ID":
            return self._id_for(name, place)
        if place.model and place.attribute and self.chance(0.85):
            held = self._held(place)
            if _fits(type, held):
                return self._altered(name, held)
        return self._any(type)

    def _any(self, type: str) -> Any:
        pools: dict[str, Sequence[Any]] = {
            "Boolean": (True, False),
            "Int": (0, 1, 2, 3, 50, 2**31 - 1, -1),
            "Float": (0, 1, 0.3, 1.5, -0.0, 1e-7, 1e300),
            "String": WORDS,
            "BigInt": ("0", "1", str(2**53 - 1), str(2**63 - 1), 7),
            "Decimal": ("0", "0.10", "12.5000", 1, 0.5, "1e2", "999999.9999"),
            "DateTime": [self._time(time) for time in TIMES],
            "JSON": PARTS,
            "UUID": [str(new_key())],
        }
        return self.random.choice(pools.get(type, WORDS))

    def _time(self, time: datetime) -> str:
        hours = self.random.choice([0, 0, 2, -7.5])
        offset = timezone(timedelta(hours=hours))
        if time.year < 1901 or time.year > 2198:
            return time.isoformat()
        return time.astimezone(offset).isoformat()

    def _held(self, place: Place) -> Any:
        """What some row has in the column, as JSON has it; None where it has none."""
        assert place.model is not None
        assert place.attribute is not None
        row = self.random.choice(self.world.rows.get(place.model) or [{}])
        value = row.get(place.attribute)
        return self.written(place.model, place.attribute, value)

    def written(self, model: type[Base], attribute: str, value: Any) -> Any:
        """A column's value as a client writes it."""
        column = column_of(model, attribute)
        if value is None:
            return None
        if isinstance(column.type, Words):
            return Word(column.type.words(value).name)
        if kind(column) is Kind.ID:
            of = type_behind(model, attribute)
            return global_id(of, value) if of else str(value)
        if isinstance(value, datetime):
            return self._time(value)
        if isinstance(value, Decimal) or kind(column) is Kind.BIG_INT:
            return str(value)
        return list(value) if isinstance(value, tuple) else value

    def _altered(self, name: str, held: Any) -> Any:
        """A value near to one that is there, where an operator asks for a part."""
        if not isinstance(held, str) or name not in {"startsWith", "contains", "to"}:
            return held
        start = self.random.randrange(len(held) + 1) if name == "contains" else 0
        part = held[start : start + self.random.randint(1, 6)]
        return part.swapcase() if name == "contains" else part

    # Ids

    def id_of(self, model: type[Base], *, strict: bool = False) -> str:
        """An id for where one of `model` belongs; with `strict`, of a row there is."""
        roll = self.random.random()
        if roll < 0.72 or strict:
            rows = self.world.rows.get(model) or [{"id": new_key()}]
            return global_id(model.__name__, self.random.choice(rows)["id"])
        if roll < 0.84:
            rows = self.world.rows.get(model) or [{"id": new_key()}]
            return self._bare(self.random.choice(rows)["id"])
        if roll < 0.89:
            other = self.random.choice(self.others)
            rows = other.rows.get(model) or [{"id": new_key()}]
            return global_id(model.__name__, self.random.choice(rows)["id"])
        if roll < 0.93:
            return global_id(model.__name__, UUID(int=self.random.getrandbits(128)))
        if roll < 0.97:
            return self.any_id()
        return self.random.choice(MALFORMED_IDS)

    def any_id(self) -> str:
        """The global id of some row, of whatever model."""
        model = self.random.choice([m for m in self.world.rows if m in SHOWN])
        rows = self.world.rows[model] or [{"id": new_key()}]
        return global_id(model.__name__, self.random.choice(rows)["id"])

    def _bare(self, key: UUID) -> str:
        return self.random.choice([str(key), str(key).upper()])

    def _id_for(self, name: str, place: Place) -> str:
        if place.model is not None and place.attribute is not None:
            column = column_of(place.model, place.attribute)
            if kind(column) is Kind.ID and self.chance(0.7):
                held = self._held(place)
                if held is not None:
                    return str(held)
        model = place.model
        if place.attribute is None and model is not None:
            return self.id_of(model)
        if name in {"id", "ids"}:
            return self.any_id() if self.chance(0.93) else self._no_id()
        named = model_named(_of_column(model, place.attribute) or "")
        return self.id_of(named) if named else self.any_id()

    def _no_id(self) -> str:
        unknown = base64.b64encode(b"Nothing:" + str(new_key()).encode()).decode()
        return self.random.choice([*MALFORMED_IDS, unknown, str(new_key())])

    # Cursors

    def cursor(self, rows: Rows, given_order: Any) -> str:
        """A cursor for a list in an order; sometimes of another, or none at all."""
        if self.chance(0.06):
            return self.random.choice(["", "x", "AAAA", "ä", "W10"])
        in_order = order(rows.target, _as_parsed(given_order))
        name = rows.name if self.chance(0.94) else "Elsewhere.id"
        held = self.random.choice(self.world.rows.get(rows.target) or [{}])
        row = SimpleNamespace(**held)
        if not all(hasattr(row, key.attribute) for key in in_order):
            return "none"
        return self._cursors.write(name, in_order, row)

    def root_rows(self, model: type[Base]) -> Rows:
        return all_rows(model)


def _of_column(model: type[Base] | None, attribute: str | None) -> str | None:
    return type_behind(model, attribute) if model and attribute else None


def _as_parsed(given: Any) -> list[dict[str, Any]]:
    """An `orderBy` as the schema's coercion gives it."""
    keys = given if isinstance(given, list) else [given] if given else []
    return [
        {
            "field": key["field"].lower(),
            "direction": str(key.get("direction", "ASC")).lower(),
            "nulls": str(key["nulls"]).lower() if key.get("nulls") else None,
        }
        for key in keys
    ]


def _fits(type: str, value: Any) -> bool:
    if value is None or isinstance(value, list):
        return False
    return {
        "String": isinstance(value, str),
        "Int": isinstance(value, int) and not isinstance(value, bool),
        "Float": isinstance(value, int | float),
        "Boolean": isinstance(value, bool),
    }.get(type, True)
