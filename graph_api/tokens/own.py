"""Our own tokens: given to who signs in, and good for one user in one workspace."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from graph_api.config import Settings
from graph_api.errors import ConfigurationError
from graph_api.tokens.claims import BadToken, header_of, verified

ISSUER = AUDIENCE = "graph-api"


@dataclass(frozen=True)
class Subject:
    """Whose token it is, and where he wants to be."""

    user_id: UUID
    workspace_id: UUID


class Signer:
    """Signs and reads our tokens: with HS256, or with EdDSA where there is a key."""

    def __init__(
        self, secret: str, lifetime: timedelta, private: Ed25519PrivateKey | None = None
    ) -> None:
        self._lifetime = lifetime
        self._algorithm = "HS256" if private is None else "EdDSA"
        # Not the secret itself, which signs cursors as well.
        derived = hmac.new(secret.encode(), b"graph-api tokens", hashlib.sha256)
        self._signs = derived.digest() if private is None else private
        self._verifies = derived.digest() if private is None else private.public_key()

    @classmethod
    def of(cls, settings: Settings) -> "Signer":
        """As the settings say; ConfigurationError where the key is none."""
        assert settings.secret_key is not None
        file = settings.token_key_file
        return cls(
            settings.secret_key.get_secret_value(),
            timedelta(seconds=settings.token_lifetime_s),
            None if file is None else _private_key(file),
        )

    def token(self, user_id: UUID, workspace_id: UUID) -> tuple[str, datetime]:
        """A new token, and until when it is good."""
        now = datetime.now(UTC).replace(microsecond=0)
        expires_at = now + self._lifetime
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "workspace": str(workspace_id),
            "iat": now,
            "exp": expires_at,
            "jti": str(uuid4()),
        }
        return jwt.encode(claims, self._signs, self._algorithm), expires_at

    def read(self, token: str) -> Subject:
        """Whose it is. Raises BadToken where it is not good."""
        header_of(token, [self._algorithm])
        claims = verified(
            token, self._verifies, self._algorithm, issuer=ISSUER, audience=AUDIENCE
        )
        try:
            return Subject(UUID(claims["sub"]), UUID(claims["workspace"]))
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise BadToken("no user or no workspace") from error


def _private_key(file: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(file.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(
            f"TOKEN_KEY_FILE: {file} cannot be read as an unencrypted private key in "
            "PEM. Make one with: openssl genpkey -algorithm ed25519"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(f"TOKEN_KEY_FILE: {file} holds no Ed25519 key.")
    return key
