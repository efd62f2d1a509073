"""Many rows for many workspaces, and how statements would be planned among them.

The rows are made by the database, from numbers; what they say is of no interest, only
how many there are, how they lead to each other, and how many are NULL or alike.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

import asyncpg
from sqlalchemy import Column
from world import tables

from graph_api.caller import Caller
from graph_api.database.engine import Database
from graph_api.ids import global_id
from graph_api.models import Base, EntityType, Membership, User, Workspace
from graph_api.models.rules import Matching, Words
from graph_api.reading.columns import Kind, kind, referred_model, table_of
from graph_api.schema.entity import ENTITY_MODELS

# The first workspace is the one that is read.
WORKSPACES = 51

# The columns of an index that a plan compares with something.
CONDITION = re.compile(r"\((\w+)(?:\)::\w+)? ")

# What the service fills in, or nobody: left to the columns' defaults.
_LEFT_OUT = {"position", "xid", "search", "text", "extraction_data", "embedding"}

KEY = """
CREATE FUNCTION pg_temp.key(kind int, number bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex(kind), 8, '0') || '00007000'
        || lpad(to_hex(number), 16, '0'))::uuid
$$
"""


@dataclass
class Sizes:
    """How many rows of each kind the first workspace has, and each of the others."""

    first: dict[type[Base], int]
    usual: int
    others: int

    def of(self, model: type[Base]) -> int:
        return self.first.get(model, self.usual)


async def fill(admin: "asyncpg.Connection[Any]", sizes: Sizes) -> None:
    """Write rows into all tables of all workspaces, and let the planner know."""
    await admin.execute(KEY)
    await admin.execute("SET session_replication_role = replica")
    for model in (Workspace, *tables()):
        await admin.execute(_insert(model, sizes))
    await admin.execute("RESET session_replication_role")
    await admin.execute("VACUUM ANALYZE")


def key_in_first(model: type[Base], number: int) -> UUID:
    """The key of a row in the first workspace, counting from 0."""
    return UUID(f"{_kinds()[model]:08x}00007000{number:016x}")


def reader() -> Caller:
    """A member of the first workspace."""
    return Caller(key_in_first(Workspace, 0), key_in_first(User, 0))


def ids(model: type[Base], numbers: range) -> list[str]:
    """Global ids of rows in the first workspace."""
    return [global_id(model.__name__, key_in_first(model, n)) for n in numbers]


@dataclass(frozen=True)
class Plan:
    """A node of a plan, with those below it."""

    node: dict[str, Any]

    @classmethod
    async def of(cls, database: Database, statement: str) -> Self:
        """How the server would run a statement: with no value known."""
        async with database.connect(reader().workspace_id) as connection:
            driver = await connection.driver
            await driver.execute(f"PREPARE planned AS {statement}")
            count = max(map(int, re.findall(r"\$(\d+)", statement)), default=0)
            nulls = f"({', '.join(['NULL'] * count)})" if count else ""
            explained = await driver.fetchval(
                f"EXPLAIN (FORMAT JSON) EXECUTE planned{nulls}"
            )
            await driver.execute("DEALLOCATE planned")
        return cls(explained[0]["Plan"])

    @property
    def below(self) -> list["Plan"]:
        return [Plan(node) for node in self.node.get("Plans", ())]

    def walk(self) -> Iterator["Plan"]:
        yield self
        for plan in self.below:
            yield from plan.walk()

    @property
    def type(self) -> str:
        return str(self.node["Node Type"])

    @property
    def indexes(self) -> set[str]:
        """The indexes that it reads."""
        return {p.node["Index Name"] for p in self.walk() if "Index Name" in p.node}

    @property
    def whole_tables(self) -> set[str]:
        """The tables that it reads from end to end."""
        return {p.node["Relation Name"] for p in self.walk() if p.type == "Seq Scan"}

    @property
    def whole_workspaces(self) -> set[str]:
        """The tables of which it reads all that a workspace has."""
        return {
            plan.node.get("Relation Name", plan.node["Index Name"])
            for plan in self.walk()
            if "Index Name" in plan.node
            and set(CONDITION.findall(plan.node.get("Index Cond", "")))
            <= {"workspace_id"}
        }

    def sorts(self, more_than: int = 0) -> list[str]:
        """What it sorts with no bound, where it expects `more_than` so many rows."""
        return [
            str(plan.node["Sort Key"])
            for plan in self.walk()
            if "Sort" in plan.type
            and plan.node["Plan Rows"] > more_than
            and any(map(Plan._reads_all, plan.below))
        ]

    def _reads_all(self) -> bool:
        if self.type == "Limit":
            return False
        return "Relation Name" in self.node or any(map(Plan._reads_all, self.below))

    def __str__(self) -> str:
        return "\n".join(self._lines(0))

    def _lines(self, depth: int) -> Iterator[str]:
        shown = ("Index Name", "Relation Name", "Index Cond", "Filter", "Sort Key")
        said = [f"{self.node[name]}" for name in shown if name in self.node]
        yield f"{'  ' * depth}{self.type} {self.node['Plan Rows']} {' | '.join(said)}"
        for plan in self.below:
            yield from plan._lines(depth + 1)


def _insert(model: type[Base], sizes: Sizes) -> str:
    table = table_of(model)
    columns = {
        column.name: _expression(model, column, sizes)
        for column in table.columns
        if column.name not in _LEFT_OUT
    }
    if model is Workspace:
        numbers = f"(SELECT 0 AS g, w FROM generate_series(0, {WORKSPACES - 1}) w)"
    else:
        numbers = (
            f"(SELECT g, 0 AS w FROM generate_series(0, {sizes.of(model) - 1}) g "
            f"UNION ALL SELECT g, w FROM generate_series(0, {sizes.others - 1}) g, "
            f"generate_series(1, {WORKSPACES - 1}) w)"
        )
    return (
        f"INSERT INTO {table.name} ({', '.join(columns)}) "
        f"SELECT {', '.join(columns.values())} FROM {numbers} _ "
        "ON CONFLICT DO NOTHING"
    )


def _kinds() -> dict[type[Base], int]:
    return {model: kind for kind, model in enumerate((Workspace, *tables()), 1)}


def _key(model: type[Base], number: str) -> str:
    """The key of a row by its number, which is unique in all workspaces."""
    if model is Workspace:
        return f"pg_temp.key({_kinds()[model]}, w)"
    return f"pg_temp.key({_kinds()[model]}, w * 1000000::bigint + {number})"


def _some(model: type[Base], sizes: Sizes, salt: int) -> str:
    """The key of any row of `model` in the same workspace."""
    count = f"CASE w WHEN 0 THEN {sizes.of(model)} ELSE {sizes.others} END"
    return _key(model, f"abs(hashint8(g + {salt})::bigint) % ({count})")


def _expression(model: type[Base], column: Column[Any], sizes: Sizes) -> str:
    if column.name == "workspace_id":
        return _key(Workspace, "")
    if column.name == "id":
        return _key(model, "g")
    if model is Membership and column.name == "user_id":
        return _key(User, "g")
    salt = len(column.name) * 7919
    value = _value(model, column, sizes, salt)
    if not column.nullable:
        return value
    return f"CASE WHEN abs(hashint8(g + {salt + 1})::bigint) % 10 < 4 THEN NULL ELSE {value} END"


def _value(model: type[Base], column: Column[Any], sizes: Sizes, salt: int) -> str:
    number = f"abs(hashint8(g + {salt})::bigint)"
    if isinstance(column.type, Words):
        words = ", ".join(f"'{word.value}'" for word in column.type.words)
        if column.info.get("entity_type") or column.name.endswith("entity_type"):
            return f"(ARRAY[{words}])[1 + g % {len(column.type.words)}]"
        return f"(ARRAY[{words}])[1 + {number} % {len(column.type.words)}]"
    if column.info.get("entity_type"):
        return _any_entity(sizes, salt)
    rule = column.info.get("rule")
    if isinstance(rule, Matching) and "64" in rule.pattern:
        return "encode(sha256(convert_to(w || ' ' || g, 'UTF8')), 'hex')"
    if isinstance(rule, Matching):
        return "'#aabbcc'"
    return {
        Kind.ID: lambda: _another(model, column, sizes, salt),
        Kind.TEXT: lambda: f"'t' || w || ' ' || {number}",
        Kind.INT: lambda: "100" if column.name == "end_offset" else f"1 + {number} % 99",
        Kind.BIG_INT: lambda: f"{number} % 1000000",
        Kind.FLOAT: lambda: f"({number} % 1000) / 1000.0",
        Kind.DECIMAL: lambda: f"({number} % 1000) / 100.0",
        Kind.BOOLEAN: lambda: f"{number} % 10 > 0",
        Kind.TIME: lambda: f"timestamptz '2026-01-01' + {_seconds(column)} * interval '1 s'",
        Kind.JSON: lambda: "'[]'::jsonb" if column.name == "related_entities" else "'{}'::jsonb",
        Kind.TEXTS: lambda: f"ARRAY['d' || {number} % 20]",
        Kind.FLOATS: lambda: "NULL",
    }[kind(column)]()


def _seconds(column: Column[Any]) -> str:
    # Rows are made one after another; all else about them comes in any order.
    return "g" if column.name == "created_at" else f"(abs(hashint8(g)::bigint) % 10000000)"


def _another(
    model: type[Base], column: Column[Any], sizes: Sizes, salt: int
) -> str:
    return f"nullif({_some(_target(model, column), sizes, salt)}, {_key(model, 'g')})"


def _target(model: type[Base], column: Column[Any]) -> type[Base]:
    try:
        target = referred_model(model, column.key)
    except TypeError:
        return User
    return User if target is Membership else target


def _any_entity(sizes: Sizes, salt: int) -> str:
    """The key of an entity whose kind is in the column beside it."""
    cases = " ".join(
        f"WHEN {place} THEN {_some(ENTITY_MODELS[word], sizes, salt)}"
        for place, word in enumerate(EntityType)
    )
    return f"CASE g % {len(EntityType)} {cases} END"
