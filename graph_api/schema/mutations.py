"""Mutations: a verb of a service, with an input, a payload, and the common terms."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from graph_api.errors import WriteRefused
from graph_api.models import Base, Entity
from graph_api.schema.context import Context
from graph_api.schema.fields import Input, argument, maybe, row_field
from graph_api.schema.inputs import (
    REQUIRED_VERSION,
    VERSION,
    an_id,
    input_of,
    read_id,
    terms_of,
    values_of,
    written,
)
from graph_api.schema.payloads import (
    Payload,
    deleted_id_field,
    payload_type,
    secret_field,
    subject_field,
)
from graph_api.schema.sources import Performed
from graph_api.services.entities import EntityService
from graph_api.services.performing import perform
from graph_api.services.unit_of_work import Outcome, Service
from graph_api.services.upserting import ManyRefused

Given = Mapping[str, Any]
Verb = Callable[[Any, Given], Awaitable[None]]


def mutation(
    name: str,
    service: type[Service],
    description: str,
    inputs: Mapping[str, Input],
    verb: Verb,
    *,
    answers: Mapping[str, Any] | None = None,
    secret: str | None = None,
) -> Any:
    """A mutation called `name`, which runs `verb(service, input)`.

    Its payload has a field for the row that it changed, or `answers` in its place. One
    that answers with a secret, which `secret` describes, or takes one, for which it is
    empty, takes no idempotency key: what is kept for another answer is no secret.
    """
    model: type[Base] = service.model
    title = name[0].upper() + name[1:]
    own = answers or {_snake(model.__name__): subject_field(model)}
    if secret:
        own = {"secret": secret_field(secret), **own}
    payload = payload_type(f"{title}Payload", own)
    takes = input_of(f"{title}Input", _takes(name), inputs, repeatable=secret is None)

    async def run(context: Context, arguments: dict[str, Any]) -> Payload:
        given = arguments["input"]
        try:
            terms = terms_of(name, given)
            outcome = await perform(
                lambda: context.service(service, terms),
                lambda one: verb(one, given),
                model,
                context.start_writing,
            )
        except ManyRefused as refused:
            errors = tuple(item.error for item in refused.items if item.error)
            return Payload(Outcome(items=refused.items), errors)
        except WriteRefused as error:
            return Payload(errors=(error,))
        return Payload(outcome)

    # Nullable: an error of one mutation must not take away the others' answers.
    what = argument("input", takes, "What to do.")
    return row_field(maybe(payload), Performed(run), description, [what], name)


def _takes(name: str) -> str:
    said = f"What `{name}` takes."
    if not name.startswith("update"):
        return said
    return f"{said} What is left out stays as it is; null empties what may be empty."


def create(
    service: type[EntityService[Any]], columns: tuple[str, ...], description: str
) -> Any:
    """The mutation that stores a new row, of which `columns` are given."""
    model = service.model

    async def verb(one: EntityService[Any], given: Given) -> None:
        await one.create(values_of(model, columns, given))

    return mutation(
        f"create{model.__name__}",
        service,
        description,
        written(model, columns, required=True),
        verb,
    )


def update(
    service: type[EntityService[Any]], columns: tuple[str, ...], description: str
) -> Any:
    """The mutation that changes some of `columns` of a row; absent ones stay."""
    model = service.model

    async def verb(one: EntityService[Any], given: Given) -> None:
        await one.update(
            row_id(model, given),
            values_of(model, columns, given),
            given.get("expectedVersion"),
        )

    return mutation(
        f"update{model.__name__}",
        service,
        description,
        {
            "id": an_id(model.__name__),
            **written(model, columns, required=False),
            "expectedVersion": VERSION,
        },
        verb,
    )


def delete(service: type[EntityService[Any]], description: str) -> Any:
    """The mutation that deletes a row with all that belongs to it."""
    model: type[Entity] = service.model

    async def verb(one: EntityService[Any], given: Given) -> None:
        await one.delete(row_id(model, given), given["expectedVersion"])

    return mutation(
        f"delete{model.__name__}",
        service,
        description,
        {"id": an_id(model.__name__), "expectedVersion": REQUIRED_VERSION},
        verb,
        answers={"deleted_id": deleted_id_field(model)},
    )


def row_id(model: type[Base], given: Given, name: str = "id") -> Any:
    """The key of the row of `model` that the input's field `name` means."""
    return read_id(given[name], model.__name__, name)


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
