"""What people do with documents: put them into collections, tag and annotate them."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from graph_api.models.base import (
    Entity,
    Imported,
    Keyed,
    Tenant,
    imported,
    index,
    ordered,
    references,
)
from graph_api.models.rules import AtMost, Filled, Matching, Within, Words, rule

COLOR = Matching("#[0-9a-fA-F]{6}", "a color such as #1f77b4")


class Collection(Entity, Imported):
    """A place for documents, which may lie in another one."""

    __tablename__ = "collections"
    __table_args__ = (
        references("parent_id", "collections", "SET NULL"),
        references("owner_id", "workspace_members", "SET NULL", key="user_id"),
        CheckConstraint("parent_id <> id", name="not_its_own_parent"),
        index("idx_collections_parent", "parent_id", "id"),
        index("idx_collections_owner", "owner_id", "id"),
        ordered("idx_collections_name", "name"),
        ordered("idx_collections_created_at", "created_at"),
        ordered("idx_collections_updated_at", "updated_at"),
        imported("collections"),
    )

    name: Mapped[str] = mapped_column(
        String(255), info=rule(Filled()), comment="The name people use."
    )
    description: Mapped[str | None] = mapped_column(
        info=rule(AtMost(20_000)), comment="What belongs into it."
    )
    color: Mapped[str | None] = mapped_column(
        String(7), info=rule(COLOR), comment="Its color, as `#rrggbb`."
    )
    icon: Mapped[str | None] = mapped_column(
        String(50), comment="Its icon: an emoji or the name of one."
    )
    parent_id: Mapped[UUID | None] = mapped_column(
        comment="The collection that it lies in."
    )
    owner_id: Mapped[UUID | None] = mapped_column(
        comment="The member who keeps it; by default who made it."
    )


class Tag(Entity, Imported):
    """A word to find documents by."""

    __tablename__ = "tags"
    __table_args__ = (
        index("idx_tags_name", "name", unique=True),
        ordered("idx_tags_name_order", "name"),
        ordered("idx_tags_updated_at", "updated_at"),
        ordered("idx_tags_created_at", "created_at"),
        imported("tags"),
    )

    name: Mapped[str] = mapped_column(
        String(100), info=rule(Filled()), comment="The word; unique in the workspace."
    )
    color: Mapped[str | None] = mapped_column(
        String(7), info=rule(COLOR), comment="Its color, as `#rrggbb`."
    )
    icon: Mapped[str | None] = mapped_column(
        String(50), comment="Its icon: an emoji or the name of one."
    )


class DocumentTag(Tenant, Keyed):
    """A document bears a tag."""

    __tablename__ = "document_tags"
    __table_args__ = (
        references("document_id", "documents", "CASCADE"),
        references("tag_id", "tags", "CASCADE"),
        UniqueConstraint("workspace_id", "document_id", "tag_id"),
        index("idx_document_tags_document_id", "document_id", "tag_id"),
        index("idx_document_tags_tag_id", "tag_id", "document_id"),
    )

    document_id: Mapped[UUID] = mapped_column(
        comment="The document that bears the tag."
    )
    tag_id: Mapped[UUID] = mapped_column(comment="The tag.")


class AnnotationKind(StrEnum):
    """What an annotation does."""

    HIGHLIGHT = "highlight"
    NOTE = "note"
    COMMENT = "comment"
    BOOKMARK = "bookmark"


class Annotation(Entity, Imported):
    """Something that was noted at a place in a document."""

    __tablename__ = "annotations"
    __table_args__ = (
        references("document_id", "documents", "CASCADE"),
        references("author_id", "workspace_members", "SET NULL", key="user_id"),
        CheckConstraint("start_offset <= end_offset", name="start_before_end"),
        index("idx_annotations_document", "document_id", "id"),
        index("idx_annotations_author", "author_id", "id"),
        ordered("idx_annotations_created_at", "created_at"),
        imported("annotations"),
    )

    document_id: Mapped[UUID] = mapped_column(comment="The document that it stands in.")
    author_id: Mapped[UUID | None] = mapped_column(
        comment="The member who wrote it; by default who made it."
    )
    kind: Mapped[AnnotationKind] = mapped_column(
        Words(AnnotationKind),
        server_default=AnnotationKind.NOTE.value,
        comment="What it does.",
    )
    text: Mapped[str | None] = mapped_column(
        info=rule(AtMost(20_000)), comment="What was noted."
    )
    quote: Mapped[str | None] = mapped_column(
        info=rule(AtMost(20_000)),
        comment="The words it refers to, to find the place again by.",
    )
    start_offset: Mapped[int | None] = mapped_column(
        info=rule(Within(0, 2**31 - 1)),
        comment="Where the words begin, in characters from the start of the text.",
    )
    end_offset: Mapped[int | None] = mapped_column(
        info=rule(Within(0, 2**31 - 1)), comment="Where the words end, exclusive."
    )
    page: Mapped[int | None] = mapped_column(
        info=rule(Within(1, 1_000_000)), comment="The page, counted from 1."
    )
    color: Mapped[str | None] = mapped_column(
        String(7), info=rule(COLOR), comment="Its color, as `#rrggbb`."
    )
