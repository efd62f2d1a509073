"""Keeping a workspace, its members, and the invitations to it."""

import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

from graph_api.errors import Duplicate, Invalid, NotFound
from graph_api.models import Invitation, Membership, Workspace
from graph_api.permissions import MemberRole, Scope
from graph_api.services.credentials import secret_hash
from graph_api.services.rights import require
from graph_api.services.unit_of_work import Service, Work
from graph_api.services.validation import validate

CODE_MARK = "gi_"
INVITATION_HOLDS = timedelta(days=7)

_MEMBER = """
SELECT id FROM workspace_members
WHERE workspace_id = $1 AND user_id = $2 AND left_at IS NULL
"""
# Locked in the order of their keys, so that two owners cannot both be the last to go.
_OWNERS = """
SELECT user_id FROM workspace_members
WHERE workspace_id = $1 AND role = 'owner' AND left_at IS NULL
ORDER BY id FOR UPDATE
"""
_KNOWN = """
SELECT users.id FROM users JOIN workspace_members AS member
ON member.user_id = users.id AND member.workspace_id = $1 AND member.left_at IS NULL
WHERE users.email = $2
"""


class Workspaces(Service):
    model = Workspace
    scope = Scope.ADMINISTER

    async def rename(self, name: str, expected_version: int | None) -> None:
        """Call the caller's workspace something else."""
        validate(Workspace, {"name": name})
        async with self.writing() as work:
            id = work.connection.workspace_id
            workspace = await work.get(Workspace, id, expected_version)
            await work.update(workspace, {"name": name})
            self.outcome.subject = workspace


class Members(Service):
    model = Membership
    # Who leaves needs no more; `remove` and `change_role` ask for what they need.
    scope = Scope.READ

    async def change_role(self, id: UUID, role: MemberRole) -> None:
        """Let a member do more, or less."""
        require(self.caller, Scope.ADMINISTER)
        async with self.writing() as work:
            member = await self._present(work, id)
            if role is not MemberRole.OWNER:
                await refuse_last_owner(work, member)
            await work.update(member, {"role": role})
            self.outcome.subject = member

    async def remove(self, id: UUID) -> None:
        """Let a member be one no more; whoever is one may go himself."""
        async with self.writing() as work:
            member = await self._present(work, id)
            if member.user_id != self.caller.user_id:
                require(self.caller, Scope.ADMINISTER)
            await refuse_last_owner(work, member)
            await work.update(member, {"left_at": datetime.now(UTC)}, "removed")
            self.outcome.subject = member

    async def _present(self, work: Work, id: UUID) -> Membership:
        member = await work.get(Membership, id)
        if member.left_at is not None:
            raise NotFound("This user is no member any more.", path=("id",))
        return member


class Invitations(Service):
    model = Invitation
    scope = Scope.ADMINISTER

    async def invite(self, email: str, role: MemberRole) -> None:
        """Offer somebody a place; the code that is shown once is what accepts it."""
        validate(Invitation, {"email": email})
        if "@" not in email:
            raise Invalid("`email` must be an e-mail address.", path=("email",))
        async with self.writing() as work:
            await self._refuse_member(work, email)
            code = f"{CODE_MARK}{secrets.token_urlsafe(32)}"
            self.outcome.subject = await work.create(
                Invitation,
                {
                    "email": email,
                    "role": role,
                    "code_hash": secret_hash(code),
                    "expires_at": datetime.now(UTC) + INVITATION_HOLDS,
                },
            )
            if not self.terms.dry_run:
                self.outcome.secret = code

    async def revoke(self, id: UUID) -> None:
        """Take an offer back that nobody has accepted."""
        async with self.writing() as work:
            invitation = await work.get(Invitation, id)
            if invitation.accepted_at is not None:
                raise Invalid("It was accepted; remove the member.", path=("id",))
            if invitation.revoked_at is None:
                now = datetime.now(UTC)
                await work.update(invitation, {"revoked_at": now}, "revoked")
            self.outcome.subject = invitation

    async def _refuse_member(self, work: Work, email: str) -> None:
        workspace_id = work.connection.workspace_id
        if await work.connection.fetch(_KNOWN, [workspace_id, email]):
            raise Duplicate(
                "A member has this e-mail address already.",
                path=("email",),
                existing=None,
            )


async def require_member(work: Work, user_id: UUID, field: str) -> None:
    """Raise NotFound unless the user is a member of the workspace."""
    workspace_id = work.connection.workspace_id
    if not await work.connection.fetch(_MEMBER, [workspace_id, user_id]):
        raise NotFound("There is no member with this id.", path=(field,))


async def refuse_last_owner(work: Work, member: Membership) -> None:
    """Raise Invalid for the only owner that there is."""
    if member.role is not MemberRole.OWNER or member.left_at is not None:
        return
    owners = await work.connection.fetch(_OWNERS, [work.connection.workspace_id])
    if len(owners) == 1:
        raise Invalid(
            "The last owner of a workspace stays its owner; make another one first.",
            path=("id",),
        )
