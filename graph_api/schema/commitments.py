"""Commitments and signals, as clients see them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry

from graph_api import models
from graph_api.models import (
    CommitmentSource,
    CommitmentState,
    CommitmentType,
    SignalSource,
    SignalStatus,
)
from graph_api.schema import scheduling
from graph_api.schema.entity import Entity, entity, find, listing, one, through
from graph_api.schema.fields import row_field
from graph_api.schema.inputs import VERSION, an_id, values_of, written
from graph_api.schema.mutations import Given, create, delete, mutation, row_id, update
from graph_api.schema.payloads import subject_field
from graph_api.schema.scalars import Json
from graph_api.services import commitments as moves
from graph_api.services.commitments import Commitments, Move
from graph_api.services.signals import Signals


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

    occurrences = scheduling.occurrences
    next_occurrence = scheduling.next_occurrence
    overdue = scheduling.overdue

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
    focus = scheduling.FOCUS
    signal = find(models.Signal, "The signal with this id.")
    signals = listing(models.Signal, "The signals of the workspace.")


_COMMITMENT = (
    "role_id",
    "commitment_type",
    "title",
    "description",
    "source",
    "counterparty_id",
    "due_at",
    "rrule",
    "priority",
    "severity",
    "domain_tags",
    "details",
    "external_ref",
)
_SIGNAL = ("source", "payload", "received_at", "dedupe_key", "extraction_cost")


def _move(name: str, move: Move, description: str) -> Any:
    async def verb(commitments: Commitments, given: Given) -> None:
        id = row_id(models.Commitment, given)
        await commitments.move(id, move, given.get("expectedVersion"))

    before = ", ".join(sorted(state.name for state in move.only_from))
    return mutation(
        name,
        Commitments,
        f"{description} From {before}.",
        {"id": an_id("Commitment"), "expectedVersion": VERSION},
        verb,
    )


async def _ingest(signals: Signals, given: Given) -> None:
    await signals.ingest(values_of(models.Signal, _SIGNAL, given))


async def _attach(signals: Signals, given: Given) -> None:
    await signals.attach(
        row_id(models.Signal, given),
        row_id(models.Document, given, "documentId"),
        given.get("expectedVersion"),
    )


async def _archive(signals: Signals, given: Given) -> None:
    await signals.archive(row_id(models.Signal, given), given.get("expectedVersion"))


def duplicate_field(description: str) -> Any:
    """The field that says whether what came was there already."""
    return row_field(
        bool,
        lambda payload, *_: payload.outcome.extra.get("duplicate", False),
        description,
    )


@strawberry.type
class CommitmentMutations:
    """What can be done with commitments and signals."""

    create_commitment = create(
        Commitments, (*_COMMITMENT, "state"), "Bind a role to something."
    )
    update_commitment = update(Commitments, _COMMITMENT, "Change a commitment.")
    delete_commitment = delete(Commitments, "Delete a commitment.")
    accept_commitment = _move(
        "acceptCommitment", moves.ACCEPT, "Agree to what was proposed."
    )
    activate_commitment = _move(
        "activateCommitment", moves.ACTIVATE, "Begin, or begin again."
    )
    pause_commitment = _move("pauseCommitment", moves.PAUSE, "Put aside for a while.")
    resume_commitment = _move("resumeCommitment", moves.RESUME, "Go on.")
    fulfill_commitment = _move("fulfillCommitment", moves.FULFILL, "Say it is done.")
    cancel_commitment = _move("cancelCommitment", moves.CANCEL, "Give it up.")
    mark_commitment_delinquent = _move(
        "markCommitmentDelinquent",
        moves.MARK_DELINQUENT,
        "Say it was not done in time.",
    )
    ingest_signal = mutation(
        "ingestSignal",
        Signals,
        "Take a signal in; one with a known `dedupeKey` is stored only once.",
        written(models.Signal, _SIGNAL, required=True),
        _ingest,
        answers={
            "signal": subject_field(models.Signal),
            "duplicate": duplicate_field("Whether it was known; then nothing changed."),
        },
    )
    attach_signal = mutation(
        "attachSignal",
        Signals,
        "Say which document was made of a signal.",
        {
            "id": an_id("Signal"),
            "documentId": an_id("Document"),
            "expectedVersion": VERSION,
        },
        _attach,
    )
    archive_signal = mutation(
        "archiveSignal",
        Signals,
        "Put a signal away.",
        {"id": an_id("Signal"), "expectedVersion": VERSION},
        _archive,
    )
