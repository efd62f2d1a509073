"""Documents that ask for much in few bytes are refused, each at once.

This is the short form of `tests/attack/documents.py`, which has good traffic beside.
"""

import asyncio
import sys
import time
from pathlib import Path

import pytest
from running import Run
from test_retries import codes

from graph_api.execution.messages import Answer
from graph_api.execution.operation import Executor
from graph_api.http.parameters import as_request, in_body
from graph_api.http.refusal import Refused
from graph_api.schema.context import Context

sys.path.append(str(Path(__file__).parent / "attack"))

from hostile import HOSTILE, Hostile


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_document_is_refused_before_it_is_much(
    run: Run, executor: Executor, name: str
) -> None:
    hostile = HOSTILE[name]

    found = [await refusal(run, executor, hostile) for _ in range(5)]

    assert {code for code, _ in found} == {hostile.code}
    # 50 ms is what is promised, of a processor that is not shared; here it is, by
    # threads and caches, with other tests.
    # Within 50 ms on a machine of its own, which `make attack-documents` shows.
    assert min(seconds for _, seconds in found) < 0.5


async def test_others_are_answered_while_a_long_text_is_read(
    run: Run,
) -> None:
    await run("{ __typename }")
    text = HOSTILE["a field by the thousand"].query
    reading = asyncio.create_task(run(text))
    await asyncio.sleep(0)

    answer = await run("{ __typename }")
    was_reading = not reading.done()

    assert answer == {"data": {"__typename": "Query"}}
    assert was_reading
    assert codes(await reading) == ["TOO_COMPLEX"]


async def refusal(run: Run, executor: Executor, hostile: Hostile) -> tuple[str, float]:
    """The code of a refusal, and the processor time that it took."""
    body = hostile.body

    async def make_context() -> Context:
        return Context(run.surroundings, run.caller)

    since = time.process_time()
    try:
        request = as_request(in_body(body), None)
    except Refused as error:
        return error.code, time.process_time() - since
    answer: Answer = await executor.run(request, make_context)
    return answer.codes[0], time.process_time() - since
