"""The two paths by which an operation is answered, and which of them it takes.

A plan answers what it can. Everything else, and whatever a plan finds that it has no
rules for, is answered by the reference path: graphql-core with Strawberry's resolvers.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    execute_root_selection_set,
)
from graphql.execution import Executor as FieldExecutor
from graphql.execution.values import VariableValues

from graph_api.caller import Caller
from graph_api.errors import BadUserInput, Busy, Timeout
from graph_api.execution.cost import Cost
from graph_api.execution.database_errors import database_error
from graph_api.execution.documents import Document
from graph_api.execution.explaining import Explanation
from graph_api.execution.masking import Masking
from graph_api.execution.messages import Answer, Request
from graph_api.execution.performing import Performance
from graph_api.execution.plan.running import Fetch, Running
from graph_api.execution.planned import Planned, Plans
from graph_api.execution.variables import Variables
from graph_api.quotas import Charge

# What the fields of the root belong to.
ROOT = object()


class Context(Protocol):
    """What sources get as their context: one for each request, closed at its end."""

    charge: Charge | None

    @property
    def caller(self) -> Caller:
        """Who asks."""

    @property
    def fetch(self) -> Fetch:
        """Runs the statements of plans."""

    @property
    def redacted(self) -> Collection[str]:
        """The fields that were null because they are not for the caller."""

    def let_go(self) -> bool:
        """Give back what can be given back at once; whether nothing is left to do."""

    async def close(self) -> None:
        """Give back everything."""

    @property
    def cost(self) -> tuple[int, int, int]:
        """The reference path's statements, the rows that it read, and the figures."""


@dataclass(frozen=True)
class Job:
    """One operation that is to be answered: valid, and within the limits."""

    request: Request
    document: Document
    operation: OperationDefinitionNode
    cost: Cost
    masking: Masking


class Paths:
    """Answers the operations of one schema."""

    def __init__(
        self, schema: GraphQLSchema, *, hide_suggestions: bool, planning: bool
    ) -> None:
        self._schema = schema
        self._hide_suggestions = hide_suggestions
        self.plans = Plans(schema) if planning else None

    async def answer(self, job: Job, context: Any, explanation: Explanation) -> Answer:
        """The answer to an operation, for the caller whom `context` is of."""
        variables = self._variables(job)
        if isinstance(variables, list):
            return Answer(errors=job.masking.of_request(variables, BadUserInput))
        if self.plans is None:
            return await self._resolved(job, context)
        since = time.perf_counter()
        planned = self.plans.of(job.document, job.operation, variables)
        explanation.took("planning", since)
        explanation.reason = planned.reason
        running = Running(context, variables, context.fetch)
        answer = await self._by_plan(job, self.plans, planned, running, explanation)
        if answer is None:
            answer = await self._resolved(job, context)
        self.plans.counts[explanation.path] += 1
        return answer

    def _variables(self, job: Job) -> VariableValues | list[GraphQLError]:
        name = job.operation.name.value if job.operation.name else None
        known: Variables | None = job.document.variables.get(name)
        if known is None:
            known = job.document.variables[name] = Variables(
                self._schema, job.operation, hide_suggestions=self._hide_suggestions
            )
        return known.coerced(job.request.variables)

    async def _by_plan(
        self,
        job: Job,
        plans: Plans,
        planned: Planned,
        running: Running,
        explanation: Explanation,
    ) -> Answer | None:
        """What a plan answers; None where the reference path has to."""
        if planned.plan is not None:
            return await _run(plans, planned, running, explanation)
        if planned.is_constant:
            return await self._constant(job, plans, planned, running, explanation)
        if planned.roots is None:
            return None
        planned.runs += 1
        performance = Performance(plans, planned, running, explanation)
        data = await performance.perform(
            planned.roots, lambda: self._built(job, running.context)
        )
        if explanation.path == "resolved" and planned.reason is None:
            explanation.planned(running)
        return Answer(data, job.masking.of_fields(performance.errors), executed=True)

    async def _constant(
        self,
        job: Job,
        plans: Plans,
        planned: Planned,
        running: Running,
        explanation: Explanation,
    ) -> Answer:
        """The answer to a question about the schema, which is always the same."""
        key = (planned, repr(running.variables.coerced))
        known: Answer | None = plans.constants.get(key)
        if known is not None:
            explanation.path = "constant"
            return known
        answer = await self._resolved(job, running.context)
        if not answer.errors:
            encoded = orjson.Fragment(orjson.dumps(answer.data))
            answer = Answer(answer.data, executed=True, encoded=encoded)
            plans.constants.keep(key, answer)
        return answer

    async def _resolved(self, job: Job, context: Any) -> Answer:
        """What the reference path answers."""
        built = self._built(job, context)
        if isinstance(built, list):
            return Answer(errors=job.masking.of_request(built, BadUserInput))
        result = execute_root_selection_set(built)
        if not isinstance(result, ExecutionResult):
            result = await result
        errors = job.masking.of_fields(result.errors or [])
        return Answer(result.data, errors, executed=True)

    def _built(self, job: Job, context: Any) -> Any:
        name = job.operation.name
        return FieldExecutor.build(
            self._schema,
            job.document.tree,
            context_value=context,
            raw_variable_values=dict(job.request.variables),
            operation_name=name.value if name else None,
            hide_suggestions=self._hide_suggestions,
        )


async def _run(
    plans: Plans, planned: Planned, running: Running, explanation: Explanation
) -> Answer | None:
    """What the plan of a query answers; None where it has failed."""
    assert planned.plan is not None
    planned.runs += 1
    try:
        data = await planned.plan.run(ROOT, running)
    except Exception as error:
        if isinstance(database_error(error), Busy | Timeout):
            # The reference path would fare no better.
            raise
        plans.replayed(planned, error)
        explanation.replayed(error, running)
        return None
    explanation.planned(running)
    return Answer(data, executed=True)
