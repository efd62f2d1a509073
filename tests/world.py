"""Rows of every kind in one workspace, for tests of reading.

They lead to each other at random, with NULLs and with many that are alike, and are
written past services and log, as no client could: hundreds of them, in no time. What is
in a `World` is also what tests compare answers with.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from hypothesis import HealthCheck, settings
from sqlalchemy import Column, UniqueConstraint

from graph_api.caller import Caller
from graph_api.ids import global_id
from graph_api.keys import new_key
from graph_api.models import (
    Base,
    Document,
    Entity,
    FileHash,
    Interaction,
    Membership,
    User,
    Workspace,
)
from graph_api.models.rules import Among, Matching, Within, Words
from graph_api.reading.columns import Kind, column_of, kind, referred_model, table_of
from graph_api.reading.relations import Relation
from graph_api.schema.entity import ENTITY_MODELS
from graph_api.schema.registry import SHOWN

Row = dict[str, Any]

# Whatever has a meaning in SQL, LIKE, JSON or trigrams, and letters beyond ASCII.
TEXTS = (
    *("ant", "Ant", "ANTHILL", "ant hill", "bee", "50%", "50 percent", "5_0", "5x0"),
    *("a\\b", "it's", 'say "bee"', "ümlaut", "🐜", "$1", "{}", "null", " x"),
)
TAGS = ("tax", "home", "it's", 'a "b"', "50%", "{x,y}", "NULL", "")
NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
TIMES = (
    *(NOON, NOON + timedelta(microseconds=1), NOON + timedelta(days=1)),
    *(datetime(1970, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, tzinfo=UTC)),
)
DECIMALS = tuple(map(Decimal, ("0.0000", "0.0001", "0.3333", "12.5000", "999999.9999")))
FLOATS = (0.0, 0.1, 0.25, 0.5, 1.0)
SIZES = (0, 7, 2**31, 2**40, 2**53)
JSONS: tuple[Row, ...] = (
    {},
    {"a": 1},
    {"a": 1.0, "b": None},
    {"a": "1"},
    {"a": [1, 2, {"c": "x"}]},
    {"a": {"b": {"c": True}}, "n": 1e300},
    {"it's": 'a "b"', "": "\\"},
)
# The columns that the database fills, and that no test writes.
_FILLED = {"position", "xid"}
# What the database holds some columns to.
_ODD: dict[str, Sequence[Any]] = {
    "end_offset": (None, 100, 101),
    "related_entities": ([], [{"type": "party"}], [{"type": "tag"}, {"a": 1}]),
}
# Of these there is one for each row of another table.
_ONE_EACH: dict[type[Base], tuple[str, type[Base]]] = {
    Membership: ("user_id", User),
    FileHash: ("document_id", Document),
}


def repeatable(examples: int = 60) -> settings:
    """The same examples on every run, of rows that no example changes."""
    return settings(
        derandomize=True,
        deadline=None,
        max_examples=examples,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )


@dataclass
class World:
    """The rows of one workspace, by model, each by attribute."""

    caller: Caller
    rows: dict[type[Base], list[Row]] = field(default_factory=dict)

    def ids(self, model: type[Base]) -> list[str]:
        """The global ids of all rows of `model`, in the order of their keys."""
        keys = sorted(row["id"] for row in self.rows[model])
        return [global_id(model.__name__, key) for key in keys]

    def related(self, relation: Relation, row: Row) -> list[Row]:
        """The rows that `relation` leads to from `row`."""
        near, _, far = relation.name.partition(">")
        if relation.leaves_by != "id":
            return self._with(relation.target, "id", row[relation.leaves_by])
        found = self._naming(near, row["id"], relation)
        if not far:
            return found
        owner, attribute = far.split(".")
        if owner != near.split(".")[0]:
            return [one for link in found for one in self._naming(far, link["id"])]
        onward = (link[attribute] for link in found)
        return [one for k in onward for one in self._with(relation.target, "id", k)]

    def _naming(self, name: str, key: UUID, by: Relation | None = None) -> list[Row]:
        """The rows whose attribute `name` (`Role.party_id`) is `key`."""
        owner, attribute = name.split(".")
        model = next(model for model in self.rows if model.__name__ == owner)
        found = self._with(model, attribute, key)
        beside = column_of(model, attribute).info.get("entity_type")
        if beside is None or by is None:
            return found
        here = next(s.model for s in SHOWN.values() if by in s.relations.values())
        assert issubclass(here, Entity)
        return [row for row in found if row[beside] == here.entity_type().value]

    def _with(self, model: type[Base], attribute: str, key: UUID | None) -> list[Row]:
        rows = self.rows[model]
        return [row for row in rows if key is not None and row[attribute] == key]


async def populated(
    admin: "asyncpg.Connection[Any]", caller: Caller, each: int, seed: int = 1
) -> World:
    """A world with at most `each` rows of every kind, in the caller's workspace."""
    random = Random(seed)
    keys = {model: [new_key() for _ in range(each)] for model in tables()}
    if caller.user_id is not None:
        await admin.execute("DELETE FROM users WHERE id = $1", caller.user_id)
        keys[User][0] = caller.user_id
    world = World(caller, {Workspace: [{"id": caller.workspace_id}]})
    for model in tables():
        rows = [_row(model, key, keys, random) for key in keys[model]]
        if model in _ONE_EACH:
            attribute, of = _ONE_EACH[model]
            pairs = zip(rows, keys[of], strict=True)
            rows = [row | {attribute: key} for row, key in pairs]
        if model is Membership:
            rows = [row | {"workspace_id": caller.workspace_id} for row in rows]
        world.rows[model] = distinct(model, rows)
        await store(admin, caller, model, world.rows[model])
    await read_positions(admin, world)
    return world


async def store(
    admin: "asyncpg.Connection[Any]",
    caller: Caller,
    model: type[Base],
    rows: Sequence[Row],
) -> None:
    """Write rows as they are, with no trigger, log or foreign key to hinder."""
    if not rows:
        return
    tenant = "workspace_id" in table_of(model).c and "workspace_id" not in rows[0]
    columns = {a: column_of(model, a) for a in rows[0]}
    values = [
        [_written(row[a], c) for a, c in columns.items()]
        + ([caller.workspace_id] if tenant else [])
        for row in rows
    ]
    async with _unhindered(admin):
        await admin.copy_records_to_table(
            table_of(model).name,
            columns=[c.name for c in columns.values()]
            + (["workspace_id"] if tenant else []),
            records=values,
        )


async def remove(
    admin: "asyncpg.Connection[Any]", model: type[Base], rows: Sequence[Row]
) -> None:
    """Delete rows in the same way."""
    async with _unhindered(admin):
        await admin.execute(
            f"DELETE FROM {table_of(model).name} WHERE id = any($1)",
            [row["id"] for row in rows],
        )


def tables() -> list[type[Base]]:
    """The models with an id whose rows a world has; there is one workspace."""
    models = (mapper.class_ for mapper in Base.registry.mappers)
    with_id = (m for m in models if "id" in m.__mapper__.attrs and m is not Workspace)
    return sorted(with_id, key=lambda model: str(model.__name__))


def target_of(model: type[Base], attribute: str) -> type[Base]:
    """The model whose keys a column holds; that of users, where it does not say."""
    try:
        target = referred_model(model, attribute)
    except TypeError:
        return User
    return User if target is Membership else target


def varied(model: type[Base], random: Random, **given: Any) -> Row:
    """A row of `model` that leads nowhere in particular."""
    anywhere = {other: [new_key()] for other in tables()}
    return _row(model, new_key(), anywhere, random) | given


@asynccontextmanager
async def _unhindered(admin: "asyncpg.Connection[Any]") -> AsyncIterator[None]:
    async with admin.transaction():
        await admin.execute("SET LOCAL session_replication_role = replica")
        yield


def _row(
    model: type[Base], key: UUID, keys: dict[type[Base], list[UUID]], random: Random
) -> Row:
    row: Row = {"id": key}
    kinds = {}
    for prop in model.__mapper__.column_attrs:
        column = prop.columns[0]
        assert isinstance(column, Column)
        if prop.key in row or prop.key == "workspace_id" or prop.key in _FILLED:
            continue
        if beside := column.info.get("entity_type"):
            target = random.choice(list(ENTITY_MODELS.values()))
            kinds[beside] = target.entity_type().value
            row[prop.key] = random.choice(keys[target])
        elif column.nullable and random.random() < 0.3:
            row[prop.key] = None
        elif kind(column) is Kind.ID:
            row[prop.key] = _other(model, prop.key, key, keys, random)
        else:
            row[prop.key] = _value(model, prop.key, column, random)
    return row | kinds


def _other(
    model: type[Base],
    attribute: str,
    key: UUID,
    keys: dict[type[Base], list[UUID]],
    random: Random,
) -> UUID:
    """Any key that a foreign key may hold but the row's own."""
    others = random.choices(keys[target_of(model, attribute)], k=9)
    return next(other for other in others if other != key)


def _value(
    model: type[Base], attribute: str, column: Column[Any], random: Random
) -> Any:
    if attribute in _ODD:
        return random.choice(_ODD[attribute])
    if isinstance(column.type, Words):
        return random.choice([word.value for word in column.type.words])
    if kind(column) is Kind.TEXT:
        return _text(model, column, random)
    pool = VALUES[kind(column)]
    rule = column.info.get("rule")
    if isinstance(rule, Within):
        pool = [v for v in pool if rule.low <= v <= rule.high]
    if isinstance(rule, Among):
        return random.sample(rule.words, random.randrange(1, 4))
    if kind(column) is Kind.TEXTS:
        return random.sample(TAGS, random.randrange(4))
    return random.choice(pool)


VALUES: dict[Kind, Sequence[Any]] = {
    Kind.INT: (1, 2, 3, 50, 100),
    Kind.BIG_INT: SIZES,
    Kind.FLOAT: FLOATS,
    Kind.DECIMAL: DECIMALS,
    Kind.BOOLEAN: (False, True),
    Kind.TIME: TIMES,
    Kind.JSON: JSONS,
    Kind.TEXT: TEXTS,
    Kind.TEXTS: TAGS,
    Kind.FLOATS: ([0.5], [0.5, 1.0]),
}


def _text(model: type[Base], column: Column[Any], random: Random) -> str:
    rule = column.info.get("rule")
    if isinstance(rule, Matching):
        if "64" in rule.pattern:
            return f"{random.getrandbits(256):064x}"
        return random.choice(["#000000", "#aabbcc", "#AABBCC"])
    if any(columns == [column] for columns in unique(model)):
        return f"{random.choice(TEXTS)} {random.getrandbits(48)}"
    return random.choice(TEXTS)[: getattr(column.type, "length", None)]


def unique(model: type[Base]) -> list[list[Column[Any]]]:
    """The columns that only one row may have together, the workspace aside."""
    table = table_of(model)
    found = [list(i.columns) for i in table.indexes if i.unique]
    found += [
        list(c.columns) for c in table.constraints if isinstance(c, UniqueConstraint)
    ]
    return [[c for c in columns if c.name != "workspace_id"] for columns in found]


def distinct(model: type[Base], rows: Iterable[Row]) -> list[Row]:
    """The rows but for those that would break a unique index."""
    kept: list[Row] = []
    names = {column_of(model, a).name: a for a in _attributes(model)}
    together = [[names[c.name] for c in columns] for columns in unique(model)]
    seen: set[tuple[Any, ...]] = set()
    for row in rows:
        marks = {
            (number, *(row[a] for a in attributes))
            for number, attributes in enumerate(together)
            if None not in [row[a] for a in attributes]
        }
        if not marks & seen:
            kept.append(row)
            seen |= marks
    return kept


def _attributes(model: type[Base]) -> list[str]:
    return [prop.key for prop in model.__mapper__.column_attrs]


def _written(value: Any, column: Column[Any]) -> Any:
    if value is not None and kind(column) is Kind.JSON:
        return orjson.dumps(value).decode()
    return value


async def read_positions(admin: "asyncpg.Connection[Any]", world: World) -> None:
    """Learn the places in the log, which the database gives."""
    found = await admin.fetch(
        "SELECT id, position FROM interactions WHERE workspace_id = $1",
        world.caller.workspace_id,
    )
    positions = dict(map(tuple, found))
    for row in world.rows[Interaction]:
        row["position"] = positions[row["id"]]
