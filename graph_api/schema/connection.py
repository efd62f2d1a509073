"""Connections: Relay's, with the plain `nodes`, and figures about the whole list.

A connection is not read when it is made. Its parts ask the loaders, which read the page
once for `nodes`, `edges` and `pageInfo` together, and figures only where selected.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import strawberry
from graphql import FieldNode

from graph_api.errors import BadUserInput
from graph_api.models import Base
from graph_api.reading.aggregates import MAX_COUNT
from graph_api.reading.cursors import Values
from graph_api.reading.loaders import List
from graph_api.reading.ordering import Order
from graph_api.reading.pages import Page
from graph_api.reading.relations import Rows
from graph_api.schema.aggregates import (
    Fragments,
    aggregate_type,
    group_type,
    measures_asked,
)
from graph_api.schema.conditions import condition
from graph_api.schema.context import Context, Info
from graph_api.schema.fields import Deferred, argument, maybe, object_type, row_field
from graph_api.schema.filters import filter_type
from graph_api.schema.grouping import group_arguments, grouping
from graph_api.schema.ordering import order, order_type
from graph_api.schema.registry import shown_as
from graph_api.schema.sources import Connected, Given, Part

DEFAULT_PAGE = 20


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(
        description="Whether there are more after this page."
    )
    has_previous_page: bool = strawberry.field(
        description="Whether there are more before this page."
    )
    start_cursor: str | None = strawberry.field(
        description="The cursor of the first object on this page."
    )
    end_cursor: str | None = strawberry.field(
        description="The cursor of the last object on this page."
    )


@dataclass(frozen=True)
class Edge:
    """A row, and where it stands in its list."""

    row: Any
    list_name: str
    order: Order


@dataclass(frozen=True)
class Listing:
    """A list of rows, of which a page is asked for."""

    context: Context
    of: List
    page: Page

    async def rows(self) -> list[Any]:
        """The rows of the page, in the list's order."""
        return self.page.cut(await self.context.loaders.page(self.of, self.page))

    async def edges(self) -> list[Edge]:
        name, order = self.of.rows.name, self.page.order
        return [Edge(row, name, order) for row in await self.rows()]

    async def page_info(self) -> PageInfo:
        page = self.page
        read = await self.context.loaders.page(self.of, page)
        rows = page.cut(read)
        return PageInfo(
            has_next_page=page.has_next(read),
            has_previous_page=page.has_previous(read),
            start_cursor=self._cursor(rows[0]) if rows else None,
            end_cursor=self._cursor(rows[-1]) if rows else None,
        )

    async def counted(self) -> int:
        return await self.context.loaders.count(self.of, self.page.where)

    def _cursor(self, row: Any) -> str:
        return self.context.cursors.write(self.of.rows.name, self.page.order, row)


def connection_field(rows: Rows, description: str) -> Any:
    """A connection to the rows that belong to the key of this row, or to all rows."""
    model = rows.target
    source = Connected(
        rows, lambda context, given: _page(context, rows, given), Listing
    )
    return row_field(connected(model), source, description, _arguments(model))


def connected(model: type[Base]) -> Any:
    """The type of connections to rows of `model`."""
    return Deferred(f"{model.__name__}Connection", lambda: _connection_type(model))


def _arguments(model: type[Base]) -> list[Any]:
    name = model.__name__
    a_filter: Any = Deferred(f"{name}Filter", lambda: filter_type(model))
    an_order: Any = Deferred(f"{name}Order", lambda: order_type(model))
    return [
        argument("filter", maybe(a_filter), "Which of them; all, if left out."),
        argument(
            "order_by",
            maybe(list[an_order]),
            "In which order: at most three keys, the first counting most. By default, "
            "the order in which they were made.",
        ),
        argument(
            "first",
            maybe(int),
            f"How many, from the start or `after`; {DEFAULT_PAGE} if neither `first` "
            "nor `last` is given.",
        ),
        argument("after", maybe(str), "Only those after this cursor."),
        argument("last", maybe(int), "How many, back from the end or `before`."),
        argument("before", maybe(str), "Only those before this cursor."),
    ]


def _page(context: Context, rows: Rows, given: Given) -> Page:
    first, last = given.get("first"), given.get("last")
    if first is not None and last is not None:
        raise BadUserInput("Pass `first` or `last`, not both.")
    backward = last is not None
    size = last if backward else first
    if size is None:
        size = min(DEFAULT_PAGE, context.max_page)
    if not 0 <= size <= context.max_page:
        raise BadUserInput(
            f"`{'last' if backward else 'first'}` must be from 0 to "
            f"{context.max_page}, not {size}."
        )
    ordered = order(rows.target, given.get("order_by"))

    def place(name: str) -> Values | None:
        cursor = given.get(name)
        if cursor is None:
            return None
        return context.cursors.read(cursor, rows.name, ordered, rows.target)

    return Page(
        limit=size,
        order=ordered,
        where=condition(rows.target, given.get("filter")),
        after=place("after"),
        before=place("before"),
        backward=backward,
    )


@cache
def _edge_type(model: type[Base]) -> Any:
    def cursor(edge: Edge, info: Info, _: Any) -> str:
        return info.context.cursors.write(edge.list_name, edge.order, edge.row)

    name = model.__name__
    return object_type(
        f"{name}Edge",
        f"`{name}`, and where it stands in its list.",
        {
            "node": row_field(
                shown_as(model), Part("node", lambda e, *_: e.row), "The object."
            ),
            "cursor": row_field(
                str,
                Part("cursor", cursor),
                "Its place, to be passed as `after` or `before`.",
            ),
        },
    )


@cache
def _connection_type(model: type[Base]) -> Any:
    name = model.__name__
    node: Any = shown_as(model)
    edge: Any = _edge_type(model)
    return object_type(
        f"{name}Connection",
        f"A page of a list of {name} objects, and figures about the whole list.",
        {
            "nodes": row_field(
                list[node],
                Part("nodes", lambda of, *_: of.rows()),
                "The objects on this page.",
            ),
            "edges": row_field(
                list[edge],
                Part("edges", lambda of, *_: of.edges()),
                "The objects on this page with their cursors.",
            ),
            "page_info": row_field(
                PageInfo,
                Part("page_info", lambda of, *_: of.page_info()),
                "Where this page stands.",
            ),
            "total_count": row_field(
                int,
                Part("total_count", _total_count),
                f"How many there are on all pages, counting no further than "
                f"{MAX_COUNT}; `aggregate` counts exactly.",
            ),
            "total_count_capped": row_field(
                bool,
                Part("total_count_capped", _capped),
                f"Whether there are more than {MAX_COUNT}.",
            ),
            "aggregate": row_field(
                aggregate_type(model),
                Part("aggregate", _figures),
                "Figures about those on all pages.",
            ),
            "groups": _groups_field(model),
        },
    )


async def _total_count(of: Listing, *_: Any) -> int:
    return min(await of.counted(), MAX_COUNT)


async def _figures(of: Listing, info: Info, _: Any) -> Any:
    measures = measures_asked(of.of.rows.target, *_asked(info))
    return await of.context.loaders.figures(of.of, of.page.where, measures)


def _asked(info: Info) -> tuple[list[FieldNode], Fragments]:
    raw = info._raw_info  # noqa: SLF001 - the only way to the selection
    return raw.field_nodes, raw.fragments


async def _capped(of: Listing, *_: Any) -> bool:
    return await of.counted() > MAX_COUNT


def _groups_field(model: type[Base]) -> Any:
    group: Any = group_type(model)
    return row_field(
        list[group],
        Part("groups", _groups),
        "Those on all pages, sorted into groups; the largest groups first.",
        group_arguments(model),
    )


async def _groups(of: Listing, info: Info, given: dict[str, Any]) -> list[Any]:
    model = of.of.rows.target
    measures = measures_asked(model, *_asked(info))
    wanted = grouping(model, given, measures, of.context.max_page)
    return await of.context.loaders.groups(of.of, of.page.where, wanted)
