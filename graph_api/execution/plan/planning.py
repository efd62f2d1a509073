"""What is common to the making of one plan: names, branches, the showing of values."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar
from weakref import WeakValueDictionary

from graphql import (
    GraphQLAbstractType,
    GraphQLObjectType,
    GraphQLOutputType,
    print_ast,
)

from graph_api.database.statements import Statement
from graph_api.execution.keeping import Kept
from graph_api.execution.plan.asked import Arguments
from graph_api.execution.plan.running import Anomaly, Running
from graph_api.execution.plan.selections import Selected, Selections
from graph_api.models import Base
from graph_api.schema.sources import Key

P = TypeVar("P")


class Shown(Protocol):
    """How values of a type become a part of the answer.

    `gather` asks for the rows that they lead to; `build` has them.
    """

    def gather(self, value: Any, running: Running) -> None: ...

    def build(self, value: Any, running: Running) -> Any: ...


@dataclass(eq=False)
class Branch:
    """Rows that are meant by their keys, in one place of the operation.

    `fields` are what is asked of the rows of a type.
    """

    depth: int
    signature: str
    fields: Callable[[GraphQLObjectType], list[Selected]]
    types: frozenset[str]

    def row(self, key: Key | None, running: Running, *, required: bool) -> Any:
        """What was read for `key`; None where there is no such row, or no key."""
        found = None if key is None else running.found(self).get(key)
        if found is None and required:
            raise Anomaly("null where there must be a value")
        return found


@dataclass
class Planning:
    """One plan that is being made."""

    selections: Selections
    show: Callable[[GraphQLOutputType, Selected, int, "Planning"], Shown]
    # Those of all plans, by their steps and the shapes of what is asked.
    statements: Kept[Statement]
    # By depth: whoever gets there first decides nothing, for all are read together.
    branches: dict[int, list[Branch]] = field(default_factory=dict)
    # Weakly: a step knows its planning, and what is forgotten has to go at once.
    _pages: WeakValueDictionary[Any, Any] = field(default_factory=WeakValueDictionary)
    _names: int = 0

    def name(self) -> str:
        """A name for something that is asked for, unique within the plan."""
        self._names += 1
        return f"a{self._names}"

    def arguments(self, selected: Selected) -> Arguments:
        assert selected.row_field is not None
        return Arguments(selected.definition, selected.row_field, selected.node)

    def branch(self, selected: Selected, depth: int) -> Branch:
        """The rows that a field leads to by their keys."""
        selections, details = self.selections, selected.details
        return self.branch_of(
            depth,
            selected.signature,
            lambda type: selections.below(type, details),
            self._possible(selected.type),
        )

    def branch_of(
        self,
        depth: int,
        signature: str,
        fields: Callable[[GraphQLObjectType], list[Selected]],
        types: frozenset[str],
    ) -> Branch:
        made = Branch(depth, signature, fields, types)
        self.branches.setdefault(depth, []).append(made)
        return made

    def page(self, selected: Selected, make: Callable[[], P]) -> P:
        """The step for a page of a whole table, the same for the same words."""
        words = sorted(map(print_ast, selected.node.arguments or ()))
        key = (selected.node.name.value, *words)
        known: P | None = self._pages.get(key)
        return self._pages.setdefault(key, make()) if known is None else known

    def type_of(self, model: type[Base]) -> GraphQLObjectType:
        """The type that shows the rows of `model`."""
        type = self.selections.schema.get_type(model.__name__)
        assert isinstance(type, GraphQLObjectType)
        return type

    def _possible(self, type: Any) -> frozenset[str]:
        if isinstance(type, GraphQLObjectType):
            return frozenset({type.name})
        assert isinstance(type, GraphQLAbstractType)
        possible = self.selections.schema.get_possible_types(type)
        return frozenset(one.name for one in possible)
