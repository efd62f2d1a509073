"""An operation from its text to its answer.

A request is refused as a whole before it has touched anything, or it is run, and then
each field has a value or an error. A query is cancelled with its request; a mutation,
once begun, runs to its end or its deadline, for its client must not be left guessing.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine
from functools import lru_cache
from typing import Any, TypeVar

from graphql import (
    ASTValidationRule,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
)

from graph_api.errors import Busy, GraphApiError, Timeout
from graph_api.execution.documents import DEFAULT, Documents
from graph_api.execution.explaining import Explanation
from graph_api.execution.limits import Limits
from graph_api.execution.masking import Masking
from graph_api.execution.messages import Answer, Request
from graph_api.execution.openness import Disclosure
from graph_api.execution.paths import Context, Job, Paths
from graph_api.execution.refusals import (
    MethodNotAllowed,
    ParseFailed,
    UnsupportedOperation,
    ValidationFailed,
)
from graph_api.execution.validation import InvalidDocument
from graph_api.execution.variables import refuse_many_values
from graph_api.quotas import Charge, Quotas
from graph_api.schema.scalars import write_time

log = logging.getLogger(__name__)

T = TypeVar("T")

EVERY_TYPE = frozenset(OperationType)
STOPPED = frozenset({Timeout.code, Busy.code})


class Executor:
    """Runs operations against one schema, within limits and a deadline."""

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: Limits,
        *,
        timeout_s: float,
        rules: Collection[type[ASTValidationRule]] = (),
        disclosure: Disclosure = DEFAULT,
        planning: bool = True,
        quotas: Quotas | None = None,
    ) -> None:
        """`rules` are validated beside those of GraphQL's specification.

        Without `planning`, the reference path answers everything.
        """
        self._timeout_s = timeout_s
        self._quotas = quotas
        self._paths = Paths(
            schema,
            hide_suggestions=disclosure.hides_suggestions(is_anonymous=False),
            planning=planning,
        )
        self._documents = Documents(schema, limits, rules, disclosure=disclosure)

    async def run(
        self,
        request: Request,
        make_context: Callable[[], Awaitable[Context]],
        *,
        allow: frozenset[OperationType] = EVERY_TYPE,
    ) -> Answer:
        """The answer to a request; it raises nothing but CancelledError."""
        masking = Masking(request.id)
        opening = _Opening(make_context)
        try:
            job = await self._read(request, allow, masking, opening)
        except Exception as error:  # The edge: a bug of ours is masked and logged.
            await opening.undo()
            return Answer(errors=_refusal(error, masking))
        running = self._run(job, opening)
        if job.operation.operation is OperationType.MUTATION:
            return await _to_the_end(running)
        return await running

    async def _read(
        self,
        request: Request,
        allow: frozenset[OperationType],
        masking: Masking,
        opening: "_Opening",
    ) -> Job:
        """What is to be done for a request; raises what refuses it.

        To read an unknown text is work, whatever is found: it is charged before, and
        given back where the text is in order, for then the operation is charged.
        """
        quotas = self._quotas
        if quotas is None or self._documents.knows(request.query):
            return await self._job(request, allow, masking)
        async with asyncio.timeout(self._timeout_s):
            charge = await quotas.charge_reading((await opening()).caller)
        job = await self._job(request, allow, masking)
        if charge is not None:
            await quotas.settle(charge, 0)
        return job

    async def _job(
        self, request: Request, allow: frozenset[OperationType], masking: Masking
    ) -> Job:
        document, operation, cost = await self._documents.prepare_aside(
            request.query,
            request.operation_name,
            request.variables,
            only_open=request.is_anonymous,
        )
        _refuse_type(operation.operation, allow)
        refuse_many_values(operation, request.variables)
        return Job(request, document, operation, cost, masking)

    async def _run(self, job: Job, opening: "_Opening") -> Answer:
        context: Context | None = None
        explanation = Explanation()
        deadline = asyncio.timeout(self._timeout_s)
        try:
            async with deadline:
                context = await opening()
                if self._quotas is not None:
                    points = job.cost.points
                    context.charge = await self._quotas.charge(context.caller, points)
                since = time.perf_counter()
                answer = await self._paths.answer(job, context, explanation)
                explanation.took("total", since)
                explanation.count(*context.cost[:2])
        except Exception as error:  # The edge: a bug of ours is masked and logged.
            late = self._too_late(job.operation) if deadline.expired() else error
            return Answer(errors=job.masking.refusal(late))
        finally:
            if context is not None and not context.let_go():
                await _to_the_end(_close(context))
        told = explanation.extensions() if job.request.explain else {}
        if context.redacted:
            told["redacted"] = sorted(context.redacted)
        if self._quotas is not None and context.charge is not None:
            told["cost"] = await _settled(
                self._quotas, context.charge, job, answer, context
            )
        if not told:
            return answer
        return Answer(answer.data, answer.errors, answer.executed, told, answer.encoded)

    def _too_late(self, operation: OperationDefinitionNode) -> GraphApiError:
        message = f"The operation took more than {self._timeout_s:g} s and was stopped."
        if operation.operation is OperationType.MUTATION:
            message += (
                " The field that was being written is rolled back; those before it are "
                "written. With an `idempotencyKey` it is safe to try again."
            )
        return Timeout(message, timeout_s=self._timeout_s)


# Many answers of one second tell the same moment.
_told = lru_cache(maxsize=256)(write_time)


class _Opening:
    """Makes the context of a request when it is first needed, and only once."""

    def __init__(self, make: Callable[[], Awaitable[Context]]) -> None:
        self._make = make
        self._made: Context | None = None

    async def __call__(self) -> Context:
        if self._made is None:
            self._made = await self._make()
        return self._made

    async def undo(self) -> None:
        """Close the context, if one was made."""
        if self._made is not None and not self._made.let_go():
            await _to_the_end(_close(self._made))


def _refusal(error: Exception, masking: Masking) -> list[dict[str, Any]]:
    """What a request is answered that is refused as a whole."""
    if isinstance(error, GraphQLSyntaxError):
        return masking.of_request([error], ParseFailed)
    if isinstance(error, InvalidDocument):
        return masking.of_request(error.errors, ValidationFailed)
    return masking.refusal(error)


def _refuse_type(type_: OperationType, allow: frozenset[OperationType]) -> None:
    if type_ is OperationType.SUBSCRIPTION:
        raise UnsupportedOperation("This server runs queries and mutations.")
    if type_ not in allow:
        raise MethodNotAllowed(f"A {type_.value} needs a POST request.")


async def _settled(
    quotas: Quotas, charge: Charge, job: Job, answer: Answer, context: Context
) -> dict[str, Any]:
    """What an operation did cost, of which what it did not is given back.

    One that was stopped was as dear as it could be: only its end is known.
    """
    _, rows, figures = context.cost
    actual = job.cost.when_read(charge.rows + rows, charge.figures + figures)
    was_stopped = answer.errors and not STOPPED.isdisjoint(answer.codes)
    await quotas.settle(charge, charge.requested if was_stopped else actual)
    return {
        "requested": charge.requested,
        "actual": charge.actual,
        "remaining": charge.remaining,
        "resetAt": _told(charge.reset_at),
    }


async def _to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`; to cancel the caller meanwhile comes too late."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait((task,))
    return task.result()


async def _close(context: Context) -> None:
    try:
        await context.close()
    except Exception:
        # The answer stands: what was to be written has been, or was refused.
        log.exception("A request's context was not closed cleanly")
