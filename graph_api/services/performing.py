"""Running a verb of a service to its end: again where that helps, and with good words.

A deadlock or a serialization failure is nobody's fault, and a unique violation means
that somebody else was just faster: the whole unit of work is run again, on what is then
there to be seen.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sqlalchemy import ARRAY, Uuid, any_, literal, select
from sqlalchemy.exc import DBAPIError

from graph_api.database.engine import Connection
from graph_api.errors import Duplicate, Invalid, NotFound, WriteRefused
from graph_api.models import Base, Interaction, Tenant
from graph_api.services.idempotency import Result
from graph_api.services.unit_of_work import Outcome, Replayed, Service

S = TypeVar("S", bound=Service)

ATTEMPTS = 5
_AGAIN = {"40001", "40P01", "23505"}
_REFUSED: dict[str, tuple[type[WriteRefused], str]] = {
    "23505": (Duplicate, "There is one already, and only one can be."),
    "23503": (NotFound, "Something that was named is not there any more."),
    "23514": (Invalid, "The database refuses a value"),
    "22001": (Invalid, "A text is too long."),
    "22003": (Invalid, "A number is too large."),
    "54000": (Invalid, "A value is too large to be kept."),
}


async def perform(
    service: Callable[[], S],
    verb: Callable[[S], Awaitable[None]],
    model: type[Base],
    connection: Callable[[], Awaitable[Connection]],
) -> Outcome:
    """What `verb` did, or what it did when it was asked before with the same key.

    Raises WriteRefused when it was refused; then nothing has changed.
    """
    attempt, careful = 1, False
    while True:
        one = service()
        one.care.is_taken = careful
        try:
            await verb(one)
        except Replayed as before:
            return await _again(await connection(), model, before.result)
        except Exception as error:
            if one.care.was_missing and _is_refusal(error):
                careful = True
                continue
            if sqlstate_of(error) not in _AGAIN or attempt == ATTEMPTS:
                raise _in_words(error) from error
        else:
            return one.outcome
        # Full jitter, 20 ms doubled: two that met will hardly meet again.
        await asyncio.sleep(random.random() * 0.01 * 2**attempt)  # noqa: S311
        attempt += 1


def sqlstate_of(error: BaseException) -> str | None:
    """The SQLSTATE of an error of the database, however it is wrapped."""
    cause: Any = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    return state if isinstance(state, str) else None


def _is_refusal(error: Exception) -> bool:
    return isinstance(error, WriteRefused) or sqlstate_of(error) in _REFUSED


def _in_words(error: Exception) -> Exception:
    """The refusal that an error of the database amounts to; others as they are."""
    sqlstate = sqlstate_of(error)
    if sqlstate not in _REFUSED:
        return error
    refusal, message = _REFUSED[sqlstate]
    if sqlstate == "23514":
        cause: Any = error.orig if isinstance(error, DBAPIError) else error
        driver = getattr(cause, "__cause__", None) or cause
        message += f" ({getattr(driver, 'constraint_name', 'a constraint')})."
    return refusal(message)


async def _again(connection: Connection, model: type[Base], result: Result) -> Outcome:
    """The outcome of an earlier request, read again."""
    ids = [*result.subject_ids, *([result.subject_id] if result.subject_id else [])]
    subjects = {} if result.deleted else await _read(connection, model, ids)
    told = await _read(connection, Interaction, list(result.interaction_ids))
    return Outcome(
        subject=subjects.get(result.subject_id),
        subjects=[subjects[id] for id in result.subject_ids if id in subjects],
        interactions=[told[id] for id in result.interaction_ids if id in told],
        deleted=result.deleted,
        replayed=True,
        extra=result.extra,
    )


async def _read(connection: Connection, model: type[Base], ids: list[Any]) -> Any:
    entity: Any = model
    meant = select(model).where(entity.id == any_(literal(ids, ARRAY(Uuid))))
    if issubclass(model, Tenant):
        meant = meant.where(entity.workspace_id == connection.workspace_id)
    rows = await connection.rows(meant)
    return {row[0].id: row[0] for row in rows}
