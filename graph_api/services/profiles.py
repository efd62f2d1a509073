"""What users say of themselves, and their passwords."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from graph_api.errors import Duplicate, Forbidden, Invalid
from graph_api.models import User
from graph_api.passwords import MAX_LENGTH, MIN_LENGTH, hashed, matches
from graph_api.permissions import Scope
from graph_api.services.rights import refuse_keys
from graph_api.services.unit_of_work import Service, Work
from graph_api.services.validation import validate

_KNOWN_HASH = "SELECT password_hash FROM user_passwords WHERE user_id = $1"
STORE_HASH = """
INSERT INTO user_passwords (user_id, password_hash) VALUES ($1, $2)
ON CONFLICT (user_id) DO UPDATE
SET password_hash = excluded.password_hash, changed_at = now()
"""


class Profiles(Service):
    model = User
    scope = Scope.READ

    async def update(
        self, values: Mapping[str, Any], expected_version: int | None
    ) -> None:
        """Change what the caller says of himself."""
        validate(User, values)
        async with self._writing_as(self._user_id()) as work:
            user = await work.get(User, self._user_id(), expected_version)
            try:
                await work.update(user, values)
            except Exception as error:
                raise taken(error) or error from error
            self.outcome.subject = user

    async def change_password(self, current: str, new: str) -> None:
        """Change the caller's password, who has to know the one that it was."""
        refuse_bad_password(new, "newPassword")
        user_id = self._user_id()
        async with self._writing_as(user_id) as work:
            user = await work.get(User, user_id)
            known = await work.connection.fetch(_KNOWN_HASH, [user_id])
            if not await matches(current, known[0]["password_hash"] if known else None):
                raise Invalid(
                    "`currentPassword` is not the password that you have.",
                    path=("currentPassword",),
                )
            new_hash = await hashed(new)
            await work.connection.fetch(STORE_HASH, [user_id, new_hash])
            work.tell("password_changed", user, None, None)
            self.outcome.subject = user

    def _user_id(self) -> UUID:
        refuse_keys(self.caller)
        if self.caller.user_id is None:
            raise Forbidden("Only a user has a profile.", needs="a user")
        return self.caller.user_id

    @asynccontextmanager
    async def _writing_as(self, user_id: UUID) -> AsyncIterator[Work]:
        async with self.writing() as work:
            await work.connection.present(user=str(user_id))
            yield work


def refuse_bad_password(password: str, field: str) -> None:
    """Raise Invalid for a password that is too short to be kept, or too long."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise Invalid(
            f"`{field}` must have {MIN_LENGTH} to {MAX_LENGTH} characters.",
            path=(field,),
        )


def taken(error: Exception) -> Duplicate | None:
    """The refusal that an error of the unique names amounts to."""
    constraint = getattr(error, "constraint_name", None)
    field = {"idx_users_username": "username", "idx_users_email": "email"}.get(
        constraint or ""
    )
    if field is None:
        return None
    return Duplicate(f"Somebody else has this `{field}`.", path=(field,), existing=None)
