"""Whether what an executor remembers of operations stays bounded, however many come.

Every operation here is valid and unlike all others: by its text, by the shape of its
variables, or by both. What the server keeps is found by looking through the executor
and the caches of our modules, so that a cache that is new is watched as well.
"""

import functools
import gc
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from graphql import GraphQLSchema
from operations import Operation
from world import World

from graph_api.execution.operation import Executor
from graph_api.ids import global_id
from graph_api.models import Party

# How many of a container's items are looked into.
LOOKED_AT = 30
DEEP = 7
# More of anything than this part of the operations is one kept for each.
MOST_KEPT = 0.8
FIELDS = ("id", "uuid", "name", "kind", "taxId", "version", "createdAt", "externalRef")
CONDITIONS = ("name", "taxId", "externalRef")
OPERATORS = ("eq", "ne", "lt", "lte", "gt", "gte", "startsWith", "contains")
PAGE = 4096
# Texts are kept by their length: with this one, some fifty of them.
LONG = " # " + "long " * 1_000


@dataclass
class Kept:
    """How much there was of everything at two moments, and how much memory."""

    operations: int
    before: dict[str, int] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)
    memory_before: int = 0
    memory_after: int = 0

    @property
    def unbounded(self) -> list[str]:
        """What grew with the number of operations, in words."""
        found = []
        for name, size in self.after.items():
            before = self.before.get(name, 0)
            grew = size - before > 64 + 0.1 * before
            if size > MOST_KEPT * self.operations or (
                grew and size - before > 0.2 * self.operations
            ):
                found.append(f"{name}: {before} → {size}")
        return found

    @property
    def growth(self) -> int:
        """By how many bytes the process grew in the second half."""
        return self.memory_after - self.memory_before

    def report(self) -> str:
        largest = sorted(self.after.items(), key=lambda item: -item[1])[:12]
        sizes = "\n".join(
            f"  {self.before.get(n, 0):>7} → {s:>7}  {n}" for n, s in largest
        )
        return (
            f"{self.operations} operations; memory {self.memory_before >> 20} MiB → "
            f"{self.memory_after >> 20} MiB in the second half\n{sizes}"
        )


def different_operations(world: World, number: int) -> Iterator[Operation]:
    """As many operations as `number`, no two of them alike."""
    keys = [global_id("Party", row["id"]) for row in world.rows[Party]]
    for turn in range(number):
        random = Random(turn)
        if turn % 5 == 4:
            yield _by_shape(world, random, turn)
        else:
            yield _by_text(world, random, turn, random.choice(keys))


def _by_text(world: World, random: Random, turn: int, id: str) -> Operation:
    fields = random.sample(FIELDS, random.randint(2, len(FIELDS)))
    texts = " ".join(f"{field}_{turn}: {field}" for field in fields[:3])
    size = random.randint(0, 3)
    query = (
        f"query Q{turn}($id: ID!) {{ party(id: $id) {{ {texts} {' '.join(fields[3:])} "
        f"roles(first: {size}) {{ nodes {{ roleName }} }} }} }}{LONG}"
    )
    return Operation(world, query, {"id": id}, None, f"text {turn}")


def _by_shape(world: World, random: Random, turn: int) -> Operation:
    """One text, and a filter with conditions of another shape each time."""
    bits = random.getrandbits(24)
    conditions = {
        name: {
            operator: "a"
            for place, operator in enumerate(OPERATORS)
            if bits >> (8 * column + place) & 1
        }
        for column, name in enumerate(CONDITIONS)
    }
    variables = {
        "filter": {name: given for name, given in conditions.items() if given},
        "first": turn % 3,
    }
    query = (
        "query ($filter: PartyFilter, $first: Int) "
        "{ parties(filter: $filter, first: $first) { nodes { name } } }"
    )
    return Operation(world, query, variables, None, f"shape {turn}")


def sizes(executor: Executor) -> dict[str, int]:
    """How many items each container has that an executor leads to, and each cache."""
    found: dict[str, int] = {}
    _look(executor, "executor", found, set(), 0)
    for module in list(sys.modules.values()):
        if not getattr(module, "__name__", "").startswith("graph_api"):
            continue
        for name, value in list(vars(module).items()):
            if name.startswith("__"):
                continue
            if isinstance(value, functools._lru_cache_wrapper):
                found[f"{module.__name__}.{name}"] = value.cache_info().currsize
            elif isinstance(value, dict | list | set):
                found[f"{module.__name__}.{name}"] = len(value)
    return found


def memory() -> int:
    """The bytes that the process occupies."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def _look(
    value: Any, name: str, found: dict[str, int], seen: set[int], depth: int
) -> None:
    if id(value) in seen or depth > DEEP or isinstance(value, GraphQLSchema | type):
        return
    seen.add(id(value))
    if isinstance(value, Mapping | list | set | frozenset | tuple):
        found[name] = max(found.get(name, 0), len(value))
        items = list(value.values()) if isinstance(value, Mapping) else list(value)
        for item in items[:LOOKED_AT] + items[-LOOKED_AT:]:
            _look(item, f"{name}[]", found, seen, depth + 1)
    elif isinstance(value, functools._lru_cache_wrapper):
        found[name] = value.cache_info().currsize
    elif depth == 0 or type(value).__module__.startswith("graph_api"):
        for attribute, inner in _attributes(value):
            _look(inner, f"{name}.{attribute}", found, seen, depth + 1)


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    yield from getattr(value, "__dict__", {}).items()
    for kind in type(value).__mro__:
        for slot in getattr(kind, "__slots__", ()):
            if hasattr(value, slot):
                yield slot, getattr(value, slot)
