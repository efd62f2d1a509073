"""Plans: what was worked out for an operation, kept with its document."""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLObjectType
from graphql.execution.collect_fields import FieldDetails

from graph_api.execution.plan.objects import Object, shown
from graph_api.execution.plan.planning import Branch, Planning, Shown
from graph_api.execution.plan.running import Running, ids_by_model
from graph_api.execution.plan.selections import Selected, Selections
from graph_api.execution.plan.steps import PageStep, RowsStep
from graph_api.models import Base


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


def plan_operation(selections: Selections) -> Plan:
    """The plan of a query. Raises Unplanned where there can be none."""
    root = selections.schema.get_root_type(selections.operation.operation)
    assert root is not None
    return _plan(selections, root, selections.of_root(root))


def plan_payload(
    selections: Selections, payload: GraphQLObjectType, details: list[FieldDetails]
) -> Plan:
    """The plan of what is selected of a mutation's payload."""
    return _plan(selections, payload, selections.below(payload, details))


def _plan(
    selections: Selections, type: GraphQLObjectType, fields: list[Selected]
) -> Plan:
    planning = Planning(selections, shown)
    return Plan(planning, Object(planning, type, fields, 0))
