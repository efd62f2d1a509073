"""Counting as GraphQL has it: `aggregate { count avg { priority } }` and `groups`."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import strawberry
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    SelectionSetNode,
)

from graph_api.ids import global_id
from graph_api.models import Base, public_name
from graph_api.reading.aggregates import Measure, datable, groupable, measurable
from graph_api.reading.columns import Kind, column_of, kind
from graph_api.schema.conditions import type_behind
from graph_api.schema.fields import enum_type, maybe, object_type, row_field
from graph_api.schema.scalars import BigInt, type_of

FUNCTIONS = {
    "sum": "The sums of the values that there are.",
    "avg": "The averages of the values that there are.",
    "min": "The least values.",
    "max": "The greatest values.",
}

Fragments = Mapping[str, FragmentDefinitionNode]


@cache
def aggregate_type(model: type[Base]) -> Any:
    """The type with the figures of a list of `model`'s rows.

    Its rows are mappings from labels to figures.
    """
    fields: dict[str, Any] = {
        "count": row_field(int, lambda row, *_: row["count"], "How many there are.")
    }
    for function, description in FUNCTIONS.items():
        if attributes := measurable(model, function):
            measures = _measures_type(model, function, tuple(attributes))
            fields[function] = row_field(
                measures, lambda row, *_: row, description, name=function
            )
    return object_type(
        f"{model.__name__}Aggregate", f"Figures about {model.__name__} objects.", fields
    )


def _measures_type(
    model: type[Base], function: str, attributes: tuple[str, ...]
) -> Any:
    return object_type(
        f"{model.__name__}{function.capitalize()}",
        FUNCTIONS[function],
        {
            attribute: row_field(
                maybe(_measured(model, function, attribute)),
                _figure(Measure(function, attribute)),
                f"Of `{public_name(attribute)}`; null where there is no value.",
                name=public_name(attribute),
            )
            for attribute in attributes
        },
    )


def _figure(measure: Measure) -> Any:
    return lambda row, *_: row[measure.label]


def _measured(model: type[Base], function: str, attribute: str) -> Any:
    of = kind(column_of(model, attribute))
    if function == "sum" and of in {Kind.INT, Kind.BIG_INT}:
        return BigInt
    if function == "avg" and of in {Kind.INT, Kind.BIG_INT}:
        return float
    return type_of(column_of(model, attribute))


@cache
def group_field_type(model: type[Base]) -> Any:
    """The enumeration of what lists of `model`'s rows can be grouped by."""
    periods = {
        a: f"By the period in which `{public_name(a)}` lies; it needs `dateTrunc`."
        for a in datable(model)
    }
    return enum_type(
        f"{model.__name__}GroupField",
        f"What {model.__name__} objects can be grouped by.",
        {a: f"By `{public_name(a)}`." for a in groupable(model)} | periods,
    )


@cache
def group_type(model: type[Base]) -> Any:
    """The type of a group of `model`'s rows: its key, and its figures."""
    key = object_type(
        f"{model.__name__}GroupKey",
        "What the rows of a group have in common; null for what it is not grouped by.",
        {
            attribute: row_field(
                maybe(_key_type(model, attribute)),
                _key_value(model, attribute),
                f"The common `{public_name(attribute)}`.",
                name=public_name(attribute),
            )
            for attribute in groupable(model)
        }
        | {
            attribute: row_field(
                maybe(datetime),
                _key_value(model, attribute),
                f"When the period begins in which `{public_name(attribute)}` lies.",
                name=public_name(attribute),
            )
            for attribute in datable(model)
        },
    )
    return object_type(
        f"{model.__name__}Group",
        f"The {model.__name__} objects that have something in common.",
        {
            "key": row_field(key, lambda row, *_: row, "What they have in common."),
            "aggregate": row_field(
                aggregate_type(model), lambda row, *_: row, "Figures about them."
            ),
        },
    )


def _key_type(model: type[Base], attribute: str) -> Any:
    return (
        strawberry.ID
        if _is_id(model, attribute)
        else type_of(column_of(model, attribute))
    )


def _is_id(model: type[Base], attribute: str) -> bool:
    return kind(column_of(model, attribute)) is Kind.ID and bool(
        type_behind(model, attribute)
    )


def _key_value(model: type[Base], attribute: str) -> Any:
    target = type_behind(model, attribute)
    if target is None or not _is_id(model, attribute):
        return lambda row, *_: row.get(attribute)

    def as_id(row: Mapping[str, Any], *_: Any) -> str | None:
        value = row.get(attribute)
        return None if value is None else global_id(target, value)

    return as_id


def measures_asked(
    model: type[Base], nodes: Iterable[FieldNode], fragments: Fragments
) -> tuple[Measure, ...]:
    """The figures that are selected below a field; no others are reckoned."""
    asked = {
        (function, attribute)
        for node in nodes
        for function, attribute in _selected(fragments, node.selection_set, ())
    }
    return tuple(
        Measure(function, attribute)
        for function in FUNCTIONS
        for attribute in measurable(model, function)
        if (function, public_name(attribute)) in asked
    )


def _selected(
    fragments: Fragments,
    selections: SelectionSetNode | None,
    path: tuple[str, ...],
) -> set[tuple[str, str]]:
    """The pairs of function and field below `path`, in fragments as well."""
    found: set[tuple[str, str]] = set()
    for node in selections.selections if selections else ():
        if isinstance(node, FieldNode):
            here = (*path, node.name.value)
            if len(here) >= 2 and here[-2] in FUNCTIONS:
                found.add((here[-2], here[-1]))
            found |= _selected(fragments, node.selection_set, here)
        elif isinstance(node, FragmentSpreadNode):
            fragment = fragments[node.name.value]
            found |= _selected(fragments, fragment.selection_set, path)
        else:
            found |= _selected(fragments, node.selection_set, path)  # type: ignore[attr-defined]
    return found
