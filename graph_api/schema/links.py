"""Links between documents and what they are about, as clients see them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from graph_api import models
from graph_api.errors import BadUserInput, Invalid
from graph_api.ids import global_id, parse_global_id
from graph_api.models import EntityType
from graph_api.schema.entity import (
    ENTITY_MODELS,
    Node,
    any_entity,
    entity,
    find,
    listing,
    one,
)
from graph_api.schema.fields import Input, maybe, row_field
from graph_api.schema.inputs import an_id, read_id
from graph_api.schema.mutations import Given, mutation, row_id
from graph_api.schema.payloads import Payload, subject_field
from graph_api.schema.registry import shown_as
from graph_api.schema.sources import Key, Referred
from graph_api.services.documents import Documents


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


@strawberry.type
class LinkQueries:
    """Where reading document links starts."""

    document_link = find(models.DocumentLink, "The document link with this id.")
    document_links = listing(
        models.DocumentLink, "The document links of the workspace."
    )


async def _link(documents: Documents, given: Given) -> None:
    model, target = _target(given)
    document = row_id(models.Document, given, "documentId")
    await documents.link(document, model, target, given["relation"])


def _target(given: Given) -> tuple[type[models.Entity], UUID]:
    """The model and key of what is to be linked to.

    A bare UUID needs `targetType` beside it. Raises Invalid when no entity is meant.
    """
    kind = given.get("targetType")
    if kind is not None:
        model = ENTITY_MODELS[EntityType(kind)]
        return model, read_id(given["targetId"], model.__name__, "targetId")
    try:
        name, key = parse_global_id(given["targetId"])
    except BadUserInput as error:
        message = f"{error.message} Beside a bare UUID, `targetType` must be given."
        raise Invalid(message, path=("targetId",)) from error
    for model in ENTITY_MODELS.values():
        if model.__name__ == name:
            return model, key
    raise Invalid(
        f"Documents cannot be linked to objects of type {name[:100]!r}.",
        path=("targetId",),
    )


async def _unlink(documents: Documents, given: Given) -> None:
    await documents.unlink(row_id(models.DocumentLink, given))


def _link_field() -> Any:
    def key(payload: Payload, *_: Any) -> Key | None:
        link = payload.outcome.extra.get("link")
        return link and (models.DocumentLink, UUID(link))

    return row_field(maybe(shown_as(models.DocumentLink)), Referred(key), "The link.")


def _deleted_link_field() -> Any:
    def answer(payload: Payload, *_: Any) -> str | None:
        link = payload.outcome.extra.get("link")
        return link and global_id("DocumentLink", UUID(link))

    return row_field(
        maybe(strawberry.ID), answer, "The id that the link had; null if refused."
    )


@strawberry.type
class LinkMutations:
    """What can be done with document links."""

    link_document = mutation(
        "linkDocument",
        Documents,
        "Say that a document is about something, or what it is to it.",
        {
            "documentId": an_id("Document"),
            "targetId": Input(
                strawberry.ID, "What it is about: the global id of any entity."
            ),
            "targetType": Input(
                maybe(EntityType), "The kind of target, where its id is a bare UUID."
            ),
            "relation": Input(
                str, "What the document is to it, such as `evidence`.", "about"
            ),
        },
        _link,
        answers={"document": subject_field(models.Document), "link": _link_field()},
    )
    unlink_document = mutation(
        "unlinkDocument",
        Documents,
        "Remove a link.",
        {"id": an_id("DocumentLink")},
        _unlink,
        answers={
            "document": subject_field(models.Document),
            "deleted_id": _deleted_link_field(),
        },
    )
