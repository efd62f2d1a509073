"""The log: append-only, and complete by trigger."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, FetchedValue, Identity, Numeric, String, func, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from graph_api.models.base import (
    Json,
    Keyed,
    SubjectType,
    Tenant,
    index,
    points_at,
)
from graph_api.models.rules import HIDDEN, JsonArray, JsonObject, Words


class Xid8(UserDefinedType[int]):
    """The number of a transaction."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


class ActorType(StrEnum):
    """What sort of actor did something."""

    USER = "user"
    AGENT = "agent"
    SYSTEM = "system"


class Interaction(Tenant, Keyed):
    """Something that was done to an entity: what, by whom, when and why."""

    __tablename__ = "interactions"
    __table_args__ = (
        # The trigger that keeps the log complete looks for (workspace, entity, xid).
        index("idx_interactions_entity", "primary_entity_id", "xid", "position"),
        index("idx_interactions_type", "type", "position"),
        index(
            "idx_interactions_created",
            text("created_at DESC NULLS LAST"),
            text("position DESC"),
            info={"orders": "created_at"},
        ),
        index(
            "idx_interactions_actor",
            "actor_id",
            "position",
            postgresql_where=text("actor_id IS NOT NULL"),
        ),
        index(
            "idx_interactions_change_set",
            "change_set_id",
            "position",
            postgresql_where=text("change_set_id IS NOT NULL"),
        ),
        index("idx_interactions_position", "position"),
        index("idx_interactions_feed", "xid", "position"),
    )

    position: Mapped[int] = mapped_column(
        BigInteger,
        Identity(always=True),
        comment="Its place in the log; later ones have greater numbers.",
    )
    # Granted to nobody: a forged number would let a change pass untold.
    xid: Mapped[int] = mapped_column(
        Xid8,
        FetchedValue(),
        server_default=text("pg_current_xact_id()"),
        deferred=True,
        comment="The transaction that it was written in.",
    )
    type: Mapped[str] = mapped_column(
        String(100), comment="What was done, such as `commitment.accepted`."
    )
    actor_type: Mapped[ActorType] = mapped_column(
        Words(ActorType), comment="What sort of actor did it."
    )
    actor_id: Mapped[UUID | None] = mapped_column(comment="Who did it.")
    actor_label: Mapped[str | None] = mapped_column(
        String(255), comment="The name of the program or model that did it."
    )
    primary_entity_type: Mapped[SubjectType] = mapped_column(
        Words(SubjectType), comment="The kind of thing that it was done to."
    )
    primary_entity_id: Mapped[UUID] = mapped_column(
        info=points_at("primary_entity_type"), comment="What it was done to."
    )
    related_entities: Mapped[list[Json]] = mapped_column(
        JsonArray,
        server_default=text("'[]'"),
        comment="What else it concerns, as a list of {type, id}.",
    )
    details: Mapped[Json] = mapped_column(
        "metadata", server_default=text("'{}'"), comment="What else there is to say."
    )
    cost: Mapped[Decimal | None] = mapped_column(
        Numeric(10, 4), comment="What it cost, in US dollars."
    )
    # Of a deletion, all of the row, and of a document even its text.
    before: Mapped[Json | None] = mapped_column(
        JsonObject(max_bytes=None),
        comment="The columns that changed, as they were; null for something new.",
    )
    after: Mapped[Json | None] = mapped_column(
        JsonObject(max_bytes=None),
        comment="The columns that changed, as they became; null for a deletion.",
    )
    reason: Mapped[str | None] = mapped_column(
        String(2000), comment="Why it was done, in the words of who did it."
    )
    request_id: Mapped[UUID | None] = mapped_column(
        comment="The request that did it, as in the header `X-Request-Id`."
    )
    change_set_id: Mapped[UUID | None] = mapped_column(
        comment="What was done together: a deletion with all it took along, an import."
    )
    undo_of: Mapped[UUID | None] = mapped_column(
        info=HIDDEN, comment="The interaction that it undoes."
    )
    created_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="When it was done.", sort_order=90
    )
