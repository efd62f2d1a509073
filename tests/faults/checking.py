"""What the database must hold after the faults: all that was acknowledged, once."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import asyncpg
from load import Written

INTERACTIONS = """
    SELECT reason, primary_entity_id AS entity, after ->> 'description' AS description
    FROM interactions WHERE workspace_id = $1 AND reason IS NOT NULL ORDER BY position
"""
KEYS = "SELECT key FROM idempotency_keys WHERE workspace_id = $1"
NODES = """
    SELECT id, version, description FROM knowledge_graph_nodes WHERE workspace_id = $1
"""
TAGS = "SELECT name FROM tags WHERE workspace_id = $1"


async def violations(
    connection: "asyncpg.Connection[Any]", workspace: Any, writes: Mapping[str, Written]
) -> list[str]:
    """What is wrong, in words; nothing where all is as it was acknowledged."""
    told = await connection.fetch(INTERACTIONS, workspace)
    keys = {row["key"] for row in await connection.fetch(KEYS, workspace)}
    tags = {row["name"] for row in await connection.fetch(TAGS, workspace)}
    nodes = await connection.fetch(NODES, workspace)
    by_reason = Counter(row["reason"] for row in told)
    return [
        *_of_writes(writes, by_reason, keys, tags),
        *(f"interactions of nobody's: {key}" for key in by_reason if key not in writes),
        *_of_nodes(nodes, told),
    ]


def _of_writes(
    writes: Mapping[str, Written],
    told: Mapping[str, int],
    keys: set[str],
    tags: set[str],
) -> Iterator[str]:
    for key, write in writes.items():
        count = told.get(key, 0)
        if write.acknowledged and count != write.interactions:
            yield f"acknowledged, and {count} of {write.interactions} told: {key}"
        if count not in (0, write.interactions):
            yield f"half done, {count} of {write.interactions} told: {key}"
        if (key in keys) != (count > 0):
            yield f"the key is {'kept' if key in keys else 'lost'}, {count} told: {key}"
        if write.interactions == 1 and (key in tags) != (count > 0):
            what = "there" if key in tags else "gone"
            yield f"the tag is {what}, {count} told: {key}"


def _of_nodes(nodes: list[Any], told: list[Any]) -> Iterator[str]:
    by_entity: dict[Any, list[Any]] = defaultdict(list)
    for row in told:
        by_entity[row["entity"]].append(row)
    for node in nodes:
        changes = by_entity[node["id"]]
        if node["version"] != len(changes):
            yield f"version {node['version']}, {len(changes)} told: {node['id']}"
        elif changes[-1]["description"] != node["description"]:
            yield f"the log tells another end: {node['id']}"
