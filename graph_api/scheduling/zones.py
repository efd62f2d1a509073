"""Time zones by their names in the IANA database, such as `Europe/Berlin`."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from graph_api.errors import BadUserInput

# zoneinfo looks for a file of that name: no other characters reach it.
_NAME = re.compile(r"[A-Za-z0-9_+-]{1,32}(?:/[A-Za-z0-9_+-]{1,32}){0,2}")


def zone(name: str) -> ZoneInfo:
    """The time zone of this name.

    Raises BadUserInput where there is none.
    """
    # `localtime` is wherever the server happens to stand.
    is_name = _NAME.fullmatch(name) and name != "localtime"
    found = _known(name) if is_name else None
    if found is None:
        raise BadUserInput(
            f"There is no time zone {name[:100]!r}; use a name such as UTC or "
            "Europe/Berlin."
        )
    return found


@lru_cache(maxsize=1024)
def _known(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    # A folder of zones, such as Europe, is no file.
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return None


def wall_clock(moment: datetime, zone: ZoneInfo) -> datetime:
    """What the clocks on the walls of `zone` show at a moment, without offset."""
    return moment.astimezone(zone).replace(tzinfo=None)


def moment(wall_clock: datetime, zone: ZoneInfo) -> datetime:
    """The moment at which the clocks of `zone` show this, in UTC.

    As RFC 5545 (3.3.5) has it: what they show twice is the first of both; what they
    never show, since they are put forward over it, is as long after the change as it
    would have been (02:30 is 03:30).
    """
    return wall_clock.replace(tzinfo=zone).astimezone(UTC)


def is_shown(wall_clock: datetime, zone: ZoneInfo) -> bool:
    """Whether the clocks of `zone` show this at all."""
    there = moment(wall_clock, zone).astimezone(zone)
    return there.replace(tzinfo=None) == wall_clock
