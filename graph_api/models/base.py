"""What all tables share: keys by workspace, times, versions, rules."""

import re
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    DateTime,
    Double,
    FetchedValue,
    ForeignKeyConstraint,
    Index,
    MetaData,
    String,
    Table,
    TextClause,
    UnaryExpression,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column
from sqlalchemy.types import Text

from graph_api.keys import new_key
from graph_api.models.rules import Filled, JsonObject, checks, rule

Json = dict[str, Any]


@cache
def public_name(attribute: str) -> str:
    """What clients, the log and import files call an attribute: `due_at` is `dueAt`.

    `metadata` is reserved on the classes, which say `details` in its place.
    """
    if attribute == "details":
        return "metadata"
    first, *rest = attribute.split("_")
    return first + "".join(word.capitalize() for word in rest)


class Base(DeclarativeBase):
    """A table whose columns' rules become its constraints."""

    metadata = MetaData(
        naming_convention={
            "ix": "idx_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        float: Double(),
        Json: JsonObject(),
        list[str]: ARRAY(Text),
        str: Text,
    }
    # A row stays readable after its transaction: fetch server defaults at once.
    __mapper_args__: dict[str, Any] = {"eager_defaults": True}  # noqa: RUF012

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        table = cls.__dict__.get("__table__")
        if isinstance(table, Table):
            for column in table.columns:
                for check in checks(column):
                    table.append_constraint(check)


class EntityType(StrEnum):
    """Every kind of thing that a document, a link or an interaction can be about."""

    PARTY = "party"
    ROLE = "role"
    COMMITMENT = "commitment"
    SIGNAL = "signal"
    DOCUMENT = "document"
    COLLECTION = "collection"
    TAG = "tag"
    ANNOTATION = "annotation"
    KNOWLEDGE_NODE = "knowledge_node"
    KNOWLEDGE_EDGE = "knowledge_edge"


class SubjectType(StrEnum):
    """Every kind of thing that an interaction can tell of: entities, and access."""

    PARTY = "party"
    ROLE = "role"
    COMMITMENT = "commitment"
    SIGNAL = "signal"
    DOCUMENT = "document"
    COLLECTION = "collection"
    TAG = "tag"
    ANNOTATION = "annotation"
    KNOWLEDGE_NODE = "knowledge_node"
    KNOWLEDGE_EDGE = "knowledge_edge"
    WORKSPACE = "workspace"
    USER = "user"
    MEMBERSHIP = "membership"
    INVITATION = "invitation"
    API_KEY = "api_key"


class Keyed:
    """A row with an id and a time of birth."""

    @classmethod
    def subject_type(cls) -> SubjectType:
        """What the log calls it."""
        return SubjectType(re.sub("(?<!^)(?=[A-Z])", "_", cls.__name__).lower())

    @declared_attr
    def id(cls) -> Mapped[UUID]:
        # Made here and not in the server, so that the interaction that tells of a
        # new row can name it within the same transaction.
        return mapped_column(
            primary_key=True,
            default=new_key,
            comment="The key of the row.",
            sort_order=-98,
        )

    created_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="When it was first stored.", sort_order=90
    )


class Versioned:
    """A row that can change; a trigger moves both, in set-based updates too."""

    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(),
        server_onupdate=FetchedValue(),
        comment="When it was last changed.",
        sort_order=91,
    )
    version: Mapped[int] = mapped_column(
        server_default=text("1"),
        server_onupdate=FetchedValue(),
        comment="1 when it was made, one more with each change; pass it as "
        "`expectedVersion` to change only what you have seen.",
        sort_order=92,
    )


class Tenant(Base):
    """A table whose rows belong to one workspace each."""

    __abstract__ = True

    workspace_id: Mapped[UUID] = mapped_column(
        primary_key=True,
        comment="The workspace that the row belongs to.",
        sort_order=-99,
    )


class Entity(Tenant, Keyed, Versioned):
    """What documents, links and interactions can be about; its changes are told."""

    __abstract__ = True

    @classmethod
    def entity_type(cls) -> EntityType:
        return EntityType(cls.subject_type().value)


class Imported:
    """A row that may come from elsewhere, and remembers its name there."""

    external_ref: Mapped[str | None] = mapped_column(
        String(500),
        info=rule(Filled()),
        comment="The name it has where it comes from; unique in the workspace among "
        "things of its kind.",
        sort_order=80,
    )


def references(
    column: str, table: str, on_delete: str, key: str = "id"
) -> ForeignKeyConstraint:
    """A foreign key within the workspace; SET NULL empties `column` alone."""
    if on_delete == "SET NULL":
        on_delete = f"SET NULL ({column})"
    return ForeignKeyConstraint(
        ["workspace_id", column],
        [f"{table}.workspace_id", f"{table}.{key}"],
        ondelete=on_delete,
    )


def index(
    name: str, *columns: str | TextClause | UnaryExpression[Any], **kwargs: Any
) -> Index:
    """An index of the seed's name, on our columns: the workspace's first."""
    return Index(name, "workspace_id", *columns, **kwargs)


def gin(name: str, column: str, operators: str | None = None) -> Index:
    """A GIN index on `column` within the workspace (through btree_gin)."""
    ops = {column: operators} if operators else {}
    return index(name, column, postgresql_using="gin", postgresql_ops=ops)


def ordered(name: str, column: str) -> Index:
    """The index that serves an order by `column`, both ways, with ties and NULLs.

    The NULLS clause must be exactly that of the statement, or the index is of no use.
    """
    return index(
        name,
        text(f"{column} DESC NULLS LAST"),
        text("id DESC"),
        info={"orders": column},
    )


def points_at(entity_type: str) -> dict[str, Any]:
    """The `info` of a column with the id of any entity, whose kind is in another."""
    return {"entity_type": entity_type}


def imported(table: str) -> Index:
    """The unique index on `external_ref`."""
    return index(
        f"uq_{table}_external_ref",
        "external_ref",
        unique=True,
        postgresql_where=text("external_ref IS NOT NULL"),
    )
