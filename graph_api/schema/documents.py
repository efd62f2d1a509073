"""Documents, as clients see them."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import strawberry

from graph_api import models
from graph_api.models import (
    ClassificationStatus,
    DocumentSource,
    IngestionStatus,
    ProcessingStatus,
)
from graph_api.reading.filters import Compare
from graph_api.reading.ordering import total
from graph_api.reading.pages import Page
from graph_api.reading.relations import all_rows
from graph_api.schema.commitments import duplicate_field
from graph_api.schema.context import Context
from graph_api.schema.entity import (
    Entity,
    Node,
    entity,
    find,
    listing,
    many,
    one,
    through,
)
from graph_api.schema.fields import Input, argument, maybe, row_field
from graph_api.schema.inputs import VERSION, an_id, read_id, values_of, written
from graph_api.schema.mutations import Given, delete, mutation, row_id, update
from graph_api.schema.payloads import subject_field
from graph_api.schema.registry import shown_as
from graph_api.schema.scalars import BigInt, Json
from graph_api.schema.sources import Listed
from graph_api.services.documents import Documents


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


def _with_hash(_: Context, given: Given) -> Page:
    known = Compare(models.FileHash, "file_hash", "eq", given["hash"].lower())
    return Page(limit=1, order=total(models.FileHash, ()), where=known)


@strawberry.type
class DocumentQueries:
    """Where reading documents starts."""

    document = find(models.Document, "The document with this id.")
    documents = listing(models.Document, "The documents of the workspace.")
    file_by_hash = row_field(
        maybe(shown_as(models.FileHash)),
        Listed(all_rows(models.FileHash), _with_hash, first=True),
        "What is known of the file with this content.",
        [argument("hash", str, "SHA-256 of the file, in hexadecimal.")],
    )


_DOCUMENT = (
    "title",
    "language",
    "page_count",
    "owner_id",
    "collection_id",
    "file_name",
    "mime_type",
    "file_size",
    "sha256",
    "source",
    "ingestion_status",
    "ingested_at",
    "error_message",
    "processing_status",
    "text",
    "metadata_extracted",
    "details",
    "classification",
    "classification_status",
    "classification_confidence",
    "extraction_type",
    "extraction_data",
    "extraction_cost",
    "extracted_at",
    "external_ref",
)


async def _create_document(documents: Documents, given: Given) -> None:
    await documents.create(values_of(models.Document, _DOCUMENT, given))


async def _archive(documents: Documents, given: Given) -> None:
    id = row_id(models.Document, given)
    await documents.archive(id, given.get("expectedVersion"))


async def _tag(documents: Documents, given: Given) -> None:
    def ids(name: str, type: str) -> list[UUID]:
        return [read_id(id, type, name) for id in given.get(name) or ()]

    await documents.tag(ids("ids", "Document"), ids("add", "Tag"), ids("remove", "Tag"))


def _documents_field() -> Any:
    document: Any = shown_as(models.Document)
    return row_field(
        list[document],
        lambda payload, *_: payload.outcome.subjects,
        "The documents as they are now, in the order of `ids`.",
    )


@strawberry.type
class DocumentMutations:
    """What can be done with documents."""

    create_document = mutation(
        "createDocument",
        Documents,
        "Take a document in. The same file again (by `sha256`) is counted, and the "
        "document that there is is answered.",
        written(models.Document, _DOCUMENT, required=True),
        _create_document,
        answers={
            "document": subject_field(models.Document),
            "duplicate": duplicate_field("Whether the file was there already."),
        },
    )
    update_document = update(
        Documents, _DOCUMENT, "Change what is known of a document."
    )
    archive_document = mutation(
        "archiveDocument",
        Documents,
        "Put a document away, without deleting it; `isActive` becomes false.",
        {"id": an_id("Document"), "expectedVersion": VERSION},
        _archive,
    )
    delete_document = delete(
        Documents, "Delete a document with its annotations and links."
    )
    tag_documents = mutation(
        "tagDocuments",
        Documents,
        "Add tags to documents, and remove others.",
        {
            "ids": Input(list[strawberry.ID], "The documents' ids, at most 100."),
            "add": Input(
                maybe(list[strawberry.ID]), "The ids of tags to add, at most 50."
            ),
            "remove": Input(
                maybe(list[strawberry.ID]), "The ids of tags to remove, at most 50."
            ),
        },
        _tag,
        answers={"documents": _documents_field()},
    )
