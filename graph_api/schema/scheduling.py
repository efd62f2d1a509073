"""When commitments are due, as clients see it, and what to focus on."""

from datetime import datetime, timedelta
from typing import Any

import strawberry

from graph_api import models
from graph_api.errors import BadUserInput, TooComplex
from graph_api.models import FINAL, OPEN
from graph_api.reading.focus import MOST_URGENT_FIRST, Open
from graph_api.reading.pages import Page
from graph_api.reading.relations import all_rows
from graph_api.scheduling import urgency
from graph_api.scheduling.schedule import Schedule
from graph_api.scheduling.urgency import SOON, FocusCode
from graph_api.scheduling.zones import zone
from graph_api.schema.context import Context
from graph_api.schema.entity import computed, computed_field, for_each
from graph_api.schema.fields import argument, describe, maybe, object_type, row_field
from graph_api.schema.registry import shown_as
from graph_api.schema.sources import Given, Itself, Listed

DEFAULT_PAGE = 20

# A 29 February lies in any five years but two, and to look through the days of five
# years takes a few milliseconds.
MAX_SPAN = timedelta(days=5 * 366)
# What happens daily, for more than two years; a longer list is data and no calendar.
MAX_OCCURRENCES = 1_000

TIME_ZONE = argument(
    "time_zone",
    str,
    "The time zone whose clocks count, such as `Europe/Berlin`: 9:00 stays 9:00 when "
    "they change.",
    "UTC",
)


@computed(
    maybe(list[datetime]),
    ["due_at", "rrule"],
    "When it is due, from `dueAt` on as `rrule` says, or once where there is none; in "
    "order. What has no `dueAt` is never due. A time that clocks show twice is the "
    "first of both; one that they skip is as much later (02:30 is 03:30); a day that a "
    "month does not have is left out. Null, beside an error, where the `rrule` that is "
    f"stored cannot be followed, or where there are more than {MAX_OCCURRENCES}.",
    [
        argument("from", datetime, "The first moment that counts."),
        argument(
            "to",
            datetime,
            f"The moment after the last that counts; at most {MAX_SPAN.days} days "
            "after `from`.",
        ),
        TIME_ZONE,
        argument(
            "first",
            maybe(int),
            "Only so many, the earliest, and at most as many as a page may have; all, "
            "if it is left out.",
        ),
    ],
)
def occurrences(
    commitments: list[Any], given: dict[str, Any], _: datetime
) -> list[Any]:
    """The occurrences of each between two moments."""
    of_zone = zone(given["time_zone"])
    first, end, limit = given["from"], given["to"], given.get("first")
    if not timedelta() < end - first <= MAX_SPAN:
        raise BadUserInput(
            f"`to` must be after `from`, by at most {MAX_SPAN.days} days."
        )

    def value(row: Any) -> list[datetime]:
        schedule = Schedule.of(row.due_at, row.rrule, of_zone)
        if limit is not None:
            return schedule.between(first, end, limit)
        found = schedule.between(first, end, MAX_OCCURRENCES + 1)
        if len(found) > MAX_OCCURRENCES:
            raise TooComplex(
                f"It is due more than {MAX_OCCURRENCES} times between these. Ask for a "
                "shorter time, or for the `first` of them.",
                limit="occurrences",
                allowed=MAX_OCCURRENCES,
            )
        return found

    return for_each(commitments, value)


@computed(
    maybe(datetime),
    ["due_at", "rrule", "state"],
    "When it is due the next time, now or later. Null where it is not: it is done or "
    "given up, the last time has passed, or nothing says when. Null, beside an error, "
    "where the `rrule` that is stored cannot be followed.",
    [TIME_ZONE],
)
def next_occurrence(
    commitments: list[Any], given: dict[str, Any], now: datetime
) -> list[Any]:
    """The next occurrence of each that is not at its end."""
    of_zone = zone(given["time_zone"])

    def value(row: Any) -> datetime | None:
        if row.state in FINAL:
            return None
        return Schedule.of(row.due_at, row.rrule, of_zone).next(now)

    return for_each(commitments, value)


@computed(
    bool,
    ["due_at", "rrule", "state"],
    f"Whether it is {', '.join(state.name for state in OPEN)}, and the last time at "
    "which it was due has passed. What repeats is not overdue as long as it comes "
    "again. An `rrule` that cannot be followed counts as none.",
)
def overdue(commitments: list[Any], _: dict[str, Any], now: datetime) -> list[bool]:
    """Whether each is late."""
    return [urgency.overdue(row, now) for row in commitments]


strawberry.enum(FocusCode, description="Why a commitment deserves attention.")
describe(
    FocusCode,
    {
        "OVERDUE": "It was due, and is still open.",
        "DUE_SOON": f"It is due within {SOON.days} days.",
        "DUE_LATER": f"It is due, but not within {SOON.days} days.",
        "NO_DUE_TIME": "It has no `dueAt`.",
        "REPEATS": "It comes again and again; its place follows from its first date.",
        "DELINQUENT": "Its state says that it was not done in time.",
        "HIGH_PRIORITY": f"Its priority is at least {urgency.HIGH}.",
        "SEVERE": f"Its severity is at least {urgency.HIGH}.",
    },
)

FOCUS_REASON: Any = object_type(
    "FocusReason",
    "One reason for which a commitment deserves attention.",
    {
        "code": row_field(FocusCode, lambda of, *_: of.code, "What sort of reason."),
        "message": row_field(
            str, lambda of, *_: of.message, "The reason in words, in English."
        ),
        "due_at": row_field(
            maybe(datetime),
            lambda of, *_: of.due_at,
            "The due time that it is about: of what repeats the next, with `REPEATS` "
            "the first.",
        ),
        "days_late": row_field(
            maybe(int),
            lambda of, *_: of.days_late,
            "For how many whole days it is `OVERDUE`.",
        ),
    },
)


@computed(
    list[FOCUS_REASON],
    ["due_at", "rrule", "state", "priority", "severity"],
    "Why it is here: at first when it is due, then whatever else. There is at least "
    "one.",
)
def reasons(
    commitments: list[Any], _: dict[str, Any], now: datetime
) -> list[list[urgency.FocusReason]]:
    """Why each deserves attention."""
    return [urgency.reasons(row, now) for row in commitments]


# Its row is the commitment's own.
FOCUS_ITEM: Any = object_type(
    "FocusItem",
    "A commitment that is open, and why it deserves attention.",
    {
        "commitment": row_field(
            shown_as(models.Commitment), Itself(), "The commitment."
        ),
        "reasons": computed_field(models.Commitment, reasons),
    },
)


def _most_urgent(context: Context, given: Given) -> Page:
    limit, most = given["first"], context.max_page
    if limit is None or not 0 <= limit <= most:
        raise BadUserInput(f"`first` must be from 0 to {most}, not {limit}.")
    return Page(limit=limit, order=MOST_URGENT_FIRST, where=Open())


FOCUS = row_field(
    list[FOCUS_ITEM],
    Listed(all_rows(models.Commitment), _most_urgent),
    f"What is {', '.join(state.name for state in OPEN)}: the earliest `dueAt` first, "
    "of those that are due at once the highest priority, and at the end what has no "
    "`dueAt`. What repeats stands where its first date puts it, which may be long ago; "
    "its reasons say when it comes next.",
    [argument("first", int, "How many at most.", DEFAULT_PAGE)],
)
