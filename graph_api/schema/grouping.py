"""What `groups` takes: what to group by, periods of time, and which groups to keep."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from typing import Any

import strawberry

from graph_api.errors import BadUserInput
from graph_api.models import Base, public_name
from graph_api.reading.aggregates import (
    Grouping,
    Having,
    Measure,
    Period,
    datable,
    measurable,
)
from graph_api.reading.columns import Kind, column_of, kind
from graph_api.scheduling.zones import zone
from graph_api.schema.aggregates import FUNCTIONS, group_field_type
from graph_api.schema.conditions import MAX_CONDITIONS, operator_name, refuse_many
from graph_api.schema.fields import Input, argument, describe, input_type, maybe
from graph_api.schema.filters import comparisons

# As many groups as a page of a connection has by default.
DEFAULT_GROUPS = 20

# More would be a table and not a chart.
MAX_GROUP_KEYS = 3


@strawberry.enum(description="A period that times are grouped by.")
class DateTrunc(StrEnum):
    """The units that PostgreSQL's date_trunc has words for."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


describe(
    DateTrunc,
    {
        "HOUR": "Hours.",
        "DAY": "Days; those on which clocks change have 23 or 25 hours.",
        "WEEK": "Weeks, from Monday on.",
        "MONTH": "Months.",
        "QUARTER": "Quarters of a year.",
        "YEAR": "Years.",
    },
)


def group_arguments(model: type[Base]) -> list[Any]:
    """The arguments of `groups` of a list of `model`'s rows."""
    field: Any = group_field_type(model)
    return [
        argument("by", list[field], "What the objects of a group have in common."),
        argument(
            "date_trunc",
            maybe(DateTrunc),
            "The period that times in `by` are grouped by; needed where there are any.",
        ),
        argument(
            "time_zone",
            str,
            "The time zone in which a period begins, such as `Europe/Berlin`.",
            "UTC",
        ),
        argument(
            "having",
            maybe(having_type(model)),
            "Only groups with such figures; all, if it is left out.",
        ),
        argument("first", int, "How many groups at most.", DEFAULT_GROUPS),
    ]


@cache
def having_type(model: type[Base]) -> Any:
    """The input type that chooses among groups of `model`'s rows by their figures."""
    name = model.__name__
    fields = {"count": Input(maybe(comparisons(Kind.INT)), "How many there are.")}
    for function in FUNCTIONS:
        if attributes := measurable(model, function):
            fields[function] = Input(
                maybe(_figures_type(model, function, tuple(attributes))),
                f"Conditions on what `{function}` of the group's `aggregate` is.",
            )
    return input_type(
        f"{name}Having",
        f"Conditions on the figures of a group of {name} objects; all must hold. None "
        "of them may be null.",
        fields,
    )


@cache
def _figures_type(model: type[Base], function: str, attributes: tuple[str, ...]) -> Any:
    return input_type(
        f"{model.__name__}{function.capitalize()}Having",
        f"Conditions on what `{function}` is; all must hold. None of them may be null.",
        {
            public_name(attribute): Input(
                maybe(comparisons(_kind_of(model, function, attribute))),
                f"Conditions on `{public_name(attribute)}`.",
            )
            for attribute in attributes
        },
    )


def _kind_of(model: type[Base], function: str, attribute: str) -> Kind:
    """The kind of a figure, which is shown as `aggregate` shows it."""
    of = kind(column_of(model, attribute))
    if of in {Kind.INT, Kind.BIG_INT} and function in {"sum", "avg"}:
        return Kind.BIG_INT if function == "sum" else Kind.FLOAT
    return of


def grouping(
    model: type[Base],
    given: Mapping[str, Any],
    measures: tuple[Measure, ...],
    max_groups: int,
) -> Grouping:
    """The grouping that the arguments of `groups` stand for.

    Raises BadUserInput for what is out of range, and for times without a period.
    """
    limit = given["first"]
    if limit is None or not 0 <= limit <= max_groups:
        raise BadUserInput(f"`first` must be from 0 to {max_groups}, not {limit}.")
    by = tuple(dict.fromkeys(map(str, given["by"])))
    if not 1 <= len(by) <= MAX_GROUP_KEYS:
        raise BadUserInput(f"`by` takes 1 to {MAX_GROUP_KEYS} fields, not {len(by)}.")
    having = tuple(_having(model, given.get("having") or {}))
    if len(having) > MAX_CONDITIONS:
        raise BadUserInput(f"`having` can have at most {MAX_CONDITIONS} conditions.")
    return Grouping(by, measures, limit, _period(model, by, given), having)


def _period(
    model: type[Base], by: tuple[str, ...], given: Mapping[str, Any]
) -> Period | None:
    times = [name for name in by if name in datable(model)]
    if not times:
        return None
    unit = given.get("date_trunc")
    if unit is None:
        units = ", ".join(one.name for one in DateTrunc)
        raise BadUserInput(
            f"To group by `{public_name(times[0])}`, pass `dateTrunc` with the period: "
            f"{units}."
        )
    return Period(unit.value, zone(given["time_zone"]).key)


def _having(model: type[Base], given: Mapping[str, Any]) -> Iterator[Having]:
    for name, conditions in _present(given):
        if name == "count":
            yield from _compared(None, conditions)
            continue
        attributes = {public_name(a): a for a in measurable(model, name)}
        for field, operators in _present(conditions):
            yield from _compared(Measure(name, attributes[field]), operators)


def _compared(
    measure: Measure | None, operators: Mapping[str, Any]
) -> Iterator[Having]:
    for name, value in _present(operators):
        if isinstance(value, list):
            refuse_many(value)
            yield Having(measure, operator_name(name), tuple(value))
        else:
            yield Having(measure, operator_name(name), value)


def _present(given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in given.items():
        if value is None:
            raise BadUserInput(f"`{name}` in `having` must not be null; leave it out.")
        yield name, value
