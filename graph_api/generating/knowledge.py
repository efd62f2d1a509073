"""What is known: a graph in which most know little, and a few lead everywhere."""

from collections.abc import Iterator
from typing import Any

from graph_api.generating import words
from graph_api.generating.chance import Chance
from graph_api.generating.sizes import Sizes

Line = dict[str, Any]

# One of so many knowledge nodes is a hub, from which most edges start, and to which
# most of those lead that start from hubs.
_PER_HUB = 14


def knowledge_nodes(seed: int, sizes: Sizes) -> Iterator[Line]:
    chance = Chance(seed, "knowledge nodes")
    for number in range(sizes.knowledge_nodes):
        subject, aspect = chance.one_of(words.SUBJECTS), chance.one_of(words.ASPECTS)
        properties: Line = {"year": 1850 + chance.below(176)}
        if chance.often(0.3):
            properties["where"] = chance.one_of(words.PLACES)
        yield {
            "type": "KnowledgeNode",
            "ref": chance.ref("node", number),
            "label": f"{subject} {aspect} {number}",
            "nodeType": chance.one_of(words.NODE_TYPES),
            "description": chance.one_of(words.SENTENCES)
            if chance.often(0.6)
            else None,
            "properties": properties,
            "createdAt": chance.moment(),
        }


def knowledge_edges(seed: int, sizes: Sizes) -> Iterator[Line]:
    chance = Chance(seed, "knowledge edges")
    nodes = sizes.knowledge_nodes
    hubs = min(nodes, max(2, nodes // _PER_HUB))
    made: set[tuple[int, int, str]] = set()
    while len(made) < sizes.knowledge_edges:
        from_hub = chance.often(0.75)
        source = chance.below(hubs if from_hub else nodes)
        target = chance.below(hubs if from_hub and chance.often(0.8) else nodes)
        edge = (source, target, chance.one_of(words.EDGE_TYPES))
        if edge in made or (source == target and nodes > 1):
            continue
        made.add(edge)
        yield {
            "type": "KnowledgeEdge",
            "ref": chance.ref("edge", len(made)),
            "source": chance.ref("node", source),
            "target": chance.ref("node", target),
            "edgeType": edge[2],
            "weight": chance.below(1_000) / 1_000,
            "properties": {"pages": chance.below(300)} if chance.often(0.2) else {},
            "createdAt": chance.moment(),
        }
