"""Rows: what is asked of the rows of a statement, as cells and as generated code.

A row is a record of cells, nested where a relation leads to many. The code for an
object is a dictionary display over the cells of one row; what has to be worked out for
all rows at once (computed fields, rows that ids lead to) comes as a stream, from which
the code takes one value at each row, in the order in which it visits them.
"""

from collections import namedtuple
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar

from graphql import GraphQLObjectType, is_composite_type, is_leaf_type

from graph_api.execution.plan.asked import Asked, PageAsked
from graph_api.execution.plan.code import Code
from graph_api.execution.plan.columns import identifier, native, spelled
from graph_api.execution.plan.connections import ConnectionCode, needs_more
from graph_api.execution.plan.planning import Planning, Shown
from graph_api.execution.plan.running import Anomaly, Running
from graph_api.execution.plan.scope import (
    ListCell,
    Place,
    Scope,
)
from graph_api.execution.plan.selections import Selected, Unplanned
from graph_api.execution.plan.spots import Held, Spot
from graph_api.execution.plan.streams import (
    ComputedStream,
    MeantStream,
    Stream,
    ValueStream,
)
from graph_api.reading.columns import column_of
from graph_api.reading.relations import Relation, Rows
from graph_api.schema.sources import (
    ColumnValue,
    Computed,
    Connected,
    GlobalId,
    Itself,
    Referred,
    Related,
    Restricted,
    Source,
)

Shape = Callable[..., Any]


@dataclass(frozen=True)
class View:
    """How the rows of a step are shown in one place of the answer."""

    shape: Shape
    streams: tuple[Stream, ...]


def _missing() -> Any:
    raise Anomaly("null where there must be a value")


class RowsShown:
    """Makes the code that shows the rows of one step in one place of the answer."""

    def __init__(self, planning: Planning, asked: dict[str, Asked], depth: int) -> None:
        self.planning = planning
        self.asked = asked
        self._depth = depth
        self.code = Code()
        self._streams: list[Stream] = []
        self._connections = ConnectionCode(self)

    def of_rows(self, fields: list[Selected], scope: Scope) -> View:
        """One object for each row."""
        variable = self.code.variable()
        loop = f"for {variable} in rows"
        spot = Spot(scope, scope.base, variable, (loop,))
        return self._view(f"[{self._object(fields, spot)} {loop}]")

    def of_page(self, selected: Selected, held: Held) -> View:
        """A connection to a page of a whole table."""
        return self._view(self._connections.connection(selected, held))

    def of_list(self, selected: Selected, held: Held, *, first: bool) -> View:
        """The rows of a page as a plain list, or only the first of them."""
        items = self._connections.items(selected, held)
        return self._view(f"next(iter({items}), None)" if first else items)

    def _view(self, expression: str) -> View:
        prelude = self._prelude()
        takes = (f"s{i} = S[{i}].__next__" for i in range(len(self._streams)))
        shape = self.code.function(
            "rows, F, P, S, R", *prelude, *takes, f"return {expression}"
        )
        return View(shape, tuple(self._streams))

    def _prelude(self) -> list[str]:
        return [f'{name} = P["{name}"]' for name in self.asked]

    def _object(self, fields: list[Selected], spot: Spot) -> str:
        entries = (f"{f.response_name!r}: {self._value(f, spot)}" for f in fields)
        return "{" + ", ".join(entries) + "}"

    def below(self, selected: Selected, spot: Spot) -> str:
        """The object below a field, whose row is at `spot`."""
        type = selected.type
        if not isinstance(type, GraphQLObjectType):
            raise Unplanned(f"{selected} leads from a row to an abstract type")
        fields = self.planning.selections.below(type, selected.details)
        return self._object(fields, spot)

    def _value(self, selected: Selected, spot: Spot) -> str:
        """The expression for a field of the row at `spot`."""
        if selected.source is None:
            return repr(selected.parent.name)
        show = self._BY_SOURCE.get(type(selected.source))
        if show is None:
            raise Unplanned(f"{selected} is read one by one")
        return show(self, selected, selected.source, spot)

    def _id(self, selected: Selected, _: GlobalId, spot: Spot) -> str:
        key = spot.cell(spot.scope.column(spot.place, "id"))
        return identifier(self.code, selected.parent.name, key)

    def _itself(self, selected: Selected, _: Itself, spot: Spot) -> str:
        return self.below(selected, spot)

    def _reckoned(self, selected: Selected, source: Computed, spot: Spot) -> str:
        rows = self._gathered(spot, source.columns)
        arguments = self.planning.arguments(selected)
        shown = self.shown(selected)
        return self._stream(ComputedStream(rows, source, arguments, shown))

    def _meant(self, selected: Selected, source: Referred, spot: Spot) -> str:
        rows = self._gathered(spot, source.columns)
        arguments = self.planning.arguments(selected)
        branch = self.planning.branch(selected, self._depth + 1)
        required = selected.is_required
        return self._stream(MeantStream(rows, source, arguments, branch, required))

    def _connected(self, selected: Selected, source: Connected, spot: Spot) -> str:
        if not isinstance(source.rows, Relation):
            raise Unplanned(f"{selected} leads from a row to a whole table")
        held = self._held(selected, source.rows, spot)
        return self._connections.connection(selected, held)

    def _column(self, selected: Selected, source: ColumnValue, spot: Spot) -> str:
        attribute = source.attribute
        column = column_of(spot.place.model, attribute)
        if is_composite_type(selected.type):
            values = self._gathered(spot, (attribute,))
            shown = self.shown(selected)
            return self._stream(ValueStream(values, shown))
        cell = spot.cell(spot.scope.column(spot.place, attribute))
        type, nested = selected.definition.type, spot.scope.nested
        return spelled(self.code, column, type, cell, nested=nested)

    def _related(self, selected: Selected, source: Related, spot: Spot) -> str:
        beside = spot.scope.beside(spot.place, source.relation)
        there = f"{spot.cell(self._presence(selected, spot.scope, beside))} is not None"
        below = replace(spot, place=beside, loops=(*spot.loops, f"if {there}"))
        shown = self.below(selected, below)
        otherwise = f"{self.code.name(_missing)}()" if selected.is_required else "None"
        return f"({shown} if {there} else {otherwise})"

    def _presence(self, selected: Selected, scope: Scope, place: Place) -> int:
        """A cell that is NULL only where there is no row at `place`.

        One that is asked for anyway, if it can be.
        """
        type = selected.type
        assert isinstance(type, GraphQLObjectType)
        for field in self.planning.selections.below(type, selected.details):
            if isinstance(field.source, GlobalId):
                return scope.column(place, "id")
            if isinstance(field.source, ColumnValue) and is_leaf_type(field.type):
                attribute = field.source.attribute
                if not column_of(place.model, attribute).nullable:
                    return scope.column(place, attribute)
        return scope.column(place, "id", as_text=scope.nested)

    def _held(self, selected: Selected, rows: Relation, spot: Spot) -> Held:
        asked = self._page(selected, rows)
        asked.more = needs_more(self.planning.selections, selected)
        scope = Scope(rows.target, nested=True)

        def listed() -> str:
            spot.place.attributes.add(rows.leaves_by)
            cell = ListCell(spot.place, rows, asked, scope)
            return spot.cell(spot.scope.index(cell))

        return Held(
            rows,
            asked,
            scope,
            listed,
            spot.loops,
            spot.scope,
            spot.place,
            spot.variable,
        )

    def _page(self, selected: Selected, rows: Rows) -> PageAsked:
        asked = page_asked(self.planning, selected, rows)
        self.asked[asked.name] = asked
        return asked

    def shown(self, selected: Selected) -> Shown:
        """How values of a field are shown that are no rows."""
        planning = self.planning
        return planning.show(selected.definition.type, selected, self._depth, planning)

    def _restricted(self, selected: Selected, source: Restricted, spot: Spot) -> str:
        streams, owner = len(self._streams), "None"
        value = self._value(replace(selected, source=source.source), spot)
        if source.reserved.owner is not None:
            if len(self._streams) > streams:
                raise Unplanned(f"{selected} is read for some rows and not for others")
            name = source.reserved.owner
            owner = spot.cell(spot.scope.column(spot.place, name, as_text=False))
        may_see = self.code.name(source.is_shown)
        return f"({value} if {may_see}(R.context, {owner}) else None)"

    def _gathered(self, spot: Spot, columns: tuple[str, ...]) -> Callable[..., Any]:
        """The function that gives, for each row, the columns as a row has them."""
        row = _row_type(columns)
        values = (
            native(
                self.code,
                column_of(spot.place.model, name),
                spot.cell(spot.scope.column(spot.place, name, as_text=False)),
            )
            for name in columns
        )
        loops = " ".join(spot.loops)
        made = f"{self.code.name(row)}({', '.join(values)})"
        # Loops that are made later add to what is asked, so that all is known by then.
        return Late(self.code, lambda: [*self._prelude(), f"return [{made} {loops}]"])

    def _stream(self, stream: Stream) -> str:
        self._streams.append(stream)
        return f"s{len(self._streams) - 1}()"

    _BY_SOURCE: ClassVar[dict[type[Source], Callable[..., str]]] = {
        ColumnValue: _column,
        GlobalId: _id,
        Itself: _itself,
        Related: _related,
        Connected: _connected,
        Computed: _reckoned,
        Referred: _meant,
        Restricted: _restricted,
    }


@cache
def _row_type(columns: tuple[str, ...]) -> type:
    """Rows with these columns; computed fields name some, so that there are few."""
    return namedtuple("Row", columns)  # noqa: PYI024 - its fields are given


class Late:
    """A function whose code is made when it is first called."""

    def __init__(self, code: Code, body: Callable[[], list[str]]) -> None:
        self._code = code
        # What makes it knows all that is made with it, and is let go as soon as it can.
        self._body: Callable[[], list[str]] | None = body
        self._made: Callable[..., Any] | None = None

    def __call__(self, rows: list[Any], pages: Any) -> list[Any]:
        if self._body is not None:
            self._made, self._body = self._code.function("rows, P", *self._body()), None
        assert self._made is not None
        found: list[Any] = self._made(rows, pages)
        return found


def page_asked(planning: Planning, selected: Selected, rows: Rows) -> PageAsked:
    """The page that a connection or a list asks for."""
    source: Any = selected.source
    return PageAsked(
        planning.name(),
        planning.arguments(selected),
        source.page,
        rows.name,
        is_fixed=isinstance(source, Connected),
    )


def iterators(view: View, prepared: list[Any], running: Running) -> list[Iterator[Any]]:
    """The values of a view's streams, to be taken one by one."""
    return [
        iter(stream.values(items, running))
        for stream, items in zip(view.streams, prepared, strict=True)
    ]
