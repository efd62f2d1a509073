"""Filters as GraphQL has them: an input type for each model, made from its columns.

`CommitmentFilter` has a field for each column, with the operators of its kind, one for
each relation, and `and`, `or`, `not`. A value becomes a condition of `reading.filters`.
"""

from collections.abc import Hashable, Iterator, Mapping
from functools import cache
from typing import Any, cast

import orjson
from sqlalchemy import Column

from ..errors import BadUserInput
from ..ids import key_of
from ..models import Base, public_name
from ..models.rules import Words
from ..reading.columns import Kind, columns_of, kind, referred_model
from ..reading.filters import (
    All,
    AnyOf,
    AtPath,
    Compare,
    Condition,
    Not,
    Some,
    every,
)
from ..reading.relations import Relation
from .fields import Deferred, Input, input_type, maybe
from .registry import SHOWN
from .scalars import VALUES, Json

# At most this many values in one list, and conditions in one filter: beyond that, a
# list of values is data and belongs into a table.
MAX_VALUES = 1_000
MAX_CONDITIONS = 100

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
_NAMES = {"notIn": "not_in", "isNull": "is_null", "startsWith": "starts_with"} | {
    "hasAny": "has_any",
    "hasAll": "has_all",
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
    "Conditions on a JSON value, or on one within it." + _SLOW,
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
    return input_type(name, f"Conditions on a {model.__name__}; all must hold.", fields)


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
    return _comparisons(kind(column), cast(Hashable, words))


@cache
def _comparisons(of: Kind, words: Hashable) -> Any:
    value: Any = words or VALUES[of]
    name = value.__name__ if words else _FILTER_NAMES.get(of, of.name.title())
    return input_type(
        f"{name}Filter",
        f"Conditions on a {name} value; all must hold.",
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


def condition(model: type[Base], given: Mapping[str, Any] | None) -> Condition | None:
    """The condition that a value of `filter_type(model)` stands for.

    Raises BadUserInput for a null where a value belongs, for an id that is none, and
    for more than anyone could mean.
    """
    if not given:
        return None
    found = _all_of(model, given)
    if _size(found) > MAX_CONDITIONS:
        raise BadUserInput(f"A filter can have at most {MAX_CONDITIONS} conditions.")
    return found


def _all_of(model: type[Base], given: Mapping[str, Any]) -> Condition:
    found = tuple(
        one for name, value in given.items() for one in _conditions(model, name, value)
    )
    return found[0] if len(found) == 1 else All(found)


def _conditions(model: type[Base], name: str, value: Any) -> Iterator[Condition]:
    if value is None:
        raise BadUserInput(f"`{name}` in a filter must not be null; leave it out.")
    if name == "and":
        yield All(tuple(_all_of(model, one) for one in value))
    elif name == "or":
        yield AnyOf(tuple(_all_of(model, one) for one in value))
    elif name == "not":
        yield Not(_all_of(model, value))
    elif relation := _relations(model).get(name):
        yield from _related(relation, value)
    else:
        yield from _compared(model, _attributes(model)[name], value)


def _related(relation: Relation, value: Mapping[str, Any]) -> Iterator[Condition]:
    if not relation.to_many:
        yield Some(relation, _all_of(relation.target, value))
        return
    for quantifier, given in value.items():
        if given is None:
            raise BadUserInput(f"`{quantifier}` in a filter must not be null.")
        meant = _all_of(relation.target, given)
        if quantifier == "every":
            yield every(relation, meant)
        else:
            some = Some(relation, meant)
            yield some if quantifier == "some" else Not(some)


def _compared(
    model: type[Base], attribute: str, operators: Mapping[str, Any]
) -> Iterator[Condition]:
    column = columns_of(model)[attribute]
    if kind(column) is Kind.JSON:
        yield from _within_json(attribute, operators)
        return
    for operator, value in operators.items():
        if value is None:
            raise BadUserInput(
                f"`{operator}` in a filter must not be null; "
                "say `isNull: true` to find what has no value."
            )
        read = value
        if operator == "resembles":
            read = _resemblance(value)
        elif operator != "isNull":
            read = _values(model, attribute, column, value)
        yield Compare(model, attribute, _NAMES.get(operator, operator), read)


def _values(model: type[Base], attribute: str, column: Column[Any], value: Any) -> Any:
    if isinstance(value, list):
        if len(value) > MAX_VALUES:
            raise BadUserInput(
                f"A filter can compare with at most {MAX_VALUES} values at once, "
                f"not {len(value)}."
            )
        return tuple(_values(model, attribute, column, one) for one in value)
    if kind(column) is Kind.ID:
        return key_of(value, type_behind(model, attribute))
    if isinstance(column.type, Words):
        return column.type.words(value)
    return value


def type_behind(model: type[Base], attribute: str) -> str | None:
    """The type whose ids a column holds; None where it may be any."""
    if attribute == "id":
        return model.__name__
    for relation in SHOWN[model].relations.values():
        if relation.leaves_by == attribute:
            return relation.target.__name__
    try:
        return referred_model(model, attribute).__name__
    except TypeError:
        return None


def _resemblance(value: Mapping[str, Any]) -> tuple[str, float]:
    text, threshold = value["to"], value["threshold"]
    if not 0 < len(text) <= 200:
        raise BadUserInput("`resembles.to` must have 1 to 200 characters.")
    if threshold is None or not 0 <= threshold <= 1:
        raise BadUserInput("`resembles.threshold` must be from 0 to 1.")
    return text, threshold


def _within_json(attribute: str, operators: Mapping[str, Any]) -> Iterator[Condition]:
    path = (
        tuple((operators.get("path") or "").split(".")) if operators.get("path") else ()
    )
    for operator, value in operators.items():
        if operator == "path":
            continue
        meant: Any = value
        if operator == "in":
            meant = tuple(orjson.dumps(one).decode() for one in value or ())
        elif operator != "exists":
            meant = orjson.dumps(value).decode()
        elif value is None:
            raise BadUserInput("`exists` in a filter must not be null.")
        yield AtPath(attribute, path, operator, meant)


def _size(condition: Condition) -> int:
    match condition:
        case All(conditions) | AnyOf(conditions):
            return sum(map(_size, conditions))
        case Not(condition) | Some(_, condition):
            return _size(condition)
    return 1


@cache
def _relations(model: type[Base]) -> dict[str, Relation]:
    return {public_name(k): r for k, r in SHOWN[model].relations.items()}


@cache
def _attributes(model: type[Base]) -> dict[str, str]:
    return {public_name(k): k for k in columns_of(model)}
