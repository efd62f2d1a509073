"""Taking documents in, and saying what they are about."""

from collections.abc import Collection as Ids
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, update

from graph_api.errors import Invalid, NotFound
from graph_api.models import Document, DocumentLink, Entity, FileHash, Tag
from graph_api.permissions import Scope
from graph_api.services.entities import EntityService, Values
from graph_api.services.linking import add_link, change_relation, remove_links, retag
from graph_api.services.unit_of_work import Work

# More would lock more documents than a reader of the log should wait for.
MAX_DOCUMENTS = 100
MAX_TAGS = 50


class Documents(EntityService[Document]):
    model = Document
    scope = Scope.WRITE_DOCUMENTS
    keeper = "owner_id"

    async def create(self, values: Values) -> None:
        """Take a document in; the same file again is counted, not stored again."""
        async with self.writing() as work:
            row, known = await self._create_unless_known(work, values, "sha256")
            if known:
                await _count_duplicate(work, row)
            self.outcome.subject = row
            self.outcome.extra["duplicate"] = known

    async def archive(self, id: UUID, expected_version: int | None) -> None:
        """Put a document away, without deleting it."""
        async with self.writing() as work:
            row = await work.get(Document, id, expected_version)
            await self._update(work, row, {"is_active": False}, "archived")
            self.outcome.subject = row

    async def tag(self, ids: Ids[UUID], add: Ids[UUID], remove: Ids[UUID]) -> None:
        """Add tags to documents, and remove others."""
        async with self.writing() as work:
            _refuse_more_than(MAX_DOCUMENTS, ids, "ids")
            _refuse_more_than(MAX_TAGS, add, "add")
            _refuse_more_than(MAX_TAGS, remove, "remove")
            for tag in sorted({*add, *remove}):
                await work.get(Tag, tag, path=("add" if tag in add else "remove",))
            documents = [
                await work.get(Document, id, path=("ids",)) for id in sorted(set(ids))
            ]
            for document in documents:
                await retag(work, document, add=add, remove=remove)
            by_id = {document.id: document for document in documents}
            self.outcome.subjects = [by_id[id] for id in dict.fromkeys(ids)]

    async def link(
        self, id: UUID, model: type[Entity], target_id: UUID, relation: str
    ) -> None:
        """Say that a document is about something."""
        async with self.writing() as work:
            document, target = await _both(work, id, model, target_id)
            _refuse_relation(relation)
            known = await work.find(
                DocumentLink,
                document_id=document.id,
                entity_type=target.entity_type(),
                entity_id=target.id,
            )
            if known is None:
                known = await add_link(work, document, target, relation)
            elif known.relation != relation:
                await change_relation(work, document, known, relation)
            self.outcome.subject = document
            self.outcome.extra["link"] = str(known.id)

    async def unlink(self, id: UUID) -> None:
        """Remove a link."""
        async with self.writing() as work:
            link = await work.find(DocumentLink, id=id)
            if link is None:
                raise NotFound("There is no DocumentLink with this id.", path=("id",))
            document = await work.look(Document, link.document_id)
            if document is None or not await remove_links(work, document, [id]):
                raise NotFound("There is no DocumentLink with this id.", path=("id",))
            self.outcome.subject = document
            self.outcome.extra["link"] = str(id)

    async def _create(self, work: Work, values: Values) -> Document:
        row = await super()._create(work, values)
        if row.sha256 is not None:
            await _first_seen(work, row, row.sha256)
        return row

    async def _update(
        self, work: Work, row: Document, values: Values, verb: str = "updated"
    ) -> bool:
        before = row.sha256
        changed = await super()._update(work, row, values, verb)
        if row.sha256 != before:
            await _follow_hash(work, row)
        return changed


async def _both(
    work: Work, id: UUID, model: type[Entity], target_id: UUID
) -> tuple[Document, Entity]:
    """A document and what it is linked to, locked in the order in which all lock.

    Documents come last, and among themselves in the order of their keys.
    """
    if model is Document and id < target_id:
        document = await work.get(Document, id, path=("documentId",))
        return document, await work.get(model, target_id, path=("targetId",))
    target = await work.get(model, target_id, path=("targetId",))
    return await work.get(Document, id, path=("documentId",)), target


async def _first_seen(work: Work, document: Document, sha256: str) -> FileHash:
    """Let the hash index name the document."""
    return await work.add(FileHash, {"document_id": document.id, "file_hash": sha256})


async def _count_duplicate(work: Work, document: Document) -> None:
    """Count that the document's file was seen again."""
    await work.get(Document, document.id, path=("sha256",))
    known = await work.find(FileHash, document_id=document.id)
    if known is None:
        assert document.sha256 is not None
        known = await _first_seen(work, document, document.sha256)
    ((count,),) = await work.connection.rows(
        update(FileHash)
        .filter_by(workspace_id=known.workspace_id, id=known.id)
        .values(duplicate_count=FileHash.duplicate_count + 1, last_seen=func.now())
        .returning(FileHash.duplicate_count)
        .execution_options(synchronize_session=False)
    )
    work.tell("duplicate_detected", document, {}, {}, duplicateCount=count)


async def _follow_hash(work: Work, document: Document) -> None:
    """Let the hash index name the document's new hash."""
    await work.connection.rows(
        delete(FileHash)
        .filter_by(workspace_id=document.workspace_id, document_id=document.id)
        .returning(FileHash.id)
        .execution_options(synchronize_session=False)
    )
    if document.sha256 is not None:
        await _first_seen(work, document, document.sha256)


def _refuse_more_than(most: int, values: Ids[Any], name: str) -> None:
    if len(values) > most:
        raise Invalid(
            f"`{name}` must have at most {most} items, not {len(values)}.", path=(name,)
        )


def _refuse_relation(relation: str) -> None:
    if not relation.strip() or len(relation) > 100:
        raise Invalid("`relation` must have 1 to 100 characters.", path=("relation",))
