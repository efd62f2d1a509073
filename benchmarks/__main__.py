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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import orjson

from benchmarks.answers import WrongAnswer
from benchmarks.data import HERE, KEPT, Data, cloned
from benchmarks.growth import cost_of_rows, growth_of_memory
from benchmarks.machine import described
from benchmarks.measuring import Bench, Client, Plan, client
from benchmarks.report import Results, written
from benchmarks.servers import NAMES, Server, running
from benchmarks.workload import OPERATIONS
from graph_api.cli.options import TERMINATED

_REPORT = HERE / "REPORT.md"
_STARTED = time.monotonic()


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    # Servers are stopped on the way out, which SIGTERM would not take.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        _WHAT[given.what](given)
    except (WrongAnswer, RuntimeError) as error:
        print(f"FAILED: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


def _compare(given: argparse.Namespace) -> None:
    """Measure all servers, and write the report."""
    plan = _plan(given)
    operations = [OPERATIONS[key] for key in given.only or OPERATIONS]
    with (
        cloned(given.scale) as data,
        running(given.servers or NAMES, data) as servers,
        client() as asking,
    ):
        bench = Bench(data, servers, plan, asking)
        measurements = bench.run(operations, _tell)
        whole = not (given.quick or given.only or given.servers)
        ours = [server for server in servers if server.name == "ours"]
        rows = list(cost_of_rows(ours[0], data, asking)) if whole and ours else []
        results = Results(
            described(data.version),
            f"The data is that of `graph-api generate --scale {given.scale:g}`; "
            f"{plan.rounds} rounds, {time.monotonic() - _STARTED:.0f} s in all.",
            measurements,
            bench.memory,
            rows,
            _growth(),
        )
    _keep("run", asdict(results))
    text = written(results)
    print(f"\n{text}")
    if given.output or whole:
        (given.output or _REPORT).write_text(text)


def _rows(given: argparse.Namespace) -> None:
    """The cost of a row, from small answers to large ones."""
    with _ours(given) as (server, data, asking):
        rows = list(cost_of_rows(server, data, asking))
        print(written(Results(described(data.version), "", [], rows=rows)))


def _memory(given: argparse.Namespace) -> None:
    """The memory of our server after many operations; the next report tells it."""
    with _ours(given) as (server, data, asking):
        growth = growth_of_memory(server, asking, given.operations, _tell)
        print(written(Results(described(data.version), "", [], growth=growth)))
    _keep("memory", growth)


@contextmanager
def _ours(given: argparse.Namespace) -> Iterator[tuple[Server, Data, Client]]:
    with (
        cloned(given.scale) as data,
        running(["ours"], data) as servers,
        client() as asking,
    ):
        yield servers[0], data, asking


_WHAT = {"compare": _compare, "rows": _rows, "memory": _memory}


def _plan(given: argparse.Namespace) -> Plan:
    plan = Plan.quick() if given.quick else Plan.full()
    wanted = {
        "rounds": given.rounds,
        "seconds": given.seconds,
        "concurrency": given.concurrency,
    }
    return replace(plan, **{k: v for k, v in wanted.items() if v is not None})


def _growth() -> dict[str, float]:
    """What `memory` has found, if it was run here."""
    file = KEPT / "memory.json"
    found: dict[str, float] = orjson.loads(file.read_bytes()) if file.exists() else {}
    return found


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
    parser.add_argument("what", nargs="?", choices=_WHAT, default="compare")
    parser.add_argument("--quick", action="store_true", help="short, only printed")
    parser.add_argument("--only", type=_of(OPERATIONS), help="operations, as Q3,Q4")
    parser.add_argument("--servers", type=_of(NAMES), help=", ".join(NAMES))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, help="for each server and round")
    parser.add_argument("--concurrency", type=_numbers, help="as 1,32")
    parser.add_argument("--operations", type=int, default=20_000, help="of `memory`")
    parser.add_argument("--scale", type=float, default=1.0, help="years of data")
    parser.add_argument("--output", type=Path, help="where the report goes")
    return parser


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))


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
