"""Mutations: done one after the other by graphql-core, answered by plans.

What a mutation has done is at hand when its root field has run. Only what is selected
below it is planned, and only that is answered anew where a plan fails: nothing is ever
done twice.
"""

import logging
from typing import Any

from graphql import GraphQLObjectType
from graphql.execution import Executor

from graph_api.execution.database_errors import database_error
from graph_api.execution.explaining import Explanation
from graph_api.execution.plan.running import Running
from graph_api.execution.plan.selections import Selections
from graph_api.execution.planned import Planned, Plans

log = logging.getLogger(__name__)


class PayloadExecutor(Executor[Any]):
    """graphql-core's executor, which leaves the payloads of mutations to plans."""

    plans: Plans
    planned: Planned
    explanation: Explanation

    def complete_value(  # noqa: PLR0917 - graphql-core's signature
        self,
        return_type: Any,
        field_details_list: Any,
        info: Any,
        path: Any,
        result: Any,
        position_context: Any,
    ) -> Any:
        below = (field_details_list, info, path, result, position_context)
        if path.prev is not None or not isinstance(return_type, GraphQLObjectType):
            return super().complete_value(return_type, *below)
        return self._complete_payload(return_type, *below)

    async def _complete_payload(self, type: GraphQLObjectType, *below: Any) -> Any:
        details, _, _, payload, _ = below
        selections = Selections(
            self.schema, self.operation, self.fragment_definitions, self.variable_values
        )
        plan = self.plans.payload(self.planned, selections, type, details)
        if plan is not None:
            context = self.context_value
            running = Running(context, self.variable_values, context.fetch)
            try:
                answer = await plan.run(payload, running)
            except Exception as error:
                if database_error(error) is not None:
                    raise
                self.plans.replayed(self.planned, error)
                self.explanation.replayed(error, running)
            else:
                self.explanation.planned(running)
                return answer
        completed = super().complete_value(type, *below)
        return await completed if self.is_awaitable(completed) else completed
