"""Paging: whatever the order, the pages of a list put together are the list."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count, product
from random import Random
from typing import Any

import asyncpg
import pytest
from conftest import new_caller
from graphql import get_named_type
from hypothesis import given
from hypothesis import strategies as st
from running import Run
from world import World, populated, remove, repeatable, store, varied

from graph_api.execution.operation import Executor
from graph_api.ids import global_id
from graph_api.models import (
    Base,
    Commitment,
    Interaction,
    Party,
    Role,
    public_name,
)
from graph_api.reading.columns import column_of, table_of
from graph_api.reading.cursors import Cursors
from graph_api.reading.ordering import orderable, tie_breaker, total
from graph_api.schema import graphql_schema
from graph_api.schema.context import Surroundings
from graph_api.schema.registry import SHOWN, model_named

Key = dict[str, str]
Page = dict[str, Any]
# Asks for a page of some list, by the arguments of its connection.
Ask = Callable[..., Awaitable[Page]]

ARGUMENTS = {
    "filter": "{}Filter",
    "orderBy": "[{}Order!]",
    "first": "Int",
    "after": "String",
    "last": "Int",
    "before": "String",
}
PAGE = """{
    edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
}"""


def roots() -> dict[type[Base], str]:
    """The connection at the root of each type that has one."""
    assert graphql_schema.query_type is not None
    found = {}
    for name, field in graphql_schema.query_type.fields.items():
        shown = get_named_type(field.type).name.removesuffix("Connection")
        model = model_named(shown)
        if model is not None and "orderBy" in field.args:
            found[model] = name
    return found


def nested() -> list[tuple[type[Base], str]]:
    """The connections of all types, each as a model and the relation it shows."""
    return [
        (model, name)
        for model, shown in SHOWN.items()
        for name, relation in shown.relations.items()
        if relation.to_many
    ]


def orders(model: type[Base], most: int = 3) -> st.SearchStrategy[list[Key]]:
    """Orders of one to `most` keys."""
    one = st.builds(
        key,
        st.sampled_from(orderable(model)),
        st.sampled_from(["ASC", "DESC"]),
        st.sampled_from([None, "FIRST", "LAST"]),
    )
    return st.lists(one, min_size=1, max_size=most)


def key(attribute: str, direction: str = "ASC", nulls: str | None = None) -> Key:
    said = {"field": attribute.upper(), "direction": direction}
    return said | ({"nulls": nulls} if nulls else {})


@pytest.fixture(scope="module")
async def world(admin: "asyncpg.Connection[Any]") -> World:
    """Forty rows of every kind; no test of the module changes them."""
    return await populated(admin, await new_caller(admin), each=40)


@pytest.fixture
def read(executor: Executor, surroundings: Surroundings, world: World) -> Run:
    """What runs operations in the world's workspace."""
    return Run(executor, surroundings, world.caller)


@pytest.mark.parametrize(
    ("model", "order"),
    [
        pytest.param(model, [key(*said)], id=f"{model.__name__} {' '.join(said)}")
        for model in roots()
        for said in product(orderable(model), ["ASC", "DESC"], ["FIRST", "LAST"])
    ],
)
async def test_the_pages_of_every_order_are_the_list_in_both_directions(
    read: Run,
    world: World,
    admin: "asyncpg.Connection[Any]",
    model: type[Base],
    order: list[Key],
) -> None:
    ask = at_root(read, model)
    whole = await in_order(admin, world, model, order)

    forwards = await walked(ask, order, sizes(7))
    backwards = await walked(ask, order, sizes(7), backwards=True)

    assert len(whole) > 20
    assert forwards == whole
    assert backwards == whole


@repeatable()
@given(data=st.data())
async def test_so_are_the_pages_of_orders_by_several_keys(
    read: Run, world: World, admin: "asyncpg.Connection[Any]", data: st.DataObject
) -> None:
    model = data.draw(st.sampled_from(list(roots())))
    ask, order = at_root(read, model), data.draw(orders(model))
    seed, backwards = data.draw(st.integers(0, 99)), data.draw(st.booleans())

    seen = await walked(ask, order, sizes(seed), backwards=backwards)

    assert seen == await in_order(admin, world, model, order)


@repeatable()
@given(data=st.data())
async def test_each_parent_of_a_batch_is_paged_by_its_own_cursors(
    read: Run, world: World, admin: "asyncpg.Connection[Any]", data: st.DataObject
) -> None:
    model, name = data.draw(st.sampled_from(nested()))
    relation = SHOWN[model].relations[name]
    order = data.draw(orders(relation.target, most=2))
    seed, backwards = data.draw(st.integers(0, 99)), data.draw(st.booleans())
    parents = world.ids(model)[: data.draw(st.integers(1, 9))]

    seen = await walked_together(
        read,
        model,
        name,
        parents,
        order=order,
        sizes=sizes(seed),
        backwards=backwards,
    )

    ordered = await in_order(admin, world, relation.target, order)
    assert seen == {
        parent: among(members(world, model, name, parent), ordered)
        for parent in parents
    }


@repeatable(20)
@given(data=st.data())
async def test_one_cursor_bounds_the_lists_of_all_parents_of_a_batch(
    read: Run, world: World, admin: "asyncpg.Connection[Any]", data: st.DataObject
) -> None:
    order = data.draw(orders(Commitment))
    parents = world.ids(Role)[:12]
    first = await of_parents(read, Role, "commitments", parents, orderBy=order, first=9)
    edge = data.draw(st.sampled_from([e for page in first for e in page["edges"]]))

    pages = await of_parents(
        read, Role, "commitments", parents, orderBy=order, after=edge["cursor"]
    )

    ordered = await in_order(admin, world, Commitment, order)
    later = ordered[ordered.index(edge["node"]["id"]) + 1 :]
    assert [ids(page) for page in pages] == [
        among(members(world, Role, "commitments", parent), later)[:20]
        for parent in parents
    ]


@repeatable()
@given(data=st.data())
async def test_after_and_before_bound_a_page_at_both_ends(
    read: Run, world: World, admin: "asyncpg.Connection[Any]", data: st.DataObject
) -> None:
    order = data.draw(orders(Commitment))
    whole = await in_order(admin, world, Commitment, order)
    ask = at_root(read, Commitment)
    cursors = [e["cursor"] for e in (await ask(orderBy=order, first=100))["edges"]]
    start, end = (data.draw(st.integers(0, len(whole) - 1)) for _ in "ab")
    size = data.draw(st.integers(1, 50))
    between = {"orderBy": order, "after": cursors[start], "before": cursors[end]}

    forwards = await ask(first=size, **between)
    backwards = await ask(last=size, **between)

    inside = whole[start + 1 : end]
    assert ids(forwards) == inside[:size]
    assert ids(backwards) == inside[-size:]
    assert forwards["pageInfo"]["hasNextPage"] == (len(inside) > size)
    assert backwards["pageInfo"]["hasPreviousPage"] == (len(inside) > size)


@repeatable(15)
@given(data=st.data())
async def test_what_is_there_throughout_is_seen_once_while_other_rows_come_and_go(
    executor: Executor,
    surroundings: Surroundings,
    admin: "asyncpg.Connection[Any]",
    data: st.DataObject,
) -> None:
    caller = await new_caller(admin)
    random = Random(data.draw(st.integers(0, 99)))
    order, backwards = data.draw(orders(Commitment)), data.draw(st.booleans())
    stays = [varied(Commitment, random) for _ in range(40)]
    goes = [varied(Commitment, random) for _ in range(40)]
    await store(admin, caller, Commitment, stays + goes)
    ask = at_root(Run(executor, surroundings, caller), Commitment)

    async def disturb() -> None:
        gone, goes[:6] = goes[:6], []
        await remove(admin, Commitment, gone)
        new = [varied(Commitment, random) for _ in range(6)]
        await store(admin, caller, Commitment, new)

    seen = await walked(
        ask, order, sizes(random.random()), backwards=backwards, between=disturb
    )

    throughout = {global_id("Commitment", row["id"]) for row in stays}
    ordered = await in_order(admin, World(caller), Commitment, order)
    assert among(throughout, seen) == among(throughout, ordered)
    assert len(seen) == len(set(seen))


async def test_so_it_is_while_others_write_at_the_same_time(
    executor: Executor, surroundings: Surroundings, admin: "asyncpg.Connection[Any]"
) -> None:
    caller, random = await new_caller(admin), Random(1)
    stays = [varied(Commitment, random) for _ in range(200)]
    await store(admin, caller, Commitment, stays)
    ask = at_root(Run(executor, surroundings, caller), Commitment)

    async with churning(admin, World(caller), random) as a_while:
        await a_while()
        seen = await walked(ask, [key("due_at", "DESC")], sizes(1), between=a_while)

    throughout = {global_id("Commitment", row["id"]) for row in stays}
    assert sorted(among(throughout, seen)) == sorted(throughout)
    assert len(seen) > len(throughout)


async def test_a_page_starts_after_a_row_that_is_gone(run: Run, make: Any) -> None:
    names = [(await make.party(name=name)).name for name in "abcd"]
    ask, order = at_root(run, Party), [key("name")]
    first = await ask(orderBy=order, first=2)
    gone = first["edges"][1]["node"]["id"]
    await run(
        "mutation($id: ID!) { deleteParty(input: {id: $id, expectedVersion: 1}) "
        "{ userErrors { message } } }",
        id=gone,
    )

    rest = await ask(orderBy=order, after=first["pageInfo"]["endCursor"])

    assert len(names) == 4
    assert len(ids(rest)) == 2


async def test_without_sizes_there_are_twenty_on_a_page(read: Run) -> None:
    page = await at_root(read, Commitment)(first=None, last=None)

    assert len(page["edges"]) == 20


async def test_an_empty_page_says_whether_there_are_more(read: Run) -> None:
    ask = at_root(read, Commitment)

    assert await ask(first=0) == empty(hasNextPage=True)
    assert await ask(last=0) == empty(hasPreviousPage=True)


async def test_an_empty_list_has_one_empty_page(run: Run) -> None:
    assert await at_root(run, Commitment)() == empty()


@pytest.mark.parametrize("size", [-1, 101, 10**9, -(2**31)])
@pytest.mark.parametrize("argument", ["first", "last"])
async def test_a_size_beyond_a_page_is_refused(
    read: Run, argument: str, size: int
) -> None:
    code, message = await refusal(read, Commitment, **{argument: size})

    assert code == "BAD_USER_INPUT"
    assert message.endswith(f"must be from 0 to 100, not {size}.")


async def test_a_size_beyond_an_int_is_refused(read: Run) -> None:
    answer = await read("{ commitments(first: 10000000000) { nodes { id } } }")

    assert [e["extensions"]["code"] for e in answer["errors"]] == [
        "GRAPHQL_VALIDATION_FAILED"
    ]


async def test_first_and_last_exclude_each_other(read: Run) -> None:
    refused = await refusal(read, Commitment, first=1, last=1)

    assert refused == ("BAD_USER_INPUT", "Pass `first` or `last`, not both.")


async def test_an_order_has_at_most_three_keys(read: Run) -> None:
    refused = await refusal(read, Commitment, orderBy=[key("title")] * 4)

    assert refused == ("BAD_USER_INPUT", "`orderBy` takes at most 3 keys, not 4.")


@repeatable()
@given(data=st.data())
async def test_an_altered_cursor_is_no_cursor(read: Run, data: st.DataObject) -> None:
    page = await at_root(read, Commitment)(first=1)
    cursor = page["pageInfo"]["endCursor"]
    place = data.draw(st.integers(0, len(cursor) - 1))
    written = data.draw(st.sampled_from(["", "A", "B", "_", "!", "=", "\n", "é", "🐜"]))
    kept = data.draw(st.integers(0, 1))
    altered = cursor[:place] + written + cursor[place + 1 - kept :]

    answer = await errors(read, Commitment, first=1, after=altered)

    assert altered == cursor or answer[0][0] == "BAD_CURSOR"


@pytest.mark.parametrize("ending", ["=", "==", "A", "A===", " ", "\n", "\0", "%00"])
async def test_a_cursor_with_something_after_it_is_no_cursor(
    read: Run, ending: str
) -> None:
    page = await at_root(read, Commitment)(first=1)

    refused = await refusal(
        read, Commitment, after=page["pageInfo"]["endCursor"] + ending
    )

    assert refused[0] == "BAD_CURSOR"


async def test_the_last_letter_of_a_cursor_counts_in_all_its_bits(read: Run) -> None:
    page = await at_root(read, Commitment)(first=1)
    cursor = page["pageInfo"]["endCursor"]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    accepted = [
        letter
        for letter in letters
        if not await errors(read, Commitment, after=cursor[:-1] + letter)
    ]

    assert accepted == [cursor[-1]]


async def test_a_cursor_of_another_server_is_no_cursor(read: Run, world: World) -> None:
    row = SHOWN[Commitment].model(id=world.rows[Commitment][0]["id"])
    foreign = Cursors("another secret").write("Commitment", total(Commitment, ()), row)

    refused = await refusal(read, Commitment, after=foreign)

    assert refused[0] == "BAD_CURSOR"


@pytest.mark.parametrize(
    "other",
    [
        [],
        [key("title", "DESC")],
        [key("title", "ASC", "FIRST")],
        [key("priority")],
        [key("title"), key("priority")],
    ],
)
async def test_a_cursor_of_another_order_is_refused(
    read: Run, other: list[Key]
) -> None:
    page = await at_root(read, Commitment)(first=1, orderBy=[key("title")])

    refused = await refusal(
        read, Commitment, orderBy=other, after=page["pageInfo"]["endCursor"]
    )

    assert refused[0] == "BAD_CURSOR"


async def test_a_cursor_of_another_list_is_refused(read: Run, world: World) -> None:
    of_parties = (await at_root(read, Party)(first=1))["pageInfo"]["endCursor"]
    roles = await of_parents(read, Role, "commitments", world.ids(Role), first=1)
    of_a_role = next(c for p in roles if (c := p["pageInfo"]["endCursor"]))

    assert (await refusal(read, Commitment, after=of_parties))[0] == "BAD_CURSOR"
    assert (await refusal(read, Commitment, after=of_a_role))[0] == "BAD_CURSOR"


async def test_a_cursor_stays_good_under_another_filter(read: Run) -> None:
    page = await at_root(read, Commitment)(first=20, orderBy=[key("title")])

    rest = await at_root(read, Commitment)(
        first=100,
        orderBy=[key("title")],
        after=page["pageInfo"]["endCursor"],
        filter={"priority": {"gte": 0}},
    )

    assert len(ids(page)) == 20
    assert len(ids(rest)) == 20


async def test_the_log_is_read_in_the_order_it_was_written(
    read: Run, world: World
) -> None:
    page = await at_root(read, Interaction)(first=100)

    rows = sorted(world.rows[Interaction], key=lambda row: int(row["position"]))
    assert ids(page) == [global_id("Interaction", row["id"]) for row in rows]


async def in_order(
    admin: "asyncpg.Connection[Any]",
    world: World,
    model: type[Base],
    order: list[Key],
) -> list[str]:
    """The ids of all rows, sorted by one plain statement."""
    keys = [
        f"{column_of(model, one['field'].lower()).name} {one['direction']} "
        f"NULLS {one.get('nulls', 'LAST')}"
        for one in order
    ]
    tie = f"{tie_breaker(model)} {order[0]['direction']}"
    rows = await admin.fetch(
        f"SELECT id FROM {table_of(model).name} WHERE workspace_id = $1 "
        f"ORDER BY {', '.join([*keys, tie])}",
        world.caller.workspace_id,
    )
    return [global_id(model.__name__, row["id"]) for row in rows]


def members(world: World, model: type[Base], name: str, parent: str) -> set[str]:
    """The ids that the relation `name` of one row leads to."""
    relation = SHOWN[model].relations[name]
    row = next(
        r for r in world.rows[model] if global_id(model.__name__, r["id"]) == parent
    )
    target = relation.target.__name__
    return {global_id(target, other["id"]) for other in world.related(relation, row)}


def among(wanted: set[str], ids: list[str]) -> list[str]:
    """Those of `ids` that are wanted, in their order."""
    return [id for id in ids if id in wanted]


def at_root(run: Run, model: type[Base]) -> Ask:
    """What asks for pages of all rows of `model`."""
    name = roots()[model]
    query = f"query({_declared(model)}) {{ {name}({_passed()}) {PAGE} }}"

    async def ask(**given: Any) -> Page:
        answer = await run(query, **given)
        page: Page = answer["data"][name]
        return page

    return ask


async def of_parents(
    run: Run, model: type[Base], name: str, parents: list[str], **given: Any
) -> list[Page]:
    """A page of each parent's list, in one operation."""
    target = SHOWN[model].relations[name].target
    answer = await run(
        f"query($ids: [ID!]!, {_declared(target)}) {{ nodes(ids: $ids) {{ "
        f"... on {model.__name__} {{ page: {public_name(name)}({_passed()}) {PAGE} }} "
        "} }",
        ids=parents,
        **given,
    )
    return [node["page"] for node in answer["data"]["nodes"]]


async def walked(
    ask: Ask,
    order: list[Key],
    sizes: Iterator[int],
    *,
    backwards: bool = False,
    after: str | None = None,
    between: Callable[[], Awaitable[None]] | None = None,
) -> list[str]:
    """The ids of a list, read page by page; `between` pages something may happen."""
    seen: list[str] = []
    cursor, more = after, True
    while more:
        page = await ask(orderBy=order, **_place(cursor, next(sizes), backwards))
        _check_cursors(page)
        seen = ids(page) + seen if backwards else seen + ids(page)
        cursor, more = _onward(page, backwards)
        if between is not None:
            await between()
    return seen


async def walked_together(
    run: Run,
    model: type[Base],
    name: str,
    parents: list[str],
    *,
    order: list[Key],
    sizes: Iterator[int],
    backwards: bool,
) -> dict[str, list[str]]:
    """The lists of several parents: their first pages at once, then each by itself."""
    size = next(sizes)
    first = await of_parents(
        run, model, name, parents, orderBy=order, **_place(None, size, backwards)
    )
    seen = {}
    for parent, page in zip(parents, first, strict=True):
        _check_cursors(page)
        seen[parent] = ids(page)
        cursor, more = _onward(page, backwards)
        if more:
            ask = _of_one(run, model, name, parent)
            rest = await walked(ask, order, sizes, backwards=backwards, after=cursor)
            seen[parent] = rest + ids(page) if backwards else ids(page) + rest
    return seen


@asynccontextmanager
async def churning(
    admin: "asyncpg.Connection[Any]", world: World, random: Random
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Meanwhile, rows come and go all the time; gives what waits until some have."""
    done, round_ended = asyncio.Event(), asyncio.Condition()

    async def churn() -> None:
        while not done.is_set():
            rows = [varied(Commitment, random) for _ in range(5)]
            await store(admin, world.caller, Commitment, rows)
            await remove(admin, Commitment, rows[:4])
            async with round_ended:
                round_ended.notify_all()

    async def a_while() -> None:
        async with round_ended:
            await round_ended.wait()

    task = asyncio.create_task(churn())
    try:
        yield a_while
    finally:
        done.set()
        await task


async def errors(run: Run, model: type[Base], **given: Any) -> list[tuple[str, str]]:
    """The codes and messages of what is refused."""
    name = roots()[model]
    query = f"query({_declared(model)}) {{ {name}({_passed()}) {PAGE} }}"
    answer = await run(query, **given)
    assert ("errors" in answer) == (answer.get("data") is None)
    return [(e["extensions"]["code"], e["message"]) for e in answer.get("errors", [])]


async def refusal(run: Run, model: type[Base], **given: Any) -> tuple[str, str]:
    """The code and message of the one thing that is refused."""
    (refused,) = await errors(run, model, **given)
    return refused


def sizes(seed: float) -> Iterator[int]:
    """Page sizes at random, small and large."""
    random = Random(seed)
    return (random.choice([1, 2, 3, 5, 8, 13, 100]) for _ in count())


def ids(page: Page) -> list[str]:
    return [edge["node"]["id"] for edge in page["edges"]]


def empty(**true: bool) -> Page:
    """A page with nothing on it."""
    info = {"hasNextPage": False, "hasPreviousPage": False} | true
    return {"edges": [], "pageInfo": info | {"startCursor": None, "endCursor": None}}


def _of_one(run: Run, model: type[Base], name: str, parent: str) -> Ask:
    async def ask(**given: Any) -> Page:
        (page,) = await of_parents(run, model, name, [parent], **given)
        return page

    return ask


def _place(cursor: str | None, size: int, backwards: bool) -> dict[str, Any]:
    if backwards:
        return {"last": size, "before": cursor}
    return {"first": size, "after": cursor}


def _onward(page: Page, backwards: bool) -> tuple[str | None, bool]:
    info = page["pageInfo"]
    if backwards:
        return info["startCursor"], info["hasPreviousPage"]
    return info["endCursor"], info["hasNextPage"]


def _check_cursors(page: Page) -> None:
    cursors = [edge["cursor"] for edge in page["edges"]] or [None]
    assert page["pageInfo"]["startCursor"] == cursors[0]
    assert page["pageInfo"]["endCursor"] == cursors[-1]


def _declared(model: type[Base]) -> str:
    return ", ".join(
        f"${name}: {type.format(model.__name__)}" for name, type in ARGUMENTS.items()
    )


def _passed() -> str:
    return ", ".join(f"{name}: ${name}" for name in ARGUMENTS)
