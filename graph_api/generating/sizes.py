"""How much there is of everything."""

from dataclasses import dataclass, fields, replace
from typing import Self


@dataclass(frozen=True)
class Sizes:
    """How many of each there are; by default, what one year leaves behind.

    `interactions` tell of what is not knowledge: of each thing that it was made, and
    of the rest how things have changed since. Knowledge is told beside them, once for
    each knowledge node and knowledge edge.
    """

    parties: int = 1_000
    roles: int = 2_000
    commitments: int = 10_000
    documents: int = 5_000
    signals: int = 5_000
    document_links: int = 15_000
    collections: int = 40
    tags: int = 60
    document_tags: int = 8_000
    annotations: int = 1_000
    knowledge_nodes: int = 20_000
    knowledge_edges: int = 60_000
    interactions: int = 50_000

    @classmethod
    def scaled(cls, scale: float) -> Self:
        """So many times what a year leaves behind, and at least one of each.

        Of collections and tags there are never more, nor less.
        """
        year = cls()
        grown = {
            one.name: max(1, round(getattr(year, one.name) * scale))
            for one in fields(cls)
            if one.name not in {"collections", "tags"}
        }
        return replace(year, **grown)

    @property
    def made(self) -> int:
        """How many things are made whose making is one of `interactions`."""
        return (
            self.parties
            + self.roles
            + self.commitments
            + self.documents
            + self.signals
            + self.collections
            + self.tags
            + self.annotations
        )

    @property
    def updates(self) -> int:
        """How many changes are told of them afterwards."""
        return max(0, self.interactions - self.made)

    @property
    def lines(self) -> int:
        """How many lines of the import format say all that is made."""
        return (
            self.made
            + self.document_links
            + self.document_tags
            + self.knowledge_nodes
            + self.knowledge_edges
        )
