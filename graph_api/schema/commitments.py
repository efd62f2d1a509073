"""Commitments and signals, as clients see them."""

from datetime import datetime
from decimal import Decimal

import strawberry

from .. import models
from ..models import (
    CommitmentSource,
    CommitmentState,
    CommitmentType,
    SignalSource,
    SignalStatus,
)
from .entity import Entity, entity, find, listing, one, through
from .scalars import Json


@entity(models.Commitment)
class Commitment(Entity):
    """Something that a role owes, intends or has promised."""

    commitment_type: CommitmentType
    title: str
    description: str | None
    source: CommitmentSource
    due_at: datetime | None
    rrule: str | None
    priority: int
    state: CommitmentState
    severity: int
    domain_tags: list[str]
    reason: str | None
    details: Json
    external_ref: str | None

    role = one(models.Commitment.role_id)
    counterparty = one(models.Commitment.counterparty_id)
    documents = through(
        models.DocumentLink.entity_id,
        models.DocumentLink.document_id,
        "The documents that are linked to it.",
    )


@entity(models.Signal)
class Signal(Entity):
    """A raw input that waits to be understood: a photo, a mail, a call of the API."""

    source: SignalSource
    payload: Json
    received_at: datetime
    status: SignalStatus
    dedupe_key: str | None
    extraction_cost: Decimal | None

    extraction = one(models.Signal.extraction_id)
    documents = through(
        models.DocumentLink.entity_id,
        models.DocumentLink.document_id,
        "The documents that are linked to it.",
    )


@strawberry.type
class CommitmentQueries:
    """Where reading commitments and signals starts."""

    commitment = find(models.Commitment, "The commitment with this id.")
    commitments = listing(models.Commitment, "The commitments of the workspace.")
    signal = find(models.Signal, "The signal with this id.")
    signals = listing(models.Signal, "The signals of the workspace.")
