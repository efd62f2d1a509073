"""Ratios of what was measured, and the goals that they meet or miss."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.measuring import Measurement
from benchmarks.servers import NAMES
from benchmarks.workload import CORE, OPERATIONS

Cost = Callable[[Measurement], float]


def total(one: Measurement) -> float:
    return one.total_us


def server_alone(one: Measurement) -> float:
    return one.server_us


@dataclass(frozen=True)
class Goal:
    """What a ratio shall be at most, or at least."""

    says: str
    bound: float
    operations: Sequence[str]
    over: str = "ours"
    under: str = "postgraphile"
    cost: Cost = total
    at_least: bool = False

    def met(self, ratio: float) -> bool:
        return ratio >= self.bound if self.at_least else ratio <= self.bound


# Those of shared/execution.md and of the issue that asked for them.
GOALS = (
    Goal("Q1 to Q5 in sum, of PostGraphile's CPU", 1 / 3, CORE),
    Goal("Q1 to Q5 in sum, of the limit's CPU", 1.0, CORE, under="limit"),
    *(Goal(f"{one}, of PostGraphile's CPU", 0.5, [one]) for one in CORE),
    Goal("M1, of PostGraphile's CPU", 0.7, ["M1"]),
    *(Goal(f"{one}, of PostGraphile's CPU", 1.0, [one]) for one in "FATUI"),
    *(
        Goal(
            f"{one}, the usual stack's server CPU to ours",
            15,
            [one],
            over="usual",
            under="ours",
            cost=server_alone,
            at_least=True,
        )
        for one in ("Q3", "Q4", "Q5")
    ),
)


class Figures:
    """All measurements of a run, to be looked up."""

    def __init__(self, measurements: Iterable[Measurement]) -> None:
        self.all = list(measurements)
        self._by = {
            (one.operation, one.server, one.concurrency, one.round): one
            for one in self.all
        }
        measured = {one.operation for one in self.all}
        self.operations = [one for one in OPERATIONS if one in measured]
        servers = {one.server for one in self.all}
        self.servers = [name for name in NAMES if name in servers]
        self.concurrencies = sorted({one.concurrency for one in self.all})
        self.rounds = sorted({one.round for one in self.all})

    def ratio(
        self,
        operations: Sequence[str],
        over: str,
        under: str,
        concurrency: int,
        cost: Cost = total,
    ) -> float | None:
        """How many times as much `over` costs as `under`, for the operations in sum.

        The ratio is taken in each round, and of those the median: what disturbs the
        machine for a while disturbs both. None where either was not measured.
        """
        ratios = []
        for number in self.rounds:
            one = self._sum(operations, over, concurrency, number, cost)
            other = self._sum(operations, under, concurrency, number, cost)
            if one is None or not other:
                return None
            ratios.append(one / other)
        return median(ratios) if ratios else None

    def least(
        self, operation: str, server: str, concurrency: int, cost: Cost
    ) -> float | None:
        """The figure of the least disturbed round."""
        return min(self._costs(operation, server, concurrency, cost), default=None)

    def middle(
        self, operation: str, server: str, concurrency: int, cost: Cost
    ) -> float | None:
        """The median of all rounds."""
        costs = list(self._costs(operation, server, concurrency, cost))
        return median(costs) if costs else None

    def _sum(
        self,
        operations: Sequence[str],
        server: str,
        concurrency: int,
        number: int,
        cost: Cost,
    ) -> float | None:
        keys = [(one, server, concurrency, number) for one in operations]
        if any(key not in self._by for key in keys):
            return None
        return sum(cost(self._by[key]) for key in keys)

    def _costs(
        self, operation: str, server: str, concurrency: int, cost: Cost
    ) -> Iterator[float]:
        for number in self.rounds:
            if one := self._by.get((operation, server, concurrency, number)):
                yield cost(one)
