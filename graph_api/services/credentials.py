"""What a credential leads to: read before anybody is known, by the policies for it.

Each is a transaction of its own that shows nothing but what was presented leads to.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from graph_api.database.engine import Connection, Database
from graph_api.permissions import SCOPES, MemberRole, Scope

NOWHERE = UUID(int=0)

_KEY = """
SELECT workspace_id, id, user_id, name, scopes, expires_at FROM api_keys
WHERE key_hash = $1 AND revoked_at IS NULL
      AND (expires_at IS NULL OR expires_at > now())
"""
# Of a user who has signed in: his place in one workspace, or in the first of his.
_MEMBER = """
SELECT member.workspace_id, member.role, users.username
FROM workspace_members AS member JOIN users ON users.id = member.user_id
WHERE member.user_id = $1 AND member.left_at IS NULL AND users.is_active
      AND ($2::uuid IS NULL OR member.workspace_id = $2)
ORDER BY member.created_at, member.id LIMIT 1
"""
_LOGIN = """
SELECT id, is_active FROM users WHERE username = $1 OR email = $1
ORDER BY username = $1 DESC LIMIT 1
"""
_HASH = "SELECT password_hash FROM user_passwords WHERE user_id = $1"
_INVITATION = """
SELECT workspace_id, id, role FROM invitations
WHERE code_hash = $1 AND accepted_at IS NULL AND revoked_at IS NULL
      AND expires_at > now()
"""
# Once a minute, so that a busy key does not write with every request.
_USED = """
UPDATE api_keys SET last_used_at = now()
WHERE workspace_id = $1 AND id = $2
      AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
"""


@dataclass(frozen=True)
class Bearer:
    """Who a credential lets in, where, and what it lets him do.

    `label` is the name of the key, which has an id and may expire; a user who has
    signed in has none of the three.
    """

    workspace_id: UUID
    user_id: UUID
    role: MemberRole
    scopes: frozenset[Scope]
    label: str | None = None
    key_id: UUID | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Invited:
    """A place that is offered to whoever has the code."""

    workspace_id: UUID
    id: UUID
    role: MemberRole


@dataclass(frozen=True)
class Login:
    """Who has the name that somebody wants to sign in by."""

    user_id: UUID
    password_hash: str | None
    is_active: bool


def secret_hash(secret: str) -> str:
    """The SHA-256 of a key or a code, in hexadecimal; what is kept of it.

    Both are 32 random bytes: nobody finds them by their hash, however fast it is.
    """
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


async def bearer_of_key(database: Database, key_hash: str) -> Bearer | None:
    """Who has the key; None where it is unknown, revoked or expired, or he is gone."""
    async with _presenting(database, credential=key_hash) as connection:
        keys = await connection.fetch(_KEY, [key_hash])
        if not keys:
            return None
        (key,) = keys
        await connection.present(workspace=str(key["workspace_id"]))
        found = await _member(connection, key["user_id"], key["workspace_id"])
    if found is None:
        return None
    role = MemberRole(found["role"])
    return Bearer(
        key["workspace_id"],
        key["user_id"],
        role,
        SCOPES[role] & {Scope(scope) for scope in key["scopes"]},
        label=key["name"],
        key_id=key["id"],
        expires_at=key["expires_at"],
    )


async def bearer_of_user(
    database: Database, user_id: UUID, workspace_id: UUID | None = None
) -> Bearer | None:
    """The user as a member of a workspace, by default of the first that he was in.

    None where he is no member, or not active.
    """
    async with _presenting(database, user=str(user_id)) as connection:
        found = await _member(connection, user_id, workspace_id)
    if found is None:
        return None
    role = MemberRole(found["role"])
    return Bearer(found["workspace_id"], user_id, role, SCOPES[role])


async def user_named(database: Database, login: str) -> Login | None:
    """The user of this username or e-mail address, with the hash of his password."""
    async with _presenting(database, sign_in=login) as connection:
        users = await connection.fetch(_LOGIN, [login])
        if not users:
            return None
        (user,) = users
        await connection.present(user=str(user["id"]))
        hashes = await connection.fetch(_HASH, [user["id"]])
    return Login(
        user["id"], hashes[0]["password_hash"] if hashes else None, user["is_active"]
    )


async def invitation_of(database: Database, code_hash: str) -> Invited | None:
    """What a code offers; None where it is unknown, used, revoked or expired."""
    async with _presenting(database, credential=code_hash) as connection:
        found = await connection.fetch(_INVITATION, [code_hash])
    if not found:
        return None
    (offer,) = found
    return Invited(offer["workspace_id"], offer["id"], MemberRole(offer["role"]))


async def touch_key(database: Database, bearer: Bearer) -> None:
    """Note that a key was used, if that was not noted within the last minute."""
    async with database.connect(bearer.workspace_id) as connection:
        await connection.fetch(_USED, [bearer.workspace_id, bearer.key_id])


@asynccontextmanager
async def _presenting(database: Database, **settings: str) -> AsyncIterator[Connection]:
    async with database.connect(NOWHERE) as connection:
        await connection.begin()
        await connection.present(**settings)
        yield connection


async def _member(connection: Connection, user_id: UUID, where: UUID | None) -> Any:
    found = await connection.fetch(_MEMBER, [user_id, where])
    return found[0] if found else None
