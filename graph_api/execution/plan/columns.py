"""Columns: how the cell of a column becomes a value of the answer, as code.

Each kind of value has one spelling, and the reference path has the same one; what
PostgreSQL spells already needs nothing here.
"""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLEnumType, GraphQLOutputType, get_named_type
from sqlalchemy import Column

from graph_api.execution.plan.code import Code
from graph_api.ids import global_ids
from graph_api.models.rules import Words
from graph_api.reading.columns import Kind, kind


def spelled(code: Code, column: Column[Any], type: GraphQLOutputType, cell: str) -> str:
    """The expression for a column's value in an answer, of what `cell` holds."""
    nullable = bool(column.nullable)
    found = kind(column)
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
