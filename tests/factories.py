"""Rows for tests: the least that is valid, written through the services.

`await make.party(name="ACME")` says only what the test is about; what a row needs to
exist (a role its party) is made along.
"""

import itertools
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast
from uuid import UUID

from graph_api.caller import Caller
from graph_api.models import (
    Annotation,
    Collection,
    Commitment,
    CommitmentSource,
    CommitmentType,
    Document,
    DocumentSource,
    Entity,
    KnowledgeEdge,
    KnowledgeNode,
    Party,
    PartyKind,
    Role,
    Signal,
    SignalSource,
    Tag,
)
from graph_api.schema.context import Context, Surroundings
from graph_api.services.commitments import Commitments
from graph_api.services.documents import Documents
from graph_api.services.entities import EntityService
from graph_api.services.knowledge import KnowledgeEdges, KnowledgeNodes
from graph_api.services.organizing import Annotations, Collections, Tags
from graph_api.services.parties import Parties, Roles
from graph_api.services.signals import Signals
from graph_api.services.unit_of_work import Terms

# The key of no row. Parameters of tests must be the same in each process that collects.
NOBODY = UUID("00000000-0000-7000-8000-000000000001")

E = TypeVar("E", bound=Entity)

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Make:
    """Makes rows in a caller's workspace."""

    surroundings: Surroundings
    caller: Caller

    def by(self, caller: Caller) -> "Make":
        """The same for another caller."""
        return replace(self, caller=caller)

    async def party(self, **values: Any) -> Party:
        return await self._create(
            Parties, {"kind": PartyKind.ORG, "name": "ACME"} | values
        )

    async def role(self, **values: Any) -> Role:
        if "party_id" not in values:
            values["party_id"] = (await self.party()).id
        return await self._create(Roles, {"role_name": "Vendor"} | values)

    async def commitment(self, **values: Any) -> Commitment:
        if "role_id" not in values:
            values["role_id"] = (await self.role()).id
        given = {
            "commitment_type": CommitmentType.OBLIGATION,
            "title": "Pay Invoice #123",
            "source": CommitmentSource.MANUAL,
        }
        return await self._create(Commitments, given | values)

    async def signal(self, **values: Any) -> Signal:
        given = {"source": SignalSource.MANUAL, "payload": {}}
        return await self._create(Signals, given | values)

    async def document(self, **values: Any) -> Document:
        given = {"title": "Invoice", "source": DocumentSource.MANUAL}
        return await self._create(Documents, given | values)

    async def collection(self, **values: Any) -> Collection:
        return await self._create(Collections, {"name": "Work"} | values)

    async def tag(self, **values: Any) -> Tag:
        return await self._create(Tags, {"name": f"tag {next(_numbers)}"} | values)

    async def annotation(self, **values: Any) -> Annotation:
        if "document_id" not in values:
            values["document_id"] = (await self.document()).id
        return await self._create(Annotations, values)

    async def knowledge_node(self, **values: Any) -> KnowledgeNode:
        given = {"label": "Graph", "node_type": "concept"}
        return await self._create(KnowledgeNodes, given | values)

    async def knowledge_edge(self, **values: Any) -> KnowledgeEdge:
        for end in ("source_id", "target_id"):
            if end not in values:
                values[end] = (await self.knowledge_node()).id
        return await self._create(KnowledgeEdges, {"edge_type": "relates_to"} | values)

    async def link(
        self, document: Document, target: Entity, relation: str = "about"
    ) -> UUID:
        """Link a document to an entity; gives the link's id."""
        context = Context(self.surroundings, self.caller)
        try:
            service = context.service(Documents, Terms("make"))
            await service.link(document.id, type(target), target.id, relation)
            return UUID(service.outcome.extra["link"])
        finally:
            await context.close()

    async def tagged(self, document: Document, *tags: Tag) -> None:
        """Let a document bear tags."""
        context = Context(self.surroundings, self.caller)
        try:
            service = context.service(Documents, Terms("make"))
            await service.tag([document.id], [tag.id for tag in tags], [])
        finally:
            await context.close()

    async def _create(self, service: type[EntityService[E]], values: Any) -> E:
        context = Context(self.surroundings, self.caller)
        try:
            one = context.service(service, Terms("make"))
            await one.create(values)
            return cast(E, one.outcome.subject)
        finally:
            await context.close()
