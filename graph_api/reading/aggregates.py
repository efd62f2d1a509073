"""Counting, summing and grouping the rows of a list."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Double,
    Numeric,
    Select,
    Text,
    cast,
    func,
    literal,
    literal_column,
)

from graph_api.models import Base
from graph_api.reading.columns import NUMBERS, Kind, column_of, columns_of, kind
from graph_api.reading.filters import OPERATORS, Condition, lifted_operand
from graph_api.reading.relations import Rows
from graph_api.reading.slots import Lift, bound

# Beyond this, `totalCount` says no more than that there are more: a client shows
# "10,000+", and the server need not read a million rows to say so.
MAX_COUNT = 10_000

# A sum or an average of integers must neither overflow nor be rounded to one.
_FUNCTIONS: dict[str, Callable[[Any, Kind], ColumnElement[Any]]] = {
    "sum": lambda c, k: cast(func.sum(c), _SUMS[k]),
    # PostgreSQL's average of floats sums their squares as well, which may overflow.
    "avg": lambda c, k: cast(func.avg(cast(c, Numeric())), _AVERAGES[k]),
    "min": lambda c, _: func.min(c),
    "max": lambda c, _: func.max(c),
}
_SUMS: dict[Kind, Any] = {
    Kind.INT: BigInteger(),
    Kind.BIG_INT: Numeric(),
    Kind.FLOAT: Double(),
    Kind.DECIMAL: Numeric(),
}
_AVERAGES: dict[Kind, Any] = {
    Kind.INT: Double(),
    Kind.BIG_INT: Double(),
    Kind.FLOAT: Double(),
    Kind.DECIMAL: Numeric(),
}


# Counters of our own, of which no figure says anything.
_MEANINGLESS = frozenset({"position", "version"})

# The longest texts that rows are grouped by: names and not descriptions.
MAX_GROUPED = 255


@dataclass(frozen=True)
class Measure:
    """One figure about a list: a function of a column."""

    function: str
    attribute: str

    @property
    def label(self) -> str:
        return f"{self.function}_{self.attribute}"

    def sql(self, entity: Any, model: type[Base]) -> ColumnElement[Any]:
        return self.figure(entity, model).label(self.label)

    def figure(self, entity: Any, model: type[Base]) -> ColumnElement[Any]:
        """The figure without its label."""
        column = getattr(entity, self.attribute)
        of = kind(column_of(model, self.attribute))
        return _FUNCTIONS[self.function](column, of)


@dataclass(frozen=True)
class Period:
    """A period that times are grouped by: its PostgreSQL `unit`, in a time zone."""

    unit: str
    zone: str

    def lifted(self, lift: Lift) -> "Period":
        return replace(self, zone=lift(self.zone))

    def start_of(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """The moment at which the period of a time begins, by the zone's clocks."""
        unit, zone = literal(self.unit, Text()), bound(self.zone, Text())
        return func.date_trunc(unit, column, zone, type_=column.type)


@dataclass(frozen=True)
class Having:
    """A figure of a group in a relation `operator` to `value`; no measure: how many."""

    measure: Measure | None
    operator: str
    value: Any

    def sql(self, entity: Any, model: type[Base]) -> ColumnElement[bool]:
        figure: ColumnElement[Any] = (
            self.measure.figure(entity, model) if self.measure else func.count()
        )
        of: Column[Any] = Column("figure", figure.type)
        return OPERATORS[self.operator](figure, self.value, of)

    def lifted(self, lift: Lift) -> "Having":
        return replace(self, value=lifted_operand(self.operator, self.value, lift))


@dataclass(frozen=True)
class Grouping:
    """The figures of a list, one row for each combination of values in `by`.

    Times are of one group that are of one `period`. At most `limit` groups of which all
    of `having` is true, the largest first.
    """

    by: tuple[str, ...]
    measures: tuple[Measure, ...]
    limit: int
    period: Period | None = None
    having: tuple[Having, ...] = ()

    def key(self, entity: Any, model: type[Base], name: str) -> ColumnElement[Any]:
        """What the rows of a group have in common in the attribute `name`."""
        column: ColumnElement[Any] = getattr(entity, name)
        if self.period is None or kind(column_of(model, name)) is not Kind.TIME:
            return column
        return self.period.start_of(column)

    def lifted(self, lift: Lift) -> "Grouping":
        """The same grouping with slots in place of its values."""
        return replace(
            self,
            limit=lift(self.limit),
            period=self.period and self.period.lifted(lift),
            having=tuple(having.lifted(lift) for having in self.having),
        )


def measurable(model: type[Base], function: str) -> list[str]:
    """The attributes of `model` that `function` can be applied to."""
    kinds = NUMBERS if function in {"sum", "avg"} else NUMBERS | {Kind.TIME}
    return [
        key
        for key, column in columns_of(model).items()
        if kind(column) in kinds and key not in _MEANINGLESS
    ]


def groupable(model: type[Base]) -> list[str]:
    """The attributes of `model` that lists can be grouped by, as they are."""
    not_by = {Kind.JSON, Kind.TEXTS, Kind.FLOATS, Kind.FLOAT, Kind.TIME}
    return [
        key
        for key, column in columns_of(model).items()
        if kind(column) not in not_by and key not in {"id", *_MEANINGLESS}
        if not _is_long(column)
    ]


def datable(model: type[Base]) -> list[str]:
    """The attributes of `model` with times, which are grouped by their periods."""
    return [k for k, c in columns_of(model).items() if kind(c) is Kind.TIME]


def _is_long(column: Column[Any]) -> bool:
    """Whether it holds texts that hardly two rows have in common."""
    length = getattr(column.type, "length", None)
    return kind(column) is Kind.TEXT and (length is None or length > MAX_GROUPED)


def count_of(
    rows: Rows, where: Condition | None, key: ColumnElement[UUID] | None = None
) -> Select[Any]:
    """How many rows there are, counting no further than MAX_COUNT + 1."""
    # Written out: of a bind, PostgreSQL would think that a tenth of the rows will do.
    most: ColumnElement[int] = literal_column(str(MAX_COUNT + 1))
    counted = _filtered(rows, where, key).limit(most)
    return func.count().select().select_from(_nested(counted, key))


def figures_of(
    rows: Rows,
    where: Condition | None,
    measures: tuple[Measure, ...],
    key: ColumnElement[UUID] | None = None,
) -> Select[Any]:
    """The exact number of rows, as `count`, and the `measures`."""
    figures = [m.sql(rows.target, rows.target) for m in measures]
    return _filtered(rows, where, key).with_only_columns(
        func.count().label("count"), *figures, maintain_column_froms=True
    )


def groups_of(
    rows: Rows,
    where: Condition | None,
    grouping: Grouping,
    key: ColumnElement[UUID] | None = None,
) -> Select[Any]:
    """The groups of the rows: their keys, labelled by attribute, and their figures."""
    # Each once, with its binds: two would not be the same to PostgreSQL.
    keys = [grouping.key(rows.target, rows.target, name) for name in grouping.by]
    figures = [m.sql(rows.target, rows.target) for m in grouping.measures]
    return (
        _filtered(rows, where, key)
        .with_only_columns(
            *(k.label(name) for k, name in zip(keys, grouping.by, strict=True)),
            func.count().label("count"),
            *figures,
            maintain_column_froms=True,
        )
        .group_by(*keys)
        .having(*(h.sql(rows.target, rows.target) for h in grouping.having))
        .order_by(func.count().desc(), *(k.asc().nulls_last() for k in keys))
        .limit(bound(grouping.limit, BigInteger()))
    )


def _filtered(
    rows: Rows, where: Condition | None, key: ColumnElement[UUID] | None
) -> Select[Any]:
    statement = rows.select(key, rows.target)
    if key is not None:
        statement = statement.correlate(key.table)
    return statement if where is None else statement.where(where.sql(rows.target))


def _nested(statement: Select[Any], key: ColumnElement[UUID] | None) -> Any:
    one = statement.with_only_columns(func.now(), maintain_column_froms=True)
    return one.lateral() if key is not None else one.subquery()
