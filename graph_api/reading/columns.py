"""What a column holds, as far as reading it is concerned."""

from collections.abc import Mapping
from enum import Enum, auto
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Integer,
    Numeric,
    String,
    Table,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import ColumnProperty

from graph_api.models import Base
from graph_api.models.rules import Words


class Kind(Enum):
    """The families of values that are filtered, ordered and shown alike."""

    ID = auto()
    WORD = auto()
    TEXT = auto()
    INT = auto()
    BIG_INT = auto()
    FLOAT = auto()
    DECIMAL = auto()
    BOOLEAN = auto()
    TIME = auto()
    JSON = auto()
    TEXTS = auto()
    FLOATS = auto()


# In this order: a BigInteger is an Integer, Words are Text.
_KINDS: list[tuple[type[Any], Kind]] = [
    (Uuid, Kind.ID),
    (Words, Kind.WORD),
    (BigInteger, Kind.BIG_INT),
    (Integer, Kind.INT),
    (Double, Kind.FLOAT),
    (Numeric, Kind.DECIMAL),
    (Boolean, Kind.BOOLEAN),
    (DateTime, Kind.TIME),
    (JSONB, Kind.JSON),
    (String, Kind.TEXT),
]

NUMBERS = frozenset({Kind.INT, Kind.BIG_INT, Kind.FLOAT, Kind.DECIMAL})


@cache
def kind(column: Column[Any]) -> Kind:
    """The kind of values that `column` holds."""
    if isinstance(column.type, ARRAY):
        return Kind.TEXTS if isinstance(column.type.item_type, String) else Kind.FLOATS
    for type, found in _KINDS:
        if isinstance(column.type, type):
            return found
    raise TypeError(f"{column} has a type that cannot be read: {column.type!r}")


def table_of(model: type[Base]) -> Table:
    """The table whose rows `model` shows."""
    table = model.__table__
    assert isinstance(table, Table)
    return table


def column_of(model: type[Base], attribute: str) -> Column[Any]:
    """The column behind an attribute of `model`.

    Raises TypeError when the attribute is no column.
    """
    column = all_columns(model).get(attribute)
    if column is None:
        raise TypeError(f"{model.__name__}.{attribute}: no such column")
    return column


@cache
def all_columns(model: type[Base]) -> Mapping[str, Column[Any]]:
    """The columns of `model` by attribute, in the table's order."""
    return {
        prop.key: column
        for prop in model.__mapper__.column_attrs
        if isinstance(column := prop.columns[0], Column)
    }


def columns_of(model: type[Base]) -> dict[str, Column[Any]]:
    """The columns that clients may compare with, by attribute, in the table's order.

    The workspace is the caller's, what is deferred is too large (or too secret) to be
    compared, and what only some may see would show itself by its order.
    """
    shown: dict[str, ColumnProperty[Any]] = {
        prop.key: prop
        for prop in model.__mapper__.column_attrs
        if not prop.deferred and prop.key != "workspace_id"
    }
    return {
        key: column
        for key, prop in shown.items()
        if isinstance(column := prop.columns[0], Column)
        and not {"hidden", "reserved"} & column.info.keys()
    }


def referred_model(model: type[Base], attribute: str) -> type[Base]:
    """The model that a foreign key of `model` refers to.

    Raises TypeError when the attribute is no foreign key, or refers to no model.
    """
    column = column_of(model, attribute)
    for constraint in table_of(model).constraints:
        if not isinstance(constraint, ForeignKeyConstraint):
            continue
        for element in constraint.elements:
            if element.parent is column:
                return model_of(constraint.referred_table)
    raise TypeError(f"{model.__name__}.{attribute} refers to nothing")


def model_of(table: Table) -> type[Base]:
    """The model that shows the rows of `table`."""
    for mapper in Base.registry.mappers:
        if mapper.local_table is table:
            return mapper.class_
    raise TypeError(f"{table.name} is shown by no model")
