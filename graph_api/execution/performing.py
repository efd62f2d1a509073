"""Mutations: root fields are performed one after the other, and answered by plans.

What a mutation has done is at hand when its root field has run. Only what is selected
below is planned, and only that is asked of the reference path where a plan fails:
nothing is ever done twice.
"""

from collections.abc import Sequence
from typing import Any

from graphql import GraphQLError, located_error
from graphql.execution import Executor
from graphql.pyutils import Path

from graph_api.execution.explaining import Explanation
from graph_api.execution.plan.plans import RootField
from graph_api.execution.plan.running import Running
from graph_api.execution.planned import Planned, Plans


class Performance:
    """One mutation operation, while its root fields are performed."""

    def __init__(
        self, plans: Plans, planned: Planned, running: Running, explanation: Explanation
    ) -> None:
        self.errors: list[GraphQLError] = []
        self._plans = plans
        self._planned = planned
        self._running = running
        self._explanation = explanation

    async def perform(self, roots: Sequence[RootField], executor: Any) -> Any:
        """The data of the answer; `executor()` builds graphql-core's for a payload."""
        return {root.name: await self._field(root, executor) for root in roots}

    async def _field(self, root: RootField, executor: Any) -> Any:
        if root.source is None:
            return root.selected.parent.name
        context = self._running.context
        try:
            given = self._running.given(root.arguments)
            payload = await root.source.run(context, given)
        except Exception as error:  # As graphql-core does, whatever a field raises.
            nodes, path = root.selected.nodes, [root.name]
            self.errors.append(located_error(error, nodes, path))
            return None
        return await self._answer(root, payload, executor)

    async def _answer(self, root: RootField, payload: Any, executor: Any) -> Any:
        if root.plan is None:
            return await self._resolve(root, payload, executor())
        try:
            answer = await root.plan.run(payload, self._running)
        except Exception as error:  # The payload stands; the reference path shows it.
            self._plans.replayed(self._planned, error)
            self._explanation.replayed(error, self._running)
            return await self._resolve(root, payload, executor())
        return answer

    async def _resolve(self, root: RootField, payload: Any, executor: Any) -> Any:
        """What graphql-core makes of a payload that is at hand."""
        assert isinstance(executor, Executor)
        selected = root.selected
        path = Path(None, root.name, selected.parent.name)
        info = executor.build_resolve_info(
            selected.definition, selected.nodes, selected.parent, path
        )

        async def at_hand() -> Any:
            return payload

        answer = await executor.complete_awaitable_value(
            selected.definition.type, selected.details, info, path, at_hand(), None
        )
        self.errors += executor.collected_errors.errors
        return answer
