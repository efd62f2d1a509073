"""Places in generated code: the row at hand, and the page that is held."""

from collections.abc import Callable
from dataclasses import dataclass

from graph_api.execution.plan.asked import PageAsked
from graph_api.execution.plan.scope import (
    CountCell,
    FiguresCell,
    GroupsCell,
    Place,
    Scope,
)
from graph_api.reading.relations import Relation, Rows


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
