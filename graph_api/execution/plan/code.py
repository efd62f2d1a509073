"""Code: functions that are generated for one selection, and compiled once.

A comprehension with a dictionary display is the fastest way that Python has of making
objects; whatever it needs beside the rows is in its namespace under a short name.
Nothing of a request gets into the text: response names and constants are literals by
`repr`, and names are ours.
"""

from collections.abc import Callable, Hashable
from typing import Any


class Code:
    """The namespace of the functions that are generated for one step."""

    def __init__(self) -> None:
        self._names: dict[str, Any] = {}
        self._known: dict[Hashable, str] = {}
        self._variables = 0

    def name(self, value: Any) -> str:
        """A name by which the functions know `value`."""
        known = self._known.get(id(value))
        if known is None:
            known = self._known[id(value)] = f"g{len(self._names)}"
            # Kept here, so that no other value gets its id.
            self._names[known] = value
        return known

    def variable(self) -> str:
        """A new name for the row of a loop."""
        self._variables += 1
        return f"x{self._variables}"

    def function(self, parameters: str, *body: str) -> Callable[..., Any]:
        """The function with this body, which sees what was named so far and later."""
        lines = "".join(f"    {line}\n" for line in body)
        text = f"def made({parameters}):\n{lines}"
        exec(compile(text, "<plan>", "exec"), self._names)  # noqa: S102 - our own text
        made: Callable[..., Any] = self._names.pop("made")
        return made
