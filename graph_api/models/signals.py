"""What has come in and is not yet understood."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Numeric, String, func, text
from sqlalchemy.orm import Mapped, mapped_column

from graph_api.models.base import Entity, Json, index, ordered, references
from graph_api.models.rules import Filled, Within, Words, rule


class SignalSource(StrEnum):
    """The way a signal came in."""

    VISION_UPLOAD = "vision_upload"
    EMAIL = "email"
    API = "api"
    MANUAL = "manual"


class SignalStatus(StrEnum):
    """What has become of a signal."""

    NEW = "new"
    PROCESSING = "processing"
    ATTACHED = "attached"
    ARCHIVED = "archived"


class Signal(Entity):
    """A raw input that waits to be understood: a photo, a mail, a call of the API."""

    __tablename__ = "signals"
    __table_args__ = (
        references("extraction_id", "documents", "SET NULL"),
        index("idx_signals_status", "status", "id"),
        ordered("idx_signals_received", "received_at"),
        index(
            "idx_signals_dedupe",
            "dedupe_key",
            unique=True,
            postgresql_where=text("dedupe_key IS NOT NULL"),
        ),
        index("idx_signals_extraction", "extraction_id", "id"),
        ordered("idx_signals_created_at", "created_at"),
    )

    source: Mapped[SignalSource] = mapped_column(
        Words(SignalSource), comment="The way it came in."
    )
    payload: Mapped[Json] = mapped_column(
        "payload_json", comment="What came in, as it came."
    )
    received_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="When it came in."
    )
    status: Mapped[SignalStatus] = mapped_column(
        Words(SignalStatus),
        server_default=SignalStatus.NEW.value,
        comment="What has become of it.",
    )
    dedupe_key: Mapped[str | None] = mapped_column(
        String(255),
        info=rule(Filled()),
        comment="The sender's name for it; the same signal sent twice is stored once.",
    )
    extraction_id: Mapped[UUID | None] = mapped_column(
        comment="The document that was made of it."
    )
    extraction_cost: Mapped[Decimal | None] = mapped_column(
        Numeric(10, 4),
        info=rule(Within(0, 999_999.9999)),
        comment="What it cost to understand it, in US dollars.",
    )
