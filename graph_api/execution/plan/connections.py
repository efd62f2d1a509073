"""Connections in generated code: a page's rows, its edges, and figures about all."""

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from graphql import GraphQLObjectType

from graph_api.execution.plan.asked import Asked, GroupsAsked
from graph_api.execution.plan.code import Code
from graph_api.execution.plan.planning import Planning, Shown
from graph_api.execution.plan.running import Running
from graph_api.execution.plan.scope import (
    CountCell,
    CursorCell,
    FiguresCell,
    GroupsCell,
)
from graph_api.execution.plan.selections import Selected, Selections, Unplanned
from graph_api.execution.plan.spots import Held, Spot
from graph_api.execution.plan.streams import GroupsShown
from graph_api.reading.aggregates import MAX_COUNT
from graph_api.schema.aggregates import measures_asked
from graph_api.schema.sources import Part


class RowCode(Protocol):
    """What makes the code for the rows that a connection leads to."""

    planning: Planning
    asked: dict[str, Asked]
    code: Code

    def below(self, selected: Selected, spot: Spot) -> str:
        """The object below a field, whose row is at `spot`."""

    def shown(self, selected: Selected) -> Shown:
        """How values of a field are shown that are no rows."""


class ConnectionCode:
    """Makes the code for connections."""

    def __init__(self, rows: RowCode) -> None:
        self._rows = rows

    def connection(self, selected: Selected, held: Held) -> str:
        """The object of a connection, with the parts that are asked of it."""
        type = selected.type
        assert isinstance(type, GraphQLObjectType)
        fields = self._rows.planning.selections.below(type, selected.details)
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
        variable = self._rows.code.variable()
        listed = held.listed()
        if held.asked.may_be_cut:
            listed = f"{held.asked.name}.cut({listed})"
        loops = (*held.loops, f"for {variable} in {listed}")
        return Spot(held.scope, held.scope.base, variable, loops)

    def items(self, selected: Selected, held: Held) -> str:
        """The rows of a page as a list of objects."""
        spot = self._each(held)
        return f"[{self._rows.below(selected, spot)} {spot.loops[-1]}]"

    def _edges(self, selected: Selected, held: Held) -> str:
        spot = self._each(held)
        type = selected.type
        assert isinstance(type, GraphQLObjectType)
        entries = (
            f"{f.response_name!r}: {self._edge_part(f, held, spot)}"
            for f in self._rows.planning.selections.below(type, selected.details)
        )
        return f"[{{{', '.join(entries)}}} {spot.loops[-1]}]"

    def _edge_part(self, selected: Selected, held: Held, spot: Spot) -> str:
        if selected.source is None:
            return repr(selected.parent.name)
        assert isinstance(selected.source, Part)
        if selected.source.name == "node":
            return self._rows.below(selected, spot)
        return f"{held.asked.name}.cursor({spot.cell(self._cursor(held))})"

    def _cursor(self, held: Held) -> int:
        return held.scope.index(CursorCell(held.scope.base, held.asked))

    def _page_info(self, selected: Selected, held: Held) -> str:
        type = selected.type
        assert isinstance(type, GraphQLObjectType)
        listed, asked = held.listed(), held.asked.name
        entries = []
        for field in self._rows.planning.selections.below(type, selected.details):
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
        selections = self._rows.planning.selections
        model = held.rows.target
        measures = measures_asked(model, selected.nodes, selections.fragments)
        record = held.figure(FiguresCell(held.place, held.rows, held.asked, measures))
        labels = ("count", *(measure.label for measure in measures))
        shown = self._rows.shown(selected)

        def figures(values: Any, running: Running) -> Any:
            return shown.build(dict(zip(labels, values, strict=True)), running)

        return f"{self._rows.code.name(figures)}({record}, R)"

    def _groups(self, selected: Selected, held: Held) -> str:
        selections = self._rows.planning.selections
        model = held.rows.target
        measures = measures_asked(model, selected.nodes, selections.fragments)
        asked = GroupsAsked(
            self._rows.planning.name(),
            model,
            self._rows.planning.arguments(selected),
            measures,
        )
        self._rows.asked[asked.name] = asked
        records = held.figure(GroupsCell(held.place, held.rows, held.asked, asked))
        shown = GroupsShown(model, measures, self._rows.shown(selected))
        return f"{self._rows.code.name(shown)}({records}, {asked.name}, R)"

    _BY_PART: ClassVar[dict[str, Callable[..., str]]] = {
        "nodes": items,
        "edges": _edges,
        "page_info": _page_info,
        "total_count": _total_count,
        "total_count_capped": _capped,
        "aggregate": _figures,
        "groups": _groups,
    }


def needs_more(selections: Selections, selected: Selected) -> bool:
    """Whether a connection is asked if there are more rows than its page has."""
    type = selected.type
    assert isinstance(type, GraphQLObjectType)
    return any(
        isinstance(part.source, Part) and part.source.name == "page_info"
        for part in selections.below(type, selected.details)
    )
