"""What arguments are made of, as far as the benchmark passes them."""

from datetime import datetime
from enum import StrEnum

import strawberry

from graph_api import models

CommitmentState = strawberry.enum(models.CommitmentState)
CommitmentType = strawberry.enum(models.CommitmentType)
CommitmentSource = strawberry.enum(models.CommitmentSource)
PartyKind = strawberry.enum(models.PartyKind)


@strawberry.enum
class Direction(StrEnum):
    ASC = "asc"
    DESC = "desc"


@strawberry.enum
class CommitmentOrderField(StrEnum):
    PRIORITY = "priority"
    DUE_AT = "due_at"


@strawberry.enum
class DocumentOrderField(StrEnum):
    TITLE = "title"


@strawberry.enum
class KnowledgeEdgeOrderField(StrEnum):
    WEIGHT = "weight"


@strawberry.input
class CommitmentOrder:
    field: CommitmentOrderField
    direction: Direction = Direction.ASC


@strawberry.input
class DocumentOrder:
    field: DocumentOrderField
    direction: Direction = Direction.ASC


@strawberry.input
class KnowledgeEdgeOrder:
    field: KnowledgeEdgeOrderField
    direction: Direction = Direction.ASC


@strawberry.input
class StateFilter:
    eq: CommitmentState | None = None  # type: ignore[valid-type]  # made by a call


@strawberry.input
class IntFilter:
    lte: int | None = None


@strawberry.input
class KindFilter:
    eq: PartyKind | None = None  # type: ignore[valid-type]  # made by a call


@strawberry.input
class PartyFilter:
    kind: KindFilter | None = None


@strawberry.input
class RoleFilter:
    party: PartyFilter | None = None


@strawberry.input
class CommitmentFilter:
    state: StateFilter | None = None
    priority: IntFilter | None = None
    role: RoleFilter | None = None


@strawberry.input
class CreateCommitmentInput:
    role_id: strawberry.ID
    title: str
    commitment_type: CommitmentType  # type: ignore[valid-type]  # made by a call
    source: CommitmentSource  # type: ignore[valid-type]  # made by a call
    priority: int = 50
    due_at: datetime | None = None
