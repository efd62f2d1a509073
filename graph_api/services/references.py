"""What must be true of other rows: what is named is there, what is unique is not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ForeignKeyConstraint, Index, UniqueConstraint, select

from graph_api.errors import Duplicate, NotFound
from graph_api.models import Base, Entity, Membership, Tenant, public_name
from graph_api.reading.columns import all_columns, model_of, table_of
from graph_api.services.unit_of_work import Work


@dataclass(frozen=True)
class Reference:
    """A foreign key within the workspace: an attribute, and the column it names."""

    model: type[Base]
    attribute: str
    target: type[Base]
    target_column: str
    on_delete: str


@cache
def references_of(model: type[Base]) -> tuple[Reference, ...]:
    """The foreign keys of `model` that stay within the workspace, as their columns."""
    by_column = {column: key for key, column in _own_columns(model).items()}
    found = {
        by_column[element.parent]: Reference(
            model,
            by_column[element.parent],
            model_of(constraint.referred_table),
            element.column.name,
            (constraint.ondelete or "").partition(" (")[0],
        )
        for constraint in table_of(model).foreign_key_constraints
        for element in constraint.elements
        if element.parent in by_column and _is_composite(constraint)
    }
    return tuple(found[name] for name in by_column.values() if name in found)


@cache
def references_to(model: type[Base]) -> tuple[Reference, ...]:
    """The foreign keys that name rows of `model`."""
    return tuple(
        reference
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, Tenant)
        for reference in references_of(mapper.class_)
        if reference.target is model
    )


def _own_columns(model: type[Base]) -> dict[str, Column[Any]]:
    """All columns of `model` but the workspace, by attribute."""
    found = all_columns(model).items()
    return {key: column for key, column in found if key != "workspace_id"}


def _is_composite(constraint: ForeignKeyConstraint) -> bool:
    return len(constraint.elements) > 1


async def require_references(
    work: Work, model: type[Base], values: Mapping[str, Any]
) -> None:
    """Lock the rows that `values` name, so that they stay until we have committed.

    Raises NotFound for the first that is not there. The foreign keys lock and refuse
    the same, in their own words.
    """
    for reference in references_of(model):
        key = values.get(reference.attribute)
        if key is not None and work.care.asks():
            await _require(work, reference, key)


async def _require(work: Work, reference: Reference, key: UUID) -> None:
    table = table_of(reference.target)
    named = (
        select(table.c.id)
        .where(table.c.workspace_id == work.connection.workspace_id)
        .where(table.c[reference.target_column] == key)
    )
    # Members cannot be locked: the application may not change them.
    if reference.target is not Membership:
        named = named.with_for_update(read=True, key_share=True)
    if not await work.connection.rows(named):
        is_user = reference.target is Membership
        raise NotFound(
            f"There is no {'User' if is_user else reference.target.__name__} "
            "with this id.",
            path=(public_name(reference.attribute),),
        )


async def refuse_duplicates(
    work: Work, model: type[Entity], values: Mapping[str, Any], own: Entity | None
) -> None:
    """Raise Duplicate if another row than our own has what only one can have.

    `values` are the row's as they will be. The unique indexes refuse the same.
    """
    for columns in _unique(model):
        wanted = {name: values.get(name) for name in columns}
        if None in wanted.values() or not work.care.asks():
            continue
        existing = await work.find(model, **wanted)
        if existing is not None and (own is None or existing.id != own.id):
            names = [public_name(name) for name in columns]
            raise Duplicate(
                f"There is a {model.__name__} with this "
                f"{' and '.join(f'`{name}`' for name in names)} already.",
                path=(names[-1],),
                existing=existing,
            )


@cache
def _unique(model: type[Base]) -> tuple[tuple[str, ...], ...]:
    """The combinations of attributes that are unique, in the order of the columns."""
    place = list(table_of(model).columns).index
    by_column = {column.name: key for key, column in _own_columns(model).items()}
    return tuple(
        tuple(by_column[c.name] for c in columns if c.name in by_column)
        for columns in sorted(_unique_columns(model), key=lambda c: [*map(place, c)])
    )


def _unique_columns(model: type[Base]) -> Iterator[list[Column[Any]]]:
    table = table_of(model)
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield list(constraint.columns)
    for index in table.indexes:
        if isinstance(index, Index) and index.unique:
            yield list(index.columns)
