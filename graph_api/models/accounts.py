"""Workspaces, the users who work in them, and as what.

These are the only tables that no workspace owns: policies let a caller see his own
workspace and its members, and nobody else.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text, true
from sqlalchemy.orm import Mapped, mapped_column

from graph_api.models.base import Base, Json, Keyed, Tenant, Versioned, index
from graph_api.models.rules import Filled, Words, reserved, rule
from graph_api.permissions import MemberRole, Scope

# What a user shows to nobody but the owners of the workspace.
_PERSONAL = reserved(Scope.ADMINISTER, owner="id")


class Workspace(Base, Keyed, Versioned):
    """A separate world of data: a person's, a household's, a team's."""

    __tablename__ = "workspaces"

    name: Mapped[str] = mapped_column(
        String(255), info=rule(Filled()), comment="The name people use."
    )


class User(Base, Keyed, Versioned):
    """Somebody who can sign in."""

    __tablename__ = "users"
    __table_args__ = (Index("idx_users_created_at", "created_at"),)

    username: Mapped[str] = mapped_column(
        String(255), info=rule(Filled()), comment="The name to sign in with; unique."
    )
    email: Mapped[str | None] = mapped_column(
        String(255),
        info=rule(Filled()) | _PERSONAL,
        comment="The address for mail; unique.",
    )
    password_hash: Mapped[str | None] = mapped_column(
        String(255),
        deferred=True,
        deferred_raiseload=True,
        comment="Argon2, never shown.",
    )
    full_name: Mapped[str | None] = mapped_column(
        String(255), comment="The name to show, where it differs from the username."
    )
    preferences: Mapped[Json] = mapped_column(
        server_default=text("'{}'"),
        info=_PERSONAL,
        comment="What clients remember for the user.",
    )
    theme: Mapped[str | None] = mapped_column(
        String(50), comment="The look that the user prefers, such as `dark`."
    )
    ai_model: Mapped[str | None] = mapped_column(
        String(100), comment="The language model that the user prefers."
    )
    is_active: Mapped[bool] = mapped_column(
        server_default=true(), comment="Whether the user may sign in."
    )
    last_login_at: Mapped[datetime | None] = mapped_column(
        info=_PERSONAL, comment="When the user last signed in."
    )


Index("idx_users_username", User.username, unique=True)
Index("idx_users_email", User.email, unique=True)


class Membership(Tenant, Keyed):
    """A user's place in a workspace."""

    __tablename__ = "workspace_members"
    __table_args__ = (
        UniqueConstraint("workspace_id", "user_id"),
        Index("idx_workspace_members_user", "user_id"),
    )

    workspace_id: Mapped[UUID] = mapped_column(
        ForeignKey("workspaces.id", ondelete="CASCADE"),
        primary_key=True,
        comment="The workspace that the row belongs to.",
        sort_order=-99,
    )
    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), comment="Who is a member."
    )
    role: Mapped[MemberRole] = mapped_column(
        Words(MemberRole), comment="What the member may do."
    )


class IdempotencyKey(Tenant):
    """What a mutation with this key has done, so that it is done only once."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (index("idx_idempotency_keys_created", "created_at"),)

    key: Mapped[str] = mapped_column(
        String(200), primary_key=True, comment="The client's name for the request."
    )
    request_hash: Mapped[str] = mapped_column(
        String(64), comment="SHA-256 of the mutation and its input."
    )
    result: Mapped[Json] = mapped_column(
        comment="Ids and versions of what it changed, from which it is answered again."
    )
    created_at: Mapped[datetime] = mapped_column(
        server_default=text("now()"), comment="When it was first used."
    )
