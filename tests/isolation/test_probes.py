"""What a stranger has and what nobody has are the same, wherever an id is taken."""

import re
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from conftest import new_caller
from every_mutation import GIVEN, MUTATIONS
from factories import Make
from probes import Found, Probe, Stranger, probe, probes, written
from running import Run, Statements
from world import World, populated
from writing import Admin

from graph_api.config import Settings
from graph_api.database.leases import Lease
from graph_api.execution.limits import Limits
from graph_api.execution.operation import Executor
from graph_api.schema import graphql_schema

SEED, SHORT = 20261126, 150


@pytest.fixture(scope="module")
async def own_world(admin: "Admin[Any]") -> World:
    return await populated(admin, await new_caller(admin), each=6, seed=1)


@pytest.fixture(scope="module")
async def stranger_world(admin: "Admin[Any]") -> Stranger:
    return Stranger(await populated(admin, await new_caller(admin), each=6, seed=2))


@pytest.fixture(params=["planned", "resolved"])
def asking(request: Any, run: Run, own_world: World, settings: Settings) -> Run:
    """What runs operations in a world of one's own, by plans or without them."""
    executor = Executor(
        graphql_schema,
        Limits.of(settings),
        timeout_s=30,
        planning=request.param == "planned",
    )
    return replace(run, executor=executor, caller=own_world.caller)


async def ask_all(
    asking: Run, some: list[Probe], stranger: Stranger, random: Random
) -> Found:
    all = Found()
    for one in some:
        found = await probe(asking, one, stranger, random)
        all.probes += found.probes
        all.different += found.different
        all.foreign += found.foreign
    return all


def test_all_that_takes_an_id_is_probed() -> None:
    names = [one.name for one in probes()]

    assert len(names) == len(set(names)) > 1_000


async def test_a_strangers_id_leads_where_nobodys_does(
    asking: Run, stranger_world: Stranger
) -> None:
    random = Random(SEED)
    some = random.sample(list(probes()), SHORT)

    found = await ask_all(asking, some, stranger_world, random)

    assert (found.probes, found.different, found.foreign) == (SHORT, (), ())


async def test_so_it_is_for_what_mutations_name(
    asking: Run, make: Make, stranger_world: Stranger
) -> None:
    random, own = Random(SEED), asking.by(make.caller)
    sound = {name: await GIVEN[name](make) for name in MUTATIONS}
    some = list(written(sound))

    found = await ask_all(own, some, stranger_world, random)

    assert (found.different, found.foreign) == ((), ())
    assert found.probes > 50


# A condition on the workspace, in statements of both spellings.
OURS = re.compile(
    r"(\w+\.)?workspace_id = (\$\d+(::UUID)?|%\(\w+\)s(::UUID)?)", re.IGNORECASE
)


@pytest.fixture
def without_conditions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """As if we had forgotten every condition on the workspace of our own."""
    changed: list[str] = []

    def taken_out(sql: str) -> str:
        made = OURS.sub(lambda match: f"({match[0]} OR true)", sql)
        if made != sql:
            changed.append(sql)
        return made

    fetch = Lease.fetch

    async def fetch_without(self: Lease, sql: str, arguments: Any = ()) -> Any:
        return await fetch(self, taken_out(sql), arguments)

    monkeypatch.setattr(Lease, "fetch", fetch_without)
    return changed


async def test_with_every_condition_of_our_own_taken_out_nothing_leaks(
    run: Run,
    own_world: World,
    stranger_world: Stranger,
    without_conditions: list[str],
    settings: Settings,
) -> None:
    executor = Executor(graphql_schema, Limits.of(settings), timeout_s=30)
    asking = replace(run, executor=executor, caller=own_world.caller)
    random = Random(SEED)
    some = random.sample(list(probes()), SHORT)

    found = await ask_all(asking, some, stranger_world, random)

    assert (found.different, found.foreign) == ((), ())
    assert len(without_conditions) > SHORT // 2


async def test_the_condition_that_is_taken_out_is_one(
    run: Run, own_world: World, statements: Statements
) -> None:
    asking = run.by(own_world.caller)

    await asking("{ parties { nodes { name roles { nodes { roleName } } } } }")

    assert statements
    assert all(OURS.search(one) for one in statements), statements
