"""With accounts: what lets in, whom, and where; and that nothing else does."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from factories import PASSWORD, Make
from starlette.applications import Starlette
from writing import Admin, id_of, log

from graph_api import passwords
from graph_api.auth import Accounts
from graph_api.caller import Caller
from graph_api.config import Settings
from graph_api.database.engine import Database
from graph_api.errors import Unauthenticated
from graph_api.execution.limits import Limits
from graph_api.execution.operation import Executor
from graph_api.http import graphql_endpoint, guarded, routes
from graph_api.ids import global_id
from graph_api.keys import new_key
from graph_api.permissions import SCOPES, MemberRole
from graph_api.quotas import Attempts
from graph_api.quotas.buckets import InProcess
from graph_api.schema import graphql_schema
from graph_api.schema.context import Context, Surroundings
from graph_api.services.api_keys import ApiKeys
from graph_api.services.members import Invitations
from graph_api.tokens import Signer

WHO = "{ viewer { user { id } workspace { id } scopes } }"
SIGN_IN = """
    mutation ($input: SignInInput!) {
      signIn(input: $input) {
        token expiresAt userId workspaceId
        userErrors { __typename code message path }
      }
    }
"""
ACCEPT = """
    mutation ($input: AcceptInvitationInput!) {
      acceptInvitation(input: $input) {
        token userId workspaceId userErrors { code message path }
      }
    }
"""
Json = dict[str, Any]


@dataclass(frozen=True)
class Web:
    """The server with accounts, asked over HTTP."""

    client: httpx.AsyncClient

    async def post(
        self, query: str, credential: str | None = None, /, **given: Any
    ) -> httpx.Response:
        headers = given.pop("headers", {})
        if credential is not None:
            headers = {"authorization": f"Bearer {credential}", **headers}
        body = {"query": query, "variables": given}
        return await self.client.post("/graphql", json=body, headers=headers)

    async def data(
        self, query: str, credential: str | None = None, /, **given: Any
    ) -> Json:
        answer = (await self.post(query, credential, **given)).json()
        assert "errors" not in answer, answer
        data: Json = answer["data"]
        return data

    async def sign_in(self, login: str, password: str, **more: Any) -> Json:
        given = {"login": login, "password": password, **more}
        answer: Json = (await self.data(SIGN_IN, input=given))["signIn"]
        return answer


@pytest.fixture
async def web(surroundings: Surroundings, settings: Settings) -> AsyncIterator[Web]:
    given = settings.model_copy(
        update={
            "graph_api_accounts": True,
            "allowed_origins": ("https://app.example.org",),
        }
    )
    signer, attempts = Signer.of(given), Attempts(InProcess(lambda: 0.0))
    with_accounts = replace(surroundings, signer=signer, attempts=attempts)

    async def make_context(caller: Caller) -> Context:
        return Context(with_accounts, caller)

    executor = Executor(graphql_schema, Limits.of(given), timeout_s=30)
    door = Accounts(surroundings.database, signer, None)
    endpoint = graphql_endpoint(executor, given, make_context, door)
    app = guarded(Starlette(routes=routes(endpoint, given, ready)), endpoint, given)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="https://graph.example.org"
    ) as client:
        yield Web(client)


async def ready() -> dict[str, bool]:
    return {}


@pytest.fixture
async def username(admin: "Admin[Any]", caller: Caller, make: Make) -> str:
    """The name of the caller, who has a password."""
    await make.password()
    found = await admin.fetchval(
        "SELECT username FROM users WHERE id = $1", caller.user_id
    )
    return str(found)


async def new_key_of(make: Make, **values: Any) -> str:
    given = {"name": "sync", "scopes": ["read", "documents:write"], **values}
    return (await make.secret(ApiKeys, "create", given))[1]


def refused(response: httpx.Response) -> tuple[int, str]:
    (error,) = response.json()["errors"]
    return response.status_code, error["extensions"]["code"]


# Keys


async def test_a_key_lets_in_its_member_with_what_it_names(
    web: Web, make: Make, caller: Caller
) -> None:
    key = await new_key_of(make)

    viewer = (await web.data(WHO, key))["viewer"]

    assert caller.user_id
    assert viewer == {
        "user": {"id": global_id("User", caller.user_id)},
        "workspace": {"id": global_id("Workspace", caller.workspace_id)},
        "scopes": ["documents:write", "read"],
    }


async def test_what_a_key_does_is_told_of_it(
    web: Web, make: Make, admin: "Admin[Any]", caller: Caller, run: Any
) -> None:
    key = await new_key_of(make)

    await web.data('mutation { createTag(input: {name: "tax"}) { replayed } }', key)

    told = (await log(admin, run))[-1]
    assert (told["type"], told["actor_type"], told["actor_label"]) == (
        "tag.created",
        "agent",
        "sync",
    )
    assert told["actor_id"] == caller.user_id


async def test_a_key_can_do_no_more_than_its_member(
    web: Web, make: Make, admin: "Admin[Any]"
) -> None:
    member = await make.member(MemberRole.EDITOR)
    key = await new_key_of(make, user_id=member.user_id)
    await admin.execute(
        "UPDATE workspace_members SET role = 'viewer' WHERE id = $1", member.id
    )

    viewer = (await web.data(WHO, key))["viewer"]

    assert viewer["scopes"] == ["read"]


@pytest.mark.parametrize("what", ["revoked", "expired", "left", "inactive"])
async def test_a_key_that_lets_nobody_in_any_more_is_refused(
    web: Web, make: Make, admin: "Admin[Any]", what: str
) -> None:
    member = await make.member()
    key = await new_key_of(make, user_id=member.user_id)
    before = await web.post(WHO, key)
    await admin.execute(
        {
            "revoked": "UPDATE api_keys SET revoked_at = now() WHERE user_id = $1",
            "expired": "UPDATE api_keys SET expires_at = now() WHERE user_id = $1",
            "left": "UPDATE workspace_members SET left_at = now() WHERE user_id = $1",
            "inactive": "UPDATE users SET is_active = false WHERE id = $1",
        }[what],
        member.user_id,
    )

    await asyncio.sleep(0.9)

    assert before.status_code == 200
    assert refused(await web.post(WHO, key)) == (401, "UNAUTHENTICATED")


async def test_a_revoked_key_is_refused_within_a_second(web: Web, make: Make) -> None:
    key, own = (
        await new_key_of(make),
        await new_key_of(make, scopes=["workspace:admin"]),
    )
    keys = await web.data("{ apiKeys { nodes { id prefix } } }", own)
    (id,) = [one["id"] for one in keys["apiKeys"]["nodes"] if one["prefix"] in key]
    await web.data(WHO, key)
    await web.data(
        "mutation ($id: ID!) { revokeApiKey(input: {id: $id}) { replayed } }",
        own,
        id=id,
    )

    await asyncio.sleep(0.9)

    assert refused(await web.post(WHO, key)) == (401, "UNAUTHENTICATED")
    assert (await web.post(WHO, own)).status_code == 200


async def test_wrong_keys_at_once_leave_connections_for_others(
    database_url: str, settings: Settings
) -> None:
    pool = {"pool_size": 5, "max_overflow": 0, "pool_timeout": 60.0}
    few = Database(database_url, settings.model_copy(update=pool))
    door = Accounts(few, Signer.of(settings), None)
    wrong = [f"Bearer gk_00000000_{number:043}" for number in range(1_000)]

    asking = asyncio.gather(
        *(door.caller(one, None, None) for one in wrong), return_exceptions=True
    )
    waiting = []
    while not asking.done():
        await asyncio.sleep(0.01)
        waiting.append(len(few._leases._waiting))
    await few.close()

    assert {type(one) for one in asking.result()} == {Unauthenticated}
    assert max(waiting) == 0


async def test_a_rotated_key_and_the_new_one_both_let_in_for_a_while(
    web: Web, make: Make
) -> None:
    admin_key = await new_key_of(make, scopes=["workspace:admin", "documents:write"])
    old = await new_key_of(make)
    keys = await web.data("{ apiKeys { nodes { id prefix } } }", admin_key)
    (id,) = [one["id"] for one in keys["apiKeys"]["nodes"] if one["prefix"] in old]

    rotated = await web.data(
        "mutation ($id: ID!) { rotateApiKey(input: {id: $id, overlapSeconds: 60}) "
        "{ secret userErrors { message } } }",
        admin_key,
        id=id,
    )

    new = rotated["rotateApiKey"]["secret"]
    answers = [(await web.post(WHO, key)).status_code for key in (old, new)]
    assert answers == [200, 200]
    assert new != old


async def test_the_use_of_a_key_is_noted_once_a_minute(
    web: Web, make: Make, admin: "Admin[Any]", caller: Caller
) -> None:
    key = await new_key_of(make)

    await web.data(WHO, key)
    await web.data(WHO, key)

    used = await admin.fetchval(
        "SELECT last_used_at FROM api_keys WHERE workspace_id = $1", caller.workspace_id
    )
    assert datetime.now(UTC) - used < timedelta(minutes=1)


async def test_a_key_makes_no_keys_unless_it_is_an_owners(web: Web, make: Make) -> None:
    create = (
        'mutation { createApiKey(input: {name: "b", scopes: ["read"]}) '
        "{ secret userErrors { code } } }"
    )
    plain = await new_key_of(make)
    owners = await new_key_of(make, scopes=["workspace:admin"])

    refusal = (await web.data(create, plain))["createApiKey"]
    made = (await web.data(create, owners))["createApiKey"]

    assert refusal == {"secret": None, "userErrors": [{"code": "FORBIDDEN"}]}
    assert made["secret"].startswith("gk_")


# Signing in


async def test_who_signs_in_gets_a_token_that_lets_in(
    web: Web, caller: Caller, username: str
) -> None:
    signed_in = await web.sign_in(username, PASSWORD)
    viewer = (await web.data(WHO, signed_in["token"]))["viewer"]

    assert signed_in["userErrors"] == []
    assert signed_in["userId"] == viewer["user"]["id"]
    assert signed_in["workspaceId"] == viewer["workspace"]["id"]
    assert viewer["workspace"]["id"] == global_id("Workspace", caller.workspace_id)
    assert "workspace:admin" in viewer["scopes"]


async def test_signing_in_is_told(
    web: Web, username: str, admin: "Admin[Any]", run: Any
) -> None:
    await web.sign_in(username, PASSWORD)

    assert [row["type"] for row in await log(admin, run)] == ["user.signed_in"]


@pytest.mark.parametrize("password", ["wrong horse battery", "", "x" * 2_000, "\x00"])
async def test_a_wrong_password_and_an_unknown_name_are_refused_alike(
    web: Web, username: str, password: str
) -> None:
    wrong = await web.post(SIGN_IN, input={"login": username, "password": password})
    unknown = await web.post(SIGN_IN, input={"login": "nobody", "password": password})

    assert wrong.json() == unknown.json()
    assert "token" not in str(wrong.json().get("data")) or (
        wrong.json()["data"]["signIn"]["token"] is None
    )


async def test_an_unknown_name_takes_the_same_work_as_a_wrong_password(
    web: Web, username: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = []
    verify = passwords._verified

    def counted(password: str, known: str) -> bool:
        verified.append(known.split("$")[:-2])
        return verify(password, known)

    monkeypatch.setattr(passwords, "_verified", counted)

    await web.sign_in(username, "wrong horse battery")
    await web.sign_in("nobody", "wrong horse battery")

    first, second = verified
    assert first == second  # The same algorithm with the same memory and passes.


async def test_ten_attempts_a_minute_are_let_pass_for_a_name(web: Web) -> None:
    given = {"login": "somebody", "password": "wrong"}

    answers = [await web.post(SIGN_IN, input=given) for _ in range(11)]

    assert [one.json().get("errors") for one in answers[:10]] == [None] * 10
    (error,) = answers[10].json()["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert error["extensions"]["retryAfter"] >= 1


async def test_a_member_of_two_workspaces_says_in_which_he_acts(
    web: Web, username: str, caller: Caller, stranger: Caller, admin: "Admin[Any]"
) -> None:
    await admin.execute(
        "INSERT INTO workspace_members (workspace_id, id, user_id, role) "
        "VALUES ($1, $2, $3, 'viewer')",
        stranger.workspace_id,
        new_key(),
        caller.user_id,
    )
    token = (await web.sign_in(username, PASSWORD))["token"]
    other = global_id("Workspace", stranger.workspace_id)

    here = (await web.data(WHO, token))["viewer"]
    there = (await web.data(WHO, token, headers={"x-workspace": other}))["viewer"]

    assert here["workspace"]["id"] == global_id("Workspace", caller.workspace_id)
    assert there["workspace"]["id"] == other
    assert there["scopes"] == ["read"]


@pytest.mark.parametrize("by", ["key", "token"])
async def test_another_workspace_is_refused_as_one_that_is_not_there(
    web: Web, make: Make, username: str, stranger: Caller, by: str
) -> None:
    credential = (
        await new_key_of(make)
        if by == "key"
        else (await web.sign_in(username, PASSWORD))["token"]
    )
    places = [str(stranger.workspace_id), str(new_key()), "nonsense", ""]

    answers = [
        await web.post(WHO, credential, headers={"x-workspace": place})
        for place in places
    ]

    assert {refused(one) for one in answers} == {(403, "FORBIDDEN_WORKSPACE")}
    assert len({one.content for one in answers}) == 1


# Nobody


@pytest.mark.parametrize(
    "query",
    [
        WHO,
        "{ parties { totalCount } }",
        "{ __schema { types { name } } }",
        "{ nonsense }",
        "{ ...F } fragment F on Query { viewer { scopes } }",
        'mutation { createTag(input: {name: "a"}) { replayed } }',
        "mutation { signIn(input: {}) { token } createTag(input: {}) { replayed } }",
    ],
)
async def test_nobody_may_ask_for_anything_but_a_way_in(web: Web, query: str) -> None:
    answer = await web.post(query)

    assert refused(answer) == (401, "UNAUTHENTICATED")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "nonsense" not in answer.text


async def test_that_the_server_is_there_is_no_secret(web: Web) -> None:
    assert await web.data("{ __typename }") == {"__typename": "Query"}
    assert (await web.client.get("/health")).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        "Bearer gk_00000000_" + "0" * 43,
        "Bearer gk_",
        "Bearer a.b.c",
        # Of a type that is a list.
        "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6WyJKV1QiXX0.e30.AAAA",
        "Bearer " + "x" * 9_000,
        "bearer \xff",
    ],
)
async def test_what_is_no_credential_is_refused_in_the_same_words(
    web: Web, header: str
) -> None:
    answer = await web.client.post(
        "/graphql",
        json={"query": "{ __typename }"},
        headers=[(b"authorization", header.encode("latin-1"))],
    )

    assert refused(answer) == (401, "UNAUTHENTICATED")
    assert "is unknown, or has expired" in answer.json()["errors"][0]["message"]


# Invitations


async def test_an_invitation_makes_a_member(
    web: Web, make: Make, caller: Caller
) -> None:
    given = {"email": "you@example.org", "role": MemberRole.VIEWER}
    _, code = await make.secret(Invitations, "invite", given)
    who = {"code": code, "username": f"you {new_key()}", "password": PASSWORD}

    accepted = (await web.data(ACCEPT, input=who))["acceptInvitation"]
    again = (await web.data(ACCEPT, input=who))["acceptInvitation"]

    viewer = (await web.data(WHO, accepted["token"]))["viewer"]
    assert viewer["workspace"]["id"] == global_id("Workspace", caller.workspace_id)
    assert viewer["scopes"] == ["read"]
    assert [error["path"] for error in again["userErrors"]] == [["input", "code"]]


async def test_who_has_an_account_accepts_with_its_password(
    web: Web, make: Make, stranger: Caller, username: str
) -> None:
    given = {"email": "you@example.org", "role": MemberRole.VIEWER}
    theirs = make.by(stranger)
    _, code = await theirs.secret(Invitations, "invite", given)
    who = {"code": code, "username": username}

    wrong = await web.data(ACCEPT, input={**who, "password": "wrong horse battery"})
    right = await web.data(ACCEPT, input={**who, "password": PASSWORD})

    assert wrong["acceptInvitation"]["token"] is None
    assert right["acceptInvitation"]["workspaceId"] == global_id(
        "Workspace", stranger.workspace_id
    )


# Secrets


async def test_no_secret_is_kept_told_or_logged(
    web: Web,
    make: Make,
    admin: "Admin[Any]",
    username: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    owners = await new_key_of(make, scopes=["workspace:admin"])
    created = await web.data(
        'mutation { createApiKey(input: {name: "b", scopes: ["read"]}) { secret } }',
        owners,
    )
    invited = await web.data(
        'mutation { inviteMember(input: {email: "a@b", role: VIEWER}) { secret } }',
        owners,
    )
    token = (await web.sign_in(username, PASSWORD))["token"]
    await web.post(WHO, token)

    secrets = [
        owners,
        created["createApiKey"]["secret"],
        invited["inviteMember"]["secret"],
        token,
        PASSWORD,
    ]
    tables = await admin.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'r' "
        "AND relnamespace = 'public'::regnamespace"
    )
    stored = ""
    for (table,) in tables:
        rows = await admin.fetch(f"SELECT to_jsonb(t)::text FROM {table} AS t")
        stored += "".join(row[0] for row in rows)
    assert [one for one in secrets if one in stored or one in caplog.text] == []


# Other origins


async def test_pages_of_an_allowed_origin_may_use_the_server(
    web: Web, make: Make
) -> None:
    key = await new_key_of(make)
    page = {"origin": "https://app.example.org", "sec-fetch-site": "cross-site"}

    asked = await web.client.options(
        "/graphql", headers={**page, "access-control-request-method": "POST"}
    )
    answer = await web.post(WHO, key, headers=page)
    others = await web.post(WHO, key, headers={"origin": "https://evil.example"})

    assert asked.status_code == 204
    assert "authorization" in asked.headers["access-control-allow-headers"]
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == page["origin"]
    assert refused(others) == (403, "CROSS_SITE")
    assert "access-control-allow-origin" not in others.headers


async def test_the_last_owner_stays(run: Any, make: Make, admin: "Admin[Any]") -> None:
    await make.member(MemberRole.EDITOR)
    own = await admin.fetchval(
        "SELECT id FROM workspace_members WHERE workspace_id = $1 AND role = 'owner'",
        run.caller.workspace_id,
    )

    answer = await run(
        "mutation ($id: ID!) { "
        "removeMember(input: {id: $id}) { userErrors { message } } "
        "changeMemberRole(input: {id: $id, role: VIEWER}) { userErrors { message } } }",
        id=global_id("Membership", own),
    )

    assert [
        [error["message"] for error in payload["userErrors"]]
        for payload in answer["data"].values()
    ] == [
        ["The last owner of a workspace stays its owner; make another one first."]
    ] * 2


async def test_of_the_keys_of_others_only_that_they_are_there_is_seen(
    run: Any, make: Make, caller: Caller
) -> None:
    key = await make.api_key()
    member = await make.member(MemberRole.EDITOR)
    editor = replace(caller, user_id=member.user_id, scopes=SCOPES[MemberRole.EDITOR])
    query = "{ apiKeys { nodes { id name prefix scopes } } }"

    own, others = await run(query), await run.by(editor)(query)

    seen = {"name": "sync", "prefix": key.prefix, "scopes": ["read"]}
    assert own["data"]["apiKeys"]["nodes"] == [{"id": id_of(key), **seen}]
    assert others["data"]["apiKeys"]["nodes"] == [
        {"id": id_of(key), **dict.fromkeys(seen)}
    ]
    assert others["extensions"]["redacted"] == [
        "ApiKey.name",
        "ApiKey.prefix",
        "ApiKey.scopes",
    ]
