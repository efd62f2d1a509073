"""Keeping keys to the API: made for a member, shown once, known by their hashes.

Any member may have keys of his own, which can do no more than he can. Those of others
are the owners' business. A key makes no keys, unless it has an owner's scope: whoever
finds one shall not outlive it.
"""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from graph_api.errors import Invalid, NotFound
from graph_api.models import ApiKey
from graph_api.permissions import Scope
from graph_api.services.credentials import secret_hash
from graph_api.services.members import require_member
from graph_api.services.rights import is_owner, refuse_keys, require
from graph_api.services.unit_of_work import Service, Work
from graph_api.services.validation import validate

# What tells a key from a token, and lets scanners of repositories know it.
MARK = "gk_"
PREFIX = 8
# Enough for anybody; a program that makes one with each start is stopped here.
MAX_LIVE = 50
MAX_OVERLAP = timedelta(days=30)


class ApiKeys(Service):
    model = ApiKey
    scope = Scope.READ

    async def create(
        self,
        name: str,
        scopes: Sequence[str],
        expires_at: datetime | None = None,
        user_id: UUID | None = None,
    ) -> None:
        """Make a key for the caller, or for another member."""
        owner = user_id or self.caller.user_id
        self._require_right(owner)
        async with self.writing() as work:
            if owner is None:
                raise Invalid("`userId` must say whose key it is.", path=("userId",))
            await require_member(work, owner, "userId")
            await self._make(
                work,
                user_id=owner,
                name=name,
                scopes=_in_order(scopes),
                expires_at=expires_at,
            )

    async def update(self, id: UUID, values: dict[str, Any]) -> None:
        """Change a key's name, its scopes, or until when it lets in."""
        async with self.writing() as work:
            key = await self._own(work, id)
            if "scopes" in values:
                values["scopes"] = _in_order(values["scopes"])
            self._check(values)
            await work.update(key, values)
            self.outcome.subject = key

    async def rotate(self, id: UUID, overlap: timedelta) -> None:
        """Make a key like this one, which lets in for no longer than `overlap`."""
        if not timedelta(0) <= overlap <= MAX_OVERLAP:
            raise Invalid(
                "`overlapSeconds` must be from 0 to "
                f"{int(MAX_OVERLAP.total_seconds())}, which are 30 days.",
                path=("overlapSeconds",),
            )
        async with self.writing() as work:
            key = await self._own(work, id)
            _refuse_dead(key)
            until = datetime.now(UTC) + overlap
            if key.expires_at is None or key.expires_at > until:
                await work.update(key, {"expires_at": until}, "rotated")
            await self._make(
                work,
                user_id=key.user_id,
                name=key.name,
                scopes=key.scopes,
                expires_at=None,
            )

    async def revoke(self, id: UUID) -> None:
        """Let a key let nobody in any more."""
        async with self.writing() as work:
            key = await self._own(work, id)
            if key.revoked_at is None:
                await work.update(key, {"revoked_at": datetime.now(UTC)}, "revoked")
            self.outcome.subject = key

    async def _make(self, work: Work, **values: Any) -> None:
        self._check(values)
        await self._refuse_too_many(work, values["user_id"])
        key = f"{MARK}{secrets.token_hex(PREFIX // 2)}_{secrets.token_urlsafe(32)}"
        self.outcome.subject = await work.create(
            ApiKey,
            {
                **values,
                "prefix": key[len(MARK) :][:PREFIX],
                "key_hash": secret_hash(key),
            },
        )
        if not self.terms.dry_run:
            self.outcome.secret = key

    def _check(self, values: dict[str, Any]) -> None:
        validate(ApiKey, values)
        expires_at = values.get("expires_at")
        if expires_at is not None and expires_at <= datetime.now(UTC):
            raise Invalid("`expiresAt` must lie ahead.", path=("expiresAt",))
        for scope in values.get("scopes") or ():
            require(self.caller, Scope(scope))

    async def _own(self, work: Work, id: UUID) -> ApiKey:
        """The key, locked, if it is the caller's to change; else as if it were none."""
        key = await work.get(ApiKey, id)
        if key.user_id != self.caller.user_id and not is_owner(self.caller):
            raise NotFound("There is no ApiKey with this id.", path=("id",))
        self._require_right(key.user_id)
        return key

    def _require_right(self, owner: UUID | None) -> None:
        if owner != self.caller.user_id:
            require(self.caller, Scope.ADMINISTER)
        refuse_keys(self.caller)

    async def _refuse_too_many(self, work: Work, user_id: UUID) -> None:
        (found,) = await work.connection.fetch(
            "SELECT count(*) AS live FROM api_keys WHERE workspace_id = $1 "
            "AND user_id = $2 AND revoked_at IS NULL "
            "AND (expires_at IS NULL OR expires_at > now())",
            [work.connection.workspace_id, user_id],
        )
        if found["live"] >= MAX_LIVE:
            raise Invalid(
                f"A member has at most {MAX_LIVE} keys that let in; revoke some."
            )


def _in_order(scopes: Sequence[str]) -> list[str]:
    """Scopes without doubles, in the order in which they are documented.

    Every key reads: what a mutation answers is read as well.
    """
    known = [scope.value for scope in Scope]
    named = {Scope.READ.value, *scopes}
    return sorted(named, key=lambda one: known.index(one) if one in known else -1)


def _refuse_dead(key: ApiKey) -> None:
    expired = key.expires_at is not None and key.expires_at <= datetime.now(UTC)
    if key.revoked_at is not None or expired:
        raise Invalid(
            "A key that lets nobody in any more cannot be rotated; make a new one.",
            path=("id",),
        )
