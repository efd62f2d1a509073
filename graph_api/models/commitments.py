"""What somebody owes, intends or has promised."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import String, text
from sqlalchemy.orm import Mapped, mapped_column

from graph_api.models.base import (
    Entity,
    Imported,
    Json,
    gin,
    imported,
    index,
    ordered,
    references,
)
from graph_api.models.rules import AtMost, Filled, Within, Words, rule


class CommitmentType(StrEnum):
    """What sort of commitment it is."""

    OBLIGATION = "obligation"
    RESPONSIBILITY = "responsibility"
    GOAL = "goal"
    ROUTINE = "routine"
    APPOINTMENT = "appointment"
    COMPLIANCE = "compliance"


class CommitmentState(StrEnum):
    """How far a commitment has come."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    ACTIVE = "active"
    PAUSED = "paused"
    FULFILLED = "fulfilled"
    CANCELED = "canceled"
    DELINQUENT = "delinquent"


# What one is bound by: agreed to, not put aside, and not at its end.
OPEN = (
    CommitmentState.ACCEPTED,
    CommitmentState.ACTIVE,
    CommitmentState.DELINQUENT,
)
FINAL = (CommitmentState.FULFILLED, CommitmentState.CANCELED)


class CommitmentSource(StrEnum):
    """Where a commitment was found."""

    EMAIL = "email"
    DOC = "doc"
    VISION_EXTRACT = "vision_extract"
    API = "api"
    MANUAL = "manual"


class Commitment(Entity, Imported):
    """Something that a role owes, intends or has promised."""

    __tablename__ = "commitments"
    __table_args__ = (
        references("role_id", "roles", "CASCADE"),
        references("counterparty_id", "parties", "SET NULL"),
        index("idx_commitments_role", "role_id", "id"),
        index(
            "idx_commitments_state_due",
            "state",
            text("due_at DESC NULLS LAST"),
            text("id DESC"),
        ),
        index(
            "idx_commitments_focus",
            text("due_at DESC NULLS LAST"),
            text("priority ASC NULLS FIRST"),
            text("id DESC"),
            postgresql_where=text(
                f"state IN ({', '.join(repr(state.value) for state in OPEN)})"
            ),
        ),
        ordered("idx_commitments_priority", "priority"),
        ordered("idx_commitments_due_at", "due_at"),
        ordered("idx_commitments_title", "title"),
        index("idx_commitments_type", "commitment_type", "id"),
        gin("idx_commitments_domains", "domain_tags"),
        index(
            "idx_commitments_counterparty",
            "counterparty_id",
            "id",
            postgresql_where=text("counterparty_id IS NOT NULL"),
        ),
        ordered("idx_commitments_created_at", "created_at"),
        ordered("idx_commitments_updated_at", "updated_at"),
        imported("commitments"),
    )

    role_id: Mapped[UUID] = mapped_column(comment="The role that is bound.")
    commitment_type: Mapped[CommitmentType] = mapped_column(
        Words(CommitmentType), comment="What sort of commitment it is."
    )
    title: Mapped[str] = mapped_column(
        String(500), info=rule(Filled()), comment="What is owed, in a line."
    )
    description: Mapped[str | None] = mapped_column(
        info=rule(AtMost(20_000)), comment="What is owed, at length."
    )
    source: Mapped[CommitmentSource] = mapped_column(
        Words(CommitmentSource), comment="Where it was found."
    )
    counterparty_id: Mapped[UUID | None] = mapped_column(
        comment="The party to whom it is owed."
    )
    due_at: Mapped[datetime | None] = mapped_column(
        comment="When it is due; for a routine, when it is first due."
    )
    rrule: Mapped[str | None] = mapped_column(
        String(1000),
        comment="How it repeats, as an RFC 5545 rule such as `FREQ=WEEKLY;BYDAY=MO`.",
    )
    priority: Mapped[int] = mapped_column(
        server_default=text("50"),
        info=rule(Within(0, 100)),
        comment="0 (whenever) to 100 (now).",
    )
    state: Mapped[CommitmentState] = mapped_column(
        Words(CommitmentState),
        server_default=CommitmentState.ACCEPTED.value,
        comment="How far it has come; by default ACCEPTED.",
    )
    severity: Mapped[int] = mapped_column(
        server_default=text("0"),
        info=rule(Within(0, 100)),
        comment="How bad it would be to miss it: 0 (not at all) to 100.",
    )
    domain_tags: Mapped[list[str]] = mapped_column(
        server_default=text("'{}'"),
        info=rule(AtMost(50, "tags")),
        comment="The areas of life or work that it belongs to.",
    )
    reason: Mapped[str | None] = mapped_column(
        info=rule(AtMost(2_000)),
        comment="Why it stands as it does: the reason given when it was made or last "
        "moved to another state.",
    )
    details: Mapped[Json] = mapped_column(
        "metadata",
        server_default=text("'{}'"),
        comment="Whatever you wish to keep with it.",
    )
