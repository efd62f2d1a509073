"""Collections, tags and annotations, as clients see them."""

import strawberry

from graph_api import models
from graph_api.models import AnnotationKind
from graph_api.schema.entity import Entity, entity, find, listing, many, one, through
from graph_api.schema.mutations import create, delete, update
from graph_api.services.organizing import Annotations, Collections, Tags


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


@strawberry.type
class OrganizingQueries:
    """Where reading collections, tags and annotations starts."""

    collection = find(models.Collection, "The collection with this id.")
    collections = listing(models.Collection, "The collections of the workspace.")
    tag = find(models.Tag, "The tag with this id.")
    tags = listing(models.Tag, "The tags of the workspace.")
    annotation = find(models.Annotation, "The annotation with this id.")
    annotations = listing(models.Annotation, "The annotations of the workspace.")


_COLLECTION = (
    "name",
    "description",
    "color",
    "icon",
    "parent_id",
    "owner_id",
    "external_ref",
)
_TAG = ("name", "color", "icon", "external_ref")
_NOTE = (
    "author_id",
    "kind",
    "text",
    "quote",
    "start_offset",
    "end_offset",
    "page",
    "color",
    "external_ref",
)


@strawberry.type
class OrganizingMutations:
    """What can be done with collections, tags and annotations."""

    create_collection = create(Collections, _COLLECTION, "Make a place for documents.")
    update_collection = update(Collections, _COLLECTION, "Change or move a collection.")
    delete_collection = delete(
        Collections,
        "Delete a collection. What lies in it stays, and then lies in none.",
    )
    create_tag = create(Tags, _TAG, "Make a word to find documents by.")
    update_tag = update(Tags, _TAG, "Change a tag.")
    delete_tag = delete(Tags, "Delete a tag, and take it from all documents.")
    create_annotation = create(
        Annotations, ("document_id", *_NOTE), "Note something in a document."
    )
    update_annotation = update(Annotations, _NOTE, "Change an annotation.")
    delete_annotation = delete(Annotations, "Delete an annotation.")
