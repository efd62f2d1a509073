"""How anything is written: in one transaction, together with its story.

`Service.writing()` is that transaction. What it adds and what it tells commit together
or not at all; a change that was not told is refused here, and by the database again.
"""

import asyncio
import logging
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import undefer

from graph_api.caller import Caller
from graph_api.database.engine import Connection
from graph_api.errors import Conflict, NotFound
from graph_api.keys import new_key
from graph_api.models import ActorType, Base, Entity, Interaction, Keyed, Tenant
from graph_api.permissions import Scope
from graph_api.services import idempotency
from graph_api.services.log import Columns, changes, told, values_of
from graph_api.services.rights import require
from graph_api.services.storing import (
    Values,
    insert_many,
    lock_one,
    moved_by_trigger,
    update_one,
)

log = logging.getLogger(__name__)

B = TypeVar("B", bound=Base)


@dataclass(frozen=True)
class Terms:
    """What every mutation takes beside its own input.

    `mutation` and `given` are its name and input, of which the idempotency key's hash
    is made.
    """

    mutation: str
    given: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    dry_run: bool = False
    idempotency_key: str | None = None


@dataclass
class Outcome:
    """What a mutation did: to what, and how the log tells it."""

    # Rows that have a key of their own.
    subject: Any = None
    subjects: list[Entity] = field(default_factory=list)
    interactions: list[Interaction] = field(default_factory=list)
    deleted: bool = False
    replayed: bool = False
    items: list[Any] = field(default_factory=list)
    # Shown once, and kept nowhere.
    secret: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)


class Replayed(Exception):
    """Raised at the start of a transaction whose work an earlier request has done."""

    def __init__(self, result: idempotency.Result) -> None:
        super().__init__()
        self.result = result


@dataclass
class Care:
    """Whether to check, only to say it better, what the database checks as well.

    The first attempt leaves that to the database, for most of what is written is in
    order. What it refuses is tried again with care, so that it is refused with good
    words, and in the order of our checks.
    """

    is_taken: bool = False
    was_missing: bool = False

    def asks(self) -> bool:
        """Whether to make such a check, which there is occasion for."""
        self.was_missing = self.was_missing or not self.is_taken
        return self.is_taken


class Work:
    """One transaction: what it changes, it tells."""

    def __init__(
        self, connection: Connection, caller: Caller, terms: Terms, care: Care
    ) -> None:
        self.connection = connection
        self.caller = caller
        self.care = care
        self.change_set_id: UUID | None = None
        self._terms = terms
        self._told: list[dict[str, Any]] = []

    async def get(
        self,
        model: type[B],
        id: UUID,
        expected_version: int | None = None,
        path: tuple[str, ...] = ("id",),
    ) -> B:
        """The row, locked until the transaction ends.

        Raises NotFound when there is none to be seen, and Conflict when its version is
        not the expected one.
        """
        row = await self.look(model, id)
        if row is None:
            raise NotFound(f"There is no {model.__name__} with this id.", path=path)
        version: int | None = getattr(row, "version", None)
        if expected_version is not None and version != expected_version:
            raise Conflict(
                f"The {model.__name__} was changed in the meantime: its version is "
                f"{version}, not {expected_version}. Read it again.",
                path=("expectedVersion",),
                current=row,
            )
        return row

    async def look(self, model: type[B], id: UUID) -> B | None:
        """The row, locked until the transaction ends, if there still is one."""
        return await lock_one(self.connection, model, id)

    async def find(self, model: type[B], **values: Any) -> B | None:
        """The row with these values, not locked; None where there is none."""
        rows = await self.connection.rows(
            select(model)
            .filter_by(workspace_id=self.connection.workspace_id, **values)
            .options(undefer("*"))
            .limit(1)
            .execution_options(populate_existing=True)
        )
        return rows[0][0] if rows else None

    async def create(self, model: type[B], values: Values) -> B:
        """Store a new row, and tell it."""
        row = await self.add(model, values)
        self.tell("created", row, None, told(values_of(row)))
        return row

    async def update(self, row: Base, values: Values, verb: str = "updated") -> bool:
        """Change a row and tell it; False, and nothing told, where nothing changes."""
        changed = changes(row, values)
        if not changed:
            return False
        names = [*changed, *moved_by_trigger(type(row))]
        before = told(values_of(row, names))
        await self.change(row, changed)
        self.tell(verb, row, before, told(values_of(row, names)))
        return True

    async def add(self, model: type[B], values: Values) -> B:
        """Store a new row, which somebody else tells."""
        (row,) = await self.add_many(model, [values])
        return row

    async def add_many(self, model: type[B], rows: Iterable[Values]) -> list[B]:
        """Store new rows, of which the same is given, and which somebody else tells."""
        own: dict[str, Any] = {}
        if issubclass(model, Tenant):
            own["workspace_id"] = self.connection.workspace_id
        return await insert_many(
            self.connection, model, [{**own, "id": new_key(), **row} for row in rows]
        )

    async def change(self, row: Base, values: Values) -> None:
        """Change a row, or only its version, which somebody else tells."""
        await update_one(self.connection, row, values)

    def tell(
        self,
        verb: str,
        row: Base,
        before: Columns | None,
        after: Columns | None,
        related: Sequence[Entity] = (),
        **details: Any,
    ) -> None:
        """Say in the log that `verb` was done to `row`, which has to be `Keyed`."""
        assert isinstance(row, Keyed)
        kind = row.subject_type()
        self._told.append(
            {
                "workspace_id": self.connection.workspace_id,
                "id": new_key(),
                "type": f"{kind.value}.{verb}",
                "actor_type": ActorType(self.caller.actor_type),
                "actor_id": self.caller.user_id,
                "actor_label": self.caller.label,
                "primary_entity_type": kind,
                "primary_entity_id": row.id,
                "related_entities": [
                    {"type": one.entity_type().value, "id": str(one.id)}
                    for one in related
                ],
                "details": details,
                "before": before,
                "after": after,
                "reason": self._terms.reason,
                "request_id": self.caller.request_id,
                "change_set_id": self.change_set_id,
            }
        )

    async def write_log(self) -> list[Interaction]:
        """Store all that was told, in its order."""
        return await insert_many(self.connection, Interaction, self._told)


async def _undo(connection: Connection) -> None:
    """Undo the transaction; where the connection is gone, it is gone with it."""
    try:
        await connection.rollback()
    except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        # What went wrong at first is what the client has to hear of.
        log.info("A transaction could not be rolled back", exc_info=True)


class Service:
    """The base of the services, which are all that writes."""

    model: ClassVar[type[Any]]
    # What a caller needs for whatever it writes.
    scope: ClassVar[Scope]

    def __init__(
        self,
        start: Callable[[], Awaitable[Connection]],
        caller: Caller,
        terms: Terms,
    ) -> None:
        self._start = start
        self.caller = caller
        self.terms = terms
        self.care = Care()
        self.outcome = Outcome()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Work]:
        """One transaction, which commits when the block ends and rolls back otherwise.

        A dry run stays open, so that its answer can be read, until the connection is
        next used or given back. Raises Forbidden when the caller lacks the service's
        scope, and Replayed when the idempotency key was used for the same request.
        """
        require(self.caller, self.scope)
        connection = await self._start()
        await connection.begin()
        try:
            await self._claim(connection)
            work = Work(connection, self.caller, self.terms, self.care)
            yield work
            self.outcome.interactions = await work.write_log()
            await self._remember(connection)
            if self.terms.dry_run:
                await connection.check_constraints()
            else:
                await asyncio.shield(connection.commit())
            # What is read from now on is what the database has, in its own form.
            connection.forget()
        except BaseException:
            await asyncio.shield(_undo(connection))
            raise

    async def _claim(self, connection: Connection) -> None:
        key = self.terms.idempotency_key
        if key is None or self.terms.dry_run:
            return
        hash = idempotency.request_hash(self.terms.mutation, dict(self.terms.given))
        used = await idempotency.claim(connection, key, hash)
        if used is not None:
            raise Replayed(used)

    async def _remember(self, connection: Connection) -> None:
        key = self.terms.idempotency_key
        if key is None or self.terms.dry_run:
            return
        subject = self.outcome.subject
        result = idempotency.Result(
            None if subject is None else subject.id,
            tuple(one.id for one in self.outcome.subjects),
            tuple(one.id for one in self.outcome.interactions),
            self.outcome.deleted,
            self.outcome.extra,
        )
        await idempotency.store(connection, key, result)
