"""What is kept for the next operation is bounded, however many different ones come."""

import gc
from dataclasses import replace
from itertools import combinations, islice, product
from typing import Any

import pytest
from factories import Make
from running import Run
from test_explaining import told

from graph_api.config import Settings
from graph_api.database.statements import Statement
from graph_api.execution import planned
from graph_api.execution.documents import (
    KEPT_CHARACTERS,
    KEPT_DOCUMENTS,
    KEPT_VARIANTS,
    Document,
)
from graph_api.execution.keeping import Kept
from graph_api.execution.limits import Limits
from graph_api.execution.operation import Executor
from graph_api.execution.planned import KEPT_CONSTANTS, Planned
from graph_api.schema import graphql_schema

OPERATORS = ("eq", "ne", "lt", "lte", "gt", "gte", "contains", "startsWith")
FILTERED = """
    query ($filter: TagFilter, $orderBy: [TagOrder!]) {
      tags(filter: $filter, orderBy: $orderBy) { nodes { name } }
    }
"""
FLAGS = "abcde"
DECIDED = f"""
    query ({", ".join(f"${flag}: Boolean!" for flag in FLAGS)}) {{
      tags {{ nodes {{
        {" ".join(f"{flag}: name @include(if: ${flag})" for flag in FLAGS)}
      }} }}
    }}
"""


@pytest.fixture
def executor(settings: Settings) -> Executor:
    """One that has seen nothing yet."""
    return Executor(graphql_schema, Limits.of(settings), timeout_s=30)


def test_the_last_few_are_kept_by_when_they_were_asked_for() -> None:
    kept = Kept[str](2)
    kept.keep("a", "A")
    kept.keep("b", "B")
    kept.get("a")

    kept.keep("c", "C")

    assert (kept.get("a"), kept.get("b"), kept.get("c")) == ("A", None, "C")
    assert len(kept) == 2


async def test_statements_are_kept_for_some_shapes_of_all_that_is_asked(
    run: Run, make: Make, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make.tag(name="m")
    monkeypatch.setattr(planned, "KEPT_STATEMENTS", 32)
    fresh = Executor(graphql_schema, Limits.of(settings), timeout_s=30)
    ask = replace(run, executor=fresh)
    shapes = list(islice(filters(), 40))
    other = FILTERED.replace("nodes { name }", "nodes { id name }")
    before = alive(Statement)

    answers = [await ask(FILTERED, filter=one) for one in shapes]
    others = [await ask(other, filter=one) for one in shapes]
    again = [await ask(FILTERED, filter=one) for one in shapes]

    assert alive(Statement) - before == 32
    assert again == answers
    assert len(others) == 40
    assert {len(one["data"]["tags"]["nodes"]) for one in answers} == {0, 1}


async def test_values_make_no_shape_of_their_own(run: Run) -> None:
    before = alive(Statement)

    answers = [await run(FILTERED, filter={"name": {"eq": f"{i}"}}) for i in range(20)]

    assert answers == [{"data": {"tags": {"nodes": []}}}] * 20
    assert alive(Statement) - before == 1


async def test_plans_are_kept_for_some_of_what_directives_decide(
    run: Run, make: Make
) -> None:
    await make.tag(name="tax")
    decided = [
        dict(zip(FLAGS, flags, strict=True))
        for flags in product((True, False), repeat=len(FLAGS))
    ]
    before = alive(Planned)

    answers = [await run.explained(DECIDED, **flags) for flags in decided]

    assert alive(Planned) - before == KEPT_VARIANTS
    assert [told(one) for one in answers] == [{"path": "planned"}] * 32
    assert [one["data"]["tags"]["nodes"] for one in answers] == [
        [{flag: "tax" for flag, is_asked in flags.items() if is_asked}]
        for flags in decided
    ]


async def test_documents_are_kept_by_their_length(run: Run) -> None:
    long = " # " + "long " * 2_000
    fitting = KEPT_CHARACTERS // len(f"{{ tags_00: tags {{ totalCount }} }}{long}")
    before = alive(Document), alive(Planned)

    answers = [
        await run(f"{{ tags_{i:02}: tags {{ totalCount }} }}{long}") for i in range(60)
    ]

    assert [one["data"] for one in answers] == [
        {f"tags_{i:02}": {"totalCount": 0}} for i in range(60)
    ]
    assert alive(Document) - before[0] == fitting < 60
    assert alive(Planned) - before[1] == fitting


def test_documents_are_kept_by_their_number(executor: Executor) -> None:
    documents = executor._documents
    texts = [f"{{ a{number}: __typename }}" for number in range(KEPT_DOCUMENTS + 10)]

    first, *_ = [documents.prepare(text, None, {})[0] for text in texts]

    assert len(documents._kept) == KEPT_DOCUMENTS
    assert documents.prepare(texts[-1], None, {})[0] is documents._kept[texts[-1]]
    assert documents.prepare(texts[0], None, {})[0] is not first


async def test_answers_about_the_schema_are_kept_for_few_documents(
    run: Run, executor: Executor
) -> None:
    queries = [f"{{ a{i}: __schema {{ queryType {{ name }} }} }}" for i in range(20)]

    first = [await run(query) for query in queries]
    again = [await run.explained(query) for query in queries[-KEPT_CONSTANTS:]]

    assert executor._paths.plans
    assert len(executor._paths.plans.constants) == KEPT_CONSTANTS
    assert {told(one)["path"] for one in again} == {"constant"}
    assert [one["data"] for one in again] == [
        one["data"] for one in first[-KEPT_CONSTANTS:]
    ]


def filters() -> Any:
    """Filters of different shapes."""
    for number in range(1, len(OPERATORS)):
        for operators in combinations(OPERATORS, number):
            yield {"name": dict.fromkeys(operators, "m")}


def alive(kind: type[Any]) -> int:
    """How many objects of a class somebody still has."""
    gc.collect()
    return sum(1 for one in gc.get_objects() if type(one) is kind)
