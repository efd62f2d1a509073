"""Doing a thing once, however often it is asked for with the same key.

The key is claimed in the same transaction as the change. Whoever comes second waits at
the claim until the first has committed, and is then answered from what it stored; if
the first rolled back, the claim is free.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from graph_api.database.engine import Connection
from graph_api.errors import Conflict, Invalid
from graph_api.models import IdempotencyKey

MAX_KEY_LENGTH = 200


@dataclass(frozen=True)
class Result:
    """What a mutation did, by ids: enough to read its answer again."""

    subject_id: UUID | None
    subject_ids: tuple[UUID, ...]
    interaction_ids: tuple[UUID, ...]
    deleted: bool
    extra: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {
            "subject": None if self.subject_id is None else str(self.subject_id),
            "subjects": [str(id) for id in self.subject_ids],
            "interactions": [str(id) for id in self.interaction_ids],
            "deleted": self.deleted,
            "extra": self.extra,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Result":
        subject = stored["subject"]
        return cls(
            None if subject is None else UUID(subject),
            tuple(UUID(id) for id in stored["subjects"]),
            tuple(UUID(id) for id in stored["interactions"]),
            stored["deleted"],
            stored["extra"],
        )


def request_hash(mutation: str, given: dict[str, Any]) -> str:
    """SHA-256 of a mutation and its input, the same for the same request."""
    # Not orjson, which takes no integers beyond 64 bits.
    canonical = json.dumps([mutation, given], sort_keys=True, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


async def claim(connection: Connection, key: str, hash: str) -> Result | None:
    """Take `key` for the running transaction, or say what it was used for.

    Raises Conflict when it was used for another request.
    """
    if not 0 < len(key) <= MAX_KEY_LENGTH:
        raise Invalid(
            f"`idempotencyKey` must have 1 to {MAX_KEY_LENGTH} characters.",
            path=("idempotencyKey",),
        )
    ours = {"workspace_id": connection.workspace_id, "key": key}
    claimed = await connection.rows(
        insert(IdempotencyKey)
        .values(**ours, request_hash=hash, result={})
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.key)
    )
    if claimed:
        return None
    (used,) = await connection.rows(select(IdempotencyKey).filter_by(**ours))
    if used[0].request_hash != hash:
        raise Conflict(
            "This idempotency key was used for another request. Use a new key for a "
            "new request.",
            path=("idempotencyKey",),
        )
    return Result.from_json(used[0].result)


async def store(connection: Connection, key: str, result: Result) -> None:
    """Remember what the transaction that claimed `key` has done."""
    await connection.rows(
        update(IdempotencyKey)
        .filter_by(workspace_id=connection.workspace_id, key=key)
        .values(result=result.as_json())
        .returning(IdempotencyKey.key)
        .execution_options(synchronize_session=False)
    )
