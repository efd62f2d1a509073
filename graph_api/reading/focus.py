"""What is open, in the order of its urgency, as one index has it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, literal_column

from graph_api.models import OPEN, Commitment
from graph_api.reading.ordering import Key, total
from graph_api.reading.slots import Lift

MOST_URGENT_FIRST = total(Commitment, (Key("due_at"), Key("priority", descending=True)))


@dataclass(frozen=True)
class Open:
    """That a commitment is open.

    Said in constants, as the index that holds nothing else says it: of a bind,
    PostgreSQL would not know that it means the same.
    """

    def sql(self, entity: Any) -> ColumnElement[bool]:
        state: ColumnElement[Any] = entity.state
        return state.in_([literal_column(f"'{one.value}'") for one in OPEN])

    def lifted(self, _: Lift) -> "Open":
        return self
