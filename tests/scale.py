"""Many rows for many workspaces, and how statements would be planned among them.

The rows are made by the database, from numbers; what they say is of no interest, only
how many there are, how they lead to each other, and how many are NULL or alike.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID
from zlib import crc32

import asyncpg
from sqlalchemy import Column
from world import tables, target_of

from graph_api.caller import Caller
from graph_api.database.engine import Database
from graph_api.ids import global_id
from graph_api.models import (
    Base,
    EntityType,
    Membership,
    SubjectType,
    User,
    Workspace,
)
from graph_api.models.rules import Matching, Words
from graph_api.reading.columns import Kind, kind, table_of
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
    for model in _kinds():
        await admin.execute(_Filling(model, sizes).insert())
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
            driver = connection.driver
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


@dataclass(frozen=True)
class _Filling:
    """The SQL that makes the rows of `model` of two numbers, `g` and `w`.

    They are the row's within its workspace, and the workspace's.
    """

    model: type[Base]
    sizes: Sizes

    def insert(self) -> str:
        columns = {
            column.name: self._or_null(column)
            for column in table_of(self.model).columns
            if column.name not in _LEFT_OUT
        }
        return (
            f"INSERT INTO {table_of(self.model).name} ({', '.join(columns)}) "
            f"SELECT {', '.join(columns.values())} FROM ({self._numbers()}) _ "
            "ON CONFLICT DO NOTHING"
        )

    def _numbers(self) -> str:
        last = WORKSPACES - 1
        if self.model is Workspace:
            return f"SELECT 0 AS g, w FROM generate_series(0, {last}) w"
        first, others = self.sizes.of(self.model) - 1, self.sizes.others - 1
        return (
            f"SELECT g, 0 AS w FROM generate_series(0, {first}) g UNION ALL "
            f"SELECT g, w FROM generate_series(0, {others}) g, "
            f"generate_series(1, {last}) w"
        )

    def _or_null(self, column: Column[Any]) -> str:
        value = self._value(column)
        if not column.nullable:
            return value
        return f"CASE WHEN {_hash(column, 1)} % 10 < 4 THEN NULL ELSE {value} END"

    def _value(self, column: Column[Any]) -> str:
        rule, number = column.info.get("rule"), _hash(column)
        if column.name in _ODD:
            return _ODD[column.name]
        if column.info.get("entity_type"):
            return self._any_entity(column)
        if isinstance(column.type, Words):
            is_kind = column.type.words in {EntityType, SubjectType}
            known = EntityType if is_kind else column.type.words
            words = [f"'{word.value}'" for word in known]
            # The kind of an entity must fit its key, in the column beside it.
            place = "g" if is_kind else number
            return f"(ARRAY[{', '.join(words)}])[1 + {place} % {len(words)}]"
        if isinstance(rule, Matching):
            return _SHA256 if "64" in rule.pattern else "'#aabbcc'"
        if kind(column) is Kind.ID:
            return self._key(column)
        value = _VALUES[kind(column)].format(number)
        length = getattr(column.type, "length", None)
        return value if length is None else f"left({value}, {length})"

    def _key(self, column: Column[Any]) -> str:
        """The key of the row, of its workspace, or of any that it may refer to."""
        if column.name == "id":
            return _key(self.model, "g")
        if column.name == "workspace_id":
            return _key(Workspace, "")
        if self.model is Membership:
            return _key(User, "g")
        target = target_of(self.model, column.key)
        return f"nullif({self._some(target, column)}, {_key(self.model, 'g')})"

    def _any_entity(self, column: Column[Any]) -> str:
        cases = " ".join(
            f"WHEN {place} THEN {self._some(ENTITY_MODELS[word], column)}"
            for place, word in enumerate(EntityType)
        )
        return f"CASE g % {len(EntityType)} {cases} END"

    def _some(self, model: type[Base], column: Column[Any]) -> str:
        """The key of any row of `model` in the same workspace."""
        count = (
            f"CASE w WHEN 0 THEN {self.sizes.of(model)} ELSE {self.sizes.others} END"
        )
        return _key(model, f"{_hash(column)} % ({count})")


_SHA256 = "encode(sha256(convert_to(w || ' ' || g, 'UTF8')), 'hex')"
_EPOCH = "timestamptz '2026-01-01'"
_VALUES = {
    Kind.TEXT: "'t' || w || ' ' || {}",
    Kind.INT: "1 + {} % 99",
    Kind.BIG_INT: "{} % 1000000",
    Kind.FLOAT: "({} % 1000) / 1000.0",
    Kind.DECIMAL: "({} % 1000) / 100.0",
    Kind.BOOLEAN: "{} % 10 > 0",
    Kind.TIME: _EPOCH + " + {} % 10000000 * interval '1 s'",
    Kind.JSON: "'{{}}'::jsonb",
    Kind.TEXTS: "ARRAY['d' || {} % 20]",
}
# Rows are made one after another; all else about them comes in any order.
_ODD = {
    "created_at": _EPOCH + " + g * interval '1 s'",
    "related_entities": "'[]'::jsonb",
    "end_offset": "100",
    "scopes": "ARRAY['read']",
}


def _kinds() -> dict[type[Base], int]:
    models: list[type[Base]] = [Workspace, *tables()]
    return {model: kind for kind, model in enumerate(models, 1)}


def _key(model: type[Base], number: str) -> str:
    """The key of a row by its number, which is unique in all workspaces."""
    if model is Workspace:
        return f"pg_temp.key({_kinds()[model]}, w)"
    return f"pg_temp.key({_kinds()[model]}, w * 1000000::bigint + {number})"


def _hash(column: Column[Any], salt: int = 0) -> str:
    """A number that has nothing to do with those of other columns."""
    return f"abs(hashint8(g + {crc32(column.name.encode()) + salt})::bigint)"
