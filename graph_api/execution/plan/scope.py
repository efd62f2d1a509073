"""Scopes: what one level of SQL reads, before it is SQL.

A scope is a list of rows of one place, with the rows that to-one relations lead to
beside them, and cells: what is selected of each. A cell's index is fixed when the
selection is planned; the statement that fills it may differ from request to request.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from graph_api.execution.plan.asked import GroupsAsked, PageAsked
from graph_api.models import Base
from graph_api.reading.aggregates import Measure
from graph_api.reading.relations import Relation, Rows


@dataclass(eq=False)
class Place:
    """One row of those that a scope reads side by side.

    Its own, or the one that `relation` leads to from the place `parent`. `attributes`
    are the columns that are needed of it.
    """

    model: type[Base]
    relation: Relation | None = None
    parent: "Place | None" = None
    attributes: set[str] = field(default_factory=lambda: {"id"})


@dataclass(frozen=True)
class ColumnCell:
    """A column; `as_text` where PostgreSQL spells the value as the answer has it."""

    place: Place
    attribute: str
    as_text: bool


@dataclass(frozen=True)
class ListCell:
    """The rows of a page, each with the cells of `scope`, nested as an array."""

    place: Place
    rows: Relation
    asked: PageAsked
    scope: "Scope"


@dataclass(frozen=True)
class CursorCell:
    """The values by which a row of a page is ordered."""

    place: Place
    asked: PageAsked


@dataclass(frozen=True)
class CountCell:
    """How many rows there are; `place` is None for those of a whole table."""

    place: Place | None
    rows: Rows
    asked: PageAsked


@dataclass(frozen=True)
class FiguresCell:
    """The exact count and the measures of all rows, side by side."""

    place: Place | None
    rows: Rows
    asked: PageAsked
    measures: tuple[Measure, ...]


@dataclass(frozen=True)
class GroupsCell:
    """The groups of all rows: their keys, their count and their measures."""

    place: Place | None
    rows: Rows
    asked: PageAsked
    groups: GroupsAsked


Cell = ColumnCell | ListCell | CursorCell | CountCell | FiguresCell | GroupsCell


class Scope:
    """What is read of each row of a list; without a model, of no row at all.

    The rows of a `nested` one are within a cell of another scope's rows.
    """

    def __init__(self, model: type[Base] | None, *, nested: bool = False) -> None:
        self.nested = nested
        self._base = None if model is None else Place(model)
        self.places: list[Place] = []
        self.cells: list[Cell] = []
        self._indexes: dict[Hashable, int] = {}
        self._places: dict[tuple[Place, Relation], Place] = {}

    @property
    def base(self) -> Place:
        """The place of the rows that the scope is a list of."""
        assert self._base is not None
        return self._base

    def index(self, cell: Cell) -> int:
        """Where a row has this cell; the same cell is selected only once."""
        if cell not in self._indexes:
            self._indexes[cell] = len(self.cells)
            self.cells.append(cell)
        return self._indexes[cell]

    def column(self, place: Place, attribute: str, *, as_text: bool = True) -> int:
        place.attributes.add(attribute)
        return self.index(ColumnCell(place, attribute, as_text))

    def beside(self, place: Place, relation: Relation) -> Place:
        """The place of the row that a to-one relation leads to."""
        at = (place, relation)
        if at not in self._places:
            place.attributes.add(relation.leaves_by)
            self._places[at] = Place(relation.target, relation, place)
            self.places.append(self._places[at])
        return self._places[at]

    def read_in(self, rows: Sequence[Any]) -> tuple[int, int]:
        """The rows that were read for these, with what is nested; and the figures."""
        read, figures = len(rows) * (1 + len(self.places)), 0
        for index, cell in enumerate(self.cells):
            if isinstance(cell, ListCell):
                for row in rows:
                    below = cell.scope.read_in(row[index] or ())
                    read += below[0]
                    figures += below[1]
            elif isinstance(cell, _FIGURES):
                figures += len(rows)
        return read, figures


_FIGURES = (CountCell, FiguresCell, GroupsCell)
