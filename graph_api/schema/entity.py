"""The bridge between a table and the GraphQL type that shows it.

Resolvers return rows; a type only says which columns of a row are shown and how it
leads on. So a type is never constructed and copies nothing, and its names and types are
held against the columns when the module is imported.

    @entity(models.Role)
    class Role(Entity):
        \"\"\"A context that a party stands in.\"\"\"

        role_name: str
        party = one(models.Role.party_id)
        commitments = many(models.Commitment.role_id, "What is owed in this role.")
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, get_type_hints
from uuid import UUID

import strawberry
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from graph_api import models
from graph_api.errors import BadUserInput, GraphApiError
from graph_api.ids import key_of, parse_global_id
from graph_api.models import Base, EntityType, SubjectType, public_name
from graph_api.models.rules import Reserved
from graph_api.reading.columns import column_of
from graph_api.reading.relations import (
    Column,
    Relation,
    all_rows,
    joined,
    referred,
    referring,
)
from graph_api.schema.connection import connection_field
from graph_api.schema.context import Context
from graph_api.schema.fields import Deferred, argument, describe, maybe, row_field
from graph_api.schema.registry import SHOWN, Shown, model_named, shown_as
from graph_api.schema.scalars import type_of
from graph_api.schema.sources import (
    ColumnValue,
    Computed,
    Given,
    GlobalId,
    Key,
    Referred,
    Related,
    Restricted,
    Source,
    Values,
)

T = TypeVar("T")


@dataclass(frozen=True)
class Way:
    """A relation that waits for the type it is declared in."""

    relation: Callable[[type[Base]], Relation]
    description: str | None


@dataclass(frozen=True)
class Reckoning:
    """A computed field that waits for the type it is declared in."""

    type: Any
    columns: tuple[str, ...]
    values: Values
    description: str
    arguments: Sequence[StrawberryArgument] = ()


def one(
    column: Column, description: str | None = None, *, to: type[Base] | None = None
) -> Any:
    """The one row that this row's foreign key `column` names, or that names this row.

    `to` names the target where the key refers to a table that stands for it.
    """

    def relation(model: type[Base]) -> Relation:
        if column.property.parent.class_ is model:
            return referred(model, column, to)
        return referring(model, column, to_many=False)

    return Way(relation, description)


def many(column: Column, description: str) -> Any:
    """The rows whose foreign key `column` names this row, page by page."""
    return Way(lambda model: referring(model, column), description)


def through(near: Column, far: Column, description: str) -> Any:
    """The rows that the table of `near` joins to this one, page by page."""
    return Way(lambda model: joined(model, near, far), description)


def computed(
    type: Any,
    columns: Sequence[str],
    description: str,
    arguments: Sequence[StrawberryArgument] = (),
) -> Any:
    """Declare a field by the function that gives its values, rows in, values out.

    `values(rows, given, now)` reads nothing of the rows but `columns`, and gives an
    error in the place of the value that cannot be reckoned (`for_each`). What it
    raises is every row's error.
    """
    return lambda values: Reckoning(
        type, tuple(columns), values, description, arguments
    )


def for_each(rows: Sequence[Any], value: Callable[[Any], Any]) -> list[Any]:
    """The value of each row, or the error in its place."""

    def of(row: Any) -> Any:
        try:
            return value(row)
        except GraphApiError as error:
            return error

    return [of(row) for row in rows]


def any_entity(column: Column, description: str) -> Any:
    """The row, of whatever kind, that `column` names beside the column of its kind."""
    attribute = column.key
    kind = column_of(column.property.parent.class_, attribute).info["entity_type"]

    def key(row: Any, *_: Any) -> Key | None:
        # The log tells of what is no entity as well.
        model = ENTITY_MODELS.get(getattr(row, kind))
        return None if model is None else (model, getattr(row, attribute))

    return row_field(
        maybe(Deferred("Entity", lambda: Entity)),
        Referred(key, (kind, attribute)),
        description,
    )


ENTITY_MODELS: dict[EntityType, type[models.Entity]] = {
    mapper.class_.entity_type(): mapper.class_
    for mapper in Base.registry.mappers
    if issubclass(mapper.class_, models.Entity)
}

strawberry.enum(SubjectType, description="The kinds of things that the log tells of.")
describe(
    SubjectType,
    {
        kind.name: f"`{''.join(word.capitalize() for word in kind.value.split('_'))}`."
        for kind in SubjectType
    },
)
strawberry.enum(EntityType, description="The kinds of things that can be linked to.")
describe(
    EntityType,
    {kind.name: f"`{model.__name__}`." for kind, model in ENTITY_MODELS.items()},
)


def _type_name(_: Any, row: Any, *__: Any) -> str:
    return type(row).__name__


@strawberry.interface(
    description="An object with an id, by which it can be read again."
)
class Node:
    """What `node` and `nodes` find, as Relay wants it."""

    id = row_field(
        strawberry.ID,
        GlobalId(),
        "The global id: opaque, and unique among all objects.",
    )
    resolve_type = classmethod(_type_name)


@strawberry.interface(
    description="Something that documents and interactions can be about."
)
class Entity(Node):
    """What all audited kinds of things have in common."""

    uuid = row_field(UUID, ColumnValue(None, "id"), "The bare key of the row.")
    created_at: datetime = strawberry.field(description="When it was first stored.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    version: int = strawberry.field(
        description="1 when it was made, one more with each change; pass it as "
        "`expectedVersion` to change only what you have seen."
    )
    links = connection_field(
        all_rows(models.DocumentLink),
        "The links to documents that are about it; of a document, its own: what it is "
        "about. `linkedFrom` has those that are about a document.",
    )
    interactions = connection_field(
        all_rows(models.Interaction), "What was done to it, the oldest first."
    )
    resolve_type = classmethod(_type_name)


# Every entity leads to these, from its own id.
_SHARED: dict[str, Any] = {
    "links": many(
        models.DocumentLink.entity_id, "The links to documents that are about it."
    ),
    "interactions": many(
        models.Interaction.primary_entity_id, "What was done to it, the oldest first."
    ),
}


def entity(model: type[Base]) -> Callable[[type[T]], type[T]]:
    """Declare the type that shows the rows of `model`.

    Plain fields are columns of the same name, described by the column's comment.
    Raises TypeError for a field that is no column, or of another type than it.
    """

    def decorate(cls: type[T]) -> type[T]:
        relations = {
            name: way for name, way in vars(cls).items() if isinstance(way, Way)
        }
        if issubclass(model, models.Entity):
            relations = _SHARED | relations
        bound = {name: way.relation(model) for name, way in relations.items()}
        for name, relation in bound.items():
            setattr(cls, name, _relation_field(model, relation, relations[name]))
        for name, value in list(vars(cls).items()):
            if isinstance(value, Reckoning):
                setattr(cls, name, computed_field(model, value))
        _show_columns(cls, model)
        cls.is_type_of = lambda row, _info: isinstance(row, model)  # type: ignore[attr-defined]
        shown = strawberry.type(cls, name=model.__name__, description=_said(cls))
        SHOWN[model] = Shown(model, shown, bound)
        return shown

    return decorate


def _said(cls: type[Any]) -> str:
    assert cls.__doc__ is not None
    return " ".join(cls.__doc__.split())


def _relation_field(model: type[Base], relation: Relation, way: Way) -> Any:
    if relation.to_many:
        assert way.description is not None
        return connection_field(relation, way.description)

    target: Any = shown_as(relation.target)
    said = way.description or column_of(model, relation.leaves_by).comment or ""
    type = maybe(target) if relation.nullable else target
    return row_field(type, Related(relation), said)


def computed_field(model: type[Base], computed: Reckoning) -> Any:
    """The field that answers `computed` for rows of `model`.

    Raises TypeError for a name in its columns that is none.
    """
    for name in computed.columns:
        column_of(model, name)
    source = Computed(computed.columns, computed.values)
    return row_field(computed.type, source, computed.description, computed.arguments)


def _show_columns(cls: type[Any], model: type[Base]) -> None:
    """Turn annotated names into fields that show the columns of the same name."""
    hints = get_type_hints(cls)
    for name in inspect.get_annotations(cls):
        column = column_of(model, name)
        expected = type_of(column)
        reserved = column.info.get("reserved")
        nullable = column.nullable or reserved is not None
        if hints[name] != (expected | None if nullable else expected):
            raise TypeError(
                f"{model.__name__}.{name} is {hints[name]}, but its column holds "
                f"{expected}{' or NULL' if nullable else ''}."
            )
        deferred = model.__mapper__.attrs[name].deferred
        source = ColumnValue(model if deferred else None, name)
        if reserved is not None:
            field = _restricted(hints[name], source, reserved, model, name)
        elif deferred:
            field = row_field(hints[name], source, column.comment or "")
        else:
            field = StrawberryField(
                graphql_name=public_name(name), description=column.comment
            )
        setattr(cls, name, field)


def _restricted(
    type: Any, source: Source, reserved: Reserved, model: type[Base], name: str
) -> Any:
    said = column_of(model, name).comment
    also = "" if reserved.owner is None else ", and the user himself"
    return row_field(
        type,
        Restricted(source, f"{model.__name__}.{public_name(name)}", reserved),
        f"{said} Only who has the scope `{reserved.needs.value}` sees it{also}; for "
        "others it is null, and named in `extensions.redacted`.",
    )


def find(model: type[Base], description: str) -> Any:
    """A root field: the row of `model` with this id, or null."""

    def key(_row: Any, _context: Any, given: Given) -> Key:
        return model, key_of(given["id"], model.__name__)

    an_id = argument("id", strawberry.ID, "Its global id, or its bare UUID.")
    target: Any = shown_as(model)
    return row_field(maybe(target), Referred(key), description, [an_id])


def listing(model: type[Base], description: str) -> Any:
    """A root field: the rows of `model`, page by page."""
    return connection_field(all_rows(model), description)


def nodes_meant(_: Any, context: Context, given: Given) -> list[Key]:
    """The keys of the rows that the argument `ids` names, in their order."""
    ids = given["ids"]
    if len(ids) > context.max_page:
        raise BadUserInput(
            f"`ids` must have at most {context.max_page} items, not {len(ids)}."
        )
    return [_meant(id) for id in ids]


def node_meant(_: Any, _context: Context, given: Given) -> Key:
    """The key of the row that the argument `id` names."""
    return _meant(given["id"])


def _meant(id: str) -> Key:
    name, key = parse_global_id(id)
    model = model_named(name)
    if model is None:
        raise BadUserInput(f"There are no objects of type {name[:100]!r}.")
    return model, key
