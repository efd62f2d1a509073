"""Plans: what was worked out for an operation, kept with its document."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLObjectType

from graph_api.database.statements import Statement
from graph_api.execution.keeping import Kept
from graph_api.execution.plan.asked import Arguments
from graph_api.execution.plan.objects import Object, shown
from graph_api.execution.plan.planning import Branch, Planning, Shown
from graph_api.execution.plan.running import Running, ids_by_model
from graph_api.execution.plan.selections import Selected, Selections, Unplanned
from graph_api.execution.plan.steps import PageStep, RowsStep
from graph_api.models import Base
from graph_api.schema.sources import Performed


class Plan:
    """One operation, or what is selected of one payload, ready to be run."""

    def __init__(self, planning: Planning, root: Shown) -> None:
        self._planning = planning
        self._root = root
        self._steps: dict[tuple[int, type[Base]], RowsStep] = {}

    async def run(self, source: Any, running: Running) -> Any:
        """The answer below `source`, with each level's rows read together."""
        self._root.gather(source, running)
        shows = []
        while wanted := running.take_wanted():
            for step, keys in self._next(wanted):
                shows.append(await step.read(running, keys))
        for show in reversed(shows):
            show()
        return self._root.build(source, running)

    def _next(self, wanted: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
        """The steps to take, each with the keys that its branches want."""
        steps: list[tuple[Any, Any]] = []
        by_model: dict[tuple[int, type[Base]], dict[Branch, Any]] = {}
        for branch, keys in wanted.items():
            if isinstance(branch, PageStep):
                steps.append((branch, None))
                continue
            for model, ids in ids_by_model(keys).items():
                by_model.setdefault((branch.depth, model), {})[branch] = ids
        for at, branches in by_model.items():
            steps.append((self._step(at, branches), branches))
        return steps

    def _step(
        self, at: tuple[int, type[Base]], branches: Mapping[Branch, Any]
    ) -> RowsStep:
        """The step that reads the rows of a model for all branches of a depth.

        It is made when rows of the model are first met, and made anew when there are
        branches by then that it does not know.
        """
        known = self._steps.get(at)
        if known is None or not known.knows(branches):
            depth, model = at
            reaching = [
                branch
                for branch in self._planning.branches[depth]
                if model.__name__ in branch.types
            ]
            known = self._steps[at] = RowsStep(self._planning, model, reaching, depth)
        return known


def plan_operation(selections: Selections, statements: Kept[Statement]) -> Plan:
    """The plan of a query. Raises Unplanned where there can be none."""
    root = selections.schema.get_root_type(selections.operation.operation)
    assert root is not None
    return _plan(selections, statements, root, selections.of_root(root))


@dataclass(frozen=True)
class RootField:
    """A root field of a mutation: what performs it, and the plan of its payload.

    Without a `source` it is the name of the root type; without a plan, for `reason`,
    the reference path answers what is selected of the payload.
    """

    name: str
    selected: Selected
    arguments: Arguments
    source: Performed | None
    plan: Plan | None = None
    reason: str | None = None


def plan_mutation(
    selections: Selections, statements: Kept[Statement]
) -> list[RootField]:
    """The root fields of a mutation, in the order in which they are performed."""
    root = selections.schema.mutation_type
    assert root is not None
    return [
        _root_field(selections, statements, one) for one in selections.of_root(root)
    ]


def _root_field(
    selections: Selections, statements: Kept[Statement], selected: Selected
) -> RootField:
    source, name = selected.source, selected.response_name
    arguments = Arguments(selected.definition, selected.row_field, selected.node)
    if source is None:
        return RootField(name, selected, arguments, None)
    payload = selected.type
    if not isinstance(source, Performed) or not isinstance(payload, GraphQLObjectType):
        raise Unplanned(f"{selected} is resolved")
    try:
        fields = selections.below(payload, selected.details)
        plan = _plan(selections, statements, payload, fields)
    except Unplanned as error:
        return RootField(name, selected, arguments, source, None, str(error))
    return RootField(name, selected, arguments, source, plan)


def _plan(
    selections: Selections,
    statements: Kept[Statement],
    type: GraphQLObjectType,
    fields: list[Selected],
) -> Plan:
    planning = Planning(selections, shown, statements)
    return Plan(planning, Object(planning, type, fields, 0))
