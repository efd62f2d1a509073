"""Documents, how they are linked, and what people make of them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry

from .. import models
from ..models import (
    AnnotationKind,
    ClassificationStatus,
    DocumentSource,
    EntityType,
    IngestionStatus,
    ProcessingStatus,
)
from ..reading.filters import Compare
from ..reading.loaders import List
from ..reading.ordering import total
from ..reading.pages import Page
from ..reading.relations import all_rows
from .context import Info
from .entity import Entity, Node, any_entity, entity, find, listing, many, one, through
from .fields import argument, maybe, row_field
from .registry import shown_as
from .scalars import BigInt, Json


@entity(models.Document)
class Document(Entity):
    """A file or a text that was taken in."""

    title: str
    language: str | None
    page_count: int | None
    is_active: bool
    file_name: str | None
    mime_type: str | None
    file_size: BigInt | None
    sha256: str | None
    source: DocumentSource
    ingestion_status: IngestionStatus
    ingested_at: datetime | None
    error_message: str | None
    processing_status: ProcessingStatus
    text: str | None
    metadata_extracted: Json
    details: Json
    classification: str | None
    classification_status: ClassificationStatus | None
    classification_confidence: float | None
    extraction_type: str | None
    extraction_data: Json | None
    extraction_cost: Decimal | None
    extracted_at: datetime | None
    external_ref: str | None

    owner = one(models.Document.owner_id, to=models.User)
    collection = one(models.Document.collection_id)
    tags = through(
        models.DocumentTag.document_id, models.DocumentTag.tag_id, "The tags it bears."
    )
    annotations = many(models.Annotation.document_id, "What was noted in it.")
    file_hash = one(
        models.FileHash.document_id, "How often the same file was taken in."
    )
    links = many(models.DocumentLink.document_id, "What it is about.")
    linked_from = many(
        models.DocumentLink.entity_id, "The links of documents that are about it."
    )
    signals = many(models.Signal.extraction_id, "The signals that it was made of.")


@entity(models.FileHash)
class FileHash(Node):
    """How often the same file was taken in."""

    file_hash: str
    first_seen: datetime
    last_seen: datetime
    duplicate_count: int
    created_at: datetime

    document = one(models.FileHash.document_id)


@entity(models.DocumentLink)
class DocumentLink(Node):
    """A document is about something."""

    entity_type: EntityType
    relation: str
    created_at: datetime

    document = one(models.DocumentLink.document_id)
    target = any_entity(
        models.DocumentLink.entity_id,
        "What the document is about; null if it is gone since.",
    )


@entity(models.Collection)
class Collection(Entity):
    """A place for documents, which may lie in another one."""

    name: str
    description: str | None
    color: str | None
    icon: str | None
    external_ref: str | None

    parent = one(models.Collection.parent_id)
    owner = one(models.Collection.owner_id, to=models.User)
    children = many(models.Collection.parent_id, "The collections that lie in it.")
    documents = many(models.Document.collection_id, "The documents that lie in it.")


@entity(models.Tag)
class Tag(Entity):
    """A word to find documents by."""

    name: str
    color: str | None
    icon: str | None
    external_ref: str | None

    documents = through(
        models.DocumentTag.tag_id,
        models.DocumentTag.document_id,
        "The documents that bear it.",
    )


@entity(models.Annotation)
class Annotation(Entity):
    """Something that was noted at a place in a document."""

    kind: AnnotationKind
    text: str | None
    quote: str | None
    start_offset: int | None
    end_offset: int | None
    page: int | None
    color: str | None
    external_ref: str | None

    document = one(models.Annotation.document_id)
    author = one(models.Annotation.author_id, to=models.User)


async def _file_by_hash(_row: Any, info: Info, given: dict[str, Any]) -> Any:
    known = Compare(models.FileHash, "file_hash", "eq", given["hash"].lower())
    page = Page(limit=1, order=total(models.FileHash, ()), where=known)
    found = await info.context.loaders.page(List(all_rows(models.FileHash)), page)
    return next(iter(found), None)


@strawberry.type
class DocumentQueries:
    """Where reading documents starts."""

    document = find(models.Document, "The document with this id.")
    documents = listing(models.Document, "The documents of the workspace.")
    document_link = find(models.DocumentLink, "The document link with this id.")
    document_links = listing(
        models.DocumentLink, "The document links of the workspace."
    )
    file_by_hash = row_field(
        maybe(shown_as(models.FileHash)),
        _file_by_hash,
        "What is known of the file with this content.",
        [argument("hash", str, "SHA-256 of the file, in hexadecimal.")],
    )
    collection = find(models.Collection, "The collection with this id.")
    collections = listing(models.Collection, "The collections of the workspace.")
    tag = find(models.Tag, "The tag with this id.")
    tags = listing(models.Tag, "The tags of the workspace.")
    annotation = find(models.Annotation, "The annotation with this id.")
    annotations = listing(models.Annotation, "The annotations of the workspace.")
