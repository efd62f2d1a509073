"""From a line to the row that is staged for it."""

import hashlib
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from graph_api.keys import new_key
from graph_api.transfer.kinds import BY_NAME, DOCUMENTS, KINDS, USER, Field, Kind
from graph_api.transfer.lines import MAX_LINE_BYTES
from graph_api.transfer.references import (
    parse_ref,
    parse_reference,
    parse_user,
    uuid_or_none,
)
from graph_api.transfer.values import Unfit, converter

# What every staged row begins with: its place among all lines, a key for its row and
# one for its interaction, its ref, that as a key, and which fields the line has.
LEADING = (
    ("n", "bigint"),
    ("id", "uuid"),
    ("interaction_id", "uuid"),
    ("ref", "text"),
    ("ref_key", "uuid"),
    ("given", "bigint"),
)

Row = list[Any]
_Put = Callable[[Row, Any], None]


def staged_columns(kind: Kind) -> tuple[tuple[str, str], ...]:
    """The columns of a staged row, with their types."""
    return LEADING + tuple(column for f in kind.fields for column in f.staged)


@dataclass(frozen=True)
class Parsed:
    """A line that can be staged."""

    kind: Kind
    row: Row


class UnfitLine(Exception):
    """A line that is refused; what it calls itself, as far as it could be read."""

    def __init__(self, cause: Unfit, type: str | None, ref: str | None) -> None:
        super().__init__(cause.reason)
        self.reason, self.field = cause.reason, cause.field
        self.type, self.ref = type, ref


class Parser:
    """Reads lines; `members` are the workspace's users by name."""

    def __init__(self, members: Mapping[str, UUID]) -> None:
        self._shapes = {kind.name: _Shape(kind, members) for kind in KINDS}

    def parse(self, number: int, line: bytes | None, folder: Path | None) -> Parsed:
        """The row of the line that has `number` among all; None is one too long.

        Raises UnfitLine. `folder` is where the line's file is.
        """
        values: dict[str, Any] = {}
        try:
            values = _json_object(line)
            shape = self._shape(values.pop("type", None))
        except Unfit as error:
            raise UnfitLine(error, None, None) from error
        ref = values.get("ref")
        try:
            if shape.kind is DOCUMENTS and "path" in values:
                _measure_file(values, folder)
            return Parsed(shape.kind, shape.row(number, values))
        except Unfit as error:
            known = ref if isinstance(ref, str) and "\0" not in ref else None
            raise UnfitLine(error, shape.kind.name, known) from error

    def _shape(self, type: Any) -> "_Shape":
        shape = self._shapes.get(type) if isinstance(type, str) else None
        if shape is None:
            raise Unfit(f"must be one of {', '.join(sorted(BY_NAME))}", "type")
        return shape


class _Shape:
    """How the lines of one type become rows."""

    def __init__(self, kind: Kind, members: Mapping[str, UUID]) -> None:
        self.kind = kind
        self._width = len(staged_columns(kind))
        self._required = sum(f.bit for f in kind.fields if f.required)
        self._takes_ref = kind.is_entity
        # Signals remember no ref: theirs is the key that they had elsewhere.
        self._named_by_key = not kind.keeps_ref
        self._natural = [f.name for f in kind.fields if f.column.name in kind.natural]
        self._fields: dict[str, tuple[_Put, int, bool]] = {}
        place = len(LEADING)
        for one in kind.fields:
            put = _putter(one, place, members)
            self._fields[one.name] = (put, one.bit, one.column.nullable or not one.own)
            place += len(one.staged)

    def row(self, number: int, values: dict[str, Any]) -> Row:
        row: Row = [None] * self._width
        row[0], row[1], row[2] = number, new_key(), new_key()
        if self._takes_ref and (ref := values.pop("ref", None)) is not None:
            row[3] = _at("ref", parse_ref, ref)
            row[4] = uuid_or_none(row[3])
        row[5] = self._fill(row, values)
        self._require_name(row, values)
        return row

    def _fill(self, row: Row, values: dict[str, Any]) -> int:
        given = 0
        for name, value in values.items():
            found = self._fields.get(name)
            if found is None:
                raise Unfit(
                    f"is no field of a {self.kind.name}; {self._known()}", name[:99]
                )
            put, bit, nullable = found
            given |= bit
            if value is None:
                if not nullable:
                    raise Unfit("must not be null; leave it out for the default", name)
                continue
            try:
                put(row, value)
            except Unfit as error:
                raise Unfit(error.reason, name) from error
        if missing := self._required & ~given:
            names = (f.name for f in self.kind.fields if f.bit & missing)
            raise Unfit("is missing", next(names))
        return given

    def _known(self) -> str:
        names = ["type", *(["ref"] if self._takes_ref else []), *self._fields]
        return f"its fields are {', '.join(names)}"

    def _require_name(self, row: Row, values: dict[str, Any]) -> None:
        """Refuse what would be stored anew each time it is imported."""
        if row[4 if self._named_by_key else 3] is not None or not self._takes_ref:
            return
        natural = self._natural
        if natural and all(values.get(name) is not None for name in natural):
            return
        ref = "must be a UUID" if self._named_by_key else "is missing"
        also = f", unless the line has {' and '.join(natural)}" if natural else ""
        raise Unfit(f"{ref}: by it the same line is known again{also}", "ref")


def _putter(field: Field, place: int, members: Mapping[str, UUID]) -> _Put:
    """What puts a field's value into its place of a row."""
    to = field.refers_to
    if to == USER:
        return lambda row, value: row.__setitem__(place, parse_user(value, members))
    if to is None:
        convert = converter(field.column)
        return lambda row, value: row.__setitem__(place, convert(value))
    width = len(field.staged)

    def put(row: Row, value: Any) -> None:
        row[place : place + width] = parse_reference(value, to)[:width]

    return put


def _at(field: str, parse: Callable[[Any], Any], value: Any) -> Any:
    try:
        return parse(value)
    except Unfit as error:
        raise Unfit(error.reason, field) from error


def _json_object(line: bytes | None) -> dict[str, Any]:
    if line is None:
        raise Unfit(f"is longer than {MAX_LINE_BYTES >> 20} MiB")
    try:
        values = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise Unfit(f"is no JSON in UTF-8: {error}") from error
    if not isinstance(values, dict):
        raise Unfit('must be a JSON object, such as {"type":"Tag","name":"Important"}')
    # Only so can it be written: JSON forbids the bare character.
    if b"\\u0000" in line and (field := _field_with_nul(values)):
        raise Unfit("must not contain U+0000, which PostgreSQL cannot store", field)
    return values


def _field_with_nul(values: dict[str, Any]) -> str | None:
    for name, value in values.items():
        if "\0" in name or _has_nul(value):
            return name.replace("\0", "\N{SYMBOL FOR NULL}")
    return None


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any("\0" in key or _has_nul(item) for key, item in value.items())
    return isinstance(value, list) and any(map(_has_nul, value))


def _measure_file(values: dict[str, Any], folder: Path | None) -> None:
    """Put hash and size of the file at `path` into `values`."""
    path = values.pop("path")
    if clash := {"sha256", "fileSize"} & values.keys():
        raise Unfit(f"stands for {' and '.join(sorted(clash))}: give only one", "path")
    if not isinstance(path, str) or not path:
        raise Unfit("must be the path of a file beside the import file", "path")
    if folder is None:
        raise Unfit("can be given only in a file, which it lies beside", "path")
    try:
        file = (folder / path).resolve()
        if not file.is_relative_to(folder.resolve()):
            raise Unfit("must not leave the folder of the import file", "path")
        values["sha256"], values["fileSize"] = _hash(file)
    except (OSError, RuntimeError) as error:  # the latter for links in a circle
        raise Unfit(f"names no file that can be read: {error}", "path") from error
    values.setdefault("fileName", file.name)


def _hash(file: Path) -> tuple[str, int]:
    # Not blocking, and looked at before it is read: a pipe would be waited for forever.
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as opened:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is no ordinary file")
        digest = hashlib.file_digest(opened, "sha256")
        return digest.hexdigest(), opened.tell()
