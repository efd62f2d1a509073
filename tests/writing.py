"""Mutations in tests: sent by name, what they answer, and what is there afterwards."""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg
from running import Run

from graph_api.caller import Caller
from graph_api.ids import global_id
from graph_api.models import Base, Entity, Tenant
from graph_api.reading.columns import table_of

Admin = asyncpg.Connection
Json = dict[str, Any]

ERRORS = """
    userErrors {
      __typename code path
      ... on ConflictError { version current { uuid } }
      ... on InvalidTransitionError { from to allowed }
      ... on DuplicateError { existing { uuid } }
    }
"""

# Rows that are told as changes of the document that they belong to.
PARTS = {"document_links", "document_tags", "hash_index"}

TABLES = sorted(
    table_of(mapper.class_).name
    for mapper in Base.registry.mappers
    if issubclass(mapper.class_, Tenant)
)
# What is told as well, though the database does not see to it: whose rows are told of
# what, and where they are found.
_OF_MEMBERS = "IN (SELECT user_id FROM workspace_members WHERE workspace_id = $1)"
ACCESS = (
    ("api_keys", "id", "workspace_id = $1"),
    ("invitations", "id", "workspace_id = $1"),
    ("workspace_members", "id", "workspace_id = $1"),
    ("workspaces", "id", "id = $1"),
    ("users", "id", f"id {_OF_MEMBERS}"),
    ("user_passwords", "user_id", f"user_id {_OF_MEMBERS}"),
)
AUDITED = sorted(
    table_of(mapper.class_).name
    for mapper in Base.registry.mappers
    if issubclass(mapper.class_, Entity)
)


async def write(run: Run, mutation: str, answer: str = "", /, **given: Any) -> Json:
    """The payload of a mutation: what `answer` selects, and its `userErrors`."""
    body = await send(run, mutation, answer, given)
    assert "errors" not in body, body["errors"]
    payload: Json = body["data"][mutation]
    return payload


async def send(run: Run, mutation: str, answer: str, given: Mapping[str, Any]) -> Json:
    """The whole response to a mutation."""
    return await run(
        f"mutation ($input: {input_type(mutation)}!) "
        f"{{ {mutation}(input: $input) {{ {answer} {ERRORS} }} }}",
        input=dict(given),
    )


def input_type(mutation: str) -> str:
    return f"{mutation[0].upper()}{mutation[1:]}Input"


def refusal(type: str, code: str, *path: str, **details: Any) -> Json:
    """A mutation's only user error, and nothing beside it."""
    error = {"__typename": type, "code": code, "path": ["input", *path], **details}
    return {"userErrors": [error]}


def invalid(*path: str) -> Json:
    return refusal("ValidationError", "VALIDATION", *path)


def not_found(*path: str) -> Json:
    return refusal("NotFoundError", "NOT_FOUND", *path)


def duplicate(existing: Entity, *path: str) -> Json:
    there_is = {"uuid": str(existing.id)}
    return refusal("DuplicateError", "DUPLICATE", *path, existing=there_is)


def conflict(current: Entity, version: int) -> Json:
    return refusal(
        "ConflictError",
        "CONFLICT",
        "expectedVersion",
        version=version,
        current={"uuid": str(current.id)},
    )


def id_of(row: Any) -> str:
    """The global id of a row."""
    return global_id(type(row).__name__, row.id)


def user_of(caller: Caller) -> str:
    """The global id of the caller's user."""
    assert caller.user_id is not None
    return global_id("User", caller.user_id)


async def stored(admin: "Admin[Any]", run: Run) -> dict[str, list[str]]:
    """All that is stored in the caller's workspace, by table."""
    return {table: await _rows(admin, run, table) for table in TABLES}


async def _rows(admin: "Admin[Any]", run: Run, table: str) -> list[str]:
    found = await admin.fetch(
        f"SELECT to_jsonb(t)::text FROM {table} t WHERE workspace_id = $1 ORDER BY 1",
        run.caller.workspace_id,
    )
    return [row[0] for row in found]


async def entities(admin: "Admin[Any]", run: Run) -> set[tuple[UUID, str]]:
    """Each row that is audited, with what it holds; parts with their document."""
    held = set[tuple[UUID, str]]()
    for table in (*AUDITED, *sorted(PARTS)):
        key = "document_id" if table in PARTS else "id"
        held |= {
            (row[0], row[1])
            for row in await admin.fetch(
                f"SELECT {key}, '{table}' || to_jsonb(t)::text FROM {table} t "
                "WHERE workspace_id = $1",
                run.caller.workspace_id,
            )
        }
    for table, key, condition in ACCESS:
        held |= {
            (row[0], row[1])
            for row in await admin.fetch(
                f"SELECT {key}, '{table}' || to_jsonb(t)::text FROM {table} t "
                f"WHERE {condition}",
                run.caller.workspace_id,
            )
        }
    return held


async def log(admin: "Admin[Any]", run: Run) -> list[Any]:
    """The interactions of the caller's workspace, in order."""
    return await admin.fetch(
        "SELECT * FROM interactions WHERE workspace_id = $1 ORDER BY position",
        run.caller.workspace_id,
    )


async def types(admin: "Admin[Any]", run: Run) -> "Counter[str]":
    """How often the log has interactions of each type."""
    return Counter(row["type"] for row in await log(admin, run))
