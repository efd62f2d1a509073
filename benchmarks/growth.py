"""Tables of our server alone: what a row costs, and how memory grows."""

from collections.abc import Callable, Iterator
from random import Random

import orjson

from benchmarks.data import Data
from benchmarks.measuring import Client
from benchmarks.processes import cpu_seconds, resident_bytes
from benchmarks.servers import MAX_PAGE, Server

_ROWS = (100, 300, 1_000, 3_000, MAX_PAGE)
_ROW = """
query Rows($first: Int!) {
  commitments(first: $first) {
    nodes { id: uuid title state priority dueAt role { roleName } }
  }
}
"""
# Each figure is of so many rows, and of no less answers than there are rounds.
_ROWS_IN_ALL, _ROUNDS = 18_000, 3

_BATCH, _CONCURRENCY = 500, 8
_SCALARS = {
    "parties": ("kind", "name", "taxId", "createdAt", "updatedAt", "version"),
    "commitments": ("title", "state", "priority", "dueAt", "severity", "source"),
    "documents": ("title", "mimeType", "fileSize", "source", "isActive"),
    "knowledgeNodes": ("label", "nodeType", "description", "createdAt"),
}
_RELATIONS = {
    "parties": "roles(first: {first}) {{ nodes {{ roleName }} }}",
    "commitments": "role {{ roleName party {{ name }} }}",
    "documents": "links(first: {first}) {{ nodes {{ relation }} }}",
    "knowledgeNodes": "outEdges(first: {first}) {{ nodes {{ target {{ label }} }} }}",
}


def cost_of_rows(
    server: Server, data: Data, client: Client
) -> Iterator[dict[str, float]]:
    """CPU microseconds a row, from small answers to large ones; the least of rounds."""
    for rows in _ROWS:
        body = orjson.dumps({"query": _ROW, "variables": {"first": rows}})
        requests = [("/graphql", body)]
        count = max(1, _ROWS_IN_ALL // rows // _ROUNDS)
        client.do(server, requests, count=2, concurrency=1)
        spent = []
        for _ in range(_ROUNDS):
            before = cpu_seconds(server.process.pid), cpu_seconds(data.postmaster)
            client.do(server, requests, count=count, concurrency=1, sample_every=count)
            after = cpu_seconds(server.process.pid), cpu_seconds(data.postmaster)
            spent.append((after[0] - before[0], after[1] - before[1]))
        yield {
            "rows": rows,
            "server_us": min(one for one, _ in spent) / count / rows * 1e6,
            "database_us": min(one for _, one in spent) / count / rows * 1e6,
        }


def growth_of_memory(
    server: Server, client: Client, operations: int, tell: Callable[[str], None]
) -> dict[str, float]:
    """The resident memory before and after so many operations, of which none recurs."""
    random = Random(11)
    before = most = resident_bytes(server.process.pid)
    for number in range(0, operations, _BATCH):
        count = min(_BATCH, operations - number)
        texts = [_operation(random, number + place) for place in range(count)]
        requests = [("/graphql", orjson.dumps({"query": text})) for text in texts]
        client.do(
            server,
            requests,
            count=count,
            concurrency=min(_CONCURRENCY, count),
            sample_every=count,
        )
        now = resident_bytes(server.process.pid)
        most = max(most, now)
        if number % (_BATCH * 10) == 0:
            tell(f"{number + count:,} operations: {now / 2**20:.0f} MiB")
    return {
        "operations": operations,
        "before_mib": before / 2**20,
        "after_mib": resident_bytes(server.process.pid) / 2**20,
        "most_mib": most / 2**20,
    }


def _operation(random: Random, number: int) -> str:
    """An operation unlike all others: of another selection, and with another name."""
    root = random.choice(list(_SCALARS))
    scalars = random.sample(_SCALARS[root], random.randint(1, len(_SCALARS[root])))
    fields = [f"a{random.randrange(100)}_{name}: {name}" for name in scalars]
    if random.random() < 0.5:
        fields.append(_RELATIONS[root].format(first=random.randint(1, 5)))
    nodes = f"nodes {{ {' '.join(fields)} }}"
    return f"query O{number} {{ {root}(first: {random.randint(1, 5)}) {{ {nodes} }} }}"
