"""Chance that comes out the same for the same seed, skewed as life is."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeVar

T = TypeVar("T")

# Made-up things have their year, wherever and whenever they are made up.
YEAR = datetime(2025, 7, 1, tzinfo=UTC)
DAYS = 365


class Chance:
    """What happens to come up, for one kind of thing and one seed."""

    def __init__(self, seed: int, what: str) -> None:
        self._seed = seed
        # Not for secrets; and a text as seed means the same on every machine.
        self._random = Random(f"{seed} {what}")  # noqa: S311
        self.draw = self._random.random

    def below(self, count: int) -> int:
        """A number from 0, all alike."""
        return int(self.draw() * count)

    def popular(self, count: int, skew: float = 3.0) -> int:
        """A number from 0, small ones far more often: 0 is in half of a village."""
        return int(count * self.draw() ** skew)

    def one_of(self, words: Sequence[T]) -> T:
        return words[int(self.draw() * len(words))]

    def some_of(self, words: Sequence[T], most: int) -> list[T]:
        """None of them to `most`, none twice, in their own order."""
        places = {int(self.draw() * len(words)) for _ in range(self.below(most + 1))}
        return [words[place] for place in sorted(places)]

    def often(self, share: float) -> bool:
        """True in that share of all cases."""
        return self.draw() < share

    def around(self, middle: float, spread: float, low: int, high: int) -> int:
        """A whole number near `middle`, from `low` to `high`."""
        return max(low, min(high, round(self._random.gauss(middle, spread))))

    def ref(self, kind: str, number: int) -> str:
        """What a thing is called; those of two seeds may be in one workspace."""
        return f"{kind}/{self._seed}.{number}"

    def digest(self) -> str:
        """Something like a SHA-256."""
        return f"{self._random.getrandbits(256):064x}"

    def moment(self, from_day: float = 0, to_day: float = DAYS) -> str:
        """A time between two days of the year.

        Half of them have microseconds, and some end in zeros.
        """
        days = from_day + (to_day - from_day) * self.draw()
        when = YEAR + timedelta(days=days)
        precision = self.draw()
        if precision < 0.4:
            when = when.replace(microsecond=0)
        elif precision < 0.5:
            when = when.replace(microsecond=500_000)
        return when.isoformat()
