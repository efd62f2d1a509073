"""Buckets that fill up steadily, and from which requests are paid.

All that is kept of a bucket is the moment at which it will be full again: what is drawn
puts that off, and what is given back brings it nearer. So it fills without a clock of
its own, a full one need not be kept at all, and to give back is exact.
"""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

# From so many buckets on, those that are full again are looked for and forgotten.
MANY = 1_000
# What rounding may cost: Redis's clock counts microseconds.
TOLERANCE_S = 2e-6


class Bucket(NamedTuple):
    """One bucket, by its name; an empty one is full again after `period_s`."""

    name: str
    size: int
    period_s: float

    def left(self, full_in_s: float) -> int:
        """How much is in it when it will be full in so many seconds."""
        left = self.size - full_in_s * self.size / self.period_s
        # To the nearest hundredth, so that a number that was whole remains so.
        return int(round(left, 2) // 1)


class Draw(NamedTuple):
    """So much from a bucket."""

    bucket: Bucket
    amount: int

    @property
    def seconds(self) -> float:
        return self.amount * self.bucket.period_s / self.bucket.size


class Drawn(NamedTuple):
    """What became of some draws: of all of them, or of none.

    `full_in_s` is told for each bucket, in the order of the draws. Where `refused` is
    not None, that draw has to wait for `wait_s`, the longest of all.
    """

    full_in_s: tuple[float, ...]
    refused: int | None = None
    wait_s: float = 0.0


class Store(Protocol):
    """Where buckets are kept."""

    async def draw(self, draws: Sequence[Draw]) -> Drawn:
        """Draw all, or nothing where one bucket has not enough."""

    async def give_back(self, draw: Draw) -> float:
        """Undo a draw, or a part of it; in how many seconds the bucket is full now."""

    async def close(self) -> None:
        """Let go of whatever is held."""


class InProcess:
    """Buckets in the memory of this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._full_at: dict[str, float] = {}
        self._many = MANY

    async def draw(self, draws: Sequence[Draw]) -> Drawn:
        now = self._clock()
        after = []
        for draw in draws:
            full = self._full_in(draw.bucket, now) + draw.seconds
            if full > draw.bucket.period_s + TOLERANCE_S:
                return self._refused(draws, now)
            after.append(full)
        for draw, full in zip(draws, after, strict=True):
            self._full_at[draw.bucket.name] = now + full
        if len(self._full_at) > self._many:
            self._forget_full(now)
        return Drawn(tuple(after))

    async def give_back(self, draw: Draw) -> float:
        now = self._clock()
        full = max(self._full_in(draw.bucket, now) - draw.seconds, 0.0)
        self._full_at[draw.bucket.name] = now + full
        return full

    async def close(self) -> None:
        self._full_at.clear()

    def __len__(self) -> int:
        return len(self._full_at)

    def _refused(self, draws: Sequence[Draw], now: float) -> Drawn:
        return refused(draws, [self._full_in(draw.bucket, now) for draw in draws])

    def _full_in(self, bucket: Bucket, now: float) -> float:
        full_in_s = self._full_at.get(bucket.name, now) - now
        return full_in_s if full_in_s > 0 else 0.0

    def _forget_full(self, now: float) -> None:
        self._full_at = {name: at for name, at in self._full_at.items() if at > now}
        # Twice what is left, so that looking costs little however many there are.
        self._many = max(MANY, 2 * len(self._full_at))


def refused(draws: Sequence[Draw], full_in_s: Sequence[float]) -> Drawn:
    """What becomes of draws that not all of their buckets have enough for."""
    waits = [
        full + draw.seconds - draw.bucket.period_s
        for full, draw in zip(full_in_s, draws, strict=True)
    ]
    longest = max(range(len(waits)), key=waits.__getitem__)
    return Drawn(tuple(full_in_s), longest, waits[longest])
