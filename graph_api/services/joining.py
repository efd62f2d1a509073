"""Joining a workspace by an invitation, and signing in: what nobody has to be for.

Each finds out who asks, and then writes as him: what is told is told by himself.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from graph_api.caller import Caller
from graph_api.database.engine import Connection, Database
from graph_api.errors import Invalid
from graph_api.keys import new_key
from graph_api.models import Invitation, Membership, User
from graph_api.passwords import hashed, matches
from graph_api.permissions import SCOPES, Scope
from graph_api.services.credentials import (
    Bearer,
    Invited,
    bearer_of_user,
    invitation_of,
    secret_hash,
    user_named,
)
from graph_api.services.profiles import STORE_HASH, refuse_bad_password, taken
from graph_api.services.unit_of_work import Outcome, Service, Terms, Work
from graph_api.services.validation import validate

# One answer, whether there is no such user or that is not his password.
_WRONG = "There is no user of this name with this password."
_NO_INVITATION = "This code is unknown, was used or revoked, or has expired."


@dataclass(frozen=True)
class Applicant:
    """Who accepts an invitation: a user that there is, or one to be made."""

    user_id: UUID
    username: str
    full_name: str | None = None
    # Of a new user alone.
    password_hash: str | None = None


class Joining(Service):
    """What a user does with his own place in a workspace."""

    model = Membership
    scope = Scope.READ

    async def join(self, invited: Invited, applicant: Applicant) -> None:
        """Take the place that was offered."""
        async with self.writing() as work:
            await work.connection.present(user=str(applicant.user_id))
            invitation = await work.get(Invitation, invited.id)
            if invitation.accepted_at is not None or invitation.revoked_at is not None:
                raise Invalid(_NO_INVITATION, path=("code",))
            if applicant.password_hash is not None:
                await _make_user(work, applicant, invitation.email)
            self.outcome.subject = await _take_place(work, applicant, invitation)
            now = datetime.now(UTC)
            await work.update(invitation, {"accepted_at": now}, "accepted")

    async def sign_in(self, user_id: UUID) -> None:
        """Note that the user has signed in."""
        async with self.writing() as work:
            await work.connection.present(user=str(user_id))
            user = await work.get(User, user_id)
            await work.update(user, {"last_login_at": datetime.now(UTC)}, "signed_in")
            self.outcome.subject = user


async def signed_in(
    database: Database,
    login: str,
    password: str,
    workspace_id: UUID | None,
    request_id: UUID | None,
) -> tuple[Bearer, Outcome]:
    """Who this is, in the workspace that he asks for, or in the first that he was in.

    Raises Invalid where he is not, in one message and after the same work.
    """
    known = await user_named(database, login)
    right = await matches(password, known.password_hash if known else None)
    if known is None or not right or not known.is_active:
        raise Invalid(_WRONG, path=("password",))
    bearer = await bearer_of_user(database, known.user_id, workspace_id)
    if bearer is None:
        raise Invalid("You are no member of such a workspace.", path=("workspaceId",))
    outcome = await _write(
        database,
        caller_of(bearer, request_id),
        lambda joining: joining.sign_in(known.user_id),
        "signIn",
    )
    return bearer, outcome


async def joined(
    database: Database,
    *,
    code: str,
    username: str,
    password: str,
    full_name: str | None = None,
    request_id: UUID | None = None,
) -> tuple[Bearer, Outcome]:
    """Who has accepted an invitation, now a member; made if nobody has the name.

    Raises Invalid where the code or the password is wrong, and Duplicate where somebody
    else has the name or the invitation's e-mail address.
    """
    invited = await invitation_of(database, secret_hash(code))
    if invited is None:
        raise Invalid(_NO_INVITATION, path=("code",))
    applicant = await _applicant(database, username, password, full_name)
    bearer = Bearer(
        invited.workspace_id, applicant.user_id, invited.role, SCOPES[invited.role]
    )
    outcome = await _write(
        database,
        caller_of(bearer, request_id),
        lambda joining: joining.join(invited, applicant),
        "acceptInvitation",
    )
    return bearer, outcome


def caller_of(bearer: Bearer, request_id: UUID | None) -> Caller:
    """The caller that a bearer of a credential is."""
    by_key = bearer.key_id is not None
    return Caller(
        bearer.workspace_id,
        bearer.user_id,
        actor_type="agent" if by_key else "user",
        label=bearer.label,
        request_id=request_id,
        scopes=bearer.scopes,
        credential=f"key:{bearer.key_id}" if by_key else f"user:{bearer.user_id}",
    )


async def _write(
    database: Database, caller: Caller, verb: Any, mutation: str
) -> Outcome:
    async with database.connect(caller.workspace_id) as connection:

        async def start() -> Connection:
            return connection

        joining = Joining(start, caller, Terms(mutation))
        await verb(joining)
    return joining.outcome


async def _applicant(
    database: Database, username: str, password: str, full_name: str | None
) -> Applicant:
    known = await user_named(database, username)
    if known is not None:
        right = await matches(password, known.password_hash)
        if not right or not known.is_active:
            raise Invalid(
                "Somebody has this name already; if that is you, the password is "
                "wrong.",
                path=("password",),
            )
        return Applicant(known.user_id, username)
    refuse_bad_password(password, "password")
    validate(User, {"username": username, "full_name": full_name})
    return Applicant(new_key(), username, full_name, await hashed(password))


async def _make_user(work: Work, applicant: Applicant, email: str) -> None:
    values = {
        "id": applicant.user_id,
        "username": applicant.username,
        "full_name": applicant.full_name,
        "email": email,
    }
    try:
        await work.create(User, values)
    except Exception as error:
        raise taken(error) or error from error
    hash = applicant.password_hash
    await work.connection.fetch(STORE_HASH, [applicant.user_id, hash])


async def _take_place(
    work: Work, applicant: Applicant, invitation: Invitation
) -> Membership:
    place = await work.find(Membership, user_id=applicant.user_id)
    if place is None:
        values = {"user_id": applicant.user_id, "role": invitation.role}
        return await work.create(Membership, values)
    place = await work.get(Membership, place.id)
    if place.left_at is None:
        raise Invalid("You are a member already.", path=("code",))
    await work.update(place, {"left_at": None, "role": invitation.role}, "joined")
    return place
