"""Who asks, and where: users, workspaces, memberships, and what actors did."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import strawberry

from graph_api import models
from graph_api.ids import global_id
from graph_api.models import ActorType, EntityType, SubjectType
from graph_api.permissions import MemberRole
from graph_api.schema.context import Context
from graph_api.schema.entity import (
    ENTITY_MODELS,
    Entity,
    Node,
    any_entity,
    computed,
    entity,
    find,
    listing,
    many,
    one,
)
from graph_api.schema.fields import Deferred, maybe, object_type, row_field
from graph_api.schema.registry import shown_as
from graph_api.schema.scalars import BigInt, Json
from graph_api.schema.sources import ColumnValue, Key, OfRequest, Referred


@strawberry.interface(description="Someone or something that does things.")
class Actor(Node):
    """What users and, later, agents have in common."""

    label = row_field(str, ColumnValue(None, "label"), "The name to show.")

    @classmethod
    def resolve_type(cls, row: Any, *_: Any) -> str:
        return type(row).__name__


@entity(models.User)
class User(Actor):
    """Somebody who can sign in."""

    username: str
    email: str | None
    full_name: str | None
    preferences: Json | None
    theme: str | None
    ai_model: str | None
    is_active: bool
    last_login_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int

    @computed(str, ["full_name", "username"], "The name to show.")
    def label(users: list[Any], *_: Any) -> list[str]:  # noqa: N805
        return [user.full_name or user.username for user in users]

    memberships = many(models.Membership.user_id, "The user's place in the workspace.")
    roles = many(models.Role.user_id, "The roles that the user has or keeps.")
    documents = many(models.Document.owner_id, "The documents that the user keeps.")
    collections = many(models.Collection.owner_id, "The collections the user keeps.")
    annotations = many(models.Annotation.author_id, "What the user has noted.")
    api_keys = many(models.ApiKey.user_id, "The keys that act for the user.")
    interactions = many(models.Interaction.actor_id, "What the user has done.")


@entity(models.Workspace)
class Workspace(Node):
    """A separate world of data: a person's, a household's, a team's."""

    name: str
    created_at: datetime
    updated_at: datetime
    version: int

    members = many(
        models.Membership.workspace_id,
        "Who works in it, and who did: `leftAt` of those is not null.",
    )


@entity(models.Membership)
class Membership(Node):
    """A user's place in a workspace, kept when he has left."""

    role: MemberRole
    created_at: datetime
    left_at: datetime | None

    user = one(models.Membership.user_id)
    workspace = one(models.Membership.workspace_id, "The workspace.")


@entity(models.ApiKey)
class ApiKey(Node):
    """What lets a program in, for a member. The key itself is kept nowhere."""

    name: str | None
    prefix: str | None
    scopes: list[str] | None
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime

    user = one(models.ApiKey.user_id, to=models.User)


@entity(models.Invitation)
class Invitation(Node):
    """An offer to become a member, for whoever has its code."""

    email: str | None
    role: MemberRole
    expires_at: datetime
    accepted_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime


def _related(row: dict[str, str]) -> type[models.Entity]:
    return ENTITY_MODELS[EntityType(row["type"])]


RELATED_ENTITY: Any = object_type(
    "RelatedEntity",
    "Something else that an interaction concerns.",
    {
        "entity_type": row_field(
            EntityType, lambda row, *_: EntityType(row["type"]), "What kind it is of."
        ),
        "entity_id": row_field(
            strawberry.ID,
            lambda row, *_: global_id(_related(row).__name__, UUID(row["id"])),
            "Its global id.",
        ),
        "entity": row_field(
            maybe(Deferred("Entity", lambda: Entity)),
            Referred(lambda row, *_: (_related(row), UUID(row["id"]))),
            "It; null if it is gone since.",
        ),
    },
)


def _actor(row: Any, *_: Any) -> Key | None:
    if row.actor_type is not ActorType.USER or row.actor_id is None:
        return None
    return models.User, row.actor_id


@entity(models.Interaction)
class Interaction(Node):
    """Something that was done: what, by whom, when and why. It is never changed."""

    position: BigInt
    type: str
    actor_type: ActorType
    actor_label: str | None
    primary_entity_type: SubjectType
    details: Json
    cost: Decimal | None
    before: Json | None
    after: Json | None
    reason: str | None
    request_id: UUID | None
    change_set_id: UUID | None
    created_at: datetime

    related_entities = row_field(
        list[RELATED_ENTITY],
        ColumnValue(None, "related_entities"),
        "What else it concerns.",
    )
    actor = row_field(
        maybe(Deferred("Actor", lambda: Actor)),
        Referred(_actor, ("actor_type", "actor_id")),
        "Who did it, where that is a user of this workspace.",
    )
    primary_entity = any_entity(
        models.Interaction.primary_entity_id,
        "What it was done to; null if it is gone since.",
    )


def _caller(_: Any, context: Context, __: Any) -> Key | None:
    user_id = context.caller.user_id
    return None if user_id is None else (models.User, user_id)


@strawberry.type(description="Who asks, and in which workspace.")
class Viewer:
    """The caller, as the caller sees himself."""

    user = row_field(
        maybe(shown_as(models.User)),
        Referred(_caller),
        "The user; null for a program that acts for itself.",
    )
    workspace = row_field(
        shown_as(models.Workspace),
        Referred(
            lambda _, context, __: (models.Workspace, context.caller.workspace_id)
        ),
        "The workspace that is read and written.",
    )
    scopes = row_field(
        list[str],
        OfRequest(lambda context: sorted(one.value for one in context.caller.scopes)),
        "What the caller may do.",
    )


@strawberry.type
class AccountQueries:
    """Where reading about oneself and the log starts."""

    viewer = row_field(Viewer, lambda *_: True, "Who asks, and where.")
    api_key = find(models.ApiKey, "The key to the API with this id.")
    api_keys = listing(
        models.ApiKey,
        "The keys to the API: of those of others, only owners see more than that they "
        "are there.",
    )
    invitation = find(models.Invitation, "The invitation with this id.")
    invitations = listing(models.Invitation, "The invitations to the workspace.")
    interaction = find(models.Interaction, "The interaction with this id.")
    interactions = listing(models.Interaction, "The log of the workspace.")
