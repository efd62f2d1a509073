"""Filters as GraphQL has them: an input type for each model, made from its columns.

`CommitmentFilter` has a field for each column, with the operators of its kind, one for
each relation, and `and`, `or`, `not`. A value becomes a condition of `reading.filters`.
"""

from collections.abc import Hashable
from functools import cache
from typing import Any, cast

from sqlalchemy import Column

from graph_api.models import Base, public_name
from graph_api.models.rules import Words
from graph_api.reading.columns import Kind, columns_of, kind
from graph_api.reading.relations import Relation
from graph_api.schema.fields import Deferred, Input, input_type, maybe
from graph_api.schema.registry import SHOWN
from graph_api.schema.scalars import VALUES, Json

_SLOW = " Reads the whole workspace where no index helps."
_ORDERED = {
    "lt": "Less than.",
    "lte": "At most.",
    "gt": "Greater than.",
    "gte": "At least.",
}
_EQUAL = {
    "eq": "Equal to.",
    "ne": "Not equal to; null is not equal to anything.",
    "in": "Equal to one of these.",
    "notIn": "Equal to none of these.",
    "isNull": "Whether there is no value.",
}
_LISTED = {"in", "notIn", "hasAny", "hasAll"}
_OPERATORS: dict[Kind, dict[str, str]] = {
    Kind.ID: _EQUAL,
    Kind.WORD: _EQUAL,
    Kind.BOOLEAN: {k: _EQUAL[k] for k in ("eq", "ne", "isNull")},
    Kind.INT: _EQUAL | _ORDERED,
    Kind.BIG_INT: _EQUAL | _ORDERED,
    Kind.FLOAT: _EQUAL | _ORDERED,
    Kind.DECIMAL: _EQUAL | _ORDERED,
    Kind.TIME: _EQUAL | _ORDERED,
    Kind.TEXT: _EQUAL
    | _ORDERED
    | {
        "startsWith": "Begins with, in the same case.",
        "contains": "Contains, in whatever case." + _SLOW,
        "resembles": "Is spelled like, as trigrams have it." + _SLOW,
    },
    Kind.TEXTS: {
        "has": "Contains this one." + _SLOW,
        "hasAny": "Contains at least one of these." + _SLOW,
        "hasAll": "Contains all of these." + _SLOW,
        "isNull": _EQUAL["isNull"],
    },
}
_FILTER_NAMES = {
    Kind.ID: "ID",
    Kind.TEXT: "String",
    Kind.TIME: "DateTime",
    Kind.BIG_INT: "BigInt",
    Kind.TEXTS: "StringList",
}

RESEMBLANCE = input_type(
    "Resemblance",
    "How alike two texts must be.",
    {
        "to": Input(str, "The text to compare with, of at most 200 characters."),
        "threshold": Input(
            float, "How alike: 0 is anything, 1 has all trigrams in common.", 0.3
        ),
    },
)

JSON_FILTER = input_type(
    "JSONFilter",
    "Conditions on a `JSON` value, or on one within it." + _SLOW,
    {
        "path": Input(
            maybe(str),
            "The keys that lead to the value within, joined by dots; list items are "
            "counted from 0.",
        ),
        "eq": Input(maybe(Json), "Equal to."),
        "ne": Input(maybe(Json), "Not equal to, or not there."),
        "in": Input(maybe(list[Json]), "Equal to one of these."),
        "contains": Input(
            maybe(Json), "Has at least these keys and values, or list items."
        ),
        "exists": Input(maybe(bool), "Whether there is such a value."),
    },
)


@cache
def filter_type(model: type[Base]) -> Any:
    """The input type that filters the rows of `model`."""
    name = f"{model.__name__}Filter"
    itself: Any = Deferred(name, lambda: filter_type(model))
    fields = {
        public_name(attribute): Input(
            maybe(_operators_of(column)), f"Conditions on `{public_name(attribute)}`."
        )
        for attribute, column in _filterable(model).items()
    }
    for attribute, relation in SHOWN[model].relations.items():
        related: Any = _related_filter(relation)
        fields[public_name(attribute)] = Input(
            maybe(related), f"Conditions on `{public_name(attribute)}`."
        )
    fields |= {
        "and": Input(maybe(list[itself]), "All of these hold."),
        "or": Input(maybe(list[itself]), "At least one of these holds."),
        "not": Input(maybe(itself), "This does not hold."),
    }
    return input_type(
        name,
        f"Conditions on `{model.__name__}`; all must hold. None of them may be null: "
        "leave out what is not meant.",
        fields,
    )


def _related_filter(relation: Relation) -> Deferred:
    name = f"{relation.target.__name__}Filter"
    if not relation.to_many:
        return Deferred(name, lambda: filter_type(relation.target))
    return Deferred(
        name.replace("Filter", "ListFilter"), lambda: _list_filter(relation.target)
    )


@cache
def _list_filter(model: type[Base]) -> Any:
    one: Any = filter_type(model)
    return input_type(
        f"{model.__name__}ListFilter",
        f"Conditions on a list of {model.__name__} objects.",
        {
            "some": Input(maybe(one), "At least one of them is like this."),
            "none": Input(maybe(one), "None of them is like this."),
            "every": Input(maybe(one), "There is none that is not like this."),
        },
    )


def _operators_of(column: Column[Any]) -> Any:
    if kind(column) is Kind.JSON:
        return JSON_FILTER
    words = column.type.words if isinstance(column.type, Words) else None
    return comparisons(kind(column), cast(Hashable, words))


@cache
def comparisons(of: Kind, words: Hashable = None) -> Any:
    """The input type that compares a value of this kind, or one of `words`."""
    value: Any = words or VALUES[of]
    name = value.__name__ if words else _FILTER_NAMES.get(of, of.name.title())
    return input_type(
        f"{name}Filter",
        f"Conditions on a value of `{name}`; all must hold. None may be null.",
        {
            operator: Input(_operand(operator, value), description)
            for operator, description in _OPERATORS[of].items()
        },
    )


def _operand(operator: str, value: Any) -> Any:
    if operator == "isNull":
        return maybe(bool)
    if operator == "resembles":
        return maybe(RESEMBLANCE)
    return maybe(list[value] if operator in _LISTED else value)


def _filterable(model: type[Base]) -> dict[str, Column[Any]]:
    kinds = _OPERATORS.keys() | {Kind.JSON}
    return {k: c for k, c in columns_of(model).items() if kind(c) in kinds}
