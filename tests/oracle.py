"""What a filter means, said in Python over the rows of a `World`.

Tests of filters compare what is found with what this says. It knows the words of the
API and nothing of SQL, but for what only the database knows: how it sorts texts, and
how alike two of them are.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any

import asyncpg
from hypothesis import strategies as st
from sqlalchemy import Column
from world import DECIMALS, FLOATS, JSONS, SIZES, TEXTS, TIMES, Row, World

from graph_api.ids import global_id, key_of
from graph_api.models import Base, public_name
from graph_api.models.rules import Words
from graph_api.reading.columns import Kind, columns_of, kind
from graph_api.reading.ordering import tie_breaker
from graph_api.schema import graphql_schema
from graph_api.schema.conditions import type_behind
from graph_api.schema.registry import SHOWN

Filter = dict[str, Any]

# What texts are compared with: what rows hold, parts of it, and what none holds.
SOUGHT = (*TEXTS, "", "x", "an", "A", "%", "_", "\\", "'", '"', "🐜🐜", "hill", "5")
PATHS = ("a", "b", "a.b", "a.b.c", "a.2.c", "a.0", "a.-1", "a.x", "it's", "n")
PARTS = (None, 1, 2, 1.5, "1", "x", True, [], [1], [2, 1], {}, {"c": "x"}, *JSONS)
THRESHOLDS = (0.3, 0.0, 1.0, 0.5)
OPERANDS: dict[Kind, list[Any]] = {
    Kind.TEXT: list(SOUGHT),
    Kind.TEXTS: ["tax", "home", "it's", 'a "b"', "NULL", "", "{x,y}", "no"],
    Kind.INT: [0, 1, 2, 49, 50, 2**31 - 1, -(2**31)],
    Kind.BIG_INT: [*map(str, SIZES), str(2**63 - 1), "-1"],
    Kind.FLOAT: [*FLOATS, 0.3, -1.5, 1e308],
    Kind.DECIMAL: [*map(str, DECIMALS), "0.00005", "-1", "1e12", "999999.99991"],
    Kind.BOOLEAN: [True, False],
    Kind.TIME: [time.isoformat() for time in TIMES],
    Kind.JSON: list(PARTS),
}
LISTED = {"in", "notIn", "hasAny", "hasAll"}
ABSENT = object()


@dataclass
class Oracle:
    """Answers what a filter lets through."""

    world: World
    places: dict[str, int] = field(default_factory=dict)
    alike: dict[tuple[str, str], float] = field(default_factory=dict)

    @classmethod
    async def of(cls, world: World, admin: "asyncpg.Connection[Any]") -> "Oracle":
        texts = {
            value
            for rows in world.rows.values()
            for row in rows
            for value in row.values()
            if isinstance(value, str)
        } | set(SOUGHT)
        ordered = await admin.fetch(
            "SELECT t FROM unnest($1::text[]) t ORDER BY t", list(texts)
        )
        pairs = await admin.fetch(
            "SELECT a, b, similarity(a, b) FROM unnest($1::text[]) a, "
            "unnest($2::text[]) b",
            list(texts),
            list(SOUGHT),
        )
        return cls(
            world,
            {text: place for place, (text,) in enumerate(map(tuple, ordered))},
            {(a, b): score for a, b, score in map(tuple, pairs)},
        )

    def found(self, model: type[Base], given: Filter) -> list[str]:
        """The ids of the rows that a filter finds, in their default order."""
        rows = [r for r in self.world.rows[model] if self.fulfils(model, r, given)]
        rows.sort(key=lambda row: row[tie_breaker(model)])
        return [global_id(model.__name__, row["id"]) for row in rows]

    def fulfils(self, model: type[Base], row: Row, given: Filter) -> bool:
        """Whether a row fulfils everything that a filter says."""
        return all(self._one(model, row, *said) for said in given.items())

    def _one(self, model: type[Base], row: Row, name: str, value: Any) -> bool:
        if name == "and":
            return all(self.fulfils(model, row, one) for one in value)
        if name == "or":
            return any(self.fulfils(model, row, one) for one in value)
        if name == "not":
            return not self.fulfils(model, row, value)
        for attribute, relation in SHOWN[model].relations.items():
            if public_name(attribute) == name:
                target, others = relation.target, self.world.related(relation, row)
                if not relation.to_many:
                    return any(self.fulfils(target, one, value) for one in others)
                return self._quantified(target, others, value)
        attribute = attributes(model)[name]
        return self._compared(model, attribute, row[attribute], value)

    def _quantified(self, model: type[Base], rows: list[Row], value: Filter) -> bool:
        def how_many(given: Filter) -> int:
            return sum(self.fulfils(model, row, given) for row in rows)

        return all(
            {"some": how_many(g) > 0, "none": how_many(g) == 0}.get(
                quantifier, how_many(g) == len(rows)
            )
            for quantifier, g in value.items()
        )

    def _compared(
        self, model: type[Base], attribute: str, actual: Any, operators: Filter
    ) -> bool:
        column = columns_of(model)[attribute]
        if kind(column) is Kind.JSON:
            path = operators.get("path")
            part = at_path(actual, path.split(".") if path else [])
            return all(
                json_fulfils(part, operator, value)
                for operator, value in operators.items()
                if operator != "path"
            )

        return all(
            self._holds(actual, operator, _read(column, operator, value))
            for operator, value in operators.items()
        )

    def _holds(self, actual: Any, operator: str, value: Any) -> bool:
        """A comparison, two-valued: null is not equal to, less or like anything."""
        if operator == "isNull":
            return bool((actual is None) == value)
        if operator in OPPOSITES:
            return not self._holds(actual, OPPOSITES[operator], value)
        if actual is None:
            return False
        if operator == "resembles":
            return self.alike[actual, value["to"]] >= float(value["threshold"])
        if operator in ORDERED and isinstance(value, str):
            actual, value = self.places[actual], self.places[value]
        return bool(COMPARISONS[operator](actual, value))


OPPOSITES = {"ne": "eq", "notIn": "in"}
ORDERED: dict[str, Callable[[Any, Any], Any]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = ORDERED | {
    "eq": operator.eq,
    "in": lambda actual, values: actual in values,
    "startsWith": lambda actual, value: actual.startswith(value),
    "contains": lambda actual, value: value.lower() in actual.lower(),
    "has": lambda actual, value: value in actual,
    "hasAny": lambda actual, values: bool(set(actual) & set(values)),
    "hasAll": lambda actual, values: set(actual) >= set(values),
}
READERS: dict[Kind, Any] = {
    Kind.ID: lambda value: key_of(value, None),
    Kind.TIME: datetime.fromisoformat,
    Kind.DECIMAL: Decimal,
    Kind.BIG_INT: int,
}


def _read(column: Column[Any], operator: str, value: Any) -> Any:
    """A value of a filter, as rows have it."""
    if isinstance(value, list):
        return [_read(column, operator, one) for one in value]
    if operator in {"isNull", "resembles"}:
        return value
    if isinstance(column.type, Words):
        return str(value).lower()
    return READERS.get(kind(column), lambda same: same)(value)


def at_path(value: Any, path: list[str]) -> Any:
    """The JSON value within another, or ABSENT."""
    if value is None:
        return ABSENT
    for step in path:
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.lstrip("-").isdecimal():
            if not -len(value) <= int(step) < len(value):
                return ABSENT
            value = value[int(step)]
        else:
            return ABSENT
    return value


def json_fulfils(part: Any, operator: str, value: Any) -> bool:
    """A comparison of what is at a path, or ABSENT; null is a value like others."""
    if operator == "exists":
        return bool((part is not ABSENT) == value)
    if operator == "ne":
        return not json_fulfils(part, "eq", value)
    return part is not ABSENT and JSON_COMPARISONS[operator](part, value)


def has_json(whole: Any, part: Any) -> bool:
    """Whether `whole` contains `part`, be it an item of a list."""
    if isinstance(whole, list) and not isinstance(part, dict | list):
        return any(same_json(one, part) for one in whole)
    return contains_json(whole, part)


def same_json(one: Any, other: Any) -> bool:
    """Equality as JSON has it: true is no number, 1 and 1.0 are the same."""
    if isinstance(one, bool) != isinstance(other, bool):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        same = all(k in other and same_json(v, other[k]) for k, v in one.items())
        return same and len(one) == len(other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    return bool(one == other)


def contains_json(whole: Any, part: Any) -> bool:
    """Whether `whole` has at least the keys and items of `part`."""
    if isinstance(whole, dict) and isinstance(part, dict):
        return all(k in whole and contains_json(whole[k], v) for k, v in part.items())
    if isinstance(whole, list) and isinstance(part, list):
        return all(any(contains_json(one, wanted) for one in whole) for wanted in part)
    return same_json(whole, part)


JSON_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": same_json,
    "in": lambda part, values: any(same_json(part, value) for value in values),
    "contains": has_json,
}


def filter_fields(model: type[Base]) -> dict[str, Any]:
    """The fields of a filter, as the schema has them."""
    fields: dict[str, Any] = graphql_schema.type_map[f"{model.__name__}Filter"].fields  # type: ignore[attr-defined]
    return fields


def attributes(model: type[Base]) -> dict[str, str]:
    """The columns of a filter, by the names that clients know."""
    fields = filter_fields(model)
    names = {public_name(attribute): attribute for attribute in columns_of(model)}
    return {name: attribute for name, attribute in names.items() if name in fields}


def operators(model: type[Base], name: str) -> list[str]:
    """The operators that the schema offers for a column."""
    return sorted(filter_fields(model)[name].type.fields)


def filters(
    world: World, model: type[Base], depth: int = 2
) -> st.SearchStrategy[Filter]:
    """Filters of whatever the schema offers, `depth` levels deep."""
    column = st.sampled_from(sorted(attributes(model))).flatmap(
        lambda name: st.fixed_dictionaries({name: comparisons(world, model, name)})
    )
    if depth == 0:
        return column
    inner = filters(world, model, depth - 1)
    several = st.lists(inner, max_size=3)
    logic = [
        st.fixed_dictionaries({"and": several}),
        st.fixed_dictionaries({"or": several}),
        st.fixed_dictionaries({"not": inner}),
        st.fixed_dictionaries({"and": several, "not": inner}),
    ]
    ways = [
        way(world, model, name, depth - 1) for name in sorted(SHOWN[model].relations)
    ]
    return st.one_of(column, *logic, *ways)


def way(
    world: World, model: type[Base], name: str, depth: int
) -> st.SearchStrategy[Filter]:
    """Filters by related rows."""
    relation = SHOWN[model].relations[name]
    inner: st.SearchStrategy[Any] = st.deferred(
        lambda: st.one_of(st.just({}), filters(world, relation.target, depth))
    )
    if relation.to_many:
        quantifier = st.sampled_from(["some", "none", "every"])
        inner = st.dictionaries(quantifier, inner, max_size=2)
    return st.fixed_dictionaries({public_name(name): inner})


def comparisons(
    world: World, model: type[Base], name: str
) -> st.SearchStrategy[Filter]:
    """One or two operators of a column, with values."""
    offered = operators(model, name)
    each = {
        operator: operands(world, model, name, operator)
        for operator in offered
        if operator != "path"
    }
    paths = {"path": st.sampled_from(PATHS)} if "path" in offered else {}
    one = st.sampled_from(sorted(each)).flatmap(
        lambda operator: st.fixed_dictionaries(
            {operator: each[operator]}, optional=paths
        )
    )
    return st.builds(lambda first, second: first | second, one, st.just({}) | one)


def operands(
    world: World, model: type[Base], name: str, operator: str
) -> st.SearchStrategy[Any]:
    """Values that an operator of a column can be given, as JSON."""
    if operator in {"isNull", "exists"}:
        return st.booleans()
    value = st.sampled_from(values(world, model, name))
    if operator == "resembles":
        thresholds = st.sampled_from(THRESHOLDS)
        return st.fixed_dictionaries(
            {"to": value.filter(bool), "threshold": thresholds}
        )
    if operator in LISTED:
        return st.lists(value.filter(is_not_null), max_size=3)
    return value


def is_not_null(value: Any) -> bool:
    return value is not None


def samples(world: World, model: type[Base], name: str, operator: str) -> list[Any]:
    """Four such values, the same on every run."""
    if operator in {"isNull", "exists"}:
        return [True, False]
    if operator == "path":
        return list(PATHS)
    random = Random(f"{model.__name__} {name} {operator}")
    offered = values(world, model, name)
    if operator in LISTED:
        offered = [value for value in offered if value is not None]
    some = random.choices(offered, k=4)
    if operator == "resembles":
        pairs = zip(some, THRESHOLDS, strict=False)
        return [{"to": to or "x", "threshold": least} for to, least in pairs]
    return [[], some[:1], some] if operator in LISTED else some


def values(world: World, model: type[Base], name: str) -> list[Any]:
    """What the values of a column can be compared with, as JSON."""
    attribute = attributes(model)[name]
    column = columns_of(model)[attribute]
    if isinstance(column.type, Words):
        return [word.name for word in column.type.words]
    if kind(column) is Kind.ID:
        return _ids(world, model, attribute)
    return OPERANDS[kind(column)]


def _ids(world: World, model: type[Base], attribute: str) -> list[str]:
    """Ids that some rows hold and one that none does, global and bare."""
    keys = sorted({row[attribute] for row in world.rows[model]} - {None})[:9]
    keys.append(world.caller.workspace_id)
    named = type_behind(model, attribute)
    return [
        global_id(named, key) if named and number % 2 else str(key)
        for number, key in enumerate(keys)
    ]
