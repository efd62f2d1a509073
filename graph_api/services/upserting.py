"""Storing a thousand rows at once: those that are there are updated, others are made.

Each is judged by itself, and they are written set-based; what was refused is kept with
the idempotency key, so that a repetition is answered in full.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import undefer

from graph_api.errors import Duplicate, Invalid, WriteRefused
from graph_api.keys import new_key
from graph_api.models import Entity, public_name
from graph_api.services.entities import E, EntityService, Values
from graph_api.services.log import changes, told, values_of
from graph_api.services.unit_of_work import Outcome, Work
from graph_api.services.validation import validate

MAX_ITEMS = 1_000

Key = tuple[Any, ...]


@dataclass
class Item:
    """One of many to be upserted: what is given, and what becomes of it."""

    index: int
    values: Values
    error: WriteRefused | None = None
    row: Any = None

    def refuse(self, error: WriteRefused) -> None:
        """Say why it is refused; paths of its fields become those of the whole call."""
        error.path = ("items", str(self.index), *error.path)
        self.error = error


class ManyRefused(Exception):
    """Raised when some items are refused, and therefore all."""

    def __init__(self, items: list[Item]) -> None:
        super().__init__()
        self.items = items


def replayed_items(outcome: Outcome) -> list[Item]:
    """What became of the items of an earlier call; a row may be gone since."""
    rows = {str(row.id): row for row in outcome.subjects}
    items = [Item(i, {}, row=rows.get(id)) for i, id in outcome.extra["stored"]]
    items += [_from_json(refused) for refused in outcome.extra["refused"]]
    return sorted(items, key=lambda item: item.index)


class UpsertingService(EntityService[E]):
    """A service of rows that are known by their `identity`."""

    identity: ClassVar[tuple[str, ...]]

    async def upsert(self, items: list[Item], *, skip_refused: bool) -> None:
        """Store all `items`: update those that are there, create the others.

        Each is judged by itself; with `skip_refused` the others are stored, otherwise
        one refusal refuses all. The items say what became of them.
        """
        if not 0 < len(items) <= MAX_ITEMS:
            raise Invalid(
                f"`items` must have 1 to {MAX_ITEMS} items, not {len(items)}.",
                path=("items",),
            )
        async with self.writing() as work:
            await self._judge(work, items)
            sound = [item for item in items if item.error is None]
            if len(sound) < len(items) and not skip_refused:
                raise ManyRefused(items)
            if sound:
                await self._store(work, sound)
            self.outcome.subjects = [item.row for item in sound]
            self.outcome.extra = {
                "stored": [[item.index, str(item.row.id)] for item in sound],
                "refused": [_as_json(item) for item in items if item.error],
            }

    async def _judge(self, _: Work, items: list[Item]) -> None:
        seen: dict[Key, int] = {}
        for item in items:
            try:
                if item.error is None:
                    self._judge_alone(item, seen)
            except WriteRefused as error:
                item.refuse(error)

    def _judge_alone(self, item: Item, seen: dict[Key, int]) -> None:
        validate(self.model, item.values)
        for attribute in self.identity:
            if item.values.get(attribute) is None:
                name = public_name(attribute)
                raise Invalid(f"`{name}` must be given.", path=(name,))
        refuse_twice(self._key(item.values), item, seen, self.identity[-1])

    def _key(self, values: Values) -> Key:
        return tuple(values[attribute] for attribute in self.identity)

    async def _store(self, work: Work, items: list[Item]) -> None:
        known = await self._known(work, items)
        changed: list[tuple[Item, Any]] = []
        for item in items:
            item.row = known.get(self._key(item.values))
            if item.row is None or changes(item.row, item.values):
                changed.append((item, item.row))
        if changed:
            await self._write(work, changed)

    async def _known(self, work: Work, items: list[Item]) -> dict[Key, Any]:
        """The rows that are there already, locked, by their identity."""
        raise NotImplementedError

    async def _write(self, work: Work, changed: list[tuple[Item, Any]]) -> None:
        """Insert or update the rows in one statement, and tell each."""
        before = {row.id: values_of(row) for _, row in changed if row is not None}
        rows = [self._whole(work, item, row) for item, row in changed]
        statement = insert(self.model).values(rows)
        settable = rows[0].keys() - {"workspace_id", "id", *self.identity}
        names = {p.key: p.columns[0].name for p in self.model.__mapper__.column_attrs}
        upsert = statement.on_conflict_do_update(
            # New rows must not fall into this: who was faster is found by trying again.
            index_elements=["workspace_id", "id"],
            set_={names[a]: statement.excluded[names[a]] for a in settable},
        ).returning(self.model)
        stored = await work.connection.rows(
            upsert.options(undefer("*")).execution_options(populate_existing=True)
        )
        by_key = {self._key(values_of(row[0], self.identity)): row[0] for row in stored}
        for item, _ in changed:
            item.row = by_key[self._key(item.values)]
            _tell(work, item.row, before.get(item.row.id))

    def _whole(self, work: Work, item: Item, row: Any) -> dict[str, Any]:
        """All columns of an item: as given, as they were, or as they are by default."""
        values = self._blank()
        if row is not None:
            values = {name: getattr(row, name) for name in values}
        return {
            **values,
            **item.values,
            "workspace_id": work.connection.workspace_id,
            "id": new_key() if row is None else row.id,
        }

    def _blank(self) -> dict[str, Any]:
        raise NotImplementedError


def refuse_twice(key: Key, item: Item, seen: dict[Key, int], attribute: str) -> None:
    """Refuse an item whose `key` an earlier one of the same call has."""
    if key in seen:
        raise Duplicate(
            f"Item {seen[key]} of this call names the same one.",
            path=(public_name(attribute),),
        )
    seen[key] = item.index


def _as_json(item: Item) -> dict[str, Any]:
    """A refused item, from which it is answered again."""
    assert item.error is not None
    error = item.error
    return {
        "index": item.index,
        "code": error.code,
        "message": error.message,
        "path": error.path,
    }


def _from_json(refused: Mapping[str, Any]) -> Item:
    kinds = {kind.code: kind for kind in WriteRefused.__subclasses__()}
    error = kinds[refused["code"]](refused["message"], path=tuple(refused["path"]))
    return Item(refused["index"], {}, error)


def _tell(work: Work, row: Entity, before: Mapping[str, Any] | None) -> None:
    after = values_of(row)
    if before is None:
        work.tell("created", row, None, told(after))
        return
    changed = [name for name in after if after[name] != before[name]]
    work.tell(
        "updated",
        row,
        told({name: before[name] for name in changed}),
        told({name: after[name] for name in changed}),
    )
