"""Statements: a scope and the shapes of its pages, as one SELECT.

To-one relations are joined in LATERAL, to-many ones are arrays of records: a statement
reads a whole tree of relations, and asyncpg decodes the records as they come. The SQL
of relations, pages and figures is that of `reading`, for both paths.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    FromClause,
    Select,
    Text,
    Uuid,
    any_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import array

from graph_api.database.statements import Statement, compiled
from graph_api.execution.plan.asked import At, GroupsAt
from graph_api.execution.plan.columns import is_text
from graph_api.execution.plan.scope import (
    Cell,
    ColumnCell,
    CountCell,
    CursorCell,
    FiguresCell,
    GroupsCell,
    ListCell,
    Place,
    Scope,
)
from graph_api.models import Base
from graph_api.reading.aggregates import count_of, figures_of, groups_of
from graph_api.reading.columns import column_of
from graph_api.reading.ordering import total
from graph_api.reading.pages import Page, page_of
from graph_api.reading.relations import Relation, Rows, all_rows

KEYS = "keys"

# What each page and each grouping is asked for, by the names of the askers.
Shapes = Mapping[str, At | GroupsAt]


def by_ids(scope: Scope, shapes: Shapes) -> Statement:
    """The rows of a model that the bind `keys` names."""
    model: Any = scope.base.model
    cells, joined = _Builder(shapes).read(scope, _table(model, scope.base.attributes))
    return compiled(select(*cells).select_from(joined))


def of_page(scope: Scope, rows: Rows, at: At, shapes: Shapes) -> Statement:
    """The rows of a page of a whole table."""
    cut = page_of(rows, at.shape, None, scope.base.attributes)
    cells, joined = _Builder(shapes).read(scope, cut.source)
    return compiled(select(*cells).select_from(joined).order_by(*cut.order))


def of_figures(scope: Scope, shapes: Shapes) -> Statement:
    """One row with figures about whole tables."""
    return compiled(select(*_Builder(shapes).cells(scope, {})))


def _table(model: Any, attributes: set[str]) -> FromClause:
    columns = (
        getattr(model, name).label(column_of(model, name).name)
        for name in sorted(attributes)
    )
    keys = bindparam(KEYS, type_=ARRAY(Uuid()))
    return (
        all_rows(model)
        .select(None, model)
        .with_only_columns(*columns, maintain_column_froms=True)
        .where(model.id == any_(keys))
        .subquery()
    )


class _Builder:
    """Puts one statement together."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes

    def read(
        self, scope: Scope, source: FromClause
    ) -> tuple[list[ColumnElement[Any]], FromClause]:
        """The cells of a scope whose rows are those of `source`, and all to join."""
        at: dict[Place | None, FromClause] = {scope.base: source}
        joined = source
        for place in scope.places:
            at[place] = self._beside(place, at[place.parent])
            joined = joined.outerjoin(at[place], true())
        return self.cells(scope, at), joined

    def cells(
        self, scope: Scope, at: Mapping[Place | None, FromClause]
    ) -> list[ColumnElement[Any]]:
        # Rows of which nothing is asked are still counted.
        made = (self._cell(cell, at, nested=scope.nested) for cell in scope.cells)
        return [*made] or [true()]

    def _beside(self, place: Place, parent: FromClause) -> FromClause:
        """The row that a to-one relation leads to, in a LATERAL with LIMIT 1."""
        relation, model = place.relation, place.model
        assert relation is not None
        assert place.parent is not None
        key = _column(parent, place.parent.model, relation.leaves_by)
        first = Page(limit=1, order=total(model, ()))
        if relation.leaves_by == "id":
            return page_of(relation, first, key, place.attributes).source
        columns = (
            getattr(model, name).label(column_of(model, name).name)
            for name in sorted(place.attributes)
        )
        return (
            relation.select(key, model)
            .with_only_columns(*columns, maintain_column_froms=True)
            .correlate(parent)
            .limit(literal_column("1"))
            .lateral()
        )

    def _cell(
        self, cell: Cell, at: Mapping[Place | None, FromClause], *, nested: bool
    ) -> ColumnElement[Any]:
        source = at.get(cell.place)
        match cell:
            case ColumnCell(place=place, attribute=name, as_text=as_text):
                assert source is not None
                column = _column(source, place.model, name)
                of = column_of(place.model, name)
                text = is_text(of, as_text=as_text, nested=nested)
                return _spelled(column) if text else column
            case CursorCell(place=place, asked=asked):
                assert source is not None
                keys = self._page(asked.name).order
                columns = [_column(source, place.model, k.attribute) for k in keys]
                return func.row(*columns)
            case ListCell():
                return self._list(cell, at)
        key = _key(cell.place, cell.rows, source)
        where = self._page(cell.asked.name).where
        match cell:
            case CountCell():
                return count_of(cell.rows, where, key).scalar_subquery()
            case FiguresCell():
                figures = figures_of(cell.rows, where, cell.measures, key)
                return _record(figures, key).scalar_subquery()
            case GroupsCell():
                return self._groups(cell, where, key)

    def _list(
        self, cell: ListCell, at: Mapping[Place | None, FromClause]
    ) -> ColumnElement[Any]:
        key = _key(cell.place, cell.rows, at[cell.place])
        page = self._page(cell.asked.name)
        cut = page_of(cell.rows, page, key, cell.scope.base.attributes)
        cells, joined = self.read(cell.scope, cut.source)
        rows = select(_nested(cells)).select_from(joined).order_by(*cut.order)
        return func.array(rows.scalar_subquery())

    def _groups(
        self, cell: GroupsCell, where: Any, key: ColumnElement[UUID] | None
    ) -> ColumnElement[Any]:
        shape: Any = self._shapes[cell.groups.name].shape
        groups = groups_of(cell.rows, where, shape, key)
        rows = _record(groups, key)
        source: Any = rows.get_final_froms()[0]
        keys = [source.c[name].asc().nulls_last() for name in shape.by]
        ordered = rows.order_by(source.c.count.desc(), *keys)
        return func.array(ordered.scalar_subquery())

    def _page(self, name: str) -> Page:
        shape = self._shapes[name].shape
        assert isinstance(shape, Page)
        return shape


def _nested(cells: list[ColumnElement[Any]]) -> ColumnElement[Any]:
    """The cells of a row in a list: an array where all are texts, or a record.

    The driver reads an array in less than half the time.
    """
    if all(isinstance(cell.type, Text) for cell in cells):
        return array(cells)
    return func.row(*cells)


def _record(statement: Select[Any], key: ColumnElement[UUID] | None) -> Select[Any]:
    """Each row of a statement as one record."""
    source = statement.subquery() if key is None else statement.lateral()
    return select(func.row(*source.c)).select_from(source)


def _key(
    place: Place | None, rows: Rows, source: FromClause | None
) -> ColumnElement[UUID] | None:
    if place is None or source is None or not isinstance(rows, Relation):
        return None
    key: ColumnElement[UUID] = _column(source, place.model, rows.leaves_by)
    return key


def _column(source: FromClause, model: type[Base], attribute: str) -> Any:
    return source.c[column_of(model, attribute).name]


def _spelled(column: ColumnElement[Any]) -> ColumnElement[Any]:
    if isinstance(column.type, DateTime):
        # The session's time zone is UTC. PostgreSQL leaves out zeros at the end.
        column = cast(column, DateTime(timezone=False))
    return cast(column, Text())
