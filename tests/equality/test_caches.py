"""However many different operations come, what the server keeps of them is bounded."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from both_ways import BothWays, both_ways, make_executor
from caches import different_operations

from graph_api.config import Settings
from graph_api.execution import planned
from graph_api.execution.operation import Executor

OPERATIONS = 400


@pytest.fixture(scope="module")
async def ways(database_url: str) -> AsyncIterator[BothWays]:
    """Both ways of answering, over worlds of their own."""
    async with both_ways(database_url) as both:
        yield both


class Hoarding(Executor):
    """An executor that keeps something of every request."""

    def __init__(self, right: Executor) -> None:
        self._right = right
        self._all: dict[str, str] = {}

    async def run(self, request: Any, *arguments: Any, **options: Any) -> Any:
        self._all[f"{request.query} {request.variables}"] = request.query
        return await self._right.run(request, *arguments, **options)


async def test_what_is_kept_of_operations_is_bounded(
    ways: BothWays, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So that it is full before half of the operations have come.
    monkeypatch.setattr(planned, "KEPT_STATEMENTS", OPERATIONS // 4)
    executor = make_executor(settings, planning=True)

    kept = await ways.kept(executor, OPERATIONS)

    print(kept.report())
    assert kept.unbounded == []
    assert kept.growth < 32 << 20


async def test_what_is_kept_of_every_operation_is_found(ways: BothWays) -> None:
    kept = await ways.kept(Hoarding(ways.reference), 100)

    assert "executor._all: 50 → 100" in kept.unbounded


async def test_the_operations_differ(ways: BothWays) -> None:
    made = different_operations(ways.worlds.sound, OPERATIONS)

    alike = {(one.query, str(one.variables)) for one in made}

    assert len(alike) == OPERATIONS
