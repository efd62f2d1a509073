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
    cast,
    func,
)

from graph_api.models import Base
from graph_api.reading.columns import NUMBERS, Kind, column_of, columns_of, kind
from graph_api.reading.filters import Condition
from graph_api.reading.relations import Rows
from graph_api.reading.slots import Lift, bound

# Beyond this, `totalCount` says no more than that there are more: a client shows
# "10,000+", and the server need not read a million rows to say so.
MAX_COUNT = 10_000

# A sum or an average of integers must neither overflow nor be rounded to one.
_FUNCTIONS: dict[str, Callable[[Any, Kind], ColumnElement[Any]]] = {
    "sum": lambda c, k: cast(func.sum(c), _SUMS[k]),
    "avg": lambda c, k: cast(func.avg(c), _AVERAGES[k]),
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
        column = getattr(entity, self.attribute)
        of = kind(column_of(model, self.attribute))
        return _FUNCTIONS[self.function](column, of).label(self.label)


@dataclass(frozen=True)
class Grouping:
    """The figures of a list, one row for each combination of values in `by`.

    At most `limit` groups, the largest first.
    """

    by: tuple[str, ...]
    measures: tuple[Measure, ...]
    limit: int

    def lifted(self, lift: Lift) -> "Grouping":
        """The same grouping with a slot in place of its limit."""
        return replace(self, limit=lift(self.limit))


def measurable(model: type[Base], function: str) -> list[str]:
    """The attributes of `model` that `function` can be applied to."""
    kinds = NUMBERS if function in {"sum", "avg"} else NUMBERS | {Kind.TIME}
    return [
        key
        for key, column in columns_of(model).items()
        if kind(column) in kinds and key not in _MEANINGLESS
    ]


def groupable(model: type[Base]) -> list[str]:
    """The attributes of `model` that lists can be grouped by."""
    not_by = {Kind.JSON, Kind.TEXTS, Kind.FLOATS, Kind.FLOAT, Kind.TIME}
    return [
        key
        for key, column in columns_of(model).items()
        if kind(column) not in not_by and key not in {"id", *_MEANINGLESS}
        if not _is_long(column)
    ]


def _is_long(column: Column[Any]) -> bool:
    """Whether it holds texts that hardly two rows have in common."""
    length = getattr(column.type, "length", None)
    return kind(column) is Kind.TEXT and (length is None or length > MAX_GROUPED)


def count_of(
    rows: Rows, where: Condition | None, key: ColumnElement[UUID] | None = None
) -> Select[Any]:
    """How many rows there are, counting no further than MAX_COUNT + 1."""
    counted = _filtered(rows, where, key).limit(MAX_COUNT + 1)
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
    keys = [getattr(rows.target, name) for name in grouping.by]
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
