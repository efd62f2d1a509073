"""Rows for tests: the least that is valid, written through the services.

`await make.party(name="ACME")` says only what the test is about; what a row needs to
exist (a role its party) is made along.
"""

import itertools
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import select

from graph_api.caller import Caller
from graph_api.keys import new_key
from graph_api.models import (
    Annotation,
    ApiKey,
    Collection,
    Commitment,
    CommitmentSource,
    CommitmentType,
    Document,
    DocumentSource,
    Entity,
    Invitation,
    KnowledgeEdge,
    KnowledgeNode,
    Membership,
    Party,
    PartyKind,
    Role,
    Signal,
    SignalSource,
    Tag,
)
from graph_api.passwords import hashed
from graph_api.permissions import MemberRole
from graph_api.schema.context import Context, Surroundings
from graph_api.services.api_keys import ApiKeys
from graph_api.services.commitments import Commitments
from graph_api.services.documents import Documents
from graph_api.services.entities import EntityService
from graph_api.services.joining import joined
from graph_api.services.knowledge import KnowledgeEdges, KnowledgeNodes
from graph_api.services.members import Invitations
from graph_api.services.organizing import Annotations, Collections, Tags
from graph_api.services.parties import Parties, Roles
from graph_api.services.profiles import STORE_HASH
from graph_api.services.signals import Signals
from graph_api.services.unit_of_work import Service, Terms

# The key of no row. Parameters of tests must be the same in each process that collects.
NOBODY = UUID("00000000-0000-7000-8000-000000000001")

PASSWORD = "correct horse battery"
API_KEY = {"name": "sync", "scopes": ["read"]}

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

    async def api_key(self, **values: Any) -> ApiKey:
        """A key of the caller's; `secret` gives the key itself as well."""
        made, _ = await self.secret(ApiKeys, "create", API_KEY | values)
        return cast(ApiKey, made)

    async def invitation(self, **values: Any) -> Invitation:
        given = {"email": f"{next(_numbers)}@example.org", "role": MemberRole.EDITOR}
        made, _ = await self.secret(Invitations, "invite", given | values)
        return cast(Invitation, made)

    async def member(self, role: MemberRole = MemberRole.EDITOR) -> Membership:
        """One more member, who has come by an invitation."""
        given = {"email": f"{new_key()}@example.org", "role": role}
        _, code = await self.secret(Invitations, "invite", given)
        database, name = self.surroundings.database, f"user-{new_key()}"
        bearer, _ = await joined(database, code=code, username=name, password=PASSWORD)
        async with database.connect(self.caller.workspace_id) as connection:
            rows = await connection.rows(
                select(Membership).where(
                    Membership.workspace_id == self.caller.workspace_id,
                    Membership.user_id == bearer.user_id,
                )
            )
        return cast(Membership, rows[0][0])

    async def password(self) -> None:
        """Let the caller have one."""
        user = self.caller.user_id
        connect = self.surroundings.database.connect(self.caller.workspace_id)
        async with connect as connection:
            await connection.begin()
            await connection.present(user=str(user))
            await connection.fetch(STORE_HASH, [user, await hashed(PASSWORD)])
            await connection.commit()

    async def secret(
        self, service: type[Service], verb: str, values: Any
    ) -> tuple[Any, str]:
        """What a verb of a service has made, and the secret that it shows once."""
        context = Context(self.surroundings, self.caller)
        try:
            one = context.service(service, Terms("make"))
            await getattr(one, verb)(**values)
            assert one.outcome.secret is not None
            return one.outcome.subject, one.outcome.secret
        finally:
            await context.close()

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
