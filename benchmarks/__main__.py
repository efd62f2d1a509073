"""`make bench`: measures, and writes REPORT.md.

    make bench                                      all of it, within 15 minutes
    make bench ARGS="--quick"                       in short, within 3; only printed
    make bench ARGS="--only Q3,Q4 --servers ours,postgraphile --rounds 3"
    make bench ARGS="rows"                          cost a row, from 100 to 10,000
    make bench ARGS="memory --operations 100000"    memory after many operations
"""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import orjson

from benchmarks.answers import WrongAnswer
from benchmarks.data import HERE, KEPT, cloned
from benchmarks.machine import described
from benchmarks.measuring import Bench, Measurement, Plan, client
from benchmarks.report import Results, written
from benchmarks.servers import NAMES, running
from benchmarks.workload import OPERATIONS
from graph_api.cli.options import TERMINATED

_REPORT = HERE / "REPORT.md"
_STARTED = time.monotonic()


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    # Servers are stopped on the way out, which SIGTERM would not take.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        return _run(given)
    except (WrongAnswer, RuntimeError) as error:
        print(f"FAILED: {error}", file=sys.stderr, flush=True)
        return 1


def _run(given: argparse.Namespace) -> int:
    plan = Plan.quick() if given.quick else Plan.full()
    if given.rounds:
        plan = replace(plan, rounds=given.rounds)
    if given.seconds:
        plan = replace(plan, seconds=given.seconds)
    operations = [OPERATIONS[key] for key in given.only or OPERATIONS]
    with (
        cloned(given.scale) as data,
        running(given.servers or NAMES, data) as servers,
        client() as asking,
    ):
        bench = Bench(data, servers, plan, asking)
        measurements = bench.run(operations, _tell)
        results = Results(
            described(data.version),
            f"The data is that of `graph-api generate --scale {given.scale:g}`; "
            f"{plan.rounds} rounds, {time.monotonic() - _STARTED:.0f} s in all.",
            measurements,
            bench.memory,
        )
    _keep("run", [asdict(one) for one in measurements])
    text = written(results)
    print(f"\n{text}")
    whole = not (given.quick or given.only or given.servers)
    if given.output or whole:
        (given.output or _REPORT).write_text(text)
    return 0


def _tell(what: str) -> None:
    print(f"{time.monotonic() - _STARTED:4.0f} s  {what}", flush=True)


def _keep(name: str, what: Any) -> None:
    """Keep figures for whoever wants to look closer."""
    KEPT.mkdir(exist_ok=True)
    (KEPT / f"{name}.json").write_bytes(orjson.dumps(what))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="short, only printed")
    parser.add_argument("--only", type=_of(OPERATIONS), help="operations, as Q3,Q4")
    parser.add_argument("--servers", type=_of(NAMES), help=", ".join(NAMES))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, help="for each server and round")
    parser.add_argument("--scale", type=float, default=1.0, help="years of data")
    parser.add_argument("--output", type=Path, help="where the report goes")
    return parser


def _of(known: Sequence[str] | dict[str, Any]) -> Any:
    def names(text: str) -> list[str]:
        found = text.split(",")
        if unknown := [name for name in found if name not in known]:
            raise argparse.ArgumentTypeError(
                f"{unknown[0]} is none of {', '.join(known)}"
            )
        return found

    return names


if __name__ == "__main__":
    sys.exit(main())
