"""Attempts to come in: so many a minute for a name, and in all.

Each takes a thread and 64 MiB for a tenth of a second, and could be a guess.
"""

import hashlib
import math

from graph_api.errors import RateLimited
from graph_api.quotas.buckets import Bucket, Draw, Store

PERIOD_S = 60.0
FOR_A_NAME = 10
IN_ALL = 120


class Attempts:
    """The attempts that are left."""

    def __init__(
        self, store: Store, *, for_a_name: int = FOR_A_NAME, in_all: int = IN_ALL
    ) -> None:
        self._store = store
        self._for_a_name = for_a_name
        self._in_all = in_all

    async def take(self, name: str) -> None:
        """Take one for a name. Raises RateLimited where none is left."""
        digest = hashlib.sha256(name.lower().encode(errors="surrogatepass"))
        draws = [
            Draw(Bucket(f"signIn:{digest.hexdigest()}", self._for_a_name, PERIOD_S), 1),
            Draw(Bucket("signInInAll", self._in_all, PERIOD_S), 1),
        ]
        drawn = await self._store.draw(draws)
        if drawn.refused is not None:
            retry_after = max(math.ceil(drawn.wait_s), 1)
            raise RateLimited(
                f"Too many attempts to sign in. Try again in {retry_after} s.",
                limit="signIn",
                allowed=draws[drawn.refused].bucket.size,
                retry_after=retry_after,
            )

    async def close(self) -> None:
        await self._store.close()
