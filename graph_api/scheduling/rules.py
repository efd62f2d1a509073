"""Recurrence rules: the text of `rrule`, read as RFC 5545 writes it, and strictly.

dateutil's own reader takes what no rule means (`BYMONTHDAY=0` is every day to it,
`UNTIL=may` the next May) and what would take for ever to follow. Only what is read here
is given to it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import IntEnum
from functools import lru_cache
from itertools import product

from dateutil import rrule as dateutil

from graph_api.errors import BadUserInput
from graph_api.models.rules import EARLIEST, LATEST
from graph_api.scheduling.zones import moment, zone

# Either a moment in UTC, or what clocks show wherever one is, or a whole day.
Instant = datetime | date

# A thousand weeks are twenty years; who goes on for longer can say until when.
MAX_COUNT = 1_000
MAX_INTERVAL = 10_000
# The hours of a day.
MAX_TIMES_A_DAY = 24
# Each position is looked for in all days of a period.
MAX_POSITIONS = 31


class Unreadable(ValueError):
    """A text that is no rule we follow; the message says what is wrong with it."""


class Frequency(IntEnum):
    """The periods that a rule goes by; the numbers are dateutil's.

    Not by hours or less: what happens several times a day says `BYHOUR`, which is
    right when clocks change, and cannot be without end within a day.
    """

    YEARLY = dateutil.YEARLY
    MONTHLY = dateutil.MONTHLY
    WEEKLY = dateutil.WEEKLY
    DAILY = dateutil.DAILY


@dataclass(frozen=True)
class Rule:
    """How something repeats; an empty part restricts nothing.

    `added` and `left_out` are the RDATEs and EXDATEs beside the rule.
    """

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: Instant | None = None
    week_start: int = 0
    months: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    year_days: tuple[int, ...] = ()
    weeks: tuple[int, ...] = ()
    weekdays: tuple[dateutil.weekday, ...] = ()
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    seconds: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    added: tuple[datetime, ...] = ()
    left_out: frozenset[Instant] = frozenset()

    def times(self, start: datetime) -> list[time]:
        """The times of a day, in order; those of `start` where the rule says none."""
        parts = (
            self.hours or (start.hour,),
            self.minutes or (start.minute,),
            self.seconds or (start.second,),
        )
        return sorted(time(*parts) for parts in product(*parts))


@lru_cache(maxsize=4096)
def read_rule(text: str) -> Rule:
    """The rule that a text says: `FREQ=…`, after `RRULE:` or not.

    Lines with `EXDATE` and `RDATE` may stand beside it, as a calendar exports them.
    Raises Unreadable.
    """
    rules: list[str] = []
    added: list[Instant] = []
    left_out: list[Instant] = []
    for line in text.split():
        head, colon, value = line.rpartition(":")
        name, *parameters = head.split(";")
        if name.upper() == "RRULE" or not colon:
            rules.append(value)
        elif name.upper() == "EXDATE":
            left_out += _instants(value, parameters)
        elif name.upper() == "RDATE":
            added += _instants(value, parameters)
        else:
            raise Unreadable(f"{name[:20]} is not taken; the start is `dueAt`")
    if len(rules) != 1:
        raise Unreadable(f"there must be one rule, not {len(rules)}")
    times = tuple(one for one in added if isinstance(one, datetime))
    if len(times) < len(added):
        raise Unreadable("an RDATE must have a time")
    return _read_parts(rules[0], times, frozenset(left_out))


def _read_parts(
    text: str, added: tuple[datetime, ...], left_out: frozenset[Instant]
) -> Rule:
    values: dict[str, object] = {}
    for part in text.upper().split(";"):
        name, _, value = part.partition("=")
        if name not in _PARTS:
            raise Unreadable(f"there is no part {name[:20]!r}")
        attribute, read = _PARTS[name]
        if attribute in values:
            raise Unreadable(f"{name} is said twice")
        values[attribute] = read(name, value)
    if "frequency" not in values:
        raise Unreadable("FREQ is missing")
    rule = Rule(**values, added=added, left_out=left_out)  # type: ignore[arg-type]
    _refuse_nonsense(rule)
    return rule


def _refuse_nonsense(rule: Rule) -> None:
    """Refuse parts that do not go together, by RFC 5545 or because it would be much."""
    often = rule.frequency
    by_days = (rule.months, rule.month_days, rule.year_days, rule.weeks, rule.weekdays)
    times_a_day = max(1, len(rule.hours)) * max(1, len(rule.minutes))
    times_a_day *= max(1, len(rule.seconds))
    nth = any(day.n for day in rule.weekdays)
    refusals = {
        "COUNT and UNTIL exclude each other": rule.count and rule.until,
        "BYWEEKNO needs FREQ=YEARLY": rule.weeks and often != Frequency.YEARLY,
        "BYYEARDAY needs FREQ=YEARLY": rule.year_days and often != Frequency.YEARLY,
        "BYMONTHDAY does not go with FREQ=WEEKLY": rule.month_days
        and often == Frequency.WEEKLY,
        "a BYDAY with a number needs FREQ=MONTHLY or YEARLY, without BYWEEKNO": nth
        and (often > Frequency.MONTHLY or rule.weeks),
        "BYSETPOS needs another BY part": rule.positions and not any(by_days),
        "BYSETPOS does not go with several times a day": rule.positions
        and times_a_day > 1,
        f"it may be at most {MAX_TIMES_A_DAY} times a day": times_a_day
        > MAX_TIMES_A_DAY,
    }
    for refusal, refused in refusals.items():
        if refused:
            raise Unreadable(refusal)


def _frequency(name: str, value: str) -> Frequency:
    if value not in Frequency.__members__:
        raise Unreadable(
            f"{name} must be DAILY, WEEKLY, MONTHLY or YEARLY; for several times a "
            "day, use BYHOUR"
        )
    return Frequency[value]


def _number(low: int, high: int) -> Callable[[str, str], int]:
    # 0 is an hour, but no day, month or week.
    said = f"{low} to {high}" if low >= 0 else f"1 to {high}, or from -1 to {low}"

    def read(name: str, value: str) -> int:
        if re.fullmatch(r"[+-]?[0-9]{1,6}", value, re.ASCII):
            number = int(value)
            if low <= number <= high and (number or low == 0):
                return number
        raise Unreadable(f"{name} must be from {said}")

    return read


def _numbers(low: int, high: int, most: int = 400) -> Callable[[str, str], object]:
    one = _number(low, high)

    def read(name: str, value: str) -> tuple[int, ...]:
        numbers = {one(name, each) for each in value.split(",")}
        if len(numbers) > most:
            raise Unreadable(f"{name} may have at most {most} numbers")
        return tuple(sorted(numbers))

    return read


def _weekday(name: str, value: str) -> int:
    if value not in _WEEKDAYS:
        raise Unreadable(f"{name} must be one of {', '.join(_WEEKDAYS)}")
    return _WEEKDAYS.index(value)


def _weekdays(name: str, value: str) -> tuple[dateutil.weekday, ...]:
    days = []
    for each in value.split(","):
        number, day = each[:-2], _weekday(name, each[-2:])
        n = _number(-53, 53)(name, number) if number else None
        days.append(dateutil.weekday(day, n))
    return tuple(dict.fromkeys(days))


def _until(name: str, value: str) -> Instant:
    return _instant(value, name)


def _instants(values: str, parameters: list[str]) -> list[Instant]:
    tzid = None
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.upper() == "TZID":
            tzid = value
        elif name.upper() != "VALUE" or value.upper() not in {"DATE", "DATE-TIME"}:
            raise Unreadable(f"{parameter[:20]} is not taken")
    found = [_instant(value, "a date", tzid) for value in values.upper().split(",")]
    if any(one.year not in _YEARS for one in found):
        raise Unreadable(f"a date must lie in {_YEARS.start} to {_YEARS.stop - 1}")
    return found


def _instant(value: str, name: str, tzid: str | None = None) -> Instant:
    found = re.fullmatch(r"([0-9]{8})(?:T([0-9]{6})(Z?))?", value)
    try:
        if found is None:
            raise ValueError  # noqa: TRY301 - refused as all others are
        if found[2] is None:
            return date.fromisoformat(value)
        wall_clock = datetime.fromisoformat(found[1] + "T" + found[2])
        if found[3]:
            return wall_clock.replace(tzinfo=UTC)
        return moment(wall_clock, zone(tzid)) if tzid else wall_clock
    except BadUserInput as error:
        raise Unreadable(error.message) from error
    except (ValueError, OverflowError) as error:
        raise Unreadable(
            f"{name} must be written as 20260131T090000Z, not {value[:20]!r}"
        ) from error


# UNTIL may be as late as one likes; from the others, moments are made.
_YEARS = range(EARLIEST.year, LATEST.year)
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_PARTS: dict[str, tuple[str, Callable[[str, str], object]]] = {
    "FREQ": ("frequency", _frequency),
    "INTERVAL": ("interval", _number(1, MAX_INTERVAL)),
    "COUNT": ("count", _number(1, MAX_COUNT)),
    "UNTIL": ("until", _until),
    "WKST": ("week_start", _weekday),
    "BYMONTH": ("months", _numbers(1, 12)),
    "BYMONTHDAY": ("month_days", _numbers(-31, 31)),
    "BYYEARDAY": ("year_days", _numbers(-366, 366)),
    "BYWEEKNO": ("weeks", _numbers(-53, 53)),
    "BYDAY": ("weekdays", _weekdays),
    "BYHOUR": ("hours", _numbers(0, 23)),
    "BYMINUTE": ("minutes", _numbers(0, 59)),
    "BYSECOND": ("seconds", _numbers(0, 59)),
    "BYSETPOS": ("positions", _numbers(-366, 366, MAX_POSITIONS)),
}
