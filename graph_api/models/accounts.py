"""Workspaces, the users who work in them, as what, and what lets them in.

Workspaces, users and their passwords are the only tables that no workspace owns:
policies let a caller see his own workspace and its members, and nobody else.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text, true
from sqlalchemy.orm import Mapped, mapped_column

from graph_api.models.base import (
    Base,
    Json,
    Keyed,
    Tenant,
    Versioned,
    index,
    references,
)
from graph_api.models.rules import HIDDEN, Among, Filled, Words, reserved, rule
from graph_api.permissions import MemberRole, Scope

# What a user shows to nobody but the owners of the workspace.
_PERSONAL = reserved(Scope.ADMINISTER, owner="id")
_OWN_KEY = reserved(Scope.ADMINISTER, owner="user_id")


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


class Password(Base):
    """How a user proves to be himself; nobody sees any but his own."""

    __tablename__ = "user_passwords"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"),
        primary_key=True,
        comment="Whose it is.",
    )
    password_hash: Mapped[str] = mapped_column(
        String(255), comment="Argon2, never shown."
    )
    changed_at: Mapped[datetime] = mapped_column(
        server_default=text("now()"), comment="When it was last changed."
    )


class Membership(Tenant, Keyed):
    """A user's place in a workspace, kept when he has left."""

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
    left_at: Mapped[datetime | None] = mapped_column(
        comment="When the member left, or was removed; null for who is one still."
    )


class Invitation(Tenant, Keyed):
    """An offer to become a member, for whoever has its code."""

    __tablename__ = "invitations"
    __table_args__ = (
        index("idx_invitations_created", "created_at"),
        Index("idx_invitations_code_hash", "code_hash"),
    )

    email: Mapped[str] = mapped_column(
        String(255),
        info=rule(Filled()) | reserved(Scope.ADMINISTER),
        comment="Whom it is for.",
    )
    role: Mapped[MemberRole] = mapped_column(
        Words(MemberRole), comment="What the member may do then."
    )
    code_hash: Mapped[str] = mapped_column(
        String(64),
        info=HIDDEN,
        deferred=True,
        comment="SHA-256 of the code, in hexadecimal.",
    )
    expires_at: Mapped[datetime] = mapped_column(comment="Until when it holds.")
    accepted_at: Mapped[datetime | None] = mapped_column(
        comment="When it was accepted."
    )
    revoked_at: Mapped[datetime | None] = mapped_column(comment="When it was revoked.")


class ApiKey(Tenant, Keyed):
    """What lets a program in, for a member. The key itself is kept nowhere."""

    __tablename__ = "api_keys"
    __table_args__ = (
        references("user_id", "workspace_members", "CASCADE", key="user_id"),
        index("idx_api_keys_user", "user_id"),
        index("idx_api_keys_created", "created_at"),
        Index("idx_api_keys_key_hash", "key_hash"),
    )

    user_id: Mapped[UUID] = mapped_column(comment="Whom it acts for.")
    name: Mapped[str] = mapped_column(
        String(255), info=rule(Filled()) | _OWN_KEY, comment="What it is for."
    )
    prefix: Mapped[str] = mapped_column(
        String(8), info=_OWN_KEY, comment="Its first characters, to know it by."
    )
    key_hash: Mapped[str] = mapped_column(
        String(64),
        info=HIDDEN,
        deferred=True,
        comment="SHA-256 of the key, in hexadecimal.",
    )
    scopes: Mapped[list[str]] = mapped_column(
        info=rule(Among(tuple(scope.value for scope in Scope))) | _OWN_KEY,
        comment="What it may do, as far as the member may.",
    )
    expires_at: Mapped[datetime | None] = mapped_column(
        info=_OWN_KEY, comment="Until when it lets in; null for as long as it is there."
    )
    last_used_at: Mapped[datetime | None] = mapped_column(
        info=_OWN_KEY, comment="When it last let somebody in, within a minute."
    )
    revoked_at: Mapped[datetime | None] = mapped_column(
        info=_OWN_KEY, comment="When it was revoked."
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
