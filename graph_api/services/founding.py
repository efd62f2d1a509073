"""What an operator does who has the database: users, and the first workspaces.

Nobody is signed in then, and what is told in a workspace is told of the system.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from graph_api.caller import Caller
from graph_api.database.engine import Connection, Database
from graph_api.keys import new_key
from graph_api.models import Membership, User, Workspace
from graph_api.passwords import hashed
from graph_api.permissions import MemberRole, Scope
from graph_api.services.credentials import NOWHERE
from graph_api.services.members import refuse_last_owner
from graph_api.services.profiles import STORE_HASH, refuse_bad_password, taken
from graph_api.services.storing import insert_many
from graph_api.services.unit_of_work import Service, Terms
from graph_api.services.validation import validate

S = TypeVar("S", bound=Service)

_SET_ACTIVE = "UPDATE users SET is_active = $2 WHERE id = $1"


class Founding(Service):
    """Makes workspaces, and puts users into them."""

    model = Membership
    scope = Scope.ADMINISTER

    async def found(self, name: str, owner: UUID) -> None:
        """Make the workspace that this connection is bound to, with its first owner."""
        validate(Workspace, {"name": name})
        async with self.writing() as work:
            id = work.connection.workspace_id
            await work.create(Workspace, {"id": id, "name": name})
            values = {"user_id": owner, "role": MemberRole.OWNER}
            self.outcome.subject = await work.create(Membership, values)

    async def add(self, user_id: UUID, role: MemberRole) -> None:
        """Make a user a member, or one again."""
        async with self.writing() as work:
            place = await work.find(Membership, user_id=user_id)
            if place is None:
                values = {"user_id": user_id, "role": role}
                self.outcome.subject = await work.create(Membership, values)
                return
            place = await work.get(Membership, place.id)
            if role is not MemberRole.OWNER:
                await refuse_last_owner(work, place)
            await work.update(place, {"left_at": None, "role": role}, "joined")
            self.outcome.subject = place

    async def remove(self, user_id: UUID) -> bool:
        """Let a user be a member no more; whether he was one."""
        async with self.writing() as work:
            place = await work.find(Membership, user_id=user_id)
            if place is None or place.left_at is not None:
                return False
            place = await work.get(Membership, place.id)
            await refuse_last_owner(work, place)
            await work.update(place, {"left_at": datetime.now(UTC)}, "removed")
            return True


async def make_user(
    database: Database,
    username: str,
    password: str | None,
    email: str | None = None,
    full_name: str | None = None,
) -> UUID:
    """A new user, who is a member of nothing yet; the key.

    Raises Invalid, or Duplicate where somebody has the name or the address.
    """
    values = {"username": username, "email": email, "full_name": full_name}
    validate(User, values)
    if password is not None:
        refuse_bad_password(password, "password")
    id = new_key()
    async with _as_user(database, id) as connection:
        try:
            await insert_many(connection, User, [{"id": id, **values}])
        except Exception as error:
            raise taken(error) or error from error
        if password is not None:
            await connection.fetch(STORE_HASH, [id, await hashed(password)])
    return id


async def set_password(database: Database, user_id: UUID, password: str) -> None:
    """Give a user another password."""
    refuse_bad_password(password, "password")
    async with _as_user(database, user_id) as connection:
        await connection.fetch(STORE_HASH, [user_id, await hashed(password)])


async def set_active(database: Database, user_id: UUID, *, active: bool) -> None:
    """Let a user sign in again, or let no credential of his let anybody in."""
    async with _as_user(database, user_id) as connection:
        await connection.fetch(_SET_ACTIVE, [user_id, active])


async def write_as_system(
    database: Database,
    workspace_id: UUID,
    service: type[S],
    verb: Callable[[S], Awaitable[Any]],
    command: str,
) -> S:
    """Run a verb of a service in a workspace, as nobody who has an account."""
    caller = Caller(workspace_id, None, actor_type="system", label="graph-api")
    async with database.connect(workspace_id) as connection:

        async def start() -> Connection:
            return connection

        one = service(start, caller, Terms(command, reason=f"graph-api {command}"))
        await verb(one)
        return one


@asynccontextmanager
async def _as_user(database: Database, user_id: UUID) -> AsyncIterator[Connection]:
    """A transaction that sees and changes this user alone."""
    async with database.connect(NOWHERE) as connection:
        await connection.begin()
        await connection.present(user=str(user_id))
        yield connection
        await connection.commit()
