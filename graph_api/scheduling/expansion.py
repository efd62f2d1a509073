"""What a rule gives, on the clocks on the wall: dateutil, asked for no more than that.

dateutil follows a rule from its start, and one that never comes (30 February) to the
year 9999. Here it begins at the period in which an answer can lie, takes a bounded
number of periods, and gives days; the times of a day are ours.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any, Self

from dateutil import rrule as dateutil

from graph_api.models.rules import LATEST
from graph_api.scheduling.rules import Frequency, Rule

# As many periods are looked at in one go: each takes some milliseconds at most, where
# nothing is found in all of them.
MAX_PERIODS = {
    Frequency.YEARLY: 100,
    Frequency.MONTHLY: 1_000,
    Frequency.WEEKLY: 1_500,
    Frequency.DAILY: 2_500,
}

# After it there is nothing that we could store.
END = LATEST.replace(tzinfo=None)


def occurrences(
    rule: Rule, start: datetime, first: datetime, last: datetime
) -> Iterator[datetime]:
    """What clocks show when the rule comes: from `first` to `last`, in order.

    `start` is where it begins, in whole seconds. All are without offset.
    """
    if rule.count is not None:
        last = min(last, _counted_out(rule, start))
    first, last = max(first, start), min(last, END)
    times = rule.times(start)
    for day in _days(rule, start, first.date(), last.date()):
        for time in times:
            shown = datetime.combine(day, time)
            if first <= shown <= last:
                yield shown


def ever_comes(rule: Rule) -> bool:
    """Whether there is a day of this rule; all calendars recur within 28 years."""
    start, last = datetime(2000, 1, 1), datetime(2027, 12, 31)  # noqa: DTZ001 - wall
    endless = replace(rule, interval=1, count=None, until=None)
    return any(True for _ in occurrences(endless, start, start, last))


@lru_cache(maxsize=4096)
def _counted_out(rule: Rule, start: datetime) -> datetime:
    """The last of the `count` times that a rule comes."""
    endless = replace(rule, count=None)
    all_of_them = islice(occurrences(endless, start, start, END), rule.count)
    return next(iter(deque(all_of_them, maxlen=1)), start)


def _days(rule: Rule, start: datetime, first: date, last: date) -> Iterator[date]:
    """The days of a rule, from the period of `first` on; few may be before it."""
    rule = _explicit(rule, start)
    begin, periods = _periods(rule, start.date(), first, last)
    if begin is None:
        return
    found = dateutil.rrule(
        rule.frequency.value,
        dtstart=datetime.combine(begin, datetime.min.time()),
        interval=_Strides(rule.interval, min(periods, MAX_PERIODS[rule.frequency])),
        wkst=rule.week_start,
        bysetpos=rule.positions or None,
        bymonth=rule.months or None,
        bymonthday=rule.month_days or None,
        byyearday=rule.year_days or None,
        byweekno=rule.weeks or None,
        byweekday=rule.weekdays or None,
    )
    try:
        for midnight in found:
            if midnight.date() > last:
                return
            yield midnight.date()
    except _FarEnough:
        return


def _explicit(rule: Rule, start: datetime) -> Rule:
    """The rule, saying itself what it would take from its start."""
    often = rule.frequency
    by_day = rule.month_days or rule.year_days or rule.weekdays
    if rule.weeks and not by_day:
        # dateutil would take all seven days of the week.
        return replace(rule, weekdays=(dateutil.weekday(start.weekday()),))
    if often == Frequency.DAILY and rule.interval == 1 and not rule.positions:
        # The same days, in a tenth of the steps.
        every = rule.month_days or tuple(range(1, 32))
        return replace(rule, frequency=Frequency.MONTHLY, month_days=every)
    if not by_day and often == Frequency.WEEKLY:
        return replace(rule, weekdays=(dateutil.weekday(start.weekday()),))
    if not by_day and often == Frequency.MONTHLY:
        return replace(rule, month_days=(start.day,))
    if not by_day and often == Frequency.YEARLY:
        months = rule.months or (start.month,)
        return replace(rule, months=months, month_days=(start.day,))
    return replace(rule, weekdays=_all_numbered(rule))


def _all_numbered(rule: Rule) -> tuple[dateutil.weekday, ...]:
    """Weekdays of which all have a number, if one has.

    `MO,-1FR` is every Monday and the last Friday; dateutil would take what is both.
    """
    if not any(day.n for day in rule.weekdays):
        return rule.weekdays
    of_month = rule.frequency == Frequency.MONTHLY or rule.months
    numbers = range(1, 6 if of_month else 54)
    return tuple(
        numbered
        for day in rule.weekdays
        for numbered in ([day] if day.n else [day(n) for n in numbers])
    )


def _periods(
    rule: Rule, start: date, first: date, last: date
) -> tuple[date | None, int]:
    """The first day of the period in which `first` lies, and how many to `last`.

    Periods are counted from that of `start`, of which only each `interval`th counts.
    """
    if rule.frequency == Frequency.YEARLY:
        number, span = (first.year - start.year), (last.year - start.year)
    elif rule.frequency == Frequency.MONTHLY:
        number, span = _months(first) - _months(start), _months(last) - _months(start)
    else:
        length = 7 if rule.frequency == Frequency.WEEKLY else 1
        if length == 7:
            start -= timedelta((start.weekday() - rule.week_start) % 7)
        number, span = (first - start).days // length, (last - start).days // length
    number -= number % rule.interval
    periods = (span - number) // rule.interval + 1
    if periods < 1 or first > last:
        return None, 0
    if rule.frequency == Frequency.YEARLY:
        return date(start.year + number, 1, 1), periods
    if rule.frequency == Frequency.MONTHLY:
        year, month = divmod(_months(start) + number, 12)
        return date(year, month + 1, 1), periods
    return start + timedelta(number * length), periods


def _months(day: date) -> int:
    return day.year * 12 + day.month - 1


class _FarEnough(Exception):
    """Raised by the interval of a rule, out of dateutil's loop."""


class _Strides(int):
    """An interval that can be taken so many times; dateutil adds it for each period."""

    left: int

    def __new__(cls, interval: int, periods: int) -> Self:
        made = super().__new__(cls, interval)
        made.left = periods
        return made

    def __radd__(self, other: Any) -> Any:
        self._take()
        return other + int(self)

    def __mul__(self, other: Any) -> Any:
        self._take()
        return int(self) * other

    def _take(self) -> None:
        self.left -= 1
        if self.left <= 0:
            raise _FarEnough
