"""Relations: how a row leads to others, each said once by a foreign-key column.

A relation knows the column by which it leaves a row and the rows that belong to such a
key. Fields, loaders, filters and compiled plans all read it from here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, bindparam, select
from sqlalchemy.orm import QueryableAttribute, aliased

from graph_api.models import Base, Entity, Tenant
from graph_api.reading.columns import column_of, referred_model

Column = QueryableAttribute[UUID] | QueryableAttribute[UUID | None]

# The caller's workspace: every statement says it, for the planner's sake, as well as
# the policies do, for safety's.
WORKSPACE = bindparam("workspace", type_=Uuid(), unique=False)


@dataclass(frozen=True, eq=False)
class Rows:
    """A list of rows: all of a table, or those that belong to a key.

    `select(key, entity)` reads them as `entity`, the target or an alias of it.
    """

    name: str
    target: type[Base]
    select: Callable[[ColumnElement[UUID] | None, Any], Select[Any]]


@dataclass(frozen=True, eq=False)
class Relation(Rows):
    """The rows that belong to the key in attribute `leaves_by` of a row."""

    leaves_by: str
    to_many: bool
    nullable: bool = True


@cache
def all_rows(model: type[Base]) -> Rows:
    """All rows of `model` that the caller may see."""

    def rows(_: ColumnElement[UUID] | None, entity: Any) -> Select[Any]:
        return select(entity).where(*_ours(model, entity))

    return Rows(model.__name__, model, rows)


def referred(model: type[Base], column: Column, to: type[Base] | None) -> Relation:
    """From a row of `model` to the one row that its foreign key `column` names."""
    target = to or referred_model(model, column.key)

    def rows(key: ColumnElement[UUID] | None, entity: Any) -> Select[Any]:
        return select(entity).where(*_ours(target, entity), entity.id == key)

    nullable = bool(column_of(model, column.key).nullable)
    return Relation(_name(column), target, rows, column.key, False, nullable)


def referring(model: type[Base], column: Column, *, to_many: bool = True) -> Relation:
    """From a row of `model` to the rows whose foreign key `column` names it."""
    target = _owner(column)
    kind = _kind_condition(model, column)

    def rows(key: ColumnElement[UUID] | None, entity: Any) -> Select[Any]:
        return select(entity).where(
            *_ours(target, entity), getattr(entity, column.key) == key, *kind(entity)
        )

    return Relation(_name(column), target, rows, "id", to_many)


def joined(model: type[Base], near: Column, far: Column) -> Relation:
    """From a row of `model` over the table of `near`, which names it, to others.

    `far` is either a column of the same table, and leads on to the row that it names,
    or a column of the target, which names a row of that table.
    """
    between = _owner(near)
    kind = _kind_condition(model, near)
    onward = _owner(far) is between
    target = referred_model(between, far.key) if onward else _owner(far)

    def rows(key: ColumnElement[UUID] | None, entity: Any) -> Select[Any]:
        link: Any = aliased(between)
        met = (
            getattr(link, far.key) == entity.id
            if onward
            else getattr(entity, far.key) == link.id
        )
        return (
            select(entity)
            .join(link, (link.workspace_id == entity.workspace_id) & met)
            .where(
                *_ours(target, entity),
                *_ours(between, link),
                getattr(link, near.key) == key,
                *kind(link),
            )
        )

    return Relation(f"{_name(near)}>{_name(far)}", target, rows, "id", True)


def _owner(column: Column) -> type[Base]:
    owner: type[Base] = column.property.parent.class_
    return owner


def _name(column: Column) -> str:
    return f"{_owner(column).__name__}.{column.key}"


def _ours(model: type[Base], entity: Any) -> list[ColumnElement[bool]]:
    return [entity.workspace_id == WORKSPACE] if issubclass(model, Tenant) else []


def _kind_condition(
    model: type[Base], column: Column
) -> Callable[[Any], list[ColumnElement[bool]]]:
    """That a column with the id of any entity means one of `model`."""
    kind = column_of(_owner(column), column.key).info.get("entity_type")
    if kind is None:
        return lambda _: []
    assert issubclass(model, Entity)
    return lambda entity: [getattr(entity, kind) == model.entity_type()]
