"""Batched reads: within one operation, a relation costs one statement a level.

There is no loader per entity. Whatever is asked of many rows in the same terms (the
same relation, page, filter, figures) is asked of the database once, for all of them.
"""

from asyncio import Future, shield
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ARRAY, Select, Uuid, any_, func, literal, select, true
from sqlalchemy.orm import aliased

from graph_api.database.engine import Connection
from graph_api.models import Base
from graph_api.reading.aggregates import (
    Grouping,
    Measure,
    count_of,
    figures_of,
    groups_of,
)
from graph_api.reading.batching import Batches, Loader
from graph_api.reading.filters import Condition
from graph_api.reading.ordering import total
from graph_api.reading.pages import Page, page_of
from graph_api.reading.relations import Relation, Rows, all_rows

M = TypeVar("M", bound=Base)

# What a list is asked for that belongs to no row.
ROOT = "root"


@dataclass(frozen=True)
class List:
    """One list: `rows`, of them those that belong to `key`, if they belong to any."""

    rows: Rows
    key: UUID | None = None


class Loaders:
    """The reads of one operation, batched and remembered."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]]) -> None:
        self._connect = connect
        self._batches = Batches()
        self._loaders: dict[Hashable, Loader] = {}
        # What was read so far.
        self.statements = 0
        self.rows = 0
        self.figures_read = 0

    def forget(self) -> None:
        """Drop what was read: a write may have changed it."""
        self._loaders.clear()

    def get(self, model: type[M], key: UUID) -> "Future[M | None]":
        """The row of `model` with this key, if there is one."""

        async def batch(keys: list[UUID]) -> list[M | None]:
            entity: Any = model
            one_of = entity.id == any_(literal(keys, ARRAY(Uuid)))
            rows = await self._rows(all_rows(model).select(None, model).where(one_of))
            by_key = {row[0].id: row[0] for row in rows}
            return [by_key.get(key) for key in keys]

        return self._load(model, key, batch)

    def value(self, model: type[Base], attribute: str, key: UUID) -> "Future[Any]":
        """The value of a deferred column, which is too large to be read unasked."""

        async def batch(keys: list[UUID]) -> list[Any]:
            entity: Any = model
            statement = all_rows(model).select(None, model)
            rows = await self._rows(
                statement.where(
                    entity.id == any_(literal(keys, ARRAY(Uuid)))
                ).with_only_columns(entity.id, getattr(entity, attribute))
            )
            by_key = {row[0]: row[1] for row in rows}
            return [by_key.get(key) for key in keys]

        return self._load((model, attribute), key, batch)

    async def one(self, relation: Relation, key: UUID) -> Any:
        """The one row that belongs to `key`, if there is one."""
        if relation.leaves_by != "id":
            return await self.get(relation.target, key)
        first = Page(limit=1, order=total(relation.target, ()))
        return next(iter(await self.page(List(relation, key), first)), None)

    def page(self, of: List, page: Page) -> "Future[list[Any]]":
        """The rows of the page, and one more where there is another page."""
        more = page.with_limit(page.limit + 1)

        def read(key: Any) -> tuple[list[Any], Any, list[Any]]:
            cut = page_of(of.rows, more, key)
            entity: Any = aliased(of.rows.target, cut.source)
            return [entity], entity, cut.order

        return self._each(("page", of.rows, page), of, read, lambda row: row[0])

    async def count(self, of: List, where: Condition | None) -> int:
        """How many rows there are, up to MAX_COUNT + 1."""

        def read(key: Any) -> tuple[list[Any], Any, list[Any]]:
            counted: Any = _derived(count_of(of.rows, where, key), key)
            return list(counted.c), counted, []

        (count,) = await self._each(
            ("count", of.rows, where), of, read, lambda row: row[0]
        )
        return int(count)

    async def figures(
        self, of: List, where: Condition | None, measures: tuple[Measure, ...]
    ) -> Any:
        """The figures of all rows, by label."""

        def read(key: Any) -> tuple[list[Any], Any, list[Any]]:
            figures: Any = _derived(figures_of(of.rows, where, measures, key), key)
            return list(figures.c), figures, []

        name = ("figures", of.rows, where, measures)
        (row,) = await self._each(name, of, read, _as_mapping)
        return row

    async def groups(
        self, of: List, where: Condition | None, grouping: Grouping
    ) -> list[Any]:
        """The groups of all rows, each with its keys and figures by label."""

        def read(key: Any) -> tuple[list[Any], Any, list[Any]]:
            groups: Any = _derived(groups_of(of.rows, where, grouping, key), key)
            keys = [groups.c[name].asc().nulls_last() for name in grouping.by]
            return list(groups.c), groups, [groups.c.count.desc(), *keys]

        return await self._each(
            ("groups", of.rows, where, grouping), of, read, _as_mapping
        )

    def _each(
        self,
        name: tuple[Any, ...],
        of: List,
        read: Callable[[Any], tuple[list[Any], Any, list[Any]]],
        shown: Callable[[Any], Any],
    ) -> "Future[list[Any]]":
        """What `read` gives for each key, in a LATERAL of its own, or for no key.

        A LATERAL subquery stops after the rows it wants of each parent, where a window
        function over the whole would first number all of them.
        """

        async def batch(keys: list[Any]) -> list[list[Any]]:
            self.figures_read += len(keys) if name[0] != "page" else 0
            if keys == [ROOT]:
                columns, source, order = read(None)
                statement = select(*columns).select_from(source).order_by(*order)
                return [[shown(row) for row in await self._rows(statement)]]
            parent: Any = _keys(keys)
            columns, source, order = read(parent.c.key)
            statement = (
                select(*columns, parent.c.key.label("parent_key"))
                .select_from(parent)
                .join(source, true())
                .order_by(*order)
            )
            by_key: defaultdict[UUID, list[Any]] = defaultdict(list)
            for row in await self._rows(statement):
                by_key[row.parent_key].append(shown(row))
            return [by_key[key] for key in keys]

        return self._load(name, of.key or ROOT, batch)

    def _load(self, name: Hashable, key: Any, batch: Any) -> "Future[Any]":
        if name not in self._loaders:
            self._loaders[name] = Loader(batch, self._batches)
        # Whoever is cancelled, because a field beside it failed, must not take the
        # answer from the others who wait for it.
        return shield(self._loaders[name].load(key))

    async def _rows(self, statement: Select[Any]) -> Sequence[Any]:
        rows = await (await self._connect()).read(statement)
        self.statements += 1
        self.rows += len(rows)
        return rows


def _keys(keys: list[UUID]) -> Any:
    unnested = func.unnest(literal(keys, ARRAY(Uuid)))
    return unnested.table_valued("key", name="parent").render_derived()


def _derived(statement: Select[Any], key: Any) -> Any:
    return statement.lateral() if key is not None else statement.subquery()


def _as_mapping(row: Any) -> Any:
    return row._mapping  # noqa: SLF001 - public in all but name
