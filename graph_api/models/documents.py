"""Files and texts that were taken in, and what they are about."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import cast
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Computed,
    Index,
    Numeric,
    String,
    Table,
    UniqueConstraint,
    func,
    true,
)
from sqlalchemy import (
    text as literal,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from graph_api.models.base import (
    Entity,
    EntityType,
    Imported,
    Json,
    Keyed,
    Tenant,
    imported,
    index,
    ordered,
    points_at,
    references,
)
from graph_api.models.rules import HIDDEN, AtMost, Filled, Matching, Within, Words, rule

SHA256 = Matching("[0-9a-f]{64}", "64 hexadecimal digits in lower case")


class DocumentSource(StrEnum):
    """The way a document came in."""

    UPLOAD = "upload"
    EMAIL = "email"
    VISION_EXTRACT = "vision_extract"
    BATCH_IMPORT = "batch_import"
    API = "api"
    MANUAL = "manual"


class IngestionStatus(StrEnum):
    """Whether a document could be taken in."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILED = "failed"
    RETRY = "retry"


class ProcessingStatus(StrEnum):
    """How far the work on a document has come."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class ClassificationStatus(StrEnum):
    """Whether a document has been sorted into a class; null before anyone tried."""

    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"


# The text that is searched: a tsvector holds at most 1 MiB, which 150,000 characters
# cannot pass even at four bytes each with their positions.
_SEARCH = (
    "setweight(to_tsvector('english', title), 'A') || "
    "setweight(to_tsvector('english', left(coalesce(\"text\", ''), 150000)), 'B')"
)


class Document(Entity, Imported):
    """A file or a text that was taken in."""

    __tablename__ = "documents"
    __table_args__ = (
        references("owner_id", "workspace_members", "SET NULL", key="user_id"),
        references("collection_id", "collections", "SET NULL"),
        index(
            "idx_documents_sha256",
            "sha256",
            unique=True,
            postgresql_where=literal("sha256 IS NOT NULL"),
        ),
        ordered("idx_documents_title", "title"),
        index("idx_documents_user_id", "owner_id", "id"),
        index("idx_documents_collection_id", "collection_id", "id"),
        index("idx_documents_source", "source", "id"),
        index(
            "idx_documents_extraction_type",
            "extraction_type",
            "id",
            postgresql_where=literal("extraction_type IS NOT NULL"),
        ),
        index(
            "idx_documents_unclassified",
            literal("ingested_at DESC NULLS LAST"),
            literal("id DESC"),
            postgresql_where=literal("classification_status IS NULL"),
        ),
        index("idx_documents_classification", "classification", "id"),
        ordered("idx_documents_ingested_at", "ingested_at"),
        ordered("idx_documents_created", "created_at"),
        ordered("idx_documents_updated_at", "updated_at"),
        ordered("idx_documents_file_size", "file_size"),
        imported("documents"),
    )

    title: Mapped[str] = mapped_column(
        String(500), info=rule(Filled()), comment="What it is called."
    )
    language: Mapped[str | None] = mapped_column(
        String(35), comment="The language of its text, as a BCP 47 tag such as `en`."
    )
    page_count: Mapped[int | None] = mapped_column(
        info=rule(Within(0, 1_000_000)), comment="How many pages it has."
    )
    is_active: Mapped[bool] = mapped_column(
        server_default=true(), comment="False once it has been archived."
    )
    owner_id: Mapped[UUID | None] = mapped_column(
        comment="The member who keeps it; by default who took it in."
    )
    collection_id: Mapped[UUID | None] = mapped_column(
        comment="The collection that it lies in."
    )
    file_name: Mapped[str | None] = mapped_column(
        String(255), info=rule(Filled()), comment="The name that the file had."
    )
    mime_type: Mapped[str | None] = mapped_column(
        String(100), comment="The media type of the file."
    )
    file_size: Mapped[int | None] = mapped_column(
        BigInteger,
        info=rule(Within(0, 2**53)),
        comment="The size of the file, in bytes.",
    )
    sha256: Mapped[str | None] = mapped_column(
        String(64),
        info=rule(SHA256),
        comment="SHA-256 of the file, in lower-case hexadecimal; the same file is "
        "stored once in a workspace.",
    )
    storage_uri: Mapped[str | None] = mapped_column(
        info=HIDDEN, comment="Where the bytes lie; null until they are stored."
    )
    source: Mapped[DocumentSource] = mapped_column(
        Words(DocumentSource), comment="The way it came in."
    )
    ingestion_status: Mapped[IngestionStatus] = mapped_column(
        Words(IngestionStatus),
        server_default=IngestionStatus.SUCCESS.value,
        comment="Whether it could be taken in.",
    )
    ingested_at: Mapped[datetime | None] = mapped_column(
        server_default=func.now(), comment="When it was taken in."
    )
    error_message: Mapped[str | None] = mapped_column(
        info=rule(AtMost(2_000)), comment="Why it could not be taken in."
    )
    processing_status: Mapped[ProcessingStatus] = mapped_column(
        Words(ProcessingStatus),
        server_default=ProcessingStatus.PENDING.value,
        comment="How far the work on it has come.",
    )
    text: Mapped[str | None] = mapped_column(
        deferred=True, info=rule(AtMost(5_000_000)), comment="Its text."
    )
    metadata_extracted: Mapped[Json] = mapped_column(
        server_default=literal("'{}'"), comment="What programs have found out about it."
    )
    details: Mapped[Json] = mapped_column(
        "metadata",
        server_default=literal("'{}'"),
        comment="Whatever you wish to keep with it.",
    )
    classification: Mapped[str | None] = mapped_column(
        String(100), comment="The class it was sorted into, such as `invoice`."
    )
    classification_status: Mapped[ClassificationStatus | None] = mapped_column(
        Words(ClassificationStatus), comment="Whether it has been classified."
    )
    classification_confidence: Mapped[float | None] = mapped_column(
        info=rule(Within(0, 1)), comment="How sure the classifier was, from 0 to 1."
    )
    extraction_type: Mapped[str | None] = mapped_column(
        String(50), comment="What was extracted, such as `invoice` or `receipt`."
    )
    extraction_data: Mapped[Json | None] = mapped_column(
        deferred=True, comment="What was extracted."
    )
    extraction_cost: Mapped[Decimal | None] = mapped_column(
        Numeric(10, 4),
        info=rule(Within(0, 999_999.9999)),
        comment="What the extraction cost, in US dollars.",
    )
    extracted_at: Mapped[datetime | None] = mapped_column(
        comment="When it was extracted."
    )


# A column of the table and not of the class: nobody reads it, and it is as large as the
# text, of which the database makes it.
SEARCH = Column(
    "search",
    TSVECTOR,
    Computed(_SEARCH, persisted=True),
    comment="The words of title and text, as full-text search wants them.",
)
cast(Table, Document.__table__).append_column(SEARCH)
Index(
    "idx_documents_search",
    Document.__table__.c.workspace_id,
    SEARCH,
    postgresql_using="gin",
)


class FileHash(Tenant, Keyed):
    """How often the same file was taken in."""

    __tablename__ = "hash_index"
    __table_args__ = (
        references("document_id", "documents", "CASCADE"),
        index("idx_hash_index_file_hash", "file_hash", unique=True),
        index("idx_hash_index_document", "document_id"),
    )

    file_hash: Mapped[str] = mapped_column(
        String(64), info=rule(SHA256), comment="SHA-256 of the file."
    )
    document_id: Mapped[UUID] = mapped_column(comment="The document with this content.")
    first_seen: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="When the file was first taken in."
    )
    last_seen: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="When the file was last seen."
    )
    duplicate_count: Mapped[int] = mapped_column(
        server_default=literal("0"), comment="How often it was seen again."
    )


class DocumentLink(Tenant, Keyed):
    """A document is about some entity, of whatever kind."""

    __tablename__ = "document_links"
    __table_args__ = (
        references("document_id", "documents", "CASCADE"),
        UniqueConstraint("workspace_id", "document_id", "entity_type", "entity_id"),
        index("idx_doclinks_entity", "entity_id", "entity_type", "id"),
        index("idx_doclinks_document", "document_id", "id"),
    )

    document_id: Mapped[UUID] = mapped_column(comment="The document that is linked.")
    entity_type: Mapped[EntityType] = mapped_column(
        Words(EntityType), comment="The kind of thing that it is about."
    )
    # No foreign key: any entity may be meant. The service checks it under a lock,
    # removes it with its target, and `graph-api check` looks for what slipped past.
    entity_id: Mapped[UUID] = mapped_column(
        info=points_at("entity_type"), comment="What it is about."
    )
    relation: Mapped[str] = mapped_column(
        String(100),
        info=rule(Filled()),
        server_default="about",
        comment="What the document is to it, such as `about`, `evidence` or `invoice`.",
    )
