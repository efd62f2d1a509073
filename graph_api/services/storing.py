"""How rows are stored: by statements that are compiled once, and sent by the driver.

SQLAlchemy's unit of work takes longer over a row than the database does. Rows are
objects of our models all the same, but nothing that is set on them is ever flushed:
what was stored is set on them afterwards, as if it had been read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Column, bindparam, func, insert, select, update
from sqlalchemy.orm.attributes import set_committed_value

from graph_api.database.engine import Connection
from graph_api.database.statements import Process, Statement, compiled, reading
from graph_api.models import Base, Tenant, Versioned
from graph_api.reading.columns import all_columns, table_of

B = TypeVar("B", bound=Base)

Values = Mapping[str, Any]

# A statement for each set of columns that clients leave out or change: as many as
# anybody has use for, and no more than memory has.
_KEPT = 512

# Granted to nobody, and shown to nobody.
_UNKNOWN = frozenset({"xid"})


async def insert_many(
    connection: Connection, model: type[B], rows: Sequence[Values]
) -> list[B]:
    """New rows, of which the same columns are given, stored in their order.

    What is not given is as the database has it by default.
    """
    if not rows:
        return []
    empty = _empty(model)
    wholes = [{**empty, **values} for values in rows]
    form = _inserting(model, frozenset(wholes[0]))
    arguments = [form.arguments(given) for given in wholes]
    records = (
        await connection.fetch(form.sql, arguments[0])
        if len(arguments) == 1
        else await connection.fetch_each(form.sql, arguments)
    )
    return [
        _row(model, given, form, record)
        for given, record in zip(wholes, records, strict=True)
    ]


async def update_one(connection: Connection, row: Any, values: Values) -> None:
    """Change a row that is there, even if only its version moves."""
    model: type[Base] = type(row)
    form = _updating(model, frozenset(values))
    key = _key(model, connection, row.id)
    (record,) = await connection.fetch(form.sql, form.arguments({**values, **key}))
    for attribute, value in {**values, **form.read(record)}.items():
        set_committed_value(row, attribute, value)


async def lock_one(connection: Connection, model: type[B], id: UUID) -> B | None:
    """The whole row, locked until the transaction ends, if there is one."""
    form = _locking(model)
    key = _key(model, connection, id)
    records = await connection.fetch(form.sql, form.arguments(key))
    return _row(model, {}, form, records[0]) if records else None


def moved_by_trigger(model: type[Base]) -> list[str]:
    """The columns that move with each change of a row."""
    return ["updated_at", "version"] if issubclass(model, Versioned) else []


@dataclass(frozen=True)
class _Form:
    """A statement of a model: it takes and gives values by attribute."""

    statement: Statement
    names: Mapping[str, str]
    returned: tuple[tuple[str, Process], ...]

    @property
    def sql(self) -> str:
        return self.statement.sql

    def arguments(self, values: Values) -> list[Any]:
        names = self.names
        return self.statement.arguments({names[a]: v for a, v in values.items()})

    def read(self, record: Sequence[Any]) -> dict[str, Any]:
        """What a record that it has returned says, by attribute."""
        return {
            attribute: value if process is None or value is None else process(value)
            for (attribute, process), value in zip(self.returned, record, strict=True)
        }


# Binds that are no columns.
_WORKSPACE, _KEY = "of_workspace", "of_id"


@lru_cache(_KEPT)
def _inserting(model: type[Base], given: frozenset[str]) -> _Form:
    columns = _columns(model)
    made = [name for name in columns if name not in given]
    returned = [columns[name] for name in made] or [columns["id"]]
    return _form(
        model,
        compiled(
            insert(table_of(model)).returning(*returned),
            [columns[name].name for name in given],
        ),
        made or ["id"],
    )


@lru_cache(_KEPT)
def _updating(model: type[Base], given: frozenset[str]) -> _Form:
    columns = _columns(model)
    moved = moved_by_trigger(model)
    statement = update(table_of(model)).where(*_is_meant(model))
    if moved:
        # So that there is something to set; a trigger sees to both.
        statement = statement.values(updated_at=func.now())
    return _form(
        model,
        compiled(
            statement.returning(*(columns[name] for name in moved or ["id"])),
            [columns[name].name for name in given],
        ),
        moved or ["id"],
    )


@cache
def _locking(model: type[Base]) -> _Form:
    columns = _columns(model)
    statement = select(*columns.values()).where(*_is_meant(model)).with_for_update()
    return _form(model, compiled(statement), list(columns))


def _is_meant(model: type[Base]) -> list[Any]:
    columns = table_of(model).c
    by_key = columns.id == bindparam(_KEY, required=True)
    if not issubclass(model, Tenant):
        return [by_key]
    return [columns.workspace_id == bindparam(_WORKSPACE, required=True), by_key]


def _key(model: type[Base], connection: Connection, id: UUID) -> dict[str, UUID]:
    """The values by which `_is_meant` means a row."""
    if not issubclass(model, Tenant):
        return {_KEY: id}
    return {_WORKSPACE: connection.workspace_id, _KEY: id}


def _form(model: type[Base], statement: Statement, returned: list[str]) -> _Form:
    columns = _columns(model)
    names = {attribute: column.name for attribute, column in columns.items()}
    return _Form(
        statement,
        {**names, _WORKSPACE: _WORKSPACE, _KEY: _KEY},
        tuple((attribute, reading(columns[attribute])) for attribute in returned),
    )


@cache
def _columns(model: type[Base]) -> dict[str, Column[Any]]:
    columns = all_columns(model)
    return {name: column for name, column in columns.items() if name not in _UNKNOWN}


@cache
def _empty(model: type[Base]) -> dict[str, None]:
    """The attributes that are NULL unless they are given."""
    return {
        attribute: None
        for attribute, column in _columns(model).items()
        if column.nullable and column.server_default is None
    }


def _row(model: type[B], given: Values, form: _Form, record: Sequence[Any]) -> B:
    """An object with all its columns, which no session knows of."""
    values = {**given, **form.read(record)}
    row: B = model.__mapper__.class_manager.new_instance()
    row.__dict__.update({name: values[name] for name in _columns(model)})
    return row
