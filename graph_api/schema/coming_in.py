"""Coming in: the mutations that nobody needs a credential for, as they give one."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from graph_api import models
from graph_api.errors import Invalid, WriteRefused
from graph_api.ids import global_id
from graph_api.schema.context import Context
from graph_api.schema.fields import Input, argument, input_type, maybe, row_field
from graph_api.schema.mutations import row_id
from graph_api.schema.payloads import Payload, payload_type, secret_field
from graph_api.schema.sources import Performed
from graph_api.services.credentials import Bearer
from graph_api.services.joining import joined, signed_in
from graph_api.services.unit_of_work import Outcome

Given = Mapping[str, Any]
ComeIn = Callable[[Context, Given], Awaitable[tuple[Bearer, Outcome]]]


def _extra(name: str) -> Any:
    return lambda payload, *_: payload.outcome.extra.get(name)


_FIELDS = {
    "token": secret_field("What to send as `Authorization: Bearer …`."),
    "expires_at": row_field(
        maybe(datetime), _extra("expires_at"), "Until when the token is good."
    ),
    "user_id": row_field(
        maybe(strawberry.ID), _extra("user_id"), "The id of the user who came in."
    ),
    "workspace_id": row_field(
        maybe(strawberry.ID),
        _extra("workspace_id"),
        "The id of the workspace that the token is for. With another one in the header "
        "`X-Workspace`, it leads there, where its user is a member.",
    ),
}


def _coming_in(
    name: str, description: str, inputs: Mapping[str, Input], come_in: ComeIn
) -> Any:
    """A mutation that answers with a token for whoever `come_in` lets in."""
    title = name[0].upper() + name[1:]
    payload = payload_type(f"{title}Payload", _FIELDS)
    takes = input_type(f"{title}Input", f"What `{name}` takes.", inputs)

    async def run(context: Context, arguments: dict[str, Any]) -> Payload:
        given = arguments["input"]
        try:
            if context.signer is None or context.attempts is None:
                raise Invalid(
                    "This server has no accounts: whoever reaches it is the owner. "
                    "GRAPH_API_ACCOUNTS=1 turns them on."
                )
            await context.attempts.take(given.get("login") or given["username"])
            bearer, outcome = await come_in(context, given)
        except WriteRefused as error:
            return Payload(errors=(error,))
        token, expires_at = context.signer.token(bearer.user_id, bearer.workspace_id)
        outcome.secret = token
        outcome.extra = {
            "expires_at": expires_at,
            "user_id": global_id("User", bearer.user_id),
            "workspace_id": global_id("Workspace", bearer.workspace_id),
        }
        return Payload(outcome)

    what = argument("input", takes, "What to come in by.")
    return row_field(maybe(payload), Performed(run), description, [what], name)


async def _sign_in(context: Context, given: Given) -> tuple[Bearer, Outcome]:
    workspace: UUID | None = None
    if given.get("workspaceId") is not None:
        workspace = row_id(models.Workspace, given, "workspaceId")
    return await signed_in(
        context.database,
        given["login"],
        given["password"],
        workspace,
        context.caller.request_id,
    )


async def _accept(context: Context, given: Given) -> tuple[Bearer, Outcome]:
    return await joined(
        context.database,
        code=given["code"],
        username=given["username"],
        password=given["password"],
        full_name=given.get("fullName"),
        request_id=context.caller.request_id,
    )


@strawberry.type
class ComingInMutations:
    """The ways in."""

    sign_in = _coming_in(
        "signIn",
        "Get a token for a username and a password. Ten attempts a minute are let pass "
        "for a name.",
        {
            "login": Input(str, "The username, or the e-mail address."),
            "password": Input(str, "The password."),
            "workspaceId": Input(
                maybe(strawberry.ID),
                "The id of the workspace; the first that you became a member of if "
                "left out.",
            ),
        },
        _sign_in,
    )
    accept_invitation = _coming_in(
        "acceptInvitation",
        "Become a member of the workspace that the code of an invitation is of, as the "
        "user that you are, or as a new one.",
        {
            "code": Input(str, "What `inviteMember` has shown."),
            "username": Input(
                str, "Yours, or the one that you want to have if you are new."
            ),
            "password": Input(
                str, "Yours; if you are new, one of 12 characters or more."
            ),
            "fullName": Input(maybe(str), "The name to show, if you are new."),
        },
        _accept,
    )
