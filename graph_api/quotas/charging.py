"""Charging: what an operation may cost is drawn before it runs, and what it did not
cost is given back.

Who has no credential, as in local mode, has no quota either.
"""

import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from graph_api.caller import Caller
from graph_api.config import Settings
from graph_api.errors import RateLimited, TooComplex
from graph_api.quotas.buckets import Bucket, Draw, Store
from graph_api.quotas.storing import store_at

PERIOD_S = 60.0
# To find that a text is too much or wrong takes up to some ten milliseconds.
READING = 20
# What is told of each limit, which is also how the names of its buckets begin.
_TOLD = {
    "points": "This operation may cost {amount} points, and of the {size} a minute "
    "that your credential has not as many are left. Ask for less at once.",
    "requests": "You may send {size} requests a minute.",
    "requestsInAll": "The server answers {size} requests a minute, of all together.",
}


@dataclass
class Charge:
    """What one operation was charged, while it runs and after.

    `requested` is what it may cost, `actual` what it did, as soon as that is known;
    `rows` and `figures` are what plans have read for it so far.
    """

    points: Draw
    full_in_s: float
    actual: int | None = None
    rows: int = 0
    figures: int = 0

    @property
    def limit(self) -> int:
        return self.points.bucket.size

    @property
    def requested(self) -> int:
        return self.points.amount

    @property
    def remaining(self) -> int:
        return max(self.points.bucket.left(self.full_in_s), 0)

    @property
    def used(self) -> int:
        return self.limit - self.remaining

    @property
    def reset_at(self) -> datetime:
        """When the bucket is full again, to the second."""
        return _moment(math.ceil(time.time() + self.full_in_s))


class Quotas:
    """The quotas of all callers."""

    def __init__(
        self,
        *,
        points: int,
        requests: int | None = None,
        requests_in_all: int | None = None,
        store: Store,
    ) -> None:
        """Each a minute: points of a credential, requests of a user and of all."""
        self._points = points
        self._requests = requests
        self._in_all = requests_in_all
        self._store = store

    @classmethod
    def of(cls, settings: Settings) -> "Quotas | None":
        """What the settings say; None where they limit nobody."""
        if not settings.rate_limit_points:
            return None
        url = settings.rate_limit_storage
        return cls(
            points=settings.rate_limit_points,
            requests=settings.rate_limit_requests,
            requests_in_all=settings.rate_limit_requests_in_all,
            store=store_at(url.get_secret_value() if url else None),
        )

    async def charge(self, caller: Caller, points: int) -> Charge | None:
        """Charge an operation that may cost so much; None where nobody is charged.

        Raises RateLimited, and TooComplex where it would never be enough.
        """
        if caller.credential is None:
            return None
        if points > self._points:
            raise TooComplex(
                f"The operation may cost {points} points; there are never more than "
                f"{self._points} at once. Ask for smaller pages (`first:`), or for "
                "fewer levels at once.",
                limit="points",
                allowed=self._points,
                actual=points,
            )
        return await self._drawn(self._draws(caller, caller.credential, points))

    async def charge_reading(self, caller: Caller) -> Charge | None:
        """Charge the reading of a text, of which it is not known what it asks for."""
        if caller.credential is None:
            return None
        points = min(READING, self._points)
        return await self._drawn([self._points_of(caller.credential, points)])

    async def settle(self, charge: Charge, actual: int) -> None:
        """Give back what an operation was charged beyond what it did cost."""
        charge.actual = actual
        if actual < charge.requested:
            unused = Draw(charge.points.bucket, charge.requested - actual)
            charge.full_in_s = await self._store.give_back(unused)

    async def close(self) -> None:
        await self._store.close()

    async def _drawn(self, draws: list[Draw]) -> Charge:
        drawn = await self._store.draw(draws)
        if drawn.refused is not None:
            raise _refusal(draws[drawn.refused], drawn.wait_s)
        return Charge(draws[0], drawn.full_in_s[0])

    def _points_of(self, credential: str, points: int) -> Draw:
        return Draw(Bucket(f"points:{credential}", self._points, PERIOD_S), points)

    def _draws(self, caller: Caller, credential: str, points: int) -> list[Draw]:
        """The points first."""
        draws = [self._points_of(credential, points)]
        if self._requests:
            who = caller.user_id or credential
            draws.append(Draw(Bucket(f"requests:{who}", self._requests, PERIOD_S), 1))
        if self._in_all:
            draws.append(Draw(Bucket("requestsInAll", self._in_all, PERIOD_S), 1))
        return draws


@lru_cache(maxsize=256)
def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def _refusal(draw: Draw, wait_s: float) -> RateLimited:
    bucket, retry_after = draw.bucket, max(math.ceil(wait_s), 1)
    limit = bucket.name.partition(":")[0]
    told = _TOLD[limit].format(size=bucket.size, amount=draw.amount)
    return RateLimited(
        f"{told} Try again in {retry_after} s.",
        limit=limit,
        allowed=bucket.size,
        retry_after=retry_after,
    )
