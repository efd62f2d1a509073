"""The types, whose instances are rows, with a resolver for each relation."""

from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import strawberry
from strawberry.scalars import JSON
from strawberry.types import Info

from benchmarks.usual.inputs import (
    CommitmentOrder,
    CommitmentSource,
    CommitmentState,
    CommitmentType,
    KnowledgeEdgeOrder,
    PartyKind,
)
from benchmarks.usual.loaders import Loaders, Order
from graph_api import models

T = TypeVar("T")

Asked = Info[dict[str, Any], Any]


class BigInt(int):
    """A number that JavaScript cannot hold."""


def loaders(info: Asked) -> Loaders:
    found: Loaders = info.context["loaders"]
    return found


def key(root: Any) -> UUID:
    """What the field `uuid` of every type is."""
    found: UUID = root.id
    return found


def ordering(given: Any) -> Order:
    """What an argument `orderBy` says, to be the key of a loader."""
    return tuple((one.field.value, one.direction.value) for one in given or ())


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class Connection(Generic[T]):
    nodes: list[T]
    page_info: PageInfo | None = None
    total_count: int | None = None


@strawberry.type
class Party:
    uuid: UUID = strawberry.field(resolver=key)
    kind: PartyKind  # type: ignore[valid-type]  # made by a call
    name: str
    tax_id: str | None
    contact: JSON
    created_at: datetime
    updated_at: datetime

    @classmethod
    def is_type_of(cls, row: object, _info: Any) -> bool:
        return isinstance(row, models.Party)

    @strawberry.field
    async def roles(self: Any, info: Asked, first: int = 20) -> "Connection[Role]":
        return Connection(nodes=await loaders(info).roles_of_party(first).load(self.id))


@strawberry.type
class Role:
    uuid: UUID = strawberry.field(resolver=key)
    role_name: str
    domain_tags: list[str]
    created_at: datetime

    @classmethod
    def is_type_of(cls, row: object, _info: Any) -> bool:
        return isinstance(row, models.Role)

    @strawberry.field
    async def party(self: Any, info: Asked) -> Party:
        found: Party = await loaders(info).party.load(self.party_id)
        return found

    @strawberry.field
    async def commitments(
        self: Any,
        info: Asked,
        first: int = 20,
        order_by: list[CommitmentOrder] | None = None,
    ) -> "Connection[Commitment]":
        order = ordering(order_by)
        return Connection(
            nodes=await loaders(info).commitments_of_role(first, order).load(self.id)
        )


@strawberry.type
class Commitment:
    uuid: UUID = strawberry.field(resolver=key)
    title: str
    description: str | None
    state: CommitmentState  # type: ignore[valid-type]  # made by a call
    commitment_type: CommitmentType  # type: ignore[valid-type]  # made by a call
    source: CommitmentSource  # type: ignore[valid-type]  # made by a call
    priority: int
    severity: int
    due_at: datetime | None
    version: int
    created_at: datetime

    @classmethod
    def is_type_of(cls, row: object, _info: Any) -> bool:
        return isinstance(row, models.Commitment)

    @strawberry.field
    async def role(self: Any, info: Asked) -> Role:
        found: Role = await loaders(info).role.load(self.role_id)
        return found

    @strawberry.field
    async def counterparty(self: Any, info: Asked) -> Party | None:
        if self.counterparty_id is None:
            return None
        found: Party | None = await loaders(info).party.load(self.counterparty_id)
        return found

    @strawberry.field
    async def documents(
        self: Any, info: Asked, first: int = 20
    ) -> "Connection[Document]":
        return Connection(
            nodes=await loaders(info).documents_of_commitment(first).load(self.id)
        )


@strawberry.type
class Collection:
    uuid: UUID = strawberry.field(resolver=key)
    name: str

    @strawberry.field
    async def documents(
        self: Any, info: Asked, first: int = 20
    ) -> "Connection[Document]":
        return Connection(
            nodes=await loaders(info).documents_of_collection(first).load(self.id)
        )


@strawberry.type
class Document:
    uuid: UUID = strawberry.field(resolver=key)
    title: str
    mime_type: str | None
    file_size: BigInt | None

    @strawberry.field
    async def collection(self: Any, info: Asked) -> Collection | None:
        if self.collection_id is None:
            return None
        found: Collection | None = await loaders(info).collection.load(
            self.collection_id
        )
        return found

    @strawberry.field
    async def links(
        self: Any, info: Asked, first: int = 20
    ) -> "Connection[DocumentLink]":
        return Connection(
            nodes=await loaders(info).links_of_document(first).load(self.id)
        )


@strawberry.type
class KnowledgeNode:
    uuid: UUID = strawberry.field(resolver=key)
    label: str
    node_type: str

    @classmethod
    def is_type_of(cls, row: object, _info: Any) -> bool:
        return isinstance(row, models.KnowledgeNode)

    @strawberry.field
    async def out_edges(
        self: Any,
        info: Asked,
        first: int = 20,
        order_by: list[KnowledgeEdgeOrder] | None = None,
    ) -> "Connection[KnowledgeEdge]":
        order = ordering(order_by)
        return Connection(
            nodes=await loaders(info).edges_of_node(first, order).load(self.id)
        )


@strawberry.type
class KnowledgeEdge:
    uuid: UUID = strawberry.field(resolver=key)
    edge_type: str
    weight: float

    @strawberry.field
    async def target(self: Any, info: Asked) -> KnowledgeNode:
        found: KnowledgeNode = await loaders(info).knowledge_node.load(self.target_id)
        return found


@strawberry.type
class DocumentLink:
    relation: str

    @strawberry.field
    async def target(
        self: Any, info: Asked
    ) -> Commitment | Party | Role | KnowledgeNode | None:
        loader = loaders(info).of(self.entity_type)
        found: Party | None = await loader.load(self.entity_id)
        return found
