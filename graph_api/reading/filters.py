"""Filters: conditions on rows, as values that can be compared and turned into SQL.

Conditions are two-valued, as clients think: a NULL is simply not equal to anything, and
`not` takes exactly the rows that the condition leaves.
"""

from collections.abc import Callable
from dataclasses import dataclass
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


class Condition(Protocol):
    """A claim about a row, hashable, so that equal reads are made once."""

    def sql(self, entity: Any) -> ColumnElement[bool]:
        """The claim about a row of `entity`, a model or an alias of it."""


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
            path = literal(list(self.path), ARRAY(Text))
            column = column.op("#>", return_type=JSONB())(path)
        return JSON_OPERATORS[self.operator](column, self.value)


@dataclass(frozen=True)
class All:
    """Every one of the conditions; true when there are none."""

    conditions: tuple[Condition, ...]

    def sql(self, entity: Any) -> ColumnElement[bool]:
        return and_(true(), *(c.sql(entity) for c in self.conditions))


@dataclass(frozen=True)
class AnyOf:
    """At least one of the conditions; false when there are none."""

    conditions: tuple[Condition, ...]

    def sql(self, entity: Any) -> ColumnElement[bool]:
        return or_(false(), *(c.sql(entity) for c in self.conditions))


@dataclass(frozen=True)
class Not:
    """What the condition leaves."""

    condition: Condition

    def sql(self, entity: Any) -> ColumnElement[bool]:
        return self.condition.sql(entity).is_not(true())


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


def every(relation: Relation, condition: Condition) -> Condition:
    """That no row that the relation leads to fails the condition."""
    return Not(Some(relation, Not(condition)))


def _array(values: tuple[Any, ...], column: Column[Any]) -> ColumnElement[Any]:
    """An array of binds: one statement for any number of them."""
    return literal([_plain(value) for value in values], ARRAY(_unbounded(column)))


def _literal(value: Any, column: Column[Any]) -> ColumnElement[Any]:
    return literal(_plain(value), _unbounded(column))


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
    "starts_with": lambda c, v, _: c.op("^@", is_comparison=True)(literal(v, Text())),
    "contains": lambda c, v, _: c.ilike(literal(f"%{_escaped(v)}%", Text())),
    "resembles": lambda c, v, _: (
        func.similarity(c, literal(v[0], Text())) >= literal(v[1], Double())
    ),
    "has": lambda c, v, _: c.contains(literal([v], ARRAY(Text))),
    "has_any": lambda c, v, _: c.overlap(literal(list(v), ARRAY(Text))),
    "has_all": lambda c, v, _: c.contains(literal(list(v), ARRAY(Text))),
}


def _json(text: Any) -> ColumnElement[Any]:
    return cast(literal(text, Text()), JSONB)


JSON_OPERATORS: dict[str, Callable[[ColumnElement[Any], Any], ColumnElement[bool]]] = {
    "eq": lambda c, v: c == _json(v),
    "ne": lambda c, v: c.is_distinct_from(_json(v)),
    "in": lambda c, v: or_(false(), *(c == _json(one) for one in v)),
    "contains": lambda c, v: c.op("@>", is_comparison=True)(_json(v)),
    "exists": lambda c, v: c.is_not(None) if v else c.is_(None),
}
