"""All lines of the data: what is made at first, and later states of it, in rounds."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from graph_api.generating import knowledge, life, papers
from graph_api.generating.sizes import Sizes

Line = dict[str, Any]

# Of all changes, the part that each round makes. The first things of each kind have
# changed most, for each round is about fewer of them.
ROUNDS = (0.4, 0.25, 0.15, 0.12, 0.08)


def first_lines(seed: int, sizes: Sizes) -> Iterator[Line]:
    """Everything, as it came in."""
    return chain(
        (life.party(seed, n, 0) for n in range(sizes.parties)),
        (life.role(seed, n, 0, sizes) for n in range(sizes.roles)),
        (life.commitment(seed, n, 0, sizes) for n in range(sizes.commitments)),
        papers.collections(seed, sizes),
        papers.tags(sizes),
        (papers.document(seed, n, 0, sizes) for n in range(sizes.documents)),
        (life.signal(seed, n, 0, sizes) for n in range(sizes.signals)),
        papers.annotations(seed, sizes),
        knowledge.knowledge_nodes(seed, sizes),
        knowledge.knowledge_edges(seed, sizes),
        papers.document_links(seed, sizes),
        papers.document_tags(seed, sizes),
    )


def changed_lines(seed: int, sizes: Sizes, revision: int) -> Iterator[Line]:
    """What a round has changed, as it is then; `revision` counts rounds from 1."""
    kinds: tuple[tuple[Callable[..., Line], int, float], ...] = (
        (life.role, sizes.roles, 0.02),
        (life.signal, sizes.signals, 0.12),
        (papers.document, sizes.documents, 0.18),
        (life.commitment, sizes.commitments, 1.0),
    )
    left = changes_in(sizes, revision)
    of_parties = min(sizes.parties, round(left * 0.03))
    yield from (life.party(seed, n, revision) for n in range(of_parties))
    left -= of_parties
    changes = left
    for make, count, share in kinds:
        wanted = min(count, left, round(changes * share))
        yield from (make(seed, n, revision, sizes) for n in range(wanted))
        left -= wanted


def changes_in(sizes: Sizes, revision: int) -> int:
    """How many changes a round makes; together, all there are."""
    before, until = sum(ROUNDS[: revision - 1]), sum(ROUNDS[:revision])
    return round(sizes.updates * until) - round(sizes.updates * before)
