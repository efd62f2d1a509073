"""`make attack-faults`: nothing that was acknowledged is lost, whatever is killed.

make attack-faults ARGS="--faults 100 --seed 7"

Eight clients write without pause to a server with two workers, while backends are
terminated, a backend, PostgreSQL with all its processes, a worker and the whole server
are killed in turn. Afterwards the database is held against what was acknowledged.
"""

import argparse
import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
sys.path += [str(HERE), str(HERE.parent), str(HERE.parents[1])]

from checking import violations  # noqa: E402
from load import Load  # noqa: E402
from rig import Rig  # noqa: E402

from graph_api.database.local import LOCAL_WORKSPACE_ID  # noqa: E402

CLIENTS = 8


@dataclass
class Result:
    """What came of a run."""

    load: Load
    recovery: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def faults(self) -> int:
        return sum(map(len, self.recovery.values()))

    def report(self) -> str:
        lines = [
            (
                f"{self.faults} faults, {self.load.acknowledged} writes acknowledged "
                f"of {len(self.load.writes)}, {self.seconds:.0f} s"
            ),
            f"answers: {dict(self.load.answers)}",
        ]
        for kind, seconds in self.recovery.items():
            lines.append(
                f"ready again after {kind}: {statistics.median(seconds):.2f} s, "
                f"{max(seconds):.2f} s at most ({len(seconds)} times)"
            )
        lines += [f"{len(self.violations)} violations", *self.violations[:10]]
        return "\n".join(lines)


async def run(rig: Rig, *, faults: int, seed: int, least: int = 0) -> Result:
    """Let clients write through so many faults, and until `least` are acknowledged."""
    chance = random.Random(seed)
    load = Load(rig.url, random.Random(seed + 1), least=least)
    result, since = Result(load), time.monotonic()
    await rig.until_ready()
    clients = [asyncio.create_task(load.client()) for _ in range(CLIENTS)]
    kinds = list(rig.faults.items())
    for number in range(faults):
        await asyncio.sleep(chance.uniform(0.5, 1.5))
        kind, strike = kinds[number % len(kinds)]
        await strike(chance)
        result.recovery[kind].append(await rig.until_ready())
    await load.reached.wait()
    load.stopped = True
    await asyncio.gather(*clients)
    connection = await rig.database()
    result.violations = await violations(connection, LOCAL_WORKSPACE_ID, load.writes)
    await connection.close()
    result.seconds = time.monotonic() - since
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=100)
    parser.add_argument("--writes", type=int, default=10_000, help="at the least")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="graph-api-faults-") as directory:
        os.chmod(directory, 0o755)  # noqa: PTH101 - PostgreSQL has to get there
        with Rig(Path(directory) / "data") as rig:
            came = asyncio.run(
                run(rig, faults=given.faults, seed=given.seed, least=given.writes)
            )
    print(f"seed {given.seed}\n{came.report()}")
    sys.exit(1 if came.violations else 0)
