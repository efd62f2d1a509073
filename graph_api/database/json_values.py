"""JSON as the database holds it: numbers of any size, which orjson would not keep."""

import json
import re
from typing import Any

import orjson

# An integer beyond 64 bits becomes a float in orjson; nineteen digits still fit.
_MAYBE_LARGE = re.compile(r"\d{19}")


def read_json(text: str) -> Any:
    """The value of a JSON text that PostgreSQL has written."""
    if _MAYBE_LARGE.search(text):
        return json.loads(text)
    return orjson.loads(text)
