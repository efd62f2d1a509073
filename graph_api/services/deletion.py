"""Deleting a row with all that belongs to it, each told.

What belongs to a row follows from the foreign keys: CASCADE takes rows along, SET NULL
empties a column. Both are done here, set by set, and told under one change set; the
database's own cascades are only a net.
"""

from collections import defaultdict
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, delete, literal, select
from sqlalchemy.orm import undefer

from graph_api.keys import new_key
from graph_api.models import Document, DocumentTag, Entity, Tag
from graph_api.services.linking import belongings, links_to, remove_links, retag
from graph_api.services.log import told, values_of
from graph_api.services.references import Reference, references_to
from graph_api.services.unit_of_work import Work

Doomed = dict[type[Entity], dict[UUID, Entity]]


async def delete_with_all(work: Work, row: Entity) -> None:
    """Delete `row`, which is locked, and what belongs to it."""
    work.change_set_id = new_key()
    doomed = await _doomed(work, row)
    await _empty_references(work, doomed)
    await _remove_links(work, doomed)
    await _remove_tags(work, doomed)
    for model, rows in reversed(doomed.items()):
        await _delete(work, model, rows)


async def _doomed(work: Work, row: Entity) -> Doomed:
    """The rows that go, locked, by model; what names them comes after them."""
    doomed: Doomed = {type(row): {row.id: row}}
    frontier = [(type(row), [row.id])]
    while frontier:
        model, ids = frontier.pop()
        for reference in references_to(model):
            if reference.on_delete == "CASCADE" and issubclass(reference.model, Entity):
                known = doomed.setdefault(reference.model, {})
                naming = await _naming(work, reference, ids)
                found = {one.id: one for one in naming if one.id not in known}
                known.update(found)
                if found:
                    frontier.append((reference.model, list(found)))
    return doomed


async def _naming(work: Work, reference: Reference, ids: list[UUID]) -> list[Any]:
    """The rows that name one of `ids`, locked in the order of their keys."""
    entity: Any = reference.model
    rows = await work.connection.rows(
        select(entity)
        .where(entity.workspace_id == work.connection.workspace_id)
        .where(getattr(entity, reference.attribute) == _one_of(ids))
        .order_by(entity.id)
        .options(undefer("*"))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return [row[0] for row in rows]


async def _empty_references(work: Work, doomed: Doomed) -> None:
    for model, rows in doomed.items():
        for reference in references_to(model):
            if reference.on_delete != "SET NULL" or not rows:
                continue
            for one in await _naming(work, reference, list(rows)):
                if one.id not in doomed.get(type(one), {}):
                    await work.update(one, {reference.attribute: None})


async def _remove_links(work: Work, doomed: Doomed) -> None:
    """Remove the links that point at what goes; each is a change of its document."""
    by_document: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for model, rows in doomed.items():
        for link in await links_to(work, model.entity_type(), rows) if rows else []:
            by_document[link.document_id].append(link.id)
    for id in sorted(by_document.keys() - doomed.get(Document, {}).keys()):
        document = await work.look(Document, id)
        if document is not None:
            await remove_links(work, document, by_document[id])


async def _remove_tags(work: Work, doomed: Doomed) -> None:
    """Take the tags that go from the documents that bear them."""
    tags = doomed.get(Tag, {})
    if not tags:
        return
    rows = await work.connection.rows(
        select(DocumentTag.document_id)
        .distinct()
        .where(DocumentTag.workspace_id == work.connection.workspace_id)
        .where(DocumentTag.tag_id == _one_of(list(tags)))
        .order_by(DocumentTag.document_id)
    )
    for (id,) in rows:
        document = await work.look(Document, id)
        if document is not None:
            await retag(work, document, remove=tags)


async def _delete(work: Work, model: type[Entity], rows: dict[UUID, Entity]) -> None:
    for one in rows.values():
        before = told(values_of(one), whole=True)
        if isinstance(one, Document):
            before |= await belongings(work, one)
        work.tell("deleted", one, before, None)
    entity: Any = model
    await work.connection.rows(
        delete(model)
        .where(entity.workspace_id == work.connection.workspace_id)
        .where(entity.id == _one_of(list(rows)))
        .returning(entity.id)
        .execution_options(synchronize_session=False)
    )


def _one_of(ids: list[UUID]) -> Any:
    return any_(literal(ids, ARRAY(Uuid)))
