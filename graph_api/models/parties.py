"""People and organizations, and the roles they stand in."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import String, text
from sqlalchemy.orm import Mapped, mapped_column

from graph_api.models.base import (
    Entity,
    Imported,
    Json,
    gin,
    imported,
    index,
    ordered,
    references,
)
from graph_api.models.rules import AtMost, Filled, Words, rule


class PartyKind(StrEnum):
    """What sort of party it is."""

    PERSON = "person"
    ORG = "org"


class Party(Entity, Imported):
    """A person or an organization: a vendor, a customer, a contact, yourself."""

    __tablename__ = "parties"
    __table_args__ = (
        gin("idx_parties_name_trgm", "name", "gin_trgm_ops"),
        ordered("idx_parties_name", "name"),
        index("idx_parties_kind", "kind", "id"),
        index(
            "idx_parties_tax_id", "tax_id", postgresql_where=text("tax_id IS NOT NULL")
        ),
        ordered("idx_parties_created_at", "created_at"),
        ordered("idx_parties_updated_at", "updated_at"),
        imported("parties"),
    )

    kind: Mapped[PartyKind] = mapped_column(
        Words(PartyKind), comment="Whether it is a person or an organization."
    )
    name: Mapped[str] = mapped_column(
        String(255), info=rule(Filled()), comment="The name people use."
    )
    tax_id: Mapped[str | None] = mapped_column(
        String(50), comment="The number under which it pays taxes."
    )
    contact: Mapped[Json] = mapped_column(
        "contact_json",
        server_default=text("'{}'"),
        comment="How to reach it: emails, phones, addresses, urls, and whatever else.",
    )
    details: Mapped[Json] = mapped_column(
        "metadata",
        server_default=text("'{}'"),
        comment="Whatever you wish to keep with it.",
    )


class Role(Entity, Imported):
    """A context that a party stands in, such as employee, parent or taxpayer."""

    __tablename__ = "roles"
    __table_args__ = (
        references("party_id", "parties", "CASCADE"),
        references("user_id", "workspace_members", "SET NULL", key="user_id"),
        index("idx_roles_party", "party_id", "id"),
        index("idx_roles_user", "user_id", "id"),
        ordered("idx_roles_role_name", "role_name"),
        gin("idx_roles_domains", "domain_tags"),
        ordered("idx_roles_created_at", "created_at"),
        ordered("idx_roles_updated_at", "updated_at"),
        imported("roles"),
    )

    party_id: Mapped[UUID] = mapped_column(comment="The party that stands in the role.")
    user_id: Mapped[UUID | None] = mapped_column(
        comment="The user whose role it is or who keeps it; by default who made it."
    )
    role_name: Mapped[str] = mapped_column(
        String(100), info=rule(Filled()), comment="What the role is called."
    )
    domain_tags: Mapped[list[str]] = mapped_column(
        server_default=text("'{}'"),
        info=rule(AtMost(50, "tags")),
        comment="The areas of life or work that it belongs to.",
    )
