"""Slots: places in a statement for values that are known only when it runs.

A plan compiles a statement once and runs it with many values. `lifted` takes the values
out of a page; what remains is the statement's shape, by which it is kept.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam, literal
from sqlalchemy.types import TypeEngine


@dataclass(frozen=True)
class Slot:
    """The place of a value, by the name of its bind parameter."""

    name: str


def bound(value: Any, type: TypeEngine[Any]) -> ColumnElement[Any]:
    """A value in a statement, or its place."""
    if isinstance(value, Slot):
        return bindparam(value.name, type_=type)
    return literal(value, type)


class Lifting:
    """Takes values out of what a statement is made of, and puts slots in their place.

    `values` are what it has taken, by the slots' names.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.values: dict[str, Any] = {}

    def __call__(self, value: Any) -> Any:
        """A slot for `value`; Any, for it stands wherever the value could."""
        slot = Slot(f"{self._prefix}_{len(self.values)}")
        self.values[slot.name] = value
        return slot


Lift = Callable[[Any], Any]
