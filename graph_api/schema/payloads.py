"""What mutations answer: what was done, how the log tells it, and why not.

A refusal is data and no error: `userErrors` has one object for it, of a type that says
what would have been accepted, with the path of the input's field.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import strawberry

from graph_api import models
from graph_api.errors import (
    BadUserInput,
    Conflict,
    Duplicate,
    Forbidden,
    Invalid,
    InvalidTransition,
    NotFound,
    WriteRefused,
)
from graph_api.ids import global_id
from graph_api.schema.entity import Entity
from graph_api.schema.fields import argument, maybe, object_type, row_field
from graph_api.schema.registry import shown_as
from graph_api.schema.sources import Given
from graph_api.services.unit_of_work import Outcome


@dataclass(frozen=True)
class Refusal:
    """A refusal to be shown: a bare exception would be raised by the executor."""

    error: WriteRefused


@strawberry.interface(description="Why a mutation was refused; nothing was changed.")
class UserError:
    """Shown for a WriteRefused."""

    message = row_field(
        str, lambda of, *_: of.error.message, "What was refused, and what would do."
    )
    path = row_field(
        list[str],
        lambda of, *_: ["input", *of.error.path],
        "The field of the input that it is about.",
    )
    code = row_field(
        str, lambda of, *_: of.error.code, "What sort of refusal it is, for programs."
    )

    @classmethod
    def resolve_type(cls, of: Refusal, *_: Any) -> str:
        return _TYPE_NAMES[type(of.error)]


def _detail(name: str, type: Any, description: str) -> Any:
    return row_field(type, lambda of, *_: of.error.details.get(name), description)


def _entity(name: str, description: str) -> Any:
    """A row that the refusal is about; null where it is no entity."""

    def get(of: Refusal, *_: Any) -> Any:
        row = of.error.details.get(name)
        return row if isinstance(row, models.Entity) else None

    return row_field(maybe(Entity), get, description)


def _words(name: str) -> Any:
    return lambda of, *_: [state.name for state in of.error.details[name]]


def _error_type(name: str, shown: type[WriteRefused], said: str, **fields: Any) -> Any:
    made = type(name, (UserError,), fields)
    made.is_type_of = lambda of, _info: type(of.error) is shown  # type: ignore[attr-defined]
    return strawberry.type(made, description=said)


_TYPE_NAMES: dict[type[WriteRefused], str] = {
    Invalid: "ValidationError",
    NotFound: "NotFoundError",
    Conflict: "ConflictError",
    InvalidTransition: "InvalidTransitionError",
    Duplicate: "DuplicateError",
    Forbidden: "ForbiddenError",
}

ERROR_TYPES = [
    _error_type("ValidationError", Invalid, "A value that this field cannot have."),
    _error_type("NotFoundError", NotFound, "Nothing that you can see has this id."),
    _error_type(
        "ConflictError",
        Conflict,
        "It was changed since you saw it, or the key was used for something else.",
        current=_entity("current", "The object as it is now, if it is an entity."),
        version=row_field(
            maybe(int),
            lambda of, *_: getattr(of.error.details.get("current"), "version", None),
            "Its version now.",
        ),
    ),
    _error_type(
        "InvalidTransitionError",
        InvalidTransition,
        "It is in a state that does not lead where it was asked to go.",
        from_state=row_field(
            str,
            lambda of, *_: of.error.details["from_state"].name,
            "The state it is in.",
            name="from",
        ),
        to_state=row_field(
            str,
            lambda of, *_: of.error.details["to_state"].name,
            "The state it was to get into.",
            name="to",
        ),
        allowed=row_field(
            list[str], _words("allowed"), "The states that it may get into."
        ),
    ),
    _error_type(
        "DuplicateError",
        Duplicate,
        "There is one already, and only one can be.",
        existing=_entity("existing", "The one that there is, if it is an entity."),
    ),
    _error_type(
        "ForbiddenError",
        Forbidden,
        "The caller may not do this.",
        needs=_detail("needs", maybe(str), "What the caller would need."),
    ),
]


class Payload:
    """The answer to one mutation: its outcome, or why it was refused."""

    def __init__(
        self, outcome: Outcome | None = None, errors: tuple[WriteRefused, ...] = ()
    ) -> None:
        self.outcome = outcome or Outcome()
        self.errors = [Refusal(error) for error in errors]


def _interactions(payload: Payload, given: Given) -> list[Any]:
    first = given["first"]
    if first is None:
        raise BadUserInput("`first` must not be null; leave it out.")
    return payload.outcome.interactions[:first]


def _main_interaction(payload: Payload, *_: Any) -> Any:
    told = payload.outcome.interactions
    subject = payload.outcome.subject
    about = [one for one in told if subject and one.primary_entity_id == subject.id]
    return next(iter(about or told), None)


def _common_fields() -> dict[str, Any]:
    interaction: Any = shown_as(models.Interaction)
    return {
        "interaction": row_field(
            maybe(interaction),
            _main_interaction,
            "How the log tells it; null where nothing was changed.",
        ),
        "interactions": row_field(
            list[interaction],
            _interactions,
            "How the log tells all that was done, in order.",
            [argument("first", int, "How many at most.", 20)],
        ),
        "replayed": row_field(
            bool,
            lambda payload, *_: payload.outcome.replayed,
            "Whether it was done before, with the same idempotency key.",
        ),
        "user_errors": row_field(
            list[UserError],
            lambda payload, *_: payload.errors,
            "Why it was refused; empty where it was done.",
        ),
    }


def payload_type(name: str, fields: Mapping[str, Any]) -> Any:
    """The type of a mutation's answer, with `fields` of its own."""
    return object_type(
        name,
        f"What `{name[0].lower()}{name[1:].removesuffix('Payload')}` has done.",
        {**fields, **_common_fields()},
    )


def secret_field(description: str) -> Any:
    """The field with what is shown once."""
    return row_field(
        maybe(str),
        lambda payload, *_: payload.outcome.secret,
        f"{description} It is shown once, and kept nowhere; null where it was refused, "
        "or only rehearsed.",
    )


def subject_field(model: type[models.Base]) -> Any:
    """The field with the row that was changed."""
    return row_field(
        maybe(shown_as(model)),
        lambda payload, *_: (
            None if payload.outcome.deleted else payload.outcome.subject
        ),
        f"The {model.__name__} as it is now; null where it was refused.",
    )


def deleted_id_field(model: type[models.Base]) -> Any:
    """The field with the id of the row that was deleted."""

    def answer(payload: Payload, *_: Any) -> str | None:
        key = payload.outcome.extra.get("id")
        return key and global_id(model.__name__, UUID(key))

    return row_field(
        maybe(strawberry.ID),
        answer,
        f"The id that the {model.__name__} had; null where it was refused.",
    )
