"""What the schema knows of each model: its type, and where its rows lead.

Filled when the domains' modules are imported, read when the schema is put together.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from graph_api.models import Base
from graph_api.reading.relations import Relation
from graph_api.schema.fields import Deferred


@dataclass
class Shown:
    """A model, the type that shows it, and its relations by attribute."""

    model: type[Base]
    type: Any
    relations: dict[str, Relation] = field(default_factory=dict)


SHOWN: dict[type[Base], Shown] = {}


@cache
def shown_as(model: type[Base]) -> Deferred:
    """The type that shows the rows of `model`, wherever it is declared."""
    return Deferred(model.__name__, lambda: SHOWN[model].type)


def model_named(name: str) -> type[Base] | None:
    """The model that the type `name` shows."""
    return next((model for model in SHOWN if model.__name__ == name), None)
