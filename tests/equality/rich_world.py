"""Three workspaces in one database: a sound one, a broken one, and a stranger's.

The sound one holds whatever clients can store, at its edges: fractions of a second,
numbers that floats cannot hold, JSON in odd spellings, letters of every script, ties,
NULLs wherever they may be, links to things that are gone. The broken one holds what
only a bug or a superuser can leave behind, so that fields fail here and there: foreign
keys that lead nowhere, recurrence rules that are none. The stranger's must never show.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from conftest import new_caller
from sqlalchemy import Column, String
from world import (
    TEXTS,
    Row,
    World,
    distinct,
    populated,
    read_positions,
    store,
    tables,
    target_of,
    unique,
    varied,
)

from graph_api.keys import new_key
from graph_api.models import (
    Base,
    Commitment,
    DocumentLink,
    DocumentTag,
    FileHash,
    Interaction,
    KnowledgeEdge,
    Membership,
    User,
    Workspace,
)
from graph_api.models.rules import Matching, Words
from graph_api.reading.columns import Kind, column_of, kind
from graph_api.schema.entity import ENTITY_MODELS

# Enough that small pages have a middle; an operation reads thousands in no time.
EACH = 18
# Of what joins others there are more, so that most lists have something in them.
MORE: dict[type[Base], int] = {
    DocumentLink: 90,
    DocumentTag: 45,
    Interaction: 90,
    KnowledgeEdge: 45,
}
# The log's places end here: near the end of 64 bits, where floats count by 1,024.
LAST_POSITION = 2**63 - 10**6


def _at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


# None of them lies near now, by which new times are known.
TIMES = (
    *(_at(2020, 2, 29, 12), _at(2020, 2, 29, 12, 0, 0, 500_000)),
    *(_at(2020, 2, 29, 12, 0, 0, 123_456), _at(2020, 2, 29, 12, 0, 0, 120_000)),
    *(_at(2020, 2, 29, 12, 0, 0, 1), _at(2020, 2, 29, 12, 0, 0, 999_999)),
    *(_at(1900, 1, 1), _at(1969, 12, 31, 23, 59, 59, 999_999), _at(1970, 1, 1)),
    *(_at(2019, 3, 31, 1, 30), _at(2019, 10, 27, 0, 30), _at(2199, 12, 31, 23, 59)),
)
STRANGE_TEXTS = (
    *(
        "e\u0301 \u0061\u0308\u0323",
        "שלום עולם",
        "\u202eleft\u202c",
        "日本語",
        "ﬁ ß \u0131",
    ),
    *("line\u2028paragraph\u2029end", "tab\tline\nreturn\r", "\x01\x1f\x7f\x85\xa0"),
    *(
        "\U0001d49c\U0001d4c8 👩‍👩‍👧‍👦",
        "\U0010ffff\ue000\ufeff",
        '"',
        "\\",
        "\\u0041",
        "'",
        "</script>",
    ),
    *("true", "1e5", "2020-02-29T12:00:00.5Z", "${x}", "a" * 300),
)
FLOATS = (
    *(0.0, -0.0, 1.0, 100.0, 0.1, 0.30000000000000004, 1 / 3, 1e-7, 1e15, 1e16, 1e17),
    *(5e-324, 2.2250738585072014e-308, 1e22, 123456789.12345678, 2.0**53, 1e300),
)
RICH: dict[Kind, Sequence[Any]] = {
    Kind.INT: (0, 1, 2, 2**31 - 1),
    Kind.BIG_INT: (0, 1, 2**31, 2**53 - 1, 2**53),
    Kind.FLOAT: FLOATS,
    Kind.DECIMAL: tuple(
        map(Decimal, ("0", "0.1", "0.10", "1.5000", "10", "0.0001", "999999.9999"))
    ),
    Kind.TIME: TIMES,
    Kind.TEXT: (*TEXTS, *STRANGE_TEXTS),
    Kind.TEXTS: ([], ["a"], ["", " "], ["b", "a", "b"], list(STRANGE_TEXTS[:8])),
    # As `real` has them: the shortest form of a double shows more places.
    Kind.FLOATS: ([], [0.1], [1.0, -0.0, 0.0], [1e38, 1e-45, 16777217.0, -3.5]),
}
JSON_TEXTS = (
    "{}",
    '{"a": 1, "b": 1.0, "c": 1.50, "d": 100.00, "e": 1e2, "f": 1E-7, "g": 0.1e1}',
    '{"zero": 0, "minus": -0, "float": -0.0, "places": 0.00, "tiny": 1e-400}',
    '{"i64": 9223372036854775807, "u64": 18446744073709551615, "min": -9223372036854775808}',  # noqa: E501
    '{"big": 12345678901234567890123456789, "below": -9223372036854775809}',
    '{"exact": 3.14159265358979323846264338327950288, "long": 9007199254740993.0}',
    '{"twice": 1, "twice": 2, "b": 0, "aa": 0, "a": 0, "B": 0}',
    '{"": {"": [[], {}, null, false, true, "", "\\"", "\\\\", "/"]}, " ": null}',
    '{"ünï": "\\u2028\\u2029\\u007f\\u0001", "\\ud83d\\udc1c": "\\u202e", "key\\n": "\\t"}',  # noqa: E501
    '{"1": {"2": [1, 2.50, {"x": [true, null, [[[["deep"]]]]]}]}, "id": "no id"}',
    '{"__typename": "Fake", "a": {"b": {"c": True}}}'.replace("True", "true"),
)
# Beyond any double: no client can send it.
BROKEN_JSON = ('{"huge": 1e400}', '{"less": -1e999, "n": 1}')

RULES = (
    *("FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,WE", "FREQ=MONTHLY;BYMONTHDAY=31"),
    *("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "FREQ=DAILY;COUNT=3", None),
)
BROKEN_RULES = ("nonsense", "FREQ=NEVER", "", "FREQ=DAILY;COUNT=x", *RULES)
BROKEN_RELATED: tuple[list[Any], ...] = (
    *([{"type": "party"}], [{"type": "nonsense", "id": str(UUID(int=0))}], [1], [None]),
    [{"type": "tag", "id": "none"}],
)


@dataclass(frozen=True)
class Worlds:
    """The workspaces, and what tells their rows from rows that are made later."""

    sound: World
    broken: World
    strange: World

    @property
    def all(self) -> tuple[World, ...]:
        return self.sound, self.broken, self.strange


async def rich_worlds(admin: "asyncpg.Connection[Any]", seed: int = 1) -> Worlds:
    """The three workspaces, newly made."""
    await admin.execute(
        "SELECT setval(pg_get_serial_sequence('interactions', 'position'), $1)",
        LAST_POSITION - 10_000,
    )
    sound = await _made(admin, Random(seed), broken=False)
    broken = await _made(admin, Random(seed + 1), broken=True)
    strange = await populated(admin, await new_caller(admin), 5, seed)
    # A user of ours who works for the stranger too.
    (ours, *_), theirs = sound.rows[User], strange.rows[Membership][-1]
    also = theirs | {"id": new_key(), "user_id": ours["id"]}
    await store(admin, strange.caller, Membership, [also])
    return Worlds(sound, broken, strange)


async def rewind(admin: "asyncpg.Connection[Any]") -> None:
    """Let the log go on at one place, whatever dry runs have used up since."""
    await admin.execute(
        "SELECT setval(pg_get_serial_sequence('interactions', 'position'), $1)",
        LAST_POSITION,
    )


async def _made(
    admin: "asyncpg.Connection[Any]", random: Random, *, broken: bool
) -> World:
    caller = await new_caller(admin)
    await admin.execute("DELETE FROM users WHERE id = $1", caller.user_id)
    world = World(caller, {Workspace: [{"id": caller.workspace_id}]})
    for model in tables():
        rows = [varied(model, random) for _ in range(MORE.get(model, EACH))]
        world.rows[model] = [_enriched(model, row, random) for row in rows]
    world.rows[User][0]["id"] = caller.user_id
    for model, rows in world.rows.items():
        if model is not Workspace:
            tied = [_tied(world, model, row, random, broken=broken) for row in rows]
            world.rows[model] = distinct(model, _one_each(world, model, tied))
    for model in tables():
        rows = _spelled(world, model, random, broken=broken)
        await store(admin, caller, model, rows)
    await read_positions(admin, world)
    return world


def _enriched(model: type[Base], row: Row, random: Random) -> Row:
    """The row with values from the edges in some of its columns."""
    return {
        attribute: value
        if value is None or random.random() < 0.3
        else _rich(model, attribute, value, random)
        for attribute, value in row.items()
    }


def _rich(model: type[Base], attribute: str, value: Any, random: Random) -> Any:
    column = column_of(model, attribute)
    if _is_particular(model, attribute, column):
        return value
    rule = column.info.get("rule")
    longest = column.type.length if isinstance(column.type, String) else None
    fitting = [
        one
        for one in RICH.get(kind(column), ())
        if not (rule and rule.refusal(one)) and len(str(one)) <= (longest or 1_000)
    ]
    return random.choice(fitting or [value])


def _is_particular(model: type[Base], attribute: str, column: Column[Any]) -> bool:
    """Whether the column's values are not free: words, unique, or of a pattern."""
    return (
        isinstance(column.type, Words)
        or isinstance(column.info.get("rule"), Matching)
        or any(column in columns for columns in unique(model))
        or attribute in {"version", "start_offset", "end_offset", "rrule"}
        or kind(column) is Kind.JSON
    )


def _tied(
    world: World, model: type[Base], row: Row, random: Random, *, broken: bool
) -> Row:
    """The row with its foreign keys leading to other rows of the world."""
    tied = dict(row)

    def some(other: type[Base], lost: float) -> UUID:
        keys: list[UUID] = [
            one["id"] for one in world.rows[other] if one["id"] != row["id"]
        ]
        if random.random() < lost:
            return new_key()
        # Some have many that lead to them, and others none.
        return random.choice(keys[: len(keys) // 3] if random.random() < 0.6 else keys)

    for attribute, value in row.items():
        column = column_of(model, attribute)
        if value is None or kind(column) is not Kind.ID or attribute == "id":
            continue
        if beside := column.info.get("entity_type"):
            target = random.choice(list(ENTITY_MODELS.values()))
            tied[beside] = target.entity_type().value
            tied[attribute] = some(target, 0.1)
        elif attribute not in {"request_id", "change_set_id", "undo_of"}:
            tied[attribute] = some(target_of(model, attribute), 0.15 * broken)
    special = _SPECIAL.get(model)
    return tied | (special(world, random, broken) if special else {})


def _commitment(_world: World, random: Random, broken: bool) -> Row:
    return {"rrule": random.choice(BROKEN_RULES if broken else RULES)}


def _interaction(world: World, random: Random, broken: bool) -> Row:
    def named(model: Any) -> dict[str, Any]:
        key = random.choice([*(row["id"] for row in world.rows[model]), new_key()])
        return {"type": model.entity_type().value, "id": str(key), "role": "other"}

    models = random.choices(list(ENTITY_MODELS.values()), k=random.randrange(4))
    related = list(map(named, models))
    if broken and random.random() < 0.3:
        related += random.choice(BROKEN_RELATED)
    who = random.choice(["user", "user", "system", "agent"])
    # A user who has left the workspace since, or nobody.
    actor = random.choice([*(row["id"] for row in world.rows[User]), new_key(), None])
    return {"related_entities": related, "actor_type": who, "actor_id": actor}


_SPECIAL: dict[type[Base], Callable[[World, Random, bool], Row]] = {
    Commitment: _commitment,
    Interaction: _interaction,
}


def _one_each(world: World, model: type[Base], rows: list[Row]) -> list[Row]:
    """The rows, where there is one for each row of another table; some have none."""
    if model is Membership:
        users = world.rows[User]
        here = {"workspace_id": world.caller.workspace_id}
        return [
            row | here | {"user_id": user["id"]}
            for row, user in zip(rows, users, strict=True)
        ]
    if model is FileHash:
        documents = [
            d
            for m, d_rows in world.rows.items()
            for d in d_rows
            if m.__name__ == "Document"
        ]
        return [
            row | {"document_id": document["id"]}
            for row, document in list(zip(rows, documents, strict=True))[::2]
        ]
    return rows


def _spelled(
    world: World, model: type[Base], random: Random, *, broken: bool
) -> list[Row]:
    """The rows with JSON as it is spelled, which no encoder of ours could make.

    The world's own rows get it as it will be read.
    """
    texts = JSON_TEXTS + (BROKEN_JSON if broken else ())
    spelled = []
    for row in world.rows[model]:
        as_written = dict(row)
        for attribute, value in row.items():
            free = attribute not in {"id", "related_entities"} and value is not None
            if free and kind(column_of(model, attribute)) is Kind.JSON:
                text = random.choice(texts)
                as_written[attribute] = orjson.Fragment(text)
                row[attribute] = {} if text in BROKEN_JSON else json.loads(text)
        spelled.append(as_written)
    return spelled
