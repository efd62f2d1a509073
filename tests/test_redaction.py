"""What only some may see: null for the others, who are told what it was."""

from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from factories import Make
from running import Run

from graph_api.caller import Caller
from graph_api.config import Settings
from graph_api.execution.limits import Limits
from graph_api.execution.operation import Executor
from graph_api.ids import global_id
from graph_api.keys import new_key
from graph_api.permissions import SCOPES, MemberRole
from graph_api.schema import graphql_schema

NEW_MEMBER = """
    WITH member AS (
        INSERT INTO users (id, username, email) VALUES ($1, $2, $3) RETURNING id
    )
    INSERT INTO workspace_members (workspace_id, id, user_id, role)
    SELECT $4, $5, id, $6 FROM member
"""
PRIVATE = "email preferences lastLoginAt"
REDACTED = ["User.email", "User.lastLoginAt", "User.preferences"]
HIDDEN = {"email": None, "preferences": None, "lastLoginAt": None}


@pytest.fixture(params=["planned", "resolved"])
def either_way(request: Any, settings: Settings, run: Run) -> Run:
    """What runs operations for the owner, by plans or by the reference path."""
    planning = request.param == "planned"
    limits = Limits.of(settings)
    executor = Executor(graphql_schema, limits, timeout_s=30, planning=planning)
    return replace(run, executor=executor)


async def member(
    admin: "asyncpg.Connection[Any]", caller: Caller, role: MemberRole
) -> Caller:
    """One more member of the caller's workspace, in a role."""
    user_id = new_key()
    name = f"user-{user_id}"
    email = f"{user_id}@example.org"
    values = (caller.workspace_id, new_key(), role.value)
    await admin.execute(NEW_MEMBER, user_id, name, email, *values)
    return replace(caller, user_id=user_id, scopes=SCOPES[role])


async def test_a_member_sees_what_is_private_of_himself_alone(
    either_way: Run, admin: "asyncpg.Connection[Any]", caller: Caller, make: Make
) -> None:
    viewer = await member(admin, caller, MemberRole.VIEWER)
    party = await make.party()
    await make.role(party_id=party.id, user_id=caller.user_id, role_name="a")
    await make.role(party_id=party.id, user_id=viewer.user_id, role_name="b")
    query = (
        f"{{ parties {{ nodes {{ roles {{ nodes {{ user {{ {PRIVATE} }} }} }} }} }} }}"
    )

    answer = await either_way.by(viewer)(query)

    (found,) = answer["data"]["parties"]["nodes"]
    theirs, own = (role["user"] for role in found["roles"]["nodes"])
    assert theirs == HIDDEN
    assert own == HIDDEN | {"email": f"{viewer.user_id}@example.org", "preferences": {}}
    assert answer["extensions"] == {"redacted": REDACTED}
    assert "errors" not in answer


async def test_an_owner_sees_all_of_it(
    either_way: Run, admin: "asyncpg.Connection[Any]", caller: Caller
) -> None:
    viewer = await member(admin, caller, MemberRole.VIEWER)
    query = f"query($id: ID!) {{ node(id: $id) {{ ... on User {{ {PRIVATE} }} }} }}"

    answer = await either_way(query, id=global_id("User", viewer.user_id or new_key()))

    email = f"{viewer.user_id}@example.org"
    assert answer == {
        "data": {"node": HIDDEN | {"email": email, "preferences": {}}},
    }


async def test_a_viewer_sees_himself_whole(
    either_way: Run, admin: "asyncpg.Connection[Any]", caller: Caller
) -> None:
    viewer = await member(admin, caller, MemberRole.VIEWER)

    answer = await either_way.by(viewer)("{ viewer { user { email } } }")

    email = f"{viewer.user_id}@example.org"
    assert answer == {"data": {"viewer": {"user": {"email": email}}}}


async def test_it_is_so_in_what_a_mutation_answers(
    either_way: Run, admin: "asyncpg.Connection[Any]", caller: Caller, make: Make
) -> None:
    editor = await member(admin, caller, MemberRole.EDITOR)
    role = await make.role(user_id=caller.user_id)
    query = (
        'mutation($id: ID!) { updateRole(input: {id: $id, roleName: "new"}) '
        "{ role { roleName user { email } } interaction { actor "
        "{ ... on User { email } } } } }"
    )

    answer = await either_way.by(editor)(query, id=global_id("Role", role.id))

    own = f"{editor.user_id}@example.org"
    assert answer == {
        "data": {
            "updateRole": {
                "role": {"roleName": "new", "user": {"email": None}},
                "interaction": {"actor": {"email": own}},
            }
        },
        "extensions": {"redacted": ["User.email"]},
    }


async def test_what_nobody_has_asked_for_is_not_told(
    either_way: Run, admin: "asyncpg.Connection[Any]", caller: Caller
) -> None:
    viewer = await member(admin, caller, MemberRole.VIEWER)

    answer = await either_way.by(viewer)("{ roles { nodes { user { email } } } }")

    assert answer == {"data": {"roles": {"nodes": []}}}


def test_nobody_compares_with_it() -> None:
    found: Any = graphql_schema.get_type("UserFilter")

    assert "username" in found.fields
    assert not {"email", "preferences", "lastLoginAt"} & set(found.fields)
