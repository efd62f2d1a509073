"""Buckets in Redis, for several processes that share them.

A script draws on all buckets or on none, by Redis's clock, so that two processes can
never draw the same. While Redis is away each process counts for itself: callers are
limited less well then, but limited, and answered.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from graph_api.errors import ConfigurationError
from graph_api.quotas.buckets import Draw, Drawn, InProcess, refused

log = logging.getLogger(__name__)

T = TypeVar("T")

# Longer than it takes under load, and no burden on who waits for an answer.
PATIENCE_S = 0.25
# How long it is left alone when it did not answer.
PAUSE_S = 1.0
# In braces what decides on the place in a cluster: a script's keys must lie together.
PREFIX = "{graph-api}:"

# For each key when its bucket will be full, in microseconds of Redis's clock; what is
# full is not kept. In: for each key by how much its draw puts that off, and how long it
# takes to fill. Out: for each key in how long it was full before, and whether all fit.
_DRAW = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local before, fit = {}, 1
for i, key in ipairs(KEYS) do
    before[i] = math.max((tonumber(redis.call('GET', key)) or now) - now, 0)
    if before[i] + ARGV[2 * i - 1] > ARGV[2 * i] + 1 then fit = 0 end
end
if fit == 1 then
    for i, key in ipairs(KEYS) do
        local after = math.floor(before[i] + ARGV[2 * i - 1] + 0.5)
        if after > 0 then
            redis.call('SET', key, string.format('%.0f', now + after),
                'PX', math.ceil(after / 1000))
        end
    end
end
before[#before + 1] = fit
return before
"""
# In: by how much it is nearer. Out: in how long the bucket is full.
_GIVE_BACK = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local full = (tonumber(redis.call('GET', KEYS[1])) or now) - now - ARGV[1]
full = math.floor(full + 0.5)
if full <= 0 then
    redis.call('DEL', KEYS[1])
    return 0
end
redis.call('SET', KEYS[1], string.format('%.0f', now + full),
    'PX', math.ceil(full / 1000))
return full
"""


class InRedis:
    """Buckets in Redis, or in this process while Redis is away."""

    def __init__(self, url: str) -> None:
        """Raises ConfigurationError where `url` names no Redis."""
        try:
            self._redis: Redis = Redis.from_url(
                url,
                socket_timeout=PATIENCE_S,
                socket_connect_timeout=PATIENCE_S,
                retry=Retry(NoBackoff(), 0),
            )
        except ValueError as error:
            raise ConfigurationError(
                "RATE_LIMIT_STORAGE is not a URL such as redis://host:6379/0."
            ) from error
        self._draw: Any = self._redis.register_script(_DRAW)
        self._give_back: Any = self._redis.register_script(_GIVE_BACK)
        self._meanwhile = InProcess()
        self._away_until = 0.0
        self._is_away = False

    async def draw(self, draws: Sequence[Draw]) -> Drawn:
        async def shared() -> Drawn:
            keys = [PREFIX + draw.bucket.name for draw in draws]
            given = [
                _microseconds(seconds)
                for draw in draws
                for seconds in (draw.seconds, draw.bucket.period_s)
            ]
            *befores, fit = await self._draw(keys, given)
            before = [full / 1e6 for full in befores]
            if not fit:
                return refused(draws, before)
            pairs = zip(before, draws, strict=True)
            return Drawn(tuple(full + draw.seconds for full, draw in pairs))

        return await self._asked(shared, lambda: self._meanwhile.draw(draws))

    async def give_back(self, draw: Draw) -> float:
        async def shared() -> float:
            key, given = PREFIX + draw.bucket.name, _microseconds(draw.seconds)
            return int(await self._give_back([key], [given])) / 1e6

        return await self._asked(shared, lambda: self._meanwhile.give_back(draw))

    async def close(self) -> None:
        await self._redis.aclose()

    async def _asked(
        self, shared: Callable[[], Awaitable[T]], alone: Callable[[], Awaitable[T]]
    ) -> T:
        """What Redis says, or this process, where Redis does not answer."""
        if self._is_away and time.monotonic() < self._away_until:
            return await alone()
        try:
            found = await shared()
        except (RedisError, OSError) as error:
            if not self._is_away:
                log.warning(
                    "Redis is away: each process limits for itself",
                    extra={"reason": type(error).__name__},
                )
            self._is_away = True
            self._away_until = time.monotonic() + PAUSE_S
            return await alone()
        if self._is_away:
            log.warning("Redis is back: limits are shared again")
            self._is_away = False
        return found


def _microseconds(seconds: float) -> int:
    return round(seconds * 1e6)
