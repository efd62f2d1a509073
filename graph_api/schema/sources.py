"""Sources: where the values of a field come from.

A field names its source, and both paths of execution read it from there. The reference
path asks `resolve` for one object at a time; a plan looks at what kind of source it is
and reads the same for all objects of a level at once.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from graph_api.ids import global_id
from graph_api.models import Base
from graph_api.models.rules import Reserved
from graph_api.reading.loaders import List
from graph_api.reading.pages import Page
from graph_api.reading.relations import Relation, Rows
from graph_api.schema.context import Context, Info

Given = Mapping[str, Any]
# Rows, the field's arguments, and the operation's moment; for each row its value, or
# the error that it has instead of one.
Values = Callable[[list[Any], dict[str, Any], datetime], Sequence[Any]]
# Which row is meant: by its model and key.
Key = tuple[type[Base], UUID]


class Source(ABC):
    """Where a field's values come from."""

    @abstractmethod
    def resolve(self, of: Any, info: Info, given: dict[str, Any]) -> Any:
        """The value for one object, or something to wait for that gives it."""


@dataclass(frozen=True, eq=False)
class Plain(Source):
    """What an object that is at hand says itself, given the field's arguments."""

    get: Callable[[Any, Given], Any]

    def resolve(self, of: Any, _: Info, given: dict[str, Any]) -> Any:
        return self.get(of, given)


@dataclass(frozen=True, eq=False)
class OfRequest(Source):
    """What is known of the request: who asks, and on what terms."""

    get: Callable[[Context], Any]

    def resolve(self, _: Any, info: Info, __: dict[str, Any]) -> Any:
        return self.get(info.context)


@dataclass(frozen=True, eq=False)
class ColumnValue(Source):
    """A column of the row; a deferred one is read only where it is asked for."""

    model: type[Base] | None
    attribute: str

    @property
    def is_deferred(self) -> bool:
        return self.model is not None

    def resolve(self, of: Any, info: Info, _: dict[str, Any]) -> Any:
        if self.model is None:
            return getattr(of, self.attribute)
        return info.context.loaders.value(self.model, self.attribute, of.id)


@dataclass(frozen=True, eq=False)
class GlobalId(Source):
    """The global id of the row."""

    def resolve(self, of: Any, *_: Any) -> Any:
        return global_id(type(of).__name__, of.id)


@dataclass(frozen=True, eq=False)
class Computed(Source):
    """What is reckoned from some columns, for a batch of rows at once."""

    columns: tuple[str, ...]
    values: Values

    def resolve(self, of: Any, info: Info, given: dict[str, Any]) -> Any:
        """The value of one row; where it is an error, graphql-core raises it."""
        return self.values([of], given, info.context.now)[0]


@dataclass(frozen=True, eq=False)
class Itself(Source):
    """The same row, shown as another type."""

    def resolve(self, of: Any, *_: Any) -> Any:
        return of


@dataclass(frozen=True, eq=False)
class Related(Source):
    """The one row that a relation leads to, if there is one."""

    relation: Relation

    def resolve(self, of: Any, info: Info, _: dict[str, Any]) -> Any:
        key = getattr(of, self.relation.leaves_by)
        return None if key is None else info.context.loaders.one(self.relation, key)


@dataclass(frozen=True, eq=False)
class Referred(Source):
    """The row whose model and key follow from some columns or from the arguments."""

    key: Callable[[Any, Context, Given], Key | None]
    columns: tuple[str, ...] = ()

    def resolve(self, of: Any, info: Info, given: dict[str, Any]) -> Any:
        key = self.key(of, info.context, given)
        return None if key is None else info.context.loaders.get(*key)


@dataclass(frozen=True, eq=False)
class ReferredMany(Source):
    """The rows whose models and keys follow from the arguments, in their order."""

    keys: Callable[[Any, Context, Given], list[Key]]

    def resolve(self, of: Any, info: Info, given: dict[str, Any]) -> Any:
        keys = self.keys(of, info.context, given)
        return [info.context.loaders.get(*key) for key in keys]


@dataclass(frozen=True, eq=False)
class Listed(Source):
    """Rows of a table as a plain list, or only the `first` of them."""

    rows: Rows
    page: Callable[[Context, Given], Page]
    first: bool = False

    async def resolve(self, _: Any, info: Info, given: dict[str, Any]) -> Any:
        page = self.page(info.context, given)
        read = await info.context.loaders.page(List(self.rows), page)
        return next(iter(read), None) if self.first else read[: page.limit]


@dataclass(frozen=True, eq=False)
class Connected(Source):
    """A page of the rows that belong to this row, or of all rows of a table."""

    rows: Rows
    page: Callable[[Context, Given], Page]
    listing: Callable[[Context, List, Page], Any]

    def resolve(self, of: Any, info: Info, given: dict[str, Any]) -> Any:
        rows = self.rows
        key = getattr(of, rows.leaves_by) if isinstance(rows, Relation) else None
        page = self.page(info.context, given)
        return self.listing(info.context, List(rows, key), page)

    @property
    def is_of_a_row(self) -> bool:
        return isinstance(self.rows, Relation)


@dataclass(frozen=True, eq=False)
class Restricted(Source):
    """What another source gives to who may see it, and null for all others.

    `field` is what the answer calls it then, in `extensions.redacted`.
    """

    source: Source
    field: str
    reserved: Reserved

    def resolve(self, of: Any, info: Info, given: dict[str, Any]) -> Any:
        if not self.is_shown(info.context, self.owner(of)):
            return None
        return self.source.resolve(of, info, given)

    def is_shown(self, context: Context, owner: UUID | None) -> bool:
        """Whether the caller sees the value of a row of this user's."""
        return context.shows(self.field, self.reserved.needs, owner)

    def owner(self, of: Any) -> UUID | None:
        """The user of whom an object is."""
        name = self.reserved.owner
        return None if name is None else getattr(of, name)


@dataclass(frozen=True, eq=False)
class Part(Source):
    """A part of a connection, which a plan knows by the part's name."""

    name: str
    get: Callable[[Any, Info, dict[str, Any]], Any]

    def resolve(self, of: Any, info: Info, given: dict[str, Any]) -> Any:
        return self.get(of, info, given)


@dataclass(frozen=True, eq=False)
class Performed(Source):
    """What a mutation has done; to ask for it is to do it."""

    run: Callable[[Context, dict[str, Any]], Awaitable[Any]]

    def resolve(self, _: Any, info: Info, given: dict[str, Any]) -> Any:
        return self.run(info.context, given)
