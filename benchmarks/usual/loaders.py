"""One DataLoader for each relation, made anew for each request."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from typing import Any
from uuid import UUID

from aiodataloader import DataLoader
from sqlalchemy import Select, UnaryExpression, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from graph_api.models import (
    Collection,
    Commitment,
    Document,
    DocumentLink,
    EntityType,
    KnowledgeEdge,
    KnowledgeNode,
    Party,
    Role,
)

Loader = DataLoader[Any, Any]
# Attributes, each with `asc` or `desc`.
Order = tuple[tuple[str, str], ...]


class Loaders:
    """The loaders of one request, on its one session."""

    def __init__(self, session: AsyncSession, workspace: UUID) -> None:
        self.session = session
        self.workspace = workspace
        self._lock = asyncio.Lock()
        self._pages: dict[Any, Loader] = {}

    @cached_property
    def party(self) -> Loader:
        return self._by_id(Party)

    @cached_property
    def role(self) -> Loader:
        return self._by_id(Role)

    @cached_property
    def commitment(self) -> Loader:
        return self._by_id(Commitment)

    @cached_property
    def collection(self) -> Loader:
        return self._by_id(Collection)

    @cached_property
    def knowledge_node(self) -> Loader:
        return self._by_id(KnowledgeNode)

    def of(self, type: EntityType) -> Loader:
        """The loader of whatever a link may lead to."""
        loaders = {
            EntityType.PARTY: self.party,
            EntityType.ROLE: self.role,
            EntityType.COMMITMENT: self.commitment,
            EntityType.KNOWLEDGE_NODE: self.knowledge_node,
        }
        return loaders[type]

    def roles_of_party(self, first: int) -> Loader:
        return self._page(Role, Role.party_id, first)

    def commitments_of_role(self, first: int, order: Order) -> Loader:
        return self._page(Commitment, Commitment.role_id, first, order)

    def documents_of_collection(self, first: int) -> Loader:
        return self._page(Document, Document.collection_id, first)

    def links_of_document(self, first: int) -> Loader:
        return self._page(DocumentLink, DocumentLink.document_id, first)

    def edges_of_node(self, first: int, order: Order) -> Loader:
        return self._page(KnowledgeEdge, KnowledgeEdge.source_id, first, order)

    def documents_of_commitment(self, first: int) -> Loader:
        """Over the links, which lead to many kinds of things."""
        over = (DocumentLink.workspace_id == Document.workspace_id) & (
            DocumentLink.document_id == Document.id
        )
        of_commitments = (DocumentLink.workspace_id == self.workspace) & (
            DocumentLink.entity_type == EntityType.COMMITMENT
        )
        linked = select(Document).join(DocumentLink, over).where(of_commitments)
        return self._page(Document, DocumentLink.entity_id, first, source=linked)

    async def rows(self, statement: Select[Any]) -> Sequence[Any]:
        """All rows; a session runs one statement at a time."""
        async with self._lock:
            rows: Sequence[Any] = (await self.session.execute(statement)).all()
        return rows

    def _by_id(self, model: Any) -> Loader:
        async def load(keys: list[UUID]) -> list[Any]:
            rows = await self.rows(
                select(model).where(
                    model.workspace_id == self.workspace, model.id.in_(keys)
                )
            )
            found = {row[0].id: row[0] for row in rows}
            return [found.get(key) for key in keys]

        return DataLoader(load)

    def _page(
        self,
        model: Any,
        owner: Any,
        first: int,
        order: Order = (),
        source: Select[Any] | None = None,
    ) -> Loader:
        """The first of each owner's rows, numbered by a window function."""
        name = (owner, first, order)
        if name in self._pages:
            return self._pages[name]
        number = func.row_number().over(
            partition_by=owner, order_by=clauses(model, order)
        )
        base = select(model) if source is None else source
        base = base.add_columns(owner.label("owner"), number.label("number"))

        async def load(keys: list[UUID]) -> list[list[Any]]:
            numbered = base.where(
                model.workspace_id == self.workspace, owner.in_(keys)
            ).subquery()
            rows = await self.rows(
                select(aliased(model, numbered), numbered.c.owner)
                .where(numbered.c.number <= first)
                .order_by(numbered.c.owner, numbered.c.number)
            )
            found: dict[UUID, list[Any]] = defaultdict(list)
            for row, key in rows:
                found[key].append(row)
            return [found[key] for key in keys]

        loader = self._pages[name] = DataLoader(load)
        return loader


def clauses(model: Any, order: Order) -> list[UnaryExpression[Any]]:
    """An order as a statement has it, with the key to tell equals apart."""
    keys = [(getattr(model, name), direction == "desc") for name, direction in order]
    # As the indexes are; the key goes the way of what comes before it.
    ordered = [
        key.desc().nulls_last() if down else key.asc().nulls_first()
        for key, down in keys
    ]
    last_down = bool(keys) and keys[0][1]
    return [*ordered, model.id.desc() if last_down else model.id.asc()]
