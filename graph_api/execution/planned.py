"""The planned path: plans by document, when they are used and when no more."""

import logging
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from graphql import (
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
)
from graphql.execution.values import VariableValues

from graph_api.database.statements import Statement
from graph_api.errors import BadUserInput
from graph_api.execution.documents import Document
from graph_api.execution.explaining import reason_of
from graph_api.execution.keeping import Kept
from graph_api.execution.plan.plans import (
    Plan,
    RootField,
    plan_mutation,
    plan_operation,
)
from graph_api.execution.plan.selections import (
    Introspection,
    Selections,
    Unplanned,
)

log = logging.getLogger(__name__)

# Answers about the schema, each some megabytes as objects, of all documents.
KEPT_CONSTANTS = 8
# Statements of all plans, of up to 20 KiB each: one for each shape of what is asked.
KEPT_STATEMENTS = 2_000
# From this many on, a document whose runs are replayed every other time is no more
# planned: to run it twice costs more than the plan can save.
MANY_REPLAYS = 5


@dataclass(eq=False)
class Planned:
    """What became of the planning of one operation: a plan, or why there is none."""

    plan: Plan | None = None
    reason: str | None = None
    runs: int = 0
    replays: int = 0
    # The root fields of a mutation.
    roots: list[RootField] | None = None
    # Whether it asks for nothing but the schema: its answers are kept.
    is_constant: bool = False


class Plans:
    """The plans of one schema's operations, kept with their documents."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        # How many operations were answered on which path.
        self.counts: Counter[str] = Counter()
        self.constants: Kept[Any] = Kept(KEPT_CONSTANTS)
        self._statements: Kept[Statement] = Kept(KEPT_STATEMENTS)

    def of(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        variables: VariableValues,
    ) -> Planned:
        """The plan of an operation as its directives are decided by the variables."""
        key = self._variant(document, operation, variables)
        known: Planned | None = document.plans.get(key)
        if known is not None:
            return known
        planned = self._plan(document, operation, variables)
        document.plans.keep(key, planned)
        return planned

    def replayed(self, planned: Planned, error: Exception) -> None:
        """Note a run that the reference path has to do again.

        What a client got wrong says nothing of the plan: others will do better.
        """
        if isinstance(error, BadUserInput):
            return
        planned.replays += 1
        log.info(
            "A plan was replayed by the reference path",
            exc_info=error,
            extra={"replays": planned.replays, "runs": planned.runs},
        )
        if planned.replays >= MANY_REPLAYS and planned.replays * 2 > planned.runs:
            planned.plan = None
            planned.roots = planned.roots and [
                replace(root, plan=None) for root in planned.roots
            ]
            at_last = reason_of(error)
            planned.reason = f"it failed {planned.replays} times, at last by: {at_last}"

    def _variant(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        variables: VariableValues,
    ) -> Hashable:
        name = operation.name.value if operation.name else None
        if not document.deciding:
            return name
        coerced: Mapping[str, Any] = variables.coerced
        return (name, *(coerced.get(one) for one in document.deciding))

    def _plan(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        variables: VariableValues,
    ) -> Planned:
        selections = Selections(self._schema, operation, document.fragments, variables)
        try:
            if operation.operation is OperationType.MUTATION:
                roots = plan_mutation(selections, self._statements)
                reasons = (root.reason for root in roots if root.reason)
                return Planned(roots=roots, reason=next(reasons, None))
            plan = plan_operation(selections, self._statements)
        except Introspection as error:
            return Planned(reason=str(error), is_constant=True)
        except Unplanned as error:
            return Planned(reason=str(error))
        return Planned(plan)
