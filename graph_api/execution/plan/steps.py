"""Steps: the statements of a plan, with what is shown of their rows."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from graph_api.database.statements import Statement
from graph_api.execution.plan.asked import Asked, AskedAt
from graph_api.execution.plan.connections import needs_more
from graph_api.execution.plan.planning import Branch, Planning
from graph_api.execution.plan.rows import RowsShown, View, iterators, page_asked
from graph_api.execution.plan.running import Running
from graph_api.execution.plan.scope import Scope
from graph_api.execution.plan.selections import Selected, Unplanned
from graph_api.execution.plan.spots import Held
from graph_api.execution.plan.statements import KEYS, by_ids, of_figures, of_page
from graph_api.models import Base
from graph_api.schema.sources import Connected, Listed

# Selections of one type side by side, each of which is read for all of its rows.
MAX_VIEWS = 4


class Reading:
    """The rows of one step in one run, and what they are shown by."""

    def __init__(self, running: Running, pages: dict[str, AskedAt]) -> None:
        self.running = running
        self.pages = pages
        self.rows: list[Any] = []
        self.figures: Any = None
        self._prepared: dict[int, list[Any]] = {}

    def prepare(self, view: View) -> None:
        """Work out what the view's streams have to know, and what they lead to."""
        self._prepared[id(view)] = [
            stream.prepare(stream.rows(self.rows, self.pages), self.running)
            for stream in view.streams
        ]

    def show(self, view: View) -> Any:
        streams = iterators(view, self._prepared[id(view)], self.running)
        return view.shape(self.rows, self.figures, self.pages, streams, self.running)


class Statements:
    """The statements of a step, by the shapes of what is asked.

    They are kept with those of all other steps, so that no plan can have too many.
    """

    def __init__(self, planning: Planning) -> None:
        self._kept = planning.statements

    def of(self, pages: dict[str, AskedAt], make: Callable[[], Statement]) -> Statement:
        key = (self, *[at.key for at in pages.values()])
        return self._kept.get(key) or self._kept.keep(key, make())


def _asked_at(asked: dict[str, Asked], running: Running) -> dict[str, AskedAt]:
    context, variables = running.context, running.variables
    return {name: one.at(variables, context) for name, one in asked.items()}


def _values(pages: dict[str, AskedAt]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for at in pages.values():
        values |= at.values
    return values


class RowsStep:
    """The rows of one model that are meant by their keys, shown in several places."""

    def __init__(
        self, planning: Planning, model: type[Base], branches: list[Branch], depth: int
    ) -> None:
        self._model = model
        self._scope = Scope(model)
        self._asked: dict[str, Asked] = {}
        self._statements = Statements(planning)
        self._key = self._scope.column(self._scope.base, "id", as_text=False)
        by_signature: dict[str, View] = {}
        self._views: dict[Branch, View] = {}
        type = planning.type_of(model)
        for branch in branches:
            view = by_signature.get(branch.signature)
            if view is None:
                shown = RowsShown(planning, self._asked, depth)
                view = shown.of_rows(branch.fields(type), self._scope)
                by_signature[branch.signature] = view
            self._views[branch] = view
        if len(by_signature) > MAX_VIEWS:
            raise Unplanned(
                f"it asks for {model.__name__} in more than {MAX_VIEWS} ways"
            )

    def knows(self, branches: Iterable[Branch]) -> bool:
        return all(branch in self._views for branch in branches)

    async def read(
        self, running: Running, keys: dict[Branch, list[UUID]]
    ) -> Callable[[], None]:
        """Read the rows; what it gives shows them, once what they lead to is read."""
        reading = Reading(running, _asked_at(self._asked, running))
        statement = self._statements.of(
            reading.pages, lambda: by_ids(self._scope, reading.pages)
        )
        all_keys = list({key: None for some in keys.values() for key in some})
        values = {KEYS: all_keys, **_values(reading.pages)}
        reading.rows = await running.fetch(statement, values)
        running.met(self._scope, reading.rows)
        views = {self._views[branch]: None for branch in keys}
        for view in views:
            reading.prepare(view)

        def show() -> None:
            ids = [(self._model, row[self._key]) for row in reading.rows]
            built = {
                view: dict(zip(ids, reading.show(view), strict=True)) for view in views
            }
            for branch in keys:
                running.keep(branch, built[self._views[branch]])

        return show


class PageStep:
    """A page of a whole table, as a connection or a list, shown in several places.

    Lists that are asked for in the same words are read once.
    """

    def __init__(self, planning: Planning, selected: Selected, depth: int) -> None:
        source = selected.source
        assert isinstance(source, Connected | Listed)
        self._planning = planning
        self._depth = depth
        self._source = source
        self._page = page_asked(planning, selected, source.rows)
        self._asked: dict[str, Asked] = {self._page.name: self._page}
        self._scope = Scope(source.rows.target)
        self._figures = Scope(None)
        self._reads_rows = False
        self._statements = Statements(planning)
        self._figure_statements = Statements(planning)
        self._selected: list[Selected] = []
        self._views: list[View] = []

    def show(self, selected: Selected) -> int:
        """Show the page in one more place; the number is that of the place."""
        self._selected.append(selected)
        return len(self._selected) - 1

    async def read(self, running: Running, _: Any) -> Callable[[], None]:
        """Read the page; what it gives shows it, once what it leads to is read."""
        if not self._views:
            self._make_views()
        pages = _asked_at(self._asked, running)
        reading = Reading(running, pages)
        values = _values(pages)
        if self._reads_rows:
            at: Any = pages[self._page.name]
            statement = self._statements.of(
                pages, lambda: of_page(self._scope, self._source.rows, at, pages)
            )
            reading.rows = await running.fetch(statement, values)
            running.met(self._scope, reading.rows)
        if self._figures.cells:
            statement = self._figure_statements.of(
                pages, lambda: of_figures(self._figures, pages)
            )
            (reading.figures,) = await running.fetch(statement, values)
            running.met(self._figures, [reading.figures])
        for view in self._views:
            reading.prepare(view)

        def show() -> None:
            shown = {i: reading.show(view) for i, view in enumerate(self._views)}
            running.keep(self, shown)

        return show

    def _make_views(self) -> None:
        """Make the code, when it is known what all places need."""
        self._page.more = any(map(self._needs_more, self._selected))
        held = Held(
            self._source.rows,
            self._page,
            self._scope,
            self._listed,
            (),
            self._figures,
            None,
            "F",
        )
        self._views = [self._view(selected, held) for selected in self._selected]

    def _view(self, selected: Selected, held: Held) -> View:
        shown = RowsShown(self._planning, self._asked, self._depth)
        if isinstance(self._source, Connected):
            return shown.of_page(selected, held)
        return shown.of_list(selected, held, first=self._source.first)

    def _needs_more(self, selected: Selected) -> bool:
        if isinstance(self._source, Listed):
            return False
        return needs_more(self._planning.selections, selected)

    def _listed(self) -> str:
        self._reads_rows = True
        return "rows"
