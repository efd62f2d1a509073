"""Tokens of another issuer, such as a company's sign-in, by its published keys."""

import asyncio
import http.client
import json
import logging
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt

from graph_api.config import Settings
from graph_api.errors import ConfigurationError
from graph_api.tokens.claims import BadToken, could_be_one, header_of, verified
from graph_api.tokens.own import ISSUER

log = logging.getLogger(__name__)

# A key that is not known may have just been published; but not each time.
_BETWEEN_S = 60.0
# A key that the issuer has taken back must not be good until the server restarts.
_GOOD_FOR_S = 600.0
_MAX_BYTES = 256 * 1024
_TIMEOUT_S = 5.0
_UNREADABLE = (
    OSError,
    http.client.HTTPException,
    # What is there is no key set.
    ValueError,
    TypeError,
    LookupError,
    RecursionError,
)
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Issuer:
    """Reads the tokens of one issuer that were made for us.

    Its keys are a JSON Web Key Set, in a file or at a URL, read every ten minutes, and
    when a token has a key id that is not among those known; at most once a minute.
    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        key_set: str,
        algorithms: Sequence[str],
        user_claim: str,
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._place = key_set
        self._algorithms = algorithms
        self._user_claim = user_claim
        self._keys: dict[str, jwt.PyJWK] = {}
        self._read_at = -_BETWEEN_S
        self._reading = asyncio.Lock()

    @classmethod
    def of(cls, settings: Settings) -> "Issuer | None":
        """The one that the settings name, if they do.

        Raises ConfigurationError where they say only half of it.
        """
        named = (settings.jwt_issuer, settings.jwt_audience, settings.jwt_jwks)
        if not any(named):
            return None
        issuer, audience, key_set = named
        if not (issuer and audience and key_set):
            raise ConfigurationError(
                "JWT_ISSUER, JWT_AUDIENCE and JWT_JWKS must be set together."
            )
        if issuer == ISSUER:
            raise ConfigurationError(f"JWT_ISSUER: {ISSUER} is this server itself.")
        _refuse_place(key_set)
        return cls(
            issuer,
            audience,
            key_set,
            settings.jwt_algorithms,
            settings.jwt_user_claim,
        )

    def is_of(self, token: str) -> bool:
        """Whether a token says that it is this issuer's; nobody has verified that."""
        if not could_be_one(token):
            return False
        try:
            claims = jwt.decode(token, options={"verify_signature": False})
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            return False
        return claims.get("iss") == self._issuer

    async def read(self, token: str) -> str:
        """The name that the token's user signs in by. Raises BadToken if it is bad."""
        header = header_of(token, self._algorithms)
        key = await self._key(header.get("kid"))
        if key.algorithm_name != header["alg"]:
            raise BadToken("a key of another algorithm")
        claims = verified(
            token,
            key.key,
            header["alg"],
            issuer=self._issuer,
            audience=self._audience,
        )
        return self._user(claims)

    def _user(self, claims: Mapping[str, Any]) -> str:
        name = claims.get(self._user_claim)
        # What cannot be printed, such as half a character, is in no database either.
        if not isinstance(name, str) or not name or not name.isprintable():
            raise BadToken("it does not say who")
        # Some issuers write the truth as a text.
        is_verified = claims.get("email_verified", True) in (True, "true")
        if self._user_claim == "email" and not is_verified:
            raise BadToken("an e-mail address that is not his")
        return name

    async def _key(self, id: Any) -> jwt.PyJWK:
        if not isinstance(id, str):
            raise BadToken("no key is named")
        is_old = time.monotonic() - self._read_at > _GOOD_FOR_S
        if is_old or id not in self._keys:
            await self._read_keys()
        if id not in self._keys:
            raise BadToken("an unknown key")
        return self._keys[id]

    async def _read_keys(self) -> None:
        async with self._reading:
            if time.monotonic() - self._read_at < _BETWEEN_S:
                return
            self._read_at = time.monotonic()
            try:
                text = await asyncio.to_thread(_contents, self._place)
                self._keys = _keys_in(text)
            except _UNREADABLE as error:
                log.warning(
                    "The keys of the issuer of tokens could not be read",
                    extra={"reason": str(error)[:200]},
                )


def _keys_in(text: bytes) -> dict[str, jwt.PyJWK]:
    """The keys that verify, by their ids; of kinds that we know.

    One that cannot be read does not spoil the others.
    """
    found = (
        _key_of(each) for each in json.loads(text)["keys"] if isinstance(each, dict)
    )
    return {key.key_id: key for key in found if key is not None and key.key_id}


def _key_of(given: dict[str, Any]) -> jwt.PyJWK | None:
    if given.get("kty") not in ("RSA", "EC", "OKP") or given.get("use", "sig") != "sig":
        return None
    try:
        return jwt.PyJWK(given)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None


def _refuse_place(place: str) -> None:
    """Keys that anybody on the way could put others in the place of are none."""
    parts = urlsplit(place)
    if "://" not in place or parts.scheme == "https":
        return
    if parts.scheme == "http" and parts.hostname in _LOOPBACK:
        return
    raise ConfigurationError("JWT_JWKS must be a file, or a URL that begins https://.")


class _Straight(urllib.request.HTTPRedirectHandler):
    """Follows nobody: not from https to where others can put in keys."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_Straight)


def _contents(place: str) -> bytes:
    if "://" not in place:
        return Path(place).read_bytes()
    with _OPENER.open(place, timeout=_TIMEOUT_S) as answer:
        return bytes(answer.read(_MAX_BYTES))
