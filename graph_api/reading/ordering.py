"""Orders: which columns a list can be sorted by, and how its order is total.

Every order ends in the row's key, so that no two rows are equal in it and a page can
start after any of them.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, UnaryExpression

from graph_api.models import Base, Interaction
from graph_api.reading.columns import columns_of, table_of


@dataclass(frozen=True)
class Key:
    """One column of an order: its attribute, its direction, and where NULLs go."""

    attribute: str
    descending: bool = False
    nulls_last: bool = True

    def reversed(self) -> "Key":
        return Key(self.attribute, not self.descending, not self.nulls_last)

    def clause(self, entity: Any) -> UnaryExpression[Any]:
        """The key as an ORDER BY has it."""
        column: ColumnElement[Any] = getattr(entity, self.attribute)
        ordered = column.desc() if self.descending else column.asc()
        return ordered.nulls_last() if self.nulls_last else ordered.nulls_first()


Order = tuple[Key, ...]


def tie_breaker(model: type[Base]) -> str:
    """The attribute that ends every order of `model`."""
    return "position" if model is Interaction else "id"


def orderable(model: type[Base]) -> list[str]:
    """The attributes that an index serves an order by, the tie breaker first."""
    by_column = {column.name: key for key, column in columns_of(model).items()}
    served = {
        by_column[index.info["orders"]]
        for index in table_of(model).indexes
        if "orders" in index.info
    }
    return [tie_breaker(model), *(key for key in columns_of(model) if key in served)]


def along_index(model: type[Base], key: Key) -> Key:
    """`key`, where no NULLs are or only NULLs, said as its index has it.

    Indexes are `DESC NULLS LAST`, and `ASC NULLS FIRST` backwards; but for the tie
    breaker, which PostgreSQL itself takes to be `ASC NULLS LAST`. The planner uses one
    only where the statement says exactly that, be the column nullable or not.
    """
    is_tie_breaker = key.attribute == tie_breaker(model)
    return Key(key.attribute, key.descending, key.descending != is_tie_breaker)


def total(model: type[Base], keys: tuple[Key, ...]) -> Order:
    """`keys`, made total: the tie breaker last, in the direction of the first."""
    tie = Key(tie_breaker(model), descending=keys[0].descending if keys else False)
    distinct: dict[str, Key] = {}
    for key in (*keys, tie):
        distinct.setdefault(key.attribute, key)
    distinct[tie.attribute] = along_index(model, distinct[tie.attribute])
    return tuple(distinct.values())
