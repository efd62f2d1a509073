"""What can be done about access: keys, members, invitations, and one's own profile."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import strawberry

from graph_api import models
from graph_api.permissions import MemberRole, Scope
from graph_api.schema.fields import Input, maybe
from graph_api.schema.inputs import VERSION, an_id, values_of, written
from graph_api.schema.mutations import mutation, row_id
from graph_api.services.api_keys import ApiKeys
from graph_api.services.members import Invitations, Members, Workspaces
from graph_api.services.profiles import Profiles

Given = Mapping[str, Any]

_PROFILE = ("username", "full_name", "email", "preferences", "theme", "ai_model")
_SCOPES = (
    "What it may do, as far as you may: some of "
    f"{', '.join(f'`{scope.value}`' for scope in Scope)}."
)
_KEY = "The key itself, to be sent as `Authorization: Bearer gk_…`."
_EXPIRES = "Until when it lets in; for as long as it is there if left out."


async def _create_key(keys: ApiKeys, given: Given) -> None:
    owner = given.get("userId")
    await keys.create(
        given["name"],
        given["scopes"],
        given.get("expiresAt"),
        None if owner is None else row_id(models.User, given, "userId"),
    )


async def _update_key(keys: ApiKeys, given: Given) -> None:
    changed = values_of(models.ApiKey, ("name", "scopes", "expires_at"), given)
    await keys.update(row_id(models.ApiKey, given), changed)


async def _rotate_key(keys: ApiKeys, given: Given) -> None:
    overlap = timedelta(seconds=given["overlapSeconds"])
    await keys.rotate(row_id(models.ApiKey, given), overlap)


async def _revoke_key(keys: ApiKeys, given: Given) -> None:
    await keys.revoke(row_id(models.ApiKey, given))


async def _invite(invitations: Invitations, given: Given) -> None:
    await invitations.invite(given["email"], MemberRole(given["role"]))


async def _revoke_invitation(invitations: Invitations, given: Given) -> None:
    await invitations.revoke(row_id(models.Invitation, given))


async def _change_role(members: Members, given: Given) -> None:
    await members.change_role(
        row_id(models.Membership, given), MemberRole(given["role"])
    )


async def _remove(members: Members, given: Given) -> None:
    await members.remove(row_id(models.Membership, given))


async def _rename(workspaces: Workspaces, given: Given) -> None:
    await workspaces.rename(given["name"], given.get("expectedVersion"))


async def _update_profile(profiles: Profiles, given: Given) -> None:
    changed = values_of(models.User, _PROFILE, given)
    await profiles.update(changed, given.get("expectedVersion"))


async def _change_password(profiles: Profiles, given: Given) -> None:
    await profiles.change_password(given["currentPassword"], given["newPassword"])


@strawberry.type
class AccessMutations:
    """What can be done about access."""

    create_api_key = mutation(
        "createApiKey",
        ApiKeys,
        "Make a key to the API, for a program that acts for you; for another member, "
        "only as an owner. Make a second one before the first expires, or see "
        "`rotateApiKey`.",
        {
            "name": Input(str, "What it is for."),
            "scopes": Input(list[str], _SCOPES),
            "expiresAt": Input(maybe(datetime), _EXPIRES),
            "userId": Input(
                maybe(strawberry.ID), "The id of the member, where that is not you."
            ),
        },
        _create_key,
        secret=_KEY,
    )
    update_api_key = mutation(
        "updateApiKey",
        ApiKeys,
        "Change the name of a key, what it may do, or until when it lets in.",
        {
            "id": an_id("ApiKey"),
            **written(models.ApiKey, ("name", "scopes", "expires_at"), required=False),
        },
        _update_key,
    )
    rotate_api_key = mutation(
        "rotateApiKey",
        ApiKeys,
        "Make a key like another one, which goes on letting in only for a while, so "
        "that programs can change over.",
        {
            "id": an_id("ApiKey"),
            "overlapSeconds": Input(
                int, "How long the old one still lets in; at most 30 days.", 3_600
            ),
        },
        _rotate_key,
        secret=_KEY,
    )
    revoke_api_key = mutation(
        "revokeApiKey",
        ApiKeys,
        "Let a key let nobody in any more, within a second.",
        {"id": an_id("ApiKey")},
        _revoke_key,
    )
    invite_member = mutation(
        "inviteMember",
        Invitations,
        "Offer somebody a place in the workspace, for seven days. This server sends no "
        "mail: hand the code on yourself.",
        {
            "email": Input(str, "Whom it is for."),
            "role": Input(MemberRole, "What the member may do then."),
        },
        _invite,
        secret="The code that `acceptInvitation` takes.",  # noqa: S106 - says what it is
    )
    revoke_invitation = mutation(
        "revokeInvitation",
        Invitations,
        "Take an invitation back that nobody has accepted.",
        {"id": an_id("Invitation")},
        _revoke_invitation,
    )
    change_member_role = mutation(
        "changeMemberRole",
        Members,
        "Let a member do more, or less. The last owner stays one.",
        {
            "id": an_id("Membership"),
            "role": Input(MemberRole, "What the member may do."),
        },
        _change_role,
    )
    remove_member = mutation(
        "removeMember",
        Members,
        "Let a member be one no more, or leave yourself. What the member has done and "
        "keeps stays as it is; keys and tokens let nobody in any more.",
        {"id": an_id("Membership")},
        _remove,
    )
    update_workspace = mutation(
        "updateWorkspace",
        Workspaces,
        "Call the workspace something else.",
        {"name": Input(str, "The name people use."), "expectedVersion": VERSION},
        _rename,
    )
    update_profile = mutation(
        "updateProfile",
        Profiles,
        "Change what you say of yourself.",
        {
            **written(models.User, _PROFILE, required=False),
            "expectedVersion": VERSION,
        },
        _update_profile,
    )
    change_password = mutation(
        "changePassword",
        Profiles,
        "Change your password. Tokens that were given out stay good until they expire.",
        {
            "currentPassword": Input(str, "The one that you have."),
            "newPassword": Input(str, "The one to have: 12 characters or more."),
        },
        _change_password,
        secret="",
    )
