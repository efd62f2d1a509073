"""The report, in Markdown."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.figures import GOALS, Cost, Figures, Goal, server_alone, total
from benchmarks.measuring import Measurement
from benchmarks.workload import CORE, OPERATIONS

_TITLES = {
    "ours": "graph-api",
    "postgraphile": "PostGraphile",
    "usual": "usual stack",
    "limit": "limit",
}
_NOTHING = "—"


@dataclass(frozen=True)
class Results:
    """What was measured, and on what; `rows` and `growth` are tables of their own."""

    machine: Mapping[str, str]
    data: str
    measurements: Sequence[Measurement]
    memory: Mapping[str, int] = field(default_factory=dict)
    rows: Sequence[Mapping[str, float]] = ()
    growth: Mapping[str, float] = field(default_factory=dict)


def written(results: Results) -> str:
    """The report."""
    figures = Figures(results.measurements)
    sections = [_head(results, figures)]
    if figures.all:
        sections += [
            _goals(figures),
            *(_ratios(figures, concurrency) for concurrency in figures.concurrencies),
            *(_costs(figures, concurrency) for concurrency in figures.concurrencies),
            *(_speeds(figures, concurrency) for concurrency in figures.concurrencies),
        ]
    if results.memory:
        sections.append(_memory(results.memory))
    if results.rows:
        sections.append(_rows(results.rows))
    if results.growth:
        sections.append(_growth(results.growth))
    return "\n\n".join(sections) + "\n"


def _head(results: Results, figures: Figures) -> str:
    machine = "\n".join(f"- {name}: {value}" for name, value in results.machine.items())
    asked = "\n".join(
        f"- **{key}** {OPERATIONS[key].says}" for key in figures.operations
    )
    return (
        "# Benchmark\n\n"
        "Written by `make bench`; [README.md](README.md) says how it is measured. "
        "CPU is what server and PostgreSQL spend on a request together, and ratios are "
        "the median of those of all rounds. Times are of this machine and this run, "
        "and of use only beside each other.\n\n"
        f"{results.data}\n\n{machine}\n\n{asked}"
    ).rstrip()


def _goals(figures: Figures) -> str:
    rows = []
    for goal in GOALS:
        ratios = [
            figures.ratio(
                goal.operations, goal.over, goal.under, concurrency, goal.cost
            )
            for concurrency in figures.concurrencies
        ]
        measured = [ratio for ratio in ratios if ratio is not None]
        if measured:
            met = all(goal.met(ratio) for ratio in measured)
            rows.append(
                [
                    goal.says,
                    _bound(goal),
                    *map(_ratio, ratios),
                    "met" if met else "**missed**",
                ]
            )
    columns = [f"at {one} at a time" for one in figures.concurrencies]
    return "## Goals\n\n" + _table(["", "goal", *columns, ""], rows)


def _bound(goal: Goal) -> str:
    return f"{'≥' if goal.at_least else '≤'} {goal.bound:.2g}"


def _ratios(figures: Figures, concurrency: int) -> str:
    others = [name for name in figures.servers if name != "ours"]
    rows = [
        [key, *(_ratio(figures.ratio([key], "ours", o, concurrency)) for o in others)]
        for key in figures.operations
    ]
    if set(CORE) <= set(figures.operations):
        rows.append(
            [
                "**Q1 to Q5**",
                *(_ratio(figures.ratio(CORE, "ours", o, concurrency)) for o in others),
            ]
        )
    head = ["", *(f"graph-api / {_TITLES[name]}" for name in others)]
    return f"## Ratios of CPU a request, {concurrency} at a time\n\n" + _table(
        head, rows
    )


def _costs(figures: Figures, concurrency: int) -> str:
    def cell(key: str, server: str) -> str:
        costs: list[Cost] = [server_alone, lambda one: one.database_us, total]
        least = [figures.least(key, server, concurrency, cost) for cost in costs[:2]]
        middle = figures.middle(key, server, concurrency, total)
        if middle is None:
            return _NOTHING
        return f"{least[0]:.0f} + {least[1]:.0f} ({middle:.0f})"

    return (
        f"## Microseconds of CPU a request, {concurrency} at a time\n\n"
        "Server + database, each in the least disturbed round; in parentheses the "
        "median of both together.\n\n" + _by_server(figures, cell)
    )


def _speeds(figures: Figures, concurrency: int) -> str:
    def cell(key: str, server: str) -> str:
        speed = figures.middle(key, server, concurrency, lambda one: one.per_second)
        p50 = figures.middle(key, server, concurrency, lambda one: one.p50_ms)
        p99 = figures.middle(key, server, concurrency, lambda one: one.p99_ms)
        if speed is None or p50 is None or p99 is None:
            return _NOTHING
        return f"{speed:,.0f} ({p50:.1f}, {p99:.1f})"

    return (
        f"## Requests a second, {concurrency} at a time\n\n"
        "In parentheses, milliseconds until half, and 99 of 100, were answered.\n\n"
        + _by_server(figures, cell)
    )


def _memory(memory: Mapping[str, int]) -> str:
    rows = [[_TITLES[name], f"{size / 2**20:.0f}"] for name, size in memory.items()]
    return "## MiB of memory after the run\n\n" + _table(["", "resident"], rows)


def _rows(rows: Sequence[Mapping[str, float]]) -> str:
    table = [
        [f"{one['rows']:,.0f}", f"{one['server_us']:.2f}", f"{one['database_us']:.2f}"]
        for one in rows
    ]
    head = ["rows in an answer", "server", "database"]
    return "## Microseconds of CPU a row, graph-api\n\n" + _table(head, table)


def _growth(growth: Mapping[str, float]) -> str:
    return (
        "## Memory after many different operations, graph-api\n\n"
        f"{growth['operations']:,.0f} operations, no two alike: "
        f"{growth['before_mib']:.0f} MiB before, {growth['after_mib']:.0f} MiB after, "
        f"{growth['most_mib']:.0f} MiB at most."
    )


def _by_server(figures: Figures, cell: Any) -> str:
    rows = [
        [key, *(cell(key, server) for server in figures.servers)]
        for key in figures.operations
    ]
    return _table(["", *(_TITLES[name] for name in figures.servers)], rows)


def _ratio(ratio: float | None) -> str:
    return _NOTHING if ratio is None else f"{ratio:.2f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(_lines(head, rows))


def _lines(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
