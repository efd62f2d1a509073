"""Statements for the driver: compiled once by SQLAlchemy, and sent without it.

SQLAlchemy takes longer to send a small statement than PostgreSQL takes to run it. What
it knows of types is asked when a statement is compiled; afterwards there are only a
text, and what makes its arguments of values by name.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ClauseElement, Column, Dialect, TypeDecorator
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect

_DIALECT: Dialect = asyncpg_dialect()  # type: ignore[no-untyped-call]

# What becomes of a value on its way to the driver or back; None where nothing does.
Process = Callable[[Any], Any] | None


@dataclass(frozen=True)
class Statement:
    """SQL for the driver, and what makes its arguments of a request's values."""

    sql: str
    arguments: Callable[[Mapping[str, Any]], list[Any]]


def compiled(statement: ClauseElement, columns: Iterable[str] = ()) -> Statement:
    """`statement` in the driver's spelling.

    Of an INSERT or an UPDATE, `columns` are set to the values of their names.
    """
    text: Any = statement.compile(dialect=_DIALECT, column_keys=list(columns) or None)
    constants = {
        name: _sent(_sending(bind), bind.effective_value)
        for name, bind in text.binds.items()
        if not bind.required
    }
    binds = [
        (name, None if name in constants else _sending(text.binds[name]))
        for name in text.positiontup or ()
    ]

    def arguments(values: Mapping[str, Any]) -> list[Any]:
        given = {**values, **constants} if constants else values
        return [
            given[name] if process is None else _sent(process, given[name])
            for name, process in binds
        ]

    return Statement(str(text), arguments)


def reading(column: Column[Any]) -> Process:
    """What makes a value of the column of what the driver has read."""
    if not isinstance(column.type, TypeDecorator):
        # The driver reads all else as we want it, and JSON as the engine has taught it.
        return None
    return column.type.dialect_impl(_DIALECT).result_processor(_DIALECT, None)


def _sending(bind: Any) -> Process:
    processor: Process = bind.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
    return processor


def _sent(process: Process, value: Any) -> Any:
    return value if process is None or value is None else process(value)
