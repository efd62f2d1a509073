"""How the database reads: by the index that is there for it, and no more than it must.

The statements are those that operations send, planned as the server has them planned:
in its role, under row-level security, with no value known in advance. Once where all
workspaces are small, and once where one of them is large.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from databases import migrated_database
from running import Run, Statements
from scale import Plan, Sizes, fill, ids, reader
from test_paging import at_root, key, roots

from graph_api.config import Settings
from graph_api.database.engine import APPLICATION_ROLE, Database
from graph_api.execution.operation import Executor
from graph_api.models import (
    Base,
    Commitment,
    Party,
    Role,
    Workspace,
    public_name,
)
from graph_api.reading.cursors import Cursors
from graph_api.reading.ordering import orderable
from graph_api.schema.context import Surroundings
from graph_api.schema.registry import SHOWN

SMALL = Sizes({Commitment: 10_000}, usual=500, others=50)
LARGE = Sizes({Commitment: 100_000, Role: 20_000, Party: 10_000}, 5_000, others=50)

PAGE = "nodes { id } edges { cursor } totalCount aggregate { count }"
# To sort what one key of a unique index finds is no work.
FEW = 10
SHA256 = "a" * 64


@dataclass(frozen=True)
class Planned:
    """Operations, and the plans of their statements."""

    database: Database
    run: Run

    async def __call__(self, query: str, **variables: Any) -> list[Plan]:
        """How the statements of an operation are planned, the last level last."""
        with Statements.of(self.database) as sent:
            answer = await self.run(query, **variables)
        assert "errors" not in answer, answer["errors"]
        return [await Plan.of(self.database, statement) for statement in sent]

    async def pages(
        self, model: type[Base], attribute: str, direction: str, nulls: str
    ) -> list[Plan]:
        """How the first page of an order is planned, and those around its end."""
        order = [key(attribute, direction, nulls)]
        ask = at_root(self.run, model)
        with Statements.of(self.database) as sent:
            page = await ask(orderBy=order, first=20)
            end = page["pageInfo"]["endCursor"]
            await ask(orderBy=order, first=20, after=end)
        return [await Plan.of(self.database, statement) for statement in sent]


@pytest.fixture(scope="module", params=[SMALL, LARGE], ids=["small", "large"])
async def planned(
    request: pytest.FixtureRequest,
    server_url: str,
    settings: Settings,
    executor: Executor,
) -> AsyncIterator[Planned]:
    """Plans among the rows of fifty-one workspaces."""
    with migrated_database(server_url) as url:
        admin = await asyncpg.connect(url)
        await fill(admin, request.param)
        await admin.close()
        database = Database(url, settings)
        surroundings = Surroundings(database, Cursors("secret"), settings)
        yield Planned(database, Run(executor, surroundings, reader()))
        await database.close()


async def test_plans_are_made_as_the_servers_role_with_no_value_known(
    planned: Planned,
) -> None:
    async with planned.database.connect(reader().workspace_id) as connection:
        row = await connection.driver.fetchrow(
            "SELECT current_user::text, current_setting('plan_cache_mode'), "
            "row_security_active('commitments')"
        )

    assert row is not None
    assert tuple(row) == (APPLICATION_ROLE, "force_generic_plan", True)


@pytest.mark.parametrize(
    ("model", "attribute"),
    [
        pytest.param(model, attribute, id=f"{model.__name__}.{attribute}")
        for model in roots()
        for attribute in orderable(model)
    ],
)
async def test_an_order_is_read_along_its_index_from_any_place(
    planned: Planned, model: type[Base], attribute: str
) -> None:
    plans = [
        plan
        for direction in ("ASC", "DESC")
        for nulls in ("FIRST", "LAST")
        for plan in await planned.pages(model, attribute, direction, nulls)
    ]

    assert len(plans) == 8
    assert not faults(plans, sorts=True)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        pytest.param(model, name, id=f"{model.__name__}.{name}")
        for model, shown in SHOWN.items()
        for name in shown.relations
        if model is not Workspace
    ],
)
async def test_a_relation_is_read_by_index_from_one_row_and_from_fifty(
    planned: Planned, model: type[Base], name: str
) -> None:
    below = PAGE if SHOWN[model].relations[name].to_many else "id"
    query = (
        f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {model.__name__} "
        f"{{ {public_name(name)} {{ {below} }} }} }} }}"
    )

    plans = [
        plan
        for count in (1, 50)
        for plan in await planned(query, ids=ids(model, range(count)))
    ]

    assert len(plans) >= 2
    assert not faults(plans, workspaces=True)


async def test_what_is_urgent_is_read_along_its_priority(planned: Planned) -> None:
    (plan,) = await planned(
        "{ commitments(filter: {state: {eq: ACTIVE}, priority: {gte: 50}}, "
        "orderBy: [{field: PRIORITY, direction: DESC}], first: 50) { nodes { id } } }"
    )

    assert plan.indexes == {"idx_commitments_priority"}
    assert not faults([plan], sorts=True)


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("due", ["", 'dueAt: {lte: "2026-02-01T00:00:00Z"}'])
async def test_what_is_due_in_a_state_is_read_along_its_time(
    planned: Planned, due: str, direction: str
) -> None:
    (plan,) = await planned(
        f"{{ commitments(filter: {{state: {{eq: ACTIVE}}, {due}}}, "
        f"orderBy: [{{field: DUE_AT, direction: {direction}}}], first: 50) "
        "{ nodes { id } } }"
    )

    assert plan.indexes == {"idx_commitments_state_due"}
    assert not faults([plan], sorts=True)


async def test_what_to_focus_on_is_read_along_its_own_index(planned: Planned) -> None:
    (plan,) = await planned("{ focus(first: 50) { commitment { id } } }")

    assert plan.indexes == {"idx_commitments_focus"}
    assert not faults([plan], sorts=True)


async def test_what_somebody_did_is_read_from_its_end(planned: Planned) -> None:
    plans = await planned(
        "{ viewer { user { interactions(last: 5) { nodes { id } } } } }"
    )

    assert "idx_interactions_actor" in plans[-1].indexes
    assert not plans[-1].sorts()


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (f'fileByHash(hash: "{SHA256}") {{ id }}', "idx_hash_index_file_hash"),
        (
            f'documents(filter: {{sha256: {{eq: "{SHA256}"}}}}) {{ nodes {{ id }} }}',
            "idx_documents_sha256",
        ),
        (
            'commitments(filter: {externalRef: {eq: "a"}}) { nodes { id } }',
            "uq_commitments_external_ref",
        ),
        (
            'signals(filter: {dedupeKey: {eq: "a"}}) { nodes { id } }',
            "idx_signals_dedupe",
        ),
    ],
)
async def test_what_has_a_unique_name_is_read_by_it(
    planned: Planned, query: str, index: str
) -> None:
    (plan,) = await planned(f"{{ {query} }}")

    assert plan.indexes == {index}
    assert not faults([plan], sorts=True, workspaces=True)


@pytest.mark.parametrize("model", sorted(SHOWN, key=str))
async def test_rows_are_read_by_their_keys(planned: Planned, model: type[Base]) -> None:
    keys = ids(model, range(1 if model is Workspace else 50))

    (plan,) = await planned("query($i: [ID!]!) { nodes(ids: $i) { id } }", i=keys)

    assert not faults([plan], workspaces=True)


def faults(
    plans: list[Plan], *, sorts: bool = False, workspaces: bool = False
) -> list[str]:
    """The plans that read a table from end to end.

    Or that sort a workspace's rows, or read all of them, where they should not.
    """
    return [
        str(plan)
        for plan in plans
        # A few workspaces are one page, of which an index would be no shortcut.
        if plan.whole_tables - {"workspaces"}
        or (sorts and plan.sorts(more_than=FEW))
        or (workspaces and _beside_members(plan))
    ]


def _beside_members(plan: Plan) -> set[str]:
    """What is read of a whole workspace but its members, who are few.

    Whose users may be seen is asked of all of them at once.
    """
    return {one for one in plan.whole_workspaces if "workspace_members" not in one}
