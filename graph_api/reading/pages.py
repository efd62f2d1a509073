"""Pages: a keyset page is a union of index ranges, never one OR.

The rows after a place in an order are those that tie with it on the first keys and come
later in the next, for each key in turn, and the NULLs where they come last. Each such
arm is a range of the index, with its own ORDER BY and LIMIT; an outer one merges them.
A single predicate with OR would read and drop every earlier row.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    and_,
    false,
    or_,
    true,
    union_all,
)

from graph_api.models import Base
from graph_api.reading.columns import column_of
from graph_api.reading.cursors import Values
from graph_api.reading.filters import Condition
from graph_api.reading.ordering import Key, Order, along_index
from graph_api.reading.relations import Rows
from graph_api.reading.slots import Lift, bound


@dataclass(frozen=True)
class Page:
    """Which rows of a list: at most `limit` of those that fulfil `where`, in `order`.

    They are the first ones after the place `after` or, with `backward`, the last ones
    before `before`; the other place bounds them too.
    """

    limit: int
    order: Order
    where: Condition | None = None
    after: Values | None = None
    before: Values | None = None
    backward: bool = False

    def cut(self, read: list[Any]) -> list[Any]:
        """The rows of the page in the list's order, of those that were read for it.

        They may be one more than the page holds, and with `backward` last one first.
        """
        rows = read[: self.limit]
        return rows[::-1] if self.backward else rows

    def has_next(self, read: list[Any]) -> bool:
        """Whether there are more rows after the page, where one more was read."""
        return self.before is not None if self.backward else len(read) > self.limit

    def has_previous(self, read: list[Any]) -> bool:
        """Whether there are more rows before the page, where one more was read."""
        return len(read) > self.limit if self.backward else self.after is not None

    def with_limit(self, limit: int) -> "Page":
        """The same page, of another length."""
        return replace(self, limit=limit)

    def lifted(self, lift: Lift) -> "Page":
        """The same page with slots in place of its values, its limit among them."""

        def place(values: Values | None) -> Values | None:
            return values and tuple(None if v is None else lift(v) for v in values)

        return replace(
            self,
            limit=lift(self.limit),
            where=self.where and self.where.lifted(lift),
            after=place(self.after),
            before=place(self.before),
        )


@dataclass(frozen=True)
class Cut:
    """A page as a statement has it: what to select from, and in which order."""

    source: FromClause
    order: list[ColumnElement[Any]]


@dataclass(frozen=True)
class _Arm:
    """One index range: its condition, and the order in which it is read."""

    condition: ColumnElement[bool]
    keys: Order


def page_of(
    rows: Rows,
    page: Page,
    key: ColumnElement[UUID] | None = None,
    attributes: Collection[str] | None = None,
) -> Cut:
    """The rows of `page`: those of a table, or those that belong to `key`.

    They are as many as its limit says; with `backward`, they come last one first. Of
    their columns, those of `attributes` are there, or all that are not deferred.
    """
    if attributes is not None:
        attributes = {*attributes, *(k.attribute for k in page.order)}
    limit = bound(page.limit, BigInteger())
    order = tuple(k.reversed() for k in page.order) if page.backward else page.order
    start, end = page.after, page.before
    if page.backward:
        start, end = end, start
    source = _source(rows, page, order, end, key)
    if attributes is not None:
        source = source.with_only_columns(
            *(_named(rows.target, attribute) for attribute in sorted(attributes)),
            maintain_column_froms=True,
        )
    selects = [
        source.where(arm.condition)
        .order_by(*(k.clause(rows.target) for k in arm.keys))
        .limit(limit)
        for arm in _arms(rows.target, order, start)
    ]
    if len(selects) == 1:
        subquery: Any = selects[0]
    else:
        union = union_all(*selects)
        columns = union.selected_columns
        by_name = {c.key: c for c in columns}
        subquery = union.order_by(
            *(_clause_on(by_name, rows.target, k) for k in order)
        ).limit(limit)
    cut = subquery.lateral() if key is not None else subquery.subquery()
    return Cut(cut, [_clause_on(cut.c, rows.target, k) for k in order])


def _named(model: type[Base], attribute: str) -> ColumnElement[Any]:
    """A column under its own name, which may not be the attribute's."""
    column: ColumnElement[Any] = getattr(model, attribute)
    return column.label(column_of(model, attribute).name)


def _clause_on(columns: Any, model: type[Base], key: Key) -> Any:
    column = columns[column_of(model, key.attribute).name]
    ordered = column.desc() if key.descending else column.asc()
    return ordered.nulls_last() if key.nulls_last else ordered.nulls_first()


def _source(
    rows: Rows,
    page: Page,
    order: Order,
    end: Values | None,
    key: ColumnElement[UUID] | None,
) -> Select[Any]:
    """The rows that the page is cut from: filtered, and bounded at the far end."""
    statement = rows.select(key, rows.target)
    if key is not None:
        statement = statement.correlate(key.table)
    if page.where is not None:
        statement = statement.where(page.where.sql(rows.target))
    if end is not None:
        backwards = tuple(k.reversed() for k in order)
        earlier = [arm.condition for arm in _arms(rows.target, backwards, end)]
        statement = statement.where(or_(false(), *earlier))
    return statement


def _arms(model: type[Base], order: Order, start: Values | None) -> list[_Arm]:
    """The index ranges that hold all rows after `start`, or all rows."""
    if start is None:
        return list(_whole(model, order))
    return [
        arm for place in range(len(order)) for arm in _after(model, order, start, place)
    ]


def _whole(model: type[Base], order: Order) -> Iterator[_Arm]:
    """All rows: in two ranges where the index has the NULLs at the other end."""
    first, rest = order[0], order[1:]
    said = along_index(model, first)
    if not _nullable(model, first) or first == said:
        yield _Arm(true(), (said, *rest))
        return
    column = getattr(model, first.attribute)
    yield _Arm(column.is_not(None), (said, *rest))
    yield _Arm(column.is_(None), (said, *rest))


def _after(
    model: type[Base], order: Order, start: Values, place: int
) -> Iterator[_Arm]:
    """The rows that tie with `start` before `place` and come later there."""
    ties = [
        _equal(model, key, value)
        for key, value in zip(order[:place], start[:place], strict=True)
    ]
    key, value = order[place], start[place]
    # That a column is NULL does not tell the planner that rows do not differ in it.
    nulls = (
        along_index(model, tie)
        for tie, at in zip(order[:place], start[:place], strict=True)
        if at is None
    )
    later = (*nulls, along_index(model, key), *order[place + 1 :])
    column = getattr(model, key.attribute)
    if value is None:
        if not key.nulls_last:
            yield _Arm(and_(*ties, column.is_not(None)), later)
        return
    edge = bound(value, column_of(model, key.attribute).type)
    comes_later = column < edge if key.descending else column > edge
    yield _Arm(and_(*ties, comes_later), later)
    if key.nulls_last and _nullable(model, key):
        yield _Arm(and_(*ties, column.is_(None)), later)


def _equal(model: type[Base], key: Key, value: Any) -> ColumnElement[bool]:
    column: ColumnElement[Any] = getattr(model, key.attribute)
    if value is None:
        return column.is_(None)
    return column == bound(value, column_of(model, key.attribute).type)


def _nullable(model: type[Base], key: Key) -> bool:
    return bool(column_of(model, key.attribute).nullable)
