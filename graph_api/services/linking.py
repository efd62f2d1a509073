"""A document's links and tags: changes of the document, told as such.

The log holds links by id, and the tags that a document bears as the list of their ids.
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, delete, literal, select

from graph_api.models import Document, DocumentLink, DocumentTag, Entity, EntityType
from graph_api.services.log import Columns, told, values_of
from graph_api.services.unit_of_work import Work


def link_columns(link: DocumentLink) -> Columns:
    """A link as the log holds it."""
    return told(values_of(link, ("entity_type", "entity_id", "relation", "created_at")))


async def add_link(
    work: Work, document: Document, target: Entity, relation: str
) -> DocumentLink:
    """Link `document`, which is locked, to `target`."""
    link = await work.add(
        DocumentLink,
        {
            "document_id": document.id,
            "entity_type": target.entity_type(),
            "entity_id": target.id,
            "relation": relation,
        },
    )
    before = await _touch(work, document)
    change = {"links": {str(link.id): link_columns(link)}}
    _tell(work, "linked", document, before, ({"links": {}}, change))
    return link


async def change_relation(
    work: Work, document: Document, link: DocumentLink, relation: str
) -> None:
    """Say otherwise what `document` is to what it is linked to."""
    was = {"links": {str(link.id): link_columns(link)}}
    await work.change(link, {"relation": relation})
    before = await _touch(work, document)
    change = {"links": {str(link.id): link_columns(link)}}
    _tell(work, "linked", document, before, (was, change))


async def remove_links(work: Work, document: Document, ids: Collection[UUID]) -> bool:
    """Remove links of `document`, which is locked; False where they are gone."""
    rows = await work.connection.rows(
        delete(DocumentLink)
        .filter_by(workspace_id=document.workspace_id, document_id=document.id)
        .where(DocumentLink.id == any_(literal(list(ids), ARRAY(Uuid))))
        .returning(DocumentLink)
        .execution_options(synchronize_session=False)
    )
    if not rows:
        return False
    was = {"links": {str(row[0].id): link_columns(row[0]) for row in rows}}
    gone = {"links": {str(row[0].id): None for row in rows}}
    before = await _touch(work, document)
    _tell(work, "unlinked", document, before, (was, gone))
    return True


async def links_to(
    work: Work, kind: EntityType, ids: Collection[UUID]
) -> list[DocumentLink]:
    """The links that point at entities of `kind`."""
    rows = await work.connection.rows(
        select(DocumentLink)
        .where(DocumentLink.workspace_id == work.connection.workspace_id)
        .where(DocumentLink.entity_id == any_(literal(list(ids), ARRAY(Uuid))))
        .where(DocumentLink.entity_type == kind)
        .order_by(DocumentLink.document_id, DocumentLink.id)
    )
    return [row[0] for row in rows]


async def tags_of(work: Work, document: Document) -> set[UUID]:
    """The ids of the tags that `document` bears."""
    rows = await work.connection.rows(
        select(DocumentTag.tag_id).filter_by(
            workspace_id=document.workspace_id, document_id=document.id
        )
    )
    return {row[0] for row in rows}


async def retag(
    work: Work,
    document: Document,
    *,
    add: Collection[UUID] = (),
    remove: Collection[UUID] = (),
) -> bool:
    """Change the tags of `document`, which is locked; False where nothing changes."""
    had = await tags_of(work, document)
    has = (had | set(add)) - set(remove)
    if had == has:
        return False
    await work.connection.rows(
        delete(DocumentTag)
        .filter_by(workspace_id=document.workspace_id, document_id=document.id)
        .where(DocumentTag.tag_id == any_(literal(list(had - has), ARRAY(Uuid))))
        .returning(DocumentTag.id)
        .execution_options(synchronize_session=False)
    )
    await work.add_many(
        DocumentTag,
        [{"document_id": document.id, "tag_id": tag} for tag in sorted(has - had)],
    )
    before = await _touch(work, document)
    verb = "tagged" if has - had else "untagged"
    change = ({"tags": sorted(map(str, had))}, {"tags": sorted(map(str, has))})
    _tell(work, verb, document, before, change)
    return True


async def belongings(work: Work, document: Document) -> Columns:
    """The links and tags of `document`, as the log holds them."""
    rows = await work.connection.rows(
        select(DocumentLink).filter_by(
            workspace_id=document.workspace_id, document_id=document.id
        )
    )
    return {
        "links": {str(row[0].id): link_columns(row[0]) for row in rows},
        "tags": sorted(map(str, await tags_of(work, document))),
    }


async def _touch(work: Work, document: Document) -> Columns:
    """Move the document's version; what it was before."""
    before = told(values_of(document, ("updated_at", "version")))
    await work.change(document, {})
    return before


def _tell(
    work: Work,
    verb: str,
    document: Document,
    before: Columns,
    change: tuple[Columns, Columns],
) -> None:
    after = told(values_of(document, ("updated_at", "version")))
    work.tell(verb, document, before | change[0], after | change[1])
