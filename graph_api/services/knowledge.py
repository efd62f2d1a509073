"""Keeping the knowledge graph, one piece at a time or a thousand."""

import math
from typing import Any

from sqlalchemy import ARRAY, Text, Uuid, any_, literal, select
from sqlalchemy.orm import undefer

from graph_api.errors import Duplicate, Invalid, NotFound
from graph_api.models import KnowledgeEdge, KnowledgeNode, public_name
from graph_api.permissions import Scope
from graph_api.services.entities import Values
from graph_api.services.log import values_of
from graph_api.services.unit_of_work import Work
from graph_api.services.upserting import Item, Key, UpsertingService, refuse_twice


class KnowledgeNodes(UpsertingService[KnowledgeNode]):
    model = KnowledgeNode
    scope = Scope.WRITE_KNOWLEDGE
    identity = ("external_ref",)

    async def _check(
        self,
        work: Work,
        values: Values,
        row: KnowledgeNode | None = None,
        changed: Values | None = None,
    ) -> None:
        _refuse_odd_numbers(values)
        await super()._check(work, values, row, changed)

    def _judge_alone(self, item: Item, seen: dict[Key, int]) -> None:
        _refuse_odd_numbers(item.values)
        super()._judge_alone(item, seen)

    async def _known(self, work: Work, items: list[Item]) -> dict[Key, Any]:
        refs = [item.values["external_ref"] for item in items]
        rows = await work.connection.rows(
            select(KnowledgeNode)
            .where(KnowledgeNode.workspace_id == work.connection.workspace_id)
            .where(KnowledgeNode.external_ref == any_(literal(refs, ARRAY(Text))))
            .order_by(KnowledgeNode.id)
            .options(undefer("*"))
            .with_for_update()
        )
        return {(row[0].external_ref,): row[0] for row in rows}

    def _blank(self) -> dict[str, Any]:
        return {
            "label": None,
            "node_type": "concept",
            "description": None,
            "properties": {},
            "embedding": None,
            "external_ref": None,
        }


class KnowledgeEdges(UpsertingService[KnowledgeEdge]):
    model = KnowledgeEdge
    scope = Scope.WRITE_KNOWLEDGE
    identity = ("source_id", "target_id", "edge_type")

    def _judge_alone(self, item: Item, seen: dict[Key, int]) -> None:
        super()._judge_alone(item, seen)
        ref = item.values.get("external_ref")
        if ref is not None:
            refuse_twice((ref,), item, seen, "external_ref")

    async def _judge(self, work: Work, items: list[Item]) -> None:
        await super()._judge(work, items)
        await self._judge_ends(work, items)
        await self._judge_refs(work, items)

    async def _judge_ends(self, work: Work, items: list[Item]) -> None:
        """Refuse edges between nodes that are not there."""
        ends = {
            item.values[end]
            for item in items
            if item.error is None
            for end in ("source_id", "target_id")
        }
        rows = await work.connection.rows(
            select(KnowledgeNode.id)
            .where(KnowledgeNode.workspace_id == work.connection.workspace_id)
            .where(KnowledgeNode.id == any_(literal(list(ends), ARRAY(Uuid))))
            .order_by(KnowledgeNode.id)
            .with_for_update(read=True, key_share=True)
        )
        there = {row[0] for row in rows}
        for item in items:
            for end in ("source_id", "target_id"):
                if item.error is None and item.values[end] not in there:
                    no_node = "There is no KnowledgeNode with this id."
                    item.refuse(NotFound(no_node, path=(public_name(end),)))

    async def _judge_refs(self, work: Work, items: list[Item]) -> None:
        """Refuse edges whose `external_ref` another one has."""
        refs = [item.values.get("external_ref") for item in items if not item.error]
        rows = await work.connection.rows(
            select(KnowledgeEdge)
            .where(KnowledgeEdge.workspace_id == work.connection.workspace_id)
            .where(KnowledgeEdge.external_ref == any_(literal(refs, ARRAY(Text))))
        )
        holders = {row[0].external_ref: row[0] for row in rows}
        for item in items:
            holder = holders.get(item.values.get("external_ref"))
            if item.error is None and holder is not None:
                self._refuse_unless_same(item, holder)

    def _refuse_unless_same(self, item: Item, holder: KnowledgeEdge) -> None:
        if self._key(item.values) != self._key(values_of(holder, self.identity)):
            item.refuse(
                Duplicate(
                    "There is a KnowledgeEdge with this `externalRef` already.",
                    path=("externalRef",),
                    existing=holder,
                )
            )

    async def _known(self, work: Work, items: list[Item]) -> dict[Key, Any]:
        wanted = {self._key(item.values) for item in items}
        sources = list({key[0] for key in wanted})
        targets = list({key[1] for key in wanted})
        rows = await work.connection.rows(
            select(KnowledgeEdge)
            .where(KnowledgeEdge.workspace_id == work.connection.workspace_id)
            .where(KnowledgeEdge.source_id == any_(literal(sources, ARRAY(Uuid))))
            .where(KnowledgeEdge.target_id == any_(literal(targets, ARRAY(Uuid))))
            .order_by(KnowledgeEdge.id)
            .with_for_update()
        )
        found = {self._key(values_of(row[0], self.identity)): row[0] for row in rows}
        return {key: row for key, row in found.items() if key in wanted}

    def _blank(self) -> dict[str, Any]:
        return {
            "source_id": None,
            "target_id": None,
            "edge_type": None,
            "weight": 1.0,
            "properties": {},
            "external_ref": None,
        }


def _refuse_odd_numbers(values: Values) -> None:
    embedding = values.get("embedding")
    # The column is of four-byte floats.
    if embedding and not all(
        math.isfinite(number) and abs(number) <= 3.4e38 for number in embedding
    ):
        raise Invalid(
            "`embedding` must hold finite numbers of single precision.",
            path=("embedding",),
        )
