"""Clients that write, and know of each write whether it was acknowledged.

Each has an idempotency key and gives it as its reason too, so that the log says whose
interactions are whose. A client that does not hear of its write asks again with the
same key, until it does.
"""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

NODES = 40
UPSERT = """
    mutation ($items: [UpsertKnowledgeNodesItem!]!, $key: String!) {
      upsertKnowledgeNodes(input: {items: $items, reason: $key, idempotencyKey: $key}) {
        replayed userErrors { code }
      }
    }
"""
CREATE = """
    mutation ($key: String!) {
      createTag(input: {name: $key, reason: $key, idempotencyKey: $key}) {
        replayed userErrors { code }
      }
    }
"""
# What proves nothing, so that the client asks again.
UNSURE = {"SERVICE_BUSY", "TIMEOUT"}


@dataclass
class Written:
    """One write: how many interactions it makes, and whether that was acknowledged."""

    interactions: int
    acknowledged: bool = False


@dataclass
class Load:
    """The writes of some clients, and what they were answered."""

    url: str
    random: random.Random
    writes: dict[str, Written] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    stopped: bool = False
    # How many are to be acknowledged, and whether they were.
    least: int = 0
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    _count: int = 0

    @property
    def acknowledged(self) -> int:
        return sum(one.acknowledged for one in self.writes.values())

    async def client(self) -> None:
        """Write one thing after the other, until the load is stopped."""
        timeout = httpx.Timeout(20, connect=5)
        async with httpx.AsyncClient(timeout=timeout) as http:
            while not self.stopped:
                key = str(uuid4())
                query, variables, interactions = self._draw(key)
                self.writes[key] = Written(interactions)
                await self._until_heard(http, key, query, variables)

    def _draw(self, key: str) -> tuple[str, dict[str, Any], int]:
        if self.random.random() < 0.5:
            return CREATE, {"key": key}, 1
        # In any order, so that now and then two lock each other out.
        some = self.random.sample(range(NODES), 2)
        items = [
            {
                "externalRef": f"node:{number}",
                "label": f"node {number}",
                "nodeType": "concept",
                "description": f"{key} {number}",
            }
            for number in some
        ]
        return UPSERT, {"items": items, "key": key}, 2

    async def _until_heard(
        self, http: httpx.AsyncClient, key: str, query: str, variables: dict[str, Any]
    ) -> None:
        body = {"query": query, "variables": variables}
        for attempt in range(400):
            # Some hang up before they have heard, and ask again.
            patience = 0.004 if attempt == 0 and self.random.random() < 0.03 else 20
            try:
                response = await http.post(self.url, json=body, timeout=patience)
                if self._is_heard(key, response.json()):
                    return
            except (httpx.HTTPError, ValueError) as error:
                self.answers[type(error).__name__] += 1
            if self.stopped and attempt > 100:
                return
            await asyncio.sleep(min(0.3, 0.02 * 2 ** min(attempt, 4)))

    def _is_heard(self, key: str, body: dict[str, Any]) -> bool:
        codes = [error["extensions"]["code"] for error in body.get("errors", ())]
        if codes:
            self.answers.update(codes)
            return not UNSURE.issuperset(codes)
        (payload,) = body["data"].values()
        if payload["userErrors"]:
            self.answers.update(error["code"] for error in payload["userErrors"])
            return True
        self.answers["replayed" if payload["replayed"] else "done"] += 1
        self.writes[key].acknowledged = True
        self._count += 1
        if self._count >= self.least:
            self.reached.set()
        return True
