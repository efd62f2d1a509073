"""Passwords: hashed by argon2, in threads, so that nobody else waits for them."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH, MAX_LENGTH = 12, 1_000

# The defaults of argon2-cffi: RFC 9106's second recommendation, of 64 MiB.
_HASHER = PasswordHasher()
# As many at once as the machine has to spare: each takes 64 MiB.
_AT_ONCE = asyncio.Semaphore(4)
# Of nobody's password: whoever is unknown is refused after the same work. It is made by
# the same parameters, which a test compares; to make it takes as long as a start may.
_DUMMY = (
    "$argon2id$v=19$m=65536,t=3,p=4$pRuQiFaudO7LYhKZ93C5UQ$"
    "TJHP/NMgrvbFzvuctFSdq/6GaiCy3tMsG12cngVlABM"
)


async def hashed(password: str) -> str:
    """The hash of a password, to be kept."""
    async with _AT_ONCE:
        return await asyncio.to_thread(_HASHER.hash, password)


async def matches(password: str, known: str | None) -> bool:
    """Whether it is the password of this hash; without one it never is.

    It takes as long where there is no hash.
    """
    async with _AT_ONCE:
        right = await asyncio.to_thread(_verified, password, known or _DUMMY)
    return right and known is not None


def _verified(password: str, known: str) -> bool:
    try:
        return _HASHER.verify(known, password)
    except (VerificationError, InvalidHashError):
        return False
