"""Rows: what is asked of the rows of a statement, as cells and as generated code.

A row is a record of cells, nested where a relation leads to many. The code for an
object is a dictionary display over the cells of one row; what has to be worked out for
all rows at once (computed fields, rows that ids lead to) comes as a stream, from which
the code takes one value at each row, in the order in which it visits them.
"""

from collections import namedtuple
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from graphql import GraphQLObjectType, is_composite_type

from graph_api.execution.plan.asked import Asked, GroupsAsked, PageAsked
from graph_api.execution.plan.code import Code
from graph_api.execution.plan.columns import identifier, native, spelled
from graph_api.execution.plan.planning import Planning
from graph_api.execution.plan.running import Anomaly, Running
from graph_api.execution.plan.scope import (
    CountCell,
    CursorCell,
    FiguresCell,
    GroupsCell,
    ListCell,
    Place,
    Scope,
)
from graph_api.execution.plan.selections import Selected, Selections, Unplanned
from graph_api.execution.plan.streams import (
    ComputedStream,
    GroupsShown,
    MeantStream,
    Stream,
    ValueStream,
)
from graph_api.reading.aggregates import MAX_COUNT
from graph_api.reading.columns import column_of
from graph_api.reading.relations import Relation, Rows
from graph_api.schema.aggregates import measures_asked
from graph_api.schema.sources import (
    ColumnValue,
    Computed,
    Connected,
    GlobalId,
    Itself,
    Part,
    Referred,
    Related,
    Source,
)


@dataclass(frozen=True)
class Spot:
    """A row in the code: the variable that holds it, and the loops that lead there."""

    scope: Scope
    place: Place
    variable: str
    loops: tuple[str, ...]

    def cell(self, index: int) -> str:
        return f"{self.variable}[{index}]"


@dataclass(frozen=True)
class Held:
    """A page in the code: where its rows are, and where the figures about them."""

    rows: Rows
    asked: PageAsked
    scope: Scope
    # Its rows as an expression, made when it is first needed.
    listed: Callable[[], str]
    loops: tuple[str, ...]
    # Where figures about the whole list have their cells.
    around: Scope
    place: Place | None
    variable: str

    def figure(self, cell: CountCell | FiguresCell | GroupsCell) -> str:
        if self.place is not None and isinstance(self.rows, Relation):
            self.place.attributes.add(self.rows.leaves_by)
        return f"{self.variable}[{self.around.index(cell)}]"


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
        self._planning = planning
        self._asked = asked
        self._depth = depth
        self._code = Code()
        self._streams: list[Stream] = []

    def of_rows(self, fields: list[Selected], scope: Scope) -> View:
        """One object for each row."""
        variable = self._code.variable()
        loop = f"for {variable} in rows"
        spot = Spot(scope, scope.base, variable, (loop,))
        return self._view(f"[{self._object(fields, spot)} {loop}]")

    def of_page(self, selected: Selected, held: Held) -> View:
        """A connection to a page of a whole table."""
        return self._view(self._connection(selected, held))

    def of_list(self, selected: Selected, held: Held, *, first: bool) -> View:
        """The rows of a page as a plain list, or only the first of them."""
        items = self._items(selected, held)
        return self._view(f"next(iter({items}), None)" if first else items)

    def _view(self, expression: str) -> View:
        prelude = self._prelude()
        takes = (f"s{i} = S[{i}].__next__" for i in range(len(self._streams)))
        shape = self._code.function(
            "rows, F, P, S, R", *prelude, *takes, f"return {expression}"
        )
        return View(shape, tuple(self._streams))

    def _prelude(self) -> list[str]:
        return [f'{name} = P["{name}"]' for name in self._asked]

    def _object(self, fields: list[Selected], spot: Spot) -> str:
        entries = (f"{f.response_name!r}: {self._value(f, spot)}" for f in fields)
        return "{" + ", ".join(entries) + "}"

    def _below(self, selected: Selected, spot: Spot) -> str:
        """The object below a field, whose row is at `spot`."""
        type = selected.type
        if not isinstance(type, GraphQLObjectType):
            raise Unplanned(f"{selected} leads from a row to an abstract type")
        fields = self._planning.selections.below(type, selected.details)
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
        return identifier(self._code, selected.parent.name, key)

    def _itself(self, selected: Selected, _: Itself, spot: Spot) -> str:
        return self._below(selected, spot)

    def _reckoned(self, selected: Selected, source: Computed, spot: Spot) -> str:
        rows = self._gathered(spot, source.columns)
        arguments = self._planning.arguments(selected)
        shown = self._shown(selected)
        return self._stream(ComputedStream(rows, source, arguments, shown))

    def _meant(self, selected: Selected, source: Referred, spot: Spot) -> str:
        rows = self._gathered(spot, source.columns)
        arguments = self._planning.arguments(selected)
        branch = self._planning.branch(selected, self._depth + 1)
        required = selected.is_required
        return self._stream(MeantStream(rows, source, arguments, branch, required))

    def _connected(self, selected: Selected, source: Connected, spot: Spot) -> str:
        if not isinstance(source.rows, Relation):
            raise Unplanned(f"{selected} leads from a row to a whole table")
        return self._connection(selected, self._held(selected, source.rows, spot))

    def _column(self, selected: Selected, source: ColumnValue, spot: Spot) -> str:
        attribute = source.attribute
        column = column_of(spot.place.model, attribute)
        if is_composite_type(selected.type):
            values = self._gathered(spot, (attribute,))
            shown = self._shown(selected)
            return self._stream(ValueStream(values, attribute, shown))
        cell = spot.cell(spot.scope.column(spot.place, attribute))
        return spelled(self._code, column, selected.definition.type, cell)

    def _related(self, selected: Selected, source: Related, spot: Spot) -> str:
        beside = spot.scope.beside(spot.place, source.relation)
        there = f"{spot.cell(spot.scope.column(beside, 'id'))} is not None"
        below = replace(spot, place=beside, loops=(*spot.loops, f"if {there}"))
        shown = self._below(selected, below)
        otherwise = f"{self._code.name(_missing)}()" if selected.is_required else "None"
        return f"({shown} if {there} else {otherwise})"

    def _held(self, selected: Selected, rows: Relation, spot: Spot) -> Held:
        asked = self._page(selected, rows)
        asked.more = needs_more(self._planning.selections, selected)
        scope = Scope(rows.target)

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
        asked = page_asked(self._planning, selected, rows)
        self._asked[asked.name] = asked
        return asked

    def _connection(self, selected: Selected, held: Held) -> str:
        type = selected.type
        assert isinstance(type, GraphQLObjectType)
        fields = self._planning.selections.below(type, selected.details)
        entries = (f"{f.response_name!r}: {self._part(f, held)}" for f in fields)
        return "{" + ", ".join(entries) + "}"

    def _part(self, selected: Selected, held: Held) -> str:
        if selected.source is None:
            return repr(selected.parent.name)
        assert isinstance(selected.source, Part)
        show = self._BY_PART.get(selected.source.name)
        if show is None:
            raise Unplanned(f"{selected} is no part of a connection that plans know")
        return show(self, selected, held)

    def _each(self, held: Held) -> Spot:
        """Each row of a page, in the list's order."""
        variable = self._code.variable()
        # A row of nothing cannot be written down.
        held.scope.column(held.scope.base, "id")
        listed = held.listed()
        if held.asked.may_be_cut:
            listed = f"{held.asked.name}.cut({listed})"
        loops = (*held.loops, f"for {variable} in {listed}")
        return Spot(held.scope, held.scope.base, variable, loops)

    def _items(self, selected: Selected, held: Held) -> str:
        spot = self._each(held)
        return f"[{self._below(selected, spot)} {spot.loops[-1]}]"

    def _edges(self, selected: Selected, held: Held) -> str:
        spot = self._each(held)
        type = selected.type
        assert isinstance(type, GraphQLObjectType)
        entries = (
            f"{f.response_name!r}: {self._edge_part(f, held, spot)}"
            for f in self._planning.selections.below(type, selected.details)
        )
        return f"[{{{', '.join(entries)}}} {spot.loops[-1]}]"

    def _edge_part(self, selected: Selected, held: Held, spot: Spot) -> str:
        if selected.source is None:
            return repr(selected.parent.name)
        assert isinstance(selected.source, Part)
        if selected.source.name == "node":
            return self._below(selected, spot)
        return f"{held.asked.name}.cursor({spot.cell(self._cursor(held))})"

    def _cursor(self, held: Held) -> int:
        return held.scope.index(CursorCell(held.scope.base, held.asked))

    def _page_info(self, selected: Selected, held: Held) -> str:
        type = selected.type
        assert isinstance(type, GraphQLObjectType)
        held.scope.column(held.scope.base, "id")
        listed, asked = held.listed(), held.asked.name
        entries = []
        for field in self._planning.selections.below(type, selected.details):
            if field.source is None:
                value = repr(field.parent.name)
            elif field.python_name.startswith("has_"):
                what = field.python_name.removesuffix("_page")
                value = f"{asked}.{what}({listed})"
            else:
                value = f"{asked}.{field.python_name}({listed}, {self._cursor(held)})"
            entries.append(f"{field.response_name!r}: {value}")
        return "{" + ", ".join(entries) + "}"

    def _total_count(self, _: Selected, held: Held) -> str:
        return f"min({self._count(held)}, {MAX_COUNT})"

    def _capped(self, _: Selected, held: Held) -> str:
        return f"({self._count(held)} > {MAX_COUNT})"

    def _count(self, held: Held) -> str:
        return held.figure(CountCell(held.place, held.rows, held.asked))

    def _figures(self, selected: Selected, held: Held) -> str:
        selections = self._planning.selections
        model = held.rows.target
        measures = measures_asked(model, selected.nodes, selections.fragments)
        record = held.figure(FiguresCell(held.place, held.rows, held.asked, measures))
        labels = ("count", *(measure.label for measure in measures))
        shown = self._shown(selected)

        def figures(values: Any, running: Running) -> Any:
            return shown.build(dict(zip(labels, values, strict=True)), running)

        return f"{self._code.name(figures)}({record}, R)"

    def _groups(self, selected: Selected, held: Held) -> str:
        selections = self._planning.selections
        model = held.rows.target
        measures = measures_asked(model, selected.nodes, selections.fragments)
        asked = GroupsAsked(
            self._planning.name(),
            model,
            self._planning.arguments(selected),
            measures,
        )
        self._asked[asked.name] = asked
        records = held.figure(GroupsCell(held.place, held.rows, held.asked, asked))
        shown = GroupsShown(model, measures, self._shown(selected))
        return f"{self._code.name(shown)}({records}, {asked.name}, R)"

    def _shown(self, selected: Selected) -> Any:
        planning = self._planning
        return planning.show(selected.definition.type, selected, self._depth, planning)

    def _gathered(self, spot: Spot, columns: tuple[str, ...]) -> Callable[..., Any]:
        """The function that gives, for each row, the columns as a row has them."""
        row = namedtuple("Row", columns)  # type: ignore[misc] # noqa: PYI024 - its fields are those of the request
        values = (
            native(
                self._code,
                column_of(spot.place.model, name),
                spot.cell(spot.scope.column(spot.place, name, as_text=False)),
            )
            for name in columns
        )
        loops = " ".join(spot.loops)
        made = f"{self._code.name(row)}({', '.join(values)})"
        # Loops that are made later add to what is asked, so that all is known by then.
        return Late(self._code, lambda: [*self._prelude(), f"return [{made} {loops}]"])

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
    }
    _BY_PART: ClassVar[dict[str, Callable[..., str]]] = {
        "nodes": _items,
        "edges": _edges,
        "page_info": _page_info,
        "total_count": _total_count,
        "total_count_capped": _capped,
        "aggregate": _figures,
        "groups": _groups,
    }


class Late:
    """A function whose code is made when it is first called."""

    def __init__(self, code: Code, body: Callable[[], list[str]]) -> None:
        self._code = code
        self._body = body
        self._made: Callable[..., Any] | None = None

    def __call__(self, rows: list[Any], pages: Any) -> list[Any]:
        if self._made is None:
            self._made = self._code.function("rows, P", *self._body())
        found: list[Any] = self._made(rows, pages)
        return found


def needs_more(selections: Selections, selected: Selected) -> bool:
    """Whether a connection is asked if there are more rows than its page has."""
    type = selected.type
    assert isinstance(type, GraphQLObjectType)
    return any(
        isinstance(part.source, Part) and part.source.name == "page_info"
        for part in selections.below(type, selected.details)
    )


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
