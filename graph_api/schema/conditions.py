"""What a client's filter means: a value of a filter type as a condition on rows."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Column

from graph_api.errors import BadUserInput
from graph_api.ids import key_of
from graph_api.models import Base, public_name
from graph_api.models.rules import Words
from graph_api.reading.columns import Kind, columns_of, kind, referred_model
from graph_api.reading.filters import (
    All,
    AnyOf,
    AtPath,
    Compare,
    Condition,
    Not,
    Some,
    every,
)
from graph_api.reading.relations import Relation
from graph_api.schema.registry import SHOWN

# At most this many values in one list, and conditions in one filter: beyond that, a
# list of values is data and belongs into a table.
MAX_VALUES = 1_000
MAX_CONDITIONS = 100

# Each is a join, and PostgreSQL plans a hundred of them for three seconds.
MAX_RELATIONS = 20

_NAMES = {"notIn": "not_in", "isNull": "is_null", "startsWith": "starts_with"} | {
    "hasAny": "has_any",
    "hasAll": "has_all",
}


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
    if _joins(found) > MAX_RELATIONS:
        raise BadUserInput(
            f"A filter can ask for related rows at most {MAX_RELATIONS} times."
        )
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
        yield Compare(model, attribute, operator_name(operator), read)


def _values(model: type[Base], attribute: str, column: Column[Any], value: Any) -> Any:
    if isinstance(value, list):
        refuse_many(value)
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


def operator_name(public: str) -> str:
    """What clients call `notIn` is `not_in` to us."""
    return _NAMES.get(public, public)


def refuse_many(values: list[Any]) -> None:
    """Raise BadUserInput for more values than one comparison takes."""
    if len(values) > MAX_VALUES:
        raise BadUserInput(
            f"A filter can compare with at most {MAX_VALUES} values at once, "
            f"not {len(values)}."
        )


def _within_json(attribute: str, operators: Mapping[str, Any]) -> Iterator[Condition]:
    for operator in ("path", "in", "exists"):
        if operators.get(operator, True) is None:
            raise BadUserInput(f"`{operator}` in a filter must not be null.")
    path = operators.get("path")
    steps = tuple(path.split(".")) if path else ()
    for operator, value in operators.items():
        if operator != "path":
            yield AtPath(attribute, steps, operator, _json_operand(operator, value))


def _json_operand(operator: str, value: Any) -> str | tuple[str, ...] | bool:
    """What a JSON value is compared with: JSON texts, of which null is one."""
    if operator == "exists":
        return bool(value)
    if operator == "in":
        refuse_many(value)
        return tuple(json.dumps(one) for one in value)
    return json.dumps(value)


def _size(condition: Condition) -> int:
    match condition:
        case All(conditions) | AnyOf(conditions):
            return max(1, sum(map(_size, conditions)))
        case Not(condition) | Some(_, condition):
            return _size(condition)
    return 1


def _joins(condition: Condition) -> int:
    match condition:
        case All(conditions) | AnyOf(conditions):
            return sum(map(_joins, conditions))
        case Not(condition):
            return _joins(condition)
        case Some(_, condition):
            return 1 + _joins(condition)
    return 0


@cache
def _relations(model: type[Base]) -> dict[str, Relation]:
    return {public_name(k): r for k, r in SHOWN[model].relations.items()}


@cache
def _attributes(model: type[Base]) -> dict[str, str]:
    return {public_name(k): k for k in columns_of(model)}
