"""Buckets of points: what is drawn, what comes back, in this process and in Redis."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from redis_server import PROGRAM, RedisServer

from graph_api.config import Settings
from graph_api.errors import ConfigurationError
from graph_api.quotas import Quotas
from graph_api.quotas.buckets import MANY, Bucket, Draw, InProcess, Store
from graph_api.quotas.in_redis import InRedis
from graph_api.quotas.storing import store_at

# It fills by a ten-thousandth in a second, which no test waits for.
SLOW = Bucket("points:a", 100, 1_000_000.0)
OTHER = Bucket("requests:a", 5, 1_000_000.0)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    if PROGRAM is None:
        pytest.skip("redis-server is not installed")
    with RedisServer() as server:
        yield server


@pytest.fixture(params=["process", "redis"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """An empty store of each kind."""
    if request.param == "process":
        yield InProcess()
        return
    made = InRedis(request.getfixturevalue("redis").url)
    await made._redis.flushall()
    yield made
    assert not made._is_away
    await made.close()


async def test_what_was_drawn_is_missing(store: Store) -> None:
    first = await store.draw([Draw(SLOW, 30)])
    second = await store.draw([Draw(SLOW, 70)])

    assert SLOW.left(first.full_in_s[0]) == 70
    assert SLOW.left(second.full_in_s[0]) == 0
    assert first.refused is second.refused is None


async def test_what_is_not_there_is_not_drawn(store: Store) -> None:
    await store.draw([Draw(SLOW, 90)])

    refused = await store.draw([Draw(SLOW, 11)])
    fitting = await store.draw([Draw(SLOW, 10)])

    assert refused.refused == 0
    assert refused.wait_s == pytest.approx(10_000, abs=100)
    assert SLOW.left(refused.full_in_s[0]) == 10
    assert fitting.refused is None


async def test_what_is_given_back_can_be_drawn_again(store: Store) -> None:
    await store.draw([Draw(SLOW, 100)])

    full_in_s = await store.give_back(Draw(SLOW, 40))
    drawn = await store.draw([Draw(SLOW, 40)])
    refused = await store.draw([Draw(SLOW, 1)])

    assert SLOW.left(full_in_s) == 40
    assert drawn.refused is None
    assert refused.refused == 0


async def test_no_more_is_given_back_than_a_bucket_holds(store: Store) -> None:
    await store.draw([Draw(SLOW, 10)])

    full_in_s = await store.give_back(Draw(SLOW, 90))
    drawn = await store.draw([Draw(SLOW, 100)])
    refused = await store.draw([Draw(SLOW, 1)])

    assert full_in_s == 0
    assert drawn.refused is None
    assert refused.refused == 0


async def test_all_is_drawn_or_nothing(store: Store) -> None:
    await store.draw([Draw(OTHER, 5)])

    refused = await store.draw([Draw(SLOW, 60), Draw(OTHER, 1)])
    drawn = await store.draw([Draw(SLOW, 100)])

    assert refused.refused == 1
    assert drawn.refused is None


async def test_the_longest_wait_is_told(store: Store) -> None:
    await store.draw([Draw(SLOW, 99), Draw(OTHER, 5)])

    refused = await store.draw([Draw(SLOW, 2), Draw(OTHER, 1)])

    assert refused.refused == 1
    assert refused.wait_s == pytest.approx(Draw(OTHER, 1).seconds, rel=0.01)


async def test_what_many_draw_at_once_is_no_more_than_there_is(store: Store) -> None:
    async def spend() -> int:
        spent = 0
        for _ in range(10):
            drawn = await store.draw([Draw(SLOW, 3)])
            if drawn.refused is None:
                await store.give_back(Draw(SLOW, 2))
                spent += 1
        return spent

    spent = sum(await asyncio.gather(*(spend() for _ in range(20))))
    left = await store.draw([Draw(SLOW, 0)])

    # Of the last two, nobody can have three.
    assert spent == 98
    assert SLOW.left(left.full_in_s[0]) == 2


async def test_two_processes_draw_on_the_same_bucket_in_redis(
    redis: RedisServer,
) -> None:
    one, other = InRedis(redis.url), InRedis(redis.url)
    await one._redis.flushall()

    first = await one.draw([Draw(SLOW, 60)])
    second = await other.draw([Draw(SLOW, 60)])
    await one.give_back(Draw(SLOW, 20))
    third = await other.draw([Draw(SLOW, 60)])
    await one.close()
    await other.close()

    assert [drawn.refused for drawn in (first, second, third)] == [None, 0, None]


async def test_redis_keeps_no_bucket_that_is_full(redis: RedisServer) -> None:
    quick = Bucket("points:quick", 100, 0.05)
    store = InRedis(redis.url)
    await store._redis.flushall()

    await store.draw([Draw(quick, 100)])
    kept = await store._redis.keys()
    await asyncio.sleep(0.1)
    left = await store._redis.keys()
    await store.close()

    assert kept == [b"{graph-api}:points:quick"]
    assert left == []


async def test_while_redis_is_away_each_process_counts_for_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    if PROGRAM is None:
        pytest.skip("redis-server is not installed")
    with RedisServer() as server, caplog.at_level(logging.WARNING):
        store = InRedis(server.url)
        await store.draw([Draw(SLOW, 100)])

        server.stop()
        since = time.monotonic()
        alone = [await store.draw([Draw(SLOW, 40)]) for _ in range(3)]
        took = time.monotonic() - since
        server.start()
        store._away_until = 0.0
        back = await store.draw([Draw(SLOW, 100)])
        await store.close()

    assert [drawn.refused for drawn in alone] == [None, None, 0]
    assert took < 1
    assert back.refused is None
    assert [record.message for record in caplog.records] == [
        "Redis is away: each process limits for itself",
        "Redis is back: limits are shared again",
    ]


async def test_a_bucket_fills_as_time_goes_by() -> None:
    clock = Clock()
    store = InProcess(clock)
    bucket = Bucket("points:a", 60, 60.0)
    await store.draw([Draw(bucket, 60)])

    clock.now += 10
    refused = await store.draw([Draw(bucket, 11)])
    drawn = await store.draw([Draw(bucket, 10)])
    clock.now += 600
    full = await store.draw([Draw(bucket, 60)])

    assert (refused.refused, refused.wait_s) == (0, 1)
    assert drawn.refused is None
    assert full.refused is None


async def test_buckets_that_are_full_again_are_forgotten() -> None:
    clock = Clock()
    store = InProcess(clock)
    bucket = Bucket("points", 60, 60.0)

    for number in range(10 * MANY):
        clock.now += 0.1
        await store.draw([Draw(bucket._replace(name=f"points:{number}"), 10)])

    # Those of the last ten seconds are not full yet.
    assert len(store) <= MANY + 1


@pytest.mark.parametrize("url", ["nonsense", "http://localhost", "memory://"])
def test_a_store_that_is_none_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ConfigurationError, match="RATE_LIMIT_STORAGE"):
        store_at(url)


def test_nobody_is_limited_where_the_setting_says_so() -> None:
    assert Quotas.of(Settings(rate_limit_points=0)) is None
