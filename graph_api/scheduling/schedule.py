"""The moments at which something is due: once, or as its rule says, in a time zone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import islice
from typing import Self
from zoneinfo import ZoneInfo

from graph_api.errors import UnreadableValue
from graph_api.models.rules import LATEST
from graph_api.scheduling.expansion import END, ever_comes, occurrences
from graph_api.scheduling.rules import (
    MAX_TIMES_A_DAY,
    Instant,
    Rule,
    Unreadable,
    read_rule,
)
from graph_api.scheduling.zones import is_shown, moment, wall_clock

# No zone is farther from UTC than a day, and no clock was put forward by more.
_MARGIN = timedelta(days=2)


@dataclass(frozen=True)
class Schedule:
    """When something is due: from `start` on as `rule` says, or once, or never.

    The clocks of `zone` decide what an hour, a day and a month are.
    """

    start: datetime | None
    rule: Rule | None
    zone: ZoneInfo

    @classmethod
    def of(cls, due_at: datetime | None, rrule: str | None, zone: ZoneInfo) -> Self:
        """The schedule that two columns say.

        Raises UnreadableValue for a rule that was stored and is none.
        """
        try:
            return cls(due_at, None if rrule is None else read_rule(rrule), zone)
        except Unreadable as error:
            raise UnreadableValue(
                f"The `rrule` that is stored here cannot be followed: {error}. Change "
                "it, or set it to null."
            ) from error

    def between(self, first: datetime, end: datetime, limit: int) -> list[datetime]:
        """The earliest `limit` moments from `first` on and before `end`, in order."""
        found = (one for _, one in self._around(first, end) if first <= one < end)
        # Where clocks are put forward, one may come before another of the same day.
        enough = limit + 2 * MAX_TIMES_A_DAY
        return sorted({*islice(found, enough), *self._added(first, end)})[:limit]

    def next(self, now: datetime) -> datetime | None:
        """The earliest moment from `now` on, if there is one."""
        found = self._added(now, LATEST)
        for shown, one in self._around(now, LATEST):
            if one >= now:
                found.append(one)
                if is_shown(shown, self.zone):
                    break
        return min(found, default=None)

    def _around(
        self, first: datetime, end: datetime
    ) -> Iterator[tuple[datetime, datetime]]:
        """What clocks show, and when, from a day before `first` to a day after `end`.

        In the order that clocks go.
        """
        if self.start is None:
            return
        start = wall_clock(self.start, self.zone)
        if self.rule is None:
            yield start, self.start
            return
        whole = start.replace(microsecond=0)
        for shown in occurrences(self.rule, whole, *self._window(first, end)):
            one = moment(shown, self.zone)
            if _is_after(shown, one, self.rule.until) or self._is_left_out(shown, one):
                continue
            # The start itself may be the second of two hours that are shown alike.
            yield shown, self.start if shown == whole else one + (start - whole)

    def _window(self, first: datetime, end: datetime) -> tuple[datetime, datetime]:
        """What clocks show then in any zone, but not after UNTIL."""
        until = self.rule.until if self.rule else None
        last = min(end.replace(tzinfo=None), END)
        if isinstance(until, datetime):
            last = min(last, until.replace(tzinfo=None))
        elif until is not None:
            last = min(last, datetime.combine(until, time()))
        return first.replace(tzinfo=None) - _MARGIN, last + _MARGIN

    def _added(self, first: datetime, end: datetime) -> list[datetime]:
        """The RDATEs of the rule from `first` on and before `end`."""
        if self.start is None or self.rule is None:
            return []
        added = (
            one if one.tzinfo else moment(one, self.zone) for one in self.rule.added
        )
        return [
            one
            for one in added
            if first <= one < end
            and not self._is_left_out(wall_clock(one, self.zone), one)
        ]

    def _is_left_out(self, shown: datetime, one: datetime) -> bool:
        left_out = self.rule.left_out if self.rule else ()
        return bool(left_out) and (
            one in left_out or shown in left_out or shown.date() in left_out
        )


def refusal(rrule: str) -> str | None:
    """Why a text cannot be stored as an `rrule`; None if it can."""
    try:
        if ever_comes(read_rule(rrule)):
            return None
        reason = "there is no such day"
    except Unreadable as error:
        reason = str(error)
    return (
        "must be a rule as RFC 5545 writes it, such as FREQ=WEEKLY;BYDAY=MO; "
        f"here {reason}"
    )


def _is_after(shown: datetime, one: datetime, until: Instant | None) -> bool:
    """Whether it is past UNTIL, of which the last moment, or the whole day, counts."""
    if not isinstance(until, datetime):
        return until is not None and shown.date() > until
    return (one if until.tzinfo else shown) > until
