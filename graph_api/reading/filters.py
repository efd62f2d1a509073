"""Filters: conditions on rows, as values that can be compared and turned into SQL.

Conditions are two-valued, as clients think: a NULL is simply not equal to anything, and
`not` takes exactly the rows that the condition leaves.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Double,
    Numeric,
    Text,
    and_,
    any_,
    cast,
    exists,
    false,
    func,
    literal,
    or_,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased
from sqlalchemy.types import TypeEngine

from graph_api.models import Base
from graph_api.reading.columns import Kind, column_of, kind
from graph_api.reading.relations import Relation
from graph_api.reading.slots import Lift, Slot, bound


class Condition(Protocol):
    """A claim about a row, hashable, so that equal reads are made once."""

    def sql(self, entity: Any) -> ColumnElement[bool]:
        """The claim about a row of `entity`, a model or an alias of it."""

    def lifted(self, lift: Lift) -> "Condition":
        """The same claim with slots in place of its values."""


@dataclass(frozen=True)
class Compare:
    """A column's value in a relation `operator` to `value`."""

    model: type[Base]
    attribute: str
    operator: str
    value: Any

    def sql(self, entity: Any) -> ColumnElement[bool]:
        column: ColumnElement[Any] = getattr(entity, self.attribute)
        compare = OPERATORS[self.operator]
        return compare(column, self.value, column_of(self.model, self.attribute))

    def lifted(self, lift: Lift) -> "Condition":
        return replace(self, value=lifted_operand(self.operator, self.value, lift))


@dataclass(frozen=True)
class AtPath:
    """A value within a JSON column, in a relation `operator` to `value`.

    `value` is JSON text; `path` is empty for the whole.
    """

    attribute: str
    path: tuple[str, ...]
    operator: str
    value: str | tuple[str, ...] | bool

    def sql(self, entity: Any) -> ColumnElement[bool]:
        column: ColumnElement[Any] = getattr(entity, self.attribute)
        if self.path:
            path = bound(_listed(self.path), ARRAY(Text()))
            column = column.op("#>", return_type=JSONB())(path)
        return JSON_OPERATORS[self.operator](column, self.value)

    def lifted(self, lift: Lift) -> "Condition":
        path: Any = lift(list(self.path)) if self.path else ()
        if isinstance(self.value, tuple):
            return replace(self, path=path, value=tuple(map(lift, self.value)))
        if isinstance(self.value, str):
            return replace(self, path=path, value=lift(self.value))
        return replace(self, path=path)


@dataclass(frozen=True)
class All:
    """Every one of the conditions; true when there are none."""

    conditions: tuple[Condition, ...]

    def sql(self, entity: Any) -> ColumnElement[bool]:
        return and_(true(), *(c.sql(entity) for c in self.conditions))

    def lifted(self, lift: Lift) -> "Condition":
        return All(tuple(c.lifted(lift) for c in self.conditions))


@dataclass(frozen=True)
class AnyOf:
    """At least one of the conditions; false when there are none."""

    conditions: tuple[Condition, ...]

    def sql(self, entity: Any) -> ColumnElement[bool]:
        return or_(false(), *(c.sql(entity) for c in self.conditions))

    def lifted(self, lift: Lift) -> "Condition":
        return AnyOf(tuple(c.lifted(lift) for c in self.conditions))


@dataclass(frozen=True)
class Not:
    """What the condition leaves."""

    condition: Condition

    def sql(self, entity: Any) -> ColumnElement[bool]:
        return self.condition.sql(entity).is_not(true())

    def lifted(self, lift: Lift) -> "Condition":
        return Not(self.condition.lifted(lift))


@dataclass(frozen=True)
class Some:
    """At least one row that the relation leads to fulfils the condition."""

    relation: Relation
    condition: Condition

    def sql(self, entity: Any) -> ColumnElement[bool]:
        other: Any = aliased(self.relation.target)
        key = getattr(entity, self.relation.leaves_by)
        rows = self.relation.select(key, other).where(self.condition.sql(other))
        return exists(rows.with_only_columns(literal(1)).correlate(entity))

    def lifted(self, lift: Lift) -> "Condition":
        return Some(self.relation, self.condition.lifted(lift))


def every(relation: Relation, condition: Condition) -> Condition:
    """That no row that the relation leads to fails the condition."""
    return Not(Some(relation, Not(condition)))


def _array(values: Any, column: Column[Any]) -> ColumnElement[Any]:
    """An array in one bind: one statement for any number of values."""
    return bound(_listed(values), ARRAY(_unbounded(column)))


def _literal(value: Any, column: Column[Any]) -> ColumnElement[Any]:
    return bound(_plain(value), _unbounded(column))


def lifted_operand(operator: str, value: Any, lift: Lift) -> Any:
    """A slot in place of what an operator compares with."""
    if operator == "is_null":
        return value
    if operator == "resembles":
        return tuple(map(lift, value))
    return lift(_sent(operator, value))


def _sent(operator: str, value: Any) -> Any:
    """A value as it is sent to the database."""
    if operator == "contains":
        return _pattern(value)
    return _listed(_alone(value) if operator == "has" else value)


def _listed(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return _plain(value)


def _alone(value: Any) -> Any:
    return value if isinstance(value, Slot) else (value,)


def _pattern(value: Any) -> Any:
    return value if isinstance(value, Slot) else f"%{_escaped(value)}%"


def _text(value: Any) -> ColumnElement[Any]:
    return bound(value, Text())


def _texts(value: Any) -> ColumnElement[Any]:
    return bound(_listed(value), ARRAY(Text()))


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, StrEnum) else value


def _unbounded(column: Column[Any]) -> TypeEngine[Any]:
    """The type of a column without its length, precision and scale.

    A value that is cast to these is cut or rounded silently, or overflows.
    """
    of = kind(column)
    if of in {Kind.WORD, Kind.TEXT}:
        return Text()
    return Numeric() if of is Kind.DECIMAL else column.type


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


Operator = Callable[[ColumnElement[Any], Any, Column[Any]], ColumnElement[bool]]

OPERATORS: dict[str, Operator] = {
    "eq": lambda c, v, of: c == _literal(v, of),
    "ne": lambda c, v, of: c.is_distinct_from(_literal(v, of)),
    "in": lambda c, v, of: c == any_(_array(v, of)),
    "not_in": lambda c, v, of: (c == any_(_array(v, of))).is_not(true()),
    "is_null": lambda c, v, _: c.is_(None) if v else c.is_not(None),
    "lt": lambda c, v, of: c < _literal(v, of),
    "lte": lambda c, v, of: c <= _literal(v, of),
    "gt": lambda c, v, of: c > _literal(v, of),
    "gte": lambda c, v, of: c >= _literal(v, of),
    "starts_with": lambda c, v, _: c.op("^@", is_comparison=True)(_text(v)),
    "contains": lambda c, v, _: c.ilike(_text(_pattern(v))),
    "resembles": lambda c, v, _: (
        func.similarity(c, _text(v[0])) >= bound(v[1], Double())
    ),
    "has": lambda c, v, _: c.contains(_texts(_alone(v))),
    "has_any": lambda c, v, _: c.overlap(_texts(v)),
    "has_all": lambda c, v, _: c.contains(_texts(v)),
}


def _json(text: Any) -> ColumnElement[Any]:
    return cast(_text(text), JSONB)


JSON_OPERATORS: dict[str, Callable[[ColumnElement[Any], Any], ColumnElement[bool]]] = {
    "eq": lambda c, v: c == _json(v),
    "ne": lambda c, v: c.is_distinct_from(_json(v)),
    "in": lambda c, v: or_(false(), *(c == _json(one) for one in v)),
    "contains": lambda c, v: c.op("@>", is_comparison=True)(_json(v)),
    "exists": lambda c, v: c.is_not(None) if v else c.is_(None),
}
