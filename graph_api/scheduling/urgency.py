"""What is overdue, and why something deserves attention now."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from graph_api.errors import UnreadableValue
from graph_api.models import OPEN, CommitmentState
from graph_api.scheduling.schedule import Schedule
from graph_api.scheduling.zones import zone

SOON = timedelta(days=7)
# From here on, of 0 to 100, priority and severity are reasons.
HIGH = 75

# What is late does not depend on where one is.
_UTC = zone("UTC")


class FocusCode(StrEnum):
    """Why something deserves attention."""

    OVERDUE = "overdue"
    DUE_SOON = "due_soon"
    DUE_LATER = "due_later"
    NO_DUE_TIME = "no_due_time"
    REPEATS = "repeats"
    DELINQUENT = "delinquent"
    HIGH_PRIORITY = "high_priority"
    SEVERE = "severe"


@dataclass(frozen=True)
class FocusReason:
    """One reason, with the time that it is about, if it is about one."""

    code: FocusCode
    message: str
    due_at: datetime | None = None
    days_late: int | None = None


class Owed(Protocol):
    """What is read of a commitment here."""

    state: CommitmentState
    due_at: datetime | None
    rrule: str | None
    priority: int
    severity: int


def overdue(owed: Owed, now: datetime) -> bool:
    """Whether something is open, and the last time at which it was due has passed.

    What repeats is not, as long as it comes again: that it was not done the last time
    is nowhere said. A rule that cannot be followed counts as none.
    """
    if owed.state not in OPEN or owed.due_at is None or owed.due_at >= now:
        return False
    return owed.rrule is None or _next(owed.due_at, owed.rrule, now) is None


def reasons(owed: Owed, now: datetime) -> list[FocusReason]:
    """Why something that is open deserves attention: when it is due, then the rest."""
    return list(_reasons(owed, now))


def _reasons(owed: Owed, now: datetime) -> Iterator[FocusReason]:
    coming = owed.due_at and owed.rrule and _next(owed.due_at, owed.rrule, now)
    yield _about_time(coming or owed.due_at, now)
    if coming:
        yield FocusReason(
            FocusCode.REPEATS,
            "It repeats, and stands here by its first date.",
            owed.due_at,
        )
    if owed.state is CommitmentState.DELINQUENT:
        yield FocusReason(FocusCode.DELINQUENT, "It was not done in time.")
    if owed.priority >= HIGH:
        yield FocusReason(FocusCode.HIGH_PRIORITY, f"Its priority is {owed.priority}.")
    if owed.severity >= HIGH:
        message = f"To miss it would be bad: its severity is {owed.severity}."
        yield FocusReason(FocusCode.SEVERE, message)


def _about_time(due_at: datetime | None, now: datetime) -> FocusReason:
    if due_at is None:
        return FocusReason(FocusCode.NO_DUE_TIME, "Nothing says when it is due.")
    if due_at < now:
        days = (now - due_at).days
        late = f"by {_days(days)}" if days else "by less than a day"
        return FocusReason(FocusCode.OVERDUE, f"It is overdue {late}.", due_at, days)
    days = (due_at - now).days
    message = f"It is due in {_days(days)}." if days else "It is due within a day."
    soon = due_at - now <= SOON
    return FocusReason(
        FocusCode.DUE_SOON if soon else FocusCode.DUE_LATER, message, due_at
    )


def _days(number: int) -> str:
    return "a day" if number == 1 else f"{number} days"


def _next(due_at: datetime, rrule: str, now: datetime) -> datetime | None:
    try:
        return Schedule.of(due_at, rrule, _UTC).next(now)
    except UnreadableValue:
        return None
