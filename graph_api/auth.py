"""Who asks: a request's credential becomes a Caller; nothing else knows headers.

A credential is looked up in the database, and what was found holds for less than a
second: as long goes a key on that was revoked, in each worker.
"""

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

from graph_api.caller import Caller
from graph_api.database.engine import Database
from graph_api.database.local import local_caller
from graph_api.errors import BadUserInput, ForbiddenWorkspace, Unauthenticated
from graph_api.ids import key_of
from graph_api.services.api_keys import MARK
from graph_api.services.credentials import (
    NOWHERE,
    Bearer,
    bearer_of_key,
    bearer_of_user,
    secret_hash,
    touch_key,
    user_named,
)
from graph_api.services.joining import caller_of
from graph_api.tokens import BadToken, Issuer, Signer

log = logging.getLogger(__name__)

_HOLDS_S = 0.8
_KEPT = 10_000
_TOUCHED_S = 60.0
# Of the pool's connections, so that wrong credentials never take them all.
_AT_ONCE = 4

WRONG = (
    "The credential is unknown, or has expired or been revoked. Send another one as "
    "`Authorization: Bearer …`: a key to the API, or a token from `signIn`."
)
ELSEWHERE = (
    "The credential does not lead to the workspace of `X-Workspace`: a key is of one "
    "workspace, and a user is a member of some."
)


class Door(Protocol):
    """Says who asks."""

    async def caller(
        self, authorization: str | None, workspace: str | None, request_id: UUID | None
    ) -> Caller:
        """The caller whom these headers mean; raises a GraphApiError for a bad one."""


class Local:
    """Local mode: whoever gets here is the owner."""

    async def caller(
        self,
        authorization: str | None,  # noqa: ARG002 - nobody needs one
        workspace: str | None,  # noqa: ARG002 - there is one
        request_id: UUID | None,
    ) -> Caller:
        return local_caller(request_id)


@dataclass(frozen=True)
class _Known:
    """What a credential was found to mean; None where it lets nobody in."""

    caller: Caller | None
    until: float
    is_elsewhere: bool = False


class Accounts:
    """With accounts: keys and tokens let in those whom they belong to."""

    def __init__(
        self, database: Database, signer: Signer, issuer: Issuer | None
    ) -> None:
        self._database = database
        self._signer = signer
        self._issuer = issuer
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._touched: dict[UUID, float] = {}
        self._looking_up = asyncio.Semaphore(_AT_ONCE)

    async def caller(
        self, authorization: str | None, workspace: str | None, request_id: UUID | None
    ) -> Caller:
        if authorization is None:
            return Caller(NOWHERE, None, request_id=request_id, scopes=frozenset())
        known = await self._find((authorization, workspace))
        if known.caller is None:
            if known.is_elsewhere:
                raise ForbiddenWorkspace(ELSEWHERE)
            raise Unauthenticated(WRONG)
        return replace(known.caller, request_id=request_id)

    async def _find(self, told: tuple[str, str | None]) -> _Known:
        # By a digest: what is kept in memory shall be no credential, and be small
        # however long headers are.
        authorization, workspace = told
        text = authorization if workspace is None else f"{authorization}\n{workspace}"
        key = hashlib.sha256(text.encode()).digest()
        if (known := self._held(key)) is not None:
            return known
        async with self._looking_up:
            # Whoever waited may find what another request has found.
            if (known := self._held(key)) is not None:
                return known
            known = self._known[key] = await self._looked_up(*told)
        self._known.move_to_end(key)
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return known

    def _held(self, key: bytes) -> _Known | None:
        known = self._known.get(key)
        return known if known and time.monotonic() < known.until else None

    async def _looked_up(self, authorization: str, workspace: str | None) -> _Known:
        since = time.monotonic()
        scheme, _, credential = authorization.partition(" ")
        bearer = None
        try:
            wanted = None if workspace is None else key_of(workspace, "Workspace")
            if scheme.lower() == "bearer":
                bearer = await self._bearer(credential.strip(), wanted)
        except BadUserInput:
            return _Known(None, since + _HOLDS_S, is_elsewhere=True)
        except BadToken as error:
            log.info("A token was refused", extra={"reason": str(error)[:100]})
        if bearer is None:
            return _Known(None, since + _HOLDS_S)
        if wanted is not None and bearer.workspace_id != wanted:
            return _Known(None, since + _HOLDS_S, is_elsewhere=True)
        return _Known(caller_of(bearer, None), since + _HOLDS_S)

    async def _bearer(self, credential: str, wanted: UUID | None) -> Bearer | None:
        if credential.startswith(MARK):
            return await self._bearer_of_key(credential)
        user_id, workspace_id = await self._user_of_token(credential, wanted)
        if user_id is None:
            return None
        found = await bearer_of_user(self._database, user_id, workspace_id)
        if found is None and wanted is not None:
            # He is somebody, and yet not there.
            return await bearer_of_user(self._database, user_id)
        return found

    async def _bearer_of_key(self, key: str) -> Bearer | None:
        bearer = await bearer_of_key(self._database, secret_hash(key))
        if bearer is not None and bearer.key_id is not None:
            now = time.monotonic()
            if now - self._touched.get(bearer.key_id, -_TOUCHED_S) >= _TOUCHED_S:
                self._touched[bearer.key_id] = now
                await touch_key(self._database, bearer)
        return bearer

    async def _user_of_token(
        self, token: str, wanted: UUID | None
    ) -> tuple[UUID | None, UUID | None]:
        """Whose token it is, and the workspace that he means."""
        if self._issuer is not None and self._issuer.is_of(token):
            login = await user_named(self._database, await self._issuer.read(token))
            return (None if login is None else login.user_id), wanted
        subject = self._signer.read(token)
        return subject.user_id, wanted or subject.workspace_id
