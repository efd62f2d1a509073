"""What every token has to be, whoever signed it."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import jwt

# A token of ours has some 300 characters; with groups and names others' have more.
MAX_LENGTH = 8 * 1024
LEEWAY_S = 30
# Whoever finds an old token shall not have it for long.
MAX_LIFETIME_S = 24 * 60 * 60

# Three parts, written in the one way: what Python's base64 would skip is no part.
_FORM = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
# Headers say nothing that we do not know: no key and no place where one would be.
_HEADERS = frozenset({"alg", "typ", "kid"})
_TYPES = frozenset({"JWT", "at+jwt"})
# What PyJWT lets through of claims that are of another kind than it expects.
_MISREADINGS = (ValueError, TypeError, OverflowError, RecursionError)
_REQUIRED = ("exp", "iat", "sub", "iss", "aud")


class BadToken(Exception):
    """A token that lets nobody in; why is nobody's business but the log's."""


def could_be_one(token: str) -> bool:
    """Whether a text has the size and the form of a token."""
    return len(token) <= MAX_LENGTH and _FORM.fullmatch(token) is not None


def header_of(token: str, algorithms: Sequence[str]) -> Mapping[str, Any]:
    """The header of a token, which nobody has verified.

    Raises BadToken where it could not be one of ours.
    """
    if not could_be_one(token):
        raise BadToken("too long, or no token")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, *_MISREADINGS) as error:
        raise BadToken("no token") from error
    if not header.keys() <= _HEADERS:
        raise BadToken("an unknown header")
    if header.get("alg") not in algorithms:
        raise BadToken("another algorithm")
    # What is no text may be a list, of which sets cannot be asked.
    if str(header.get("typ", "JWT")) not in _TYPES:
        raise BadToken("another type")
    return header


def verified(
    token: str, key: Any, algorithm: str, *, issuer: str, audience: str
) -> Mapping[str, Any]:
    """The claims of a token that this key has signed.

    Raises BadToken where it has not, or they do not hold now and here.
    """
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            issuer=issuer,
            audience=audience,
            leeway=LEEWAY_S,
            options={"require": list(_REQUIRED), "verify_iat": True},
        )
    except (jwt.PyJWTError, *_MISREADINGS) as error:
        raise BadToken(str(error)) from error
    _refuse_odd(claims)
    return claims


def _refuse_odd(claims: Mapping[str, Any]) -> None:
    issued, expires = claims["iat"], claims["exp"]
    for time in (issued, expires, claims.get("nbf", 0)):
        if isinstance(time, bool) or not isinstance(time, int | float):
            raise BadToken("a time that is none")
        if not math.isfinite(time):
            raise BadToken("a time that never comes")
    if not 0 < expires - issued <= MAX_LIFETIME_S:
        raise BadToken("it lives too long")
    if not isinstance(claims["sub"], str) or not claims["sub"]:
        raise BadToken("nobody's")
