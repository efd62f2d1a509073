"""Columns: how the cell of a column becomes a value of the answer, as code.

Each kind of value has one spelling, and the reference path has the same one; what
PostgreSQL spells already needs nothing here.

The rows of nested lists are read as texts wherever they can be: the driver looks up the
type of each cell of a record, but only once for an array. Which cells are texts follows
from their columns, so that the code may be written before all of a row is known.
"""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import GraphQLEnumType, GraphQLOutputType, get_named_type
from sqlalchemy import Column

from graph_api.database.json_values import read_json
from graph_api.execution.plan.code import Code
from graph_api.ids import global_ids
from graph_api.models.rules import Words
from graph_api.reading.columns import Kind, kind

# What PostgreSQL spells already, and what it is asked to spell; the rest is cheaper to
# read as what it is, but where it would be the cell of a nested record.
_TEXTS = frozenset({Kind.TEXT, Kind.WORD})
_SPELLED = frozenset({Kind.ID, Kind.BIG_INT, Kind.DECIMAL, Kind.TIME})
_FROM_TEXT: dict[Kind, Callable[[str], Any]] = {
    Kind.INT: int,
    Kind.FLOAT: float,
    Kind.BOOLEAN: "true".__eq__,
    Kind.JSON: read_json,
}


def is_text(column: Column[Any], *, as_text: bool, nested: bool) -> bool:
    """Whether the driver reads a text for a cell of the column."""
    found = kind(column)
    if found in _TEXTS:
        return True
    return as_text and (found in _SPELLED or (nested and found in _FROM_TEXT))


def spelled(
    code: Code,
    column: Column[Any],
    type: GraphQLOutputType,
    cell: str,
    *,
    nested: bool,
) -> str:
    """The expression for a column's value in an answer, of what `cell` holds."""
    nullable = bool(column.nullable)
    found = kind(column)
    if nested and found in _FROM_TEXT:
        read = code.name(_FROM_TEXT[found])
        return _unless_null(nullable, cell, f"{read}({cell})")
    if found is Kind.WORD:
        names = code.name(_names(column, type))
        return f"{names}.get({cell})" if nullable else f"{names}[{cell}]"
    if found is Kind.TIME:
        return _unless_null(nullable, cell, f"{cell}.replace(' ', 'T') + 'Z'")
    return cell


def native(code: Code, column: Column[Any], cell: str) -> str:
    """The expression for a column's value as a row of ours has it."""
    found = kind(column)
    if found is Kind.WORD:
        assert isinstance(column.type, Words)
        words = {word.value: word for word in column.type.words}
        return f"{code.name(words)}.get({cell})"
    return cell


def identifier(code: Code, type_name: str, cell: str) -> str:
    """The expression for the global id of the row whose key `cell` spells."""
    return f"{code.name(global_ids(type_name))}({cell})"


def _names(column: Column[Any], type: GraphQLOutputType) -> Mapping[str, str]:
    enumeration = get_named_type(type)
    assert isinstance(enumeration, GraphQLEnumType)
    assert isinstance(column.type, Words)
    words = column.type.words
    return {word.value: enumeration.serialize(word) for word in words}


def _unless_null(nullable: bool, cell: str, value: str) -> str:
    return f"({value} if {cell} is not None else None)" if nullable else f"({value})"
