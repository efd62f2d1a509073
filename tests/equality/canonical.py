"""Answers to dry runs, with what each run makes anew replaced by its turn.

Two runs of one mutation make other keys, and are made at another moment. What is new
is told from what was there: a key that no row of the worlds has, a time between the
start of the tests and now. The first new key that an answer shows becomes `new key 1`,
within global ids and cursors as well, so that the same key is the same name wherever it
stands. A time that is not spelled as the schema spells times stays as it is, and makes
a difference.
"""

import base64
import binascii
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from rich_world import Worlds

from graph_api.errors import BadCursor
from graph_api.reading.cursors import Cursors
from graph_api.schema.scalars import write_time

# A text as JSON writes it.
TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"')
KEY = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(Z|\+00:00)")


class Canon:
    """Names what is new in answers."""

    def __init__(self, worlds: Worlds, cursors: Cursors) -> None:
        self._known = {
            str(value)
            for world in worlds.all
            for rows in world.rows.values()
            for row in rows
            for value in row.values()
            if isinstance(value, UUID)
        } | {str(world.caller.workspace_id) for world in worlds.all}
        self._known |= {str(world.caller.request_id) for world in worlds.all}
        self._since = datetime.now(UTC) - timedelta(minutes=10)
        self._cursors = cursors

    def of(self, answer: bytes) -> bytes:
        """One answer with what is new in its texts named in turn."""
        names: dict[str, str] = {}

        def named(found: re.Match[bytes]) -> bytes:
            text = json.loads(found[0])
            other = self._text(text, names)
            return found[0] if other == text else json.dumps(other).encode()

        return TEXT.sub(named, answer)

    def _text(self, text: str, names: dict[str, str]) -> str:
        if TIME.fullmatch(text):
            return self._time(text, names)
        if KEY.search(text):
            return KEY.sub(lambda found: self._key(found[0], names), text)
        inner = _global_id(text)
        if inner is not None:
            return f"id of {self._text(inner, names)}"
        opened = self._opened(text)
        if opened is not None:
            return f"cursor {self._place(opened, names)}"
        return text

    def _key(self, key: str, names: dict[str, str]) -> str:
        if key in self._known:
            return key
        return names.setdefault(key, f"new key {len(names)}")

    def _time(self, text: str, names: dict[str, str]) -> str:
        time = datetime.fromisoformat(text)
        if not self._since <= time <= datetime.now(UTC):
            return text
        if text.endswith("Z"):
            name = names.setdefault(str(time), f"new time {len(names)}")
            return name if text == write_time(time) else text
        # As the database writes it into the log, and Python into cursors.
        return names.setdefault(str(time), f"new time {len(names)}") + " there"

    def _place(self, values: list[Any], names: dict[str, str]) -> list[Any]:
        """What a cursor holds."""
        return [self._text(v, names) if isinstance(v, str) else v for v in values]

    def _opened(self, text: str) -> list[Any] | None:
        if len(text) < 24:
            return None
        try:
            return self._cursors._open(text)
        except BadCursor:
            return None


def _global_id(text: str) -> str | None:
    """What a global id says, if `text` is one."""
    try:
        said = base64.b64decode(text, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    return said if KEY.search(said) and ":" in said else None
