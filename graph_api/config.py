"""The settings, read once from the environment.

No other module reads `os.environ`. Every setting has a default that works on a
laptop; `docs/operations.md` lists them, and a test compares that list with this one.
"""

import os
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from graph_api.errors import ConfigurationError


def _data_dir() -> Path:
    # The specification of XDG_DATA_HOME wants relative paths to be ignored.
    given = Path(os.environ.get("XDG_DATA_HOME", ""))
    home = given if given.is_absolute() else Path.home() / ".local" / "share"
    return home / "graph-api"


def _listed(value: object) -> object:
    """What is written with commas, as a list."""
    if not isinstance(value, str):
        return value
    return tuple(one.strip() for one in value.split(",") if one.strip())


Listed = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
Algorithms = Annotated[
    tuple[Literal["RS256", "ES256", "EdDSA"], ...], NoDecode, BeforeValidator(_listed)
]


class Settings(BaseSettings):
    """What an operator may set. Names are those of the environment, in lower case."""

    # An empty variable is one that is not set: so do compose files leave them out.
    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, env_ignore_empty=True
    )

    database_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL 15 to 18 to use instead of the embedded one, as "
        "postgresql://user:password@host:port/name.",
    )
    database_admin_url: SecretStr | None = Field(
        default=None,
        description="The login that migrates; by default the one of DATABASE_URL.",
    )
    database_pooler: Literal["none", "transaction"] = Field(
        default="none",
        description="`transaction` where DATABASE_URL leads to a pooler in transaction "
        "mode, such as PgBouncer's.",
    )
    graph_api_data_dir: Path = Field(
        default_factory=_data_dir,
        description="Where the embedded database and the made-up secrets lie.",
    )
    secret_key: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="Signs cursors. Made once and kept in the data directory when "
        "unset; required with DATABASE_URL and several workers.",
    )
    pool_size: int = Field(
        default=10,
        ge=1,
        le=500,
        validation_alias=AliasChoices("database_pool_size", "pool_size"),
        description="Connections that each worker keeps open.",
    )
    max_overflow: int = Field(
        default=20,
        ge=0,
        le=500,
        validation_alias=AliasChoices("database_max_overflow", "max_overflow"),
        description="Connections that each worker may open beyond them under load.",
    )
    pool_timeout: float = Field(
        default=2.0,
        gt=0,
        description="Seconds to wait for a free connection before SERVICE_BUSY.",
    )
    pool_recycle: int = Field(
        default=3600,
        ge=-1,
        description="Seconds after which a connection is replaced; -1 is never.",
    )
    sql_echo: bool = Field(
        default=False, description="Whether to log every statement (never values)."
    )
    statement_timeout_s: float = Field(
        default=8.0, gt=0, description="Seconds that one statement may take."
    )
    lock_timeout_s: float = Field(
        default=3.0, gt=0, description="Seconds that a statement may wait for a lock."
    )
    idle_in_transaction_timeout_s: float = Field(
        default=10.0,
        gt=0,
        description="Seconds that a transaction may wait for its next statement.",
    )
    transaction_timeout_s: float = Field(
        default=30.0,
        gt=0,
        description="Seconds that one transaction may take, on PostgreSQL 17 or later.",
    )
    operation_timeout_s: float = Field(
        default=30.0, gt=0, description="Seconds that one operation may take in all."
    )
    max_page: int = Field(
        default=100, ge=1, le=10_000, description="The largest `first` or `last`."
    )
    max_depth: int = Field(
        default=12, ge=1, description="Relations within relations in one operation."
    )
    max_rows: int = Field(
        default=500_000, ge=1, description="Rows that one operation could ask for."
    )
    max_tokens: int = Field(default=2_000, ge=1, description="Tokens in an operation.")
    max_query_bytes: int = Field(
        default=64 * 1024, ge=1, description="Bytes of an operation's text."
    )
    max_body_bytes: int = Field(
        default=8 * 1024 * 1024, ge=1, description="Bytes of a request's body."
    )
    max_aliases: int = Field(default=30, ge=0, description="Aliases in an operation.")
    max_root_fields: int = Field(
        default=20, ge=1, description="Fields at the root of an operation."
    )
    rate_limit_points: int = Field(
        default=10_000,
        ge=0,
        description="Points a minute that the operations of one credential may cost; "
        "0 limits nobody. In local mode nobody is limited.",
    )
    rate_limit_requests: int | None = Field(
        default=None, ge=1, description="Requests a minute of one user; unset is any."
    )
    rate_limit_requests_in_all: int | None = Field(
        default=None,
        ge=1,
        description="Requests a minute of all users together; unset is any.",
    )
    rate_limit_storage: SecretStr | None = Field(
        default=None,
        description="The Redis in which several processes count together, as "
        "redis://host:6379/0; by default each counts for itself.",
    )
    introspection: Literal["all", "signed-in", "nobody"] = Field(
        default="signed-in",
        description="Who may ask for the schema; in local mode everybody is signed in.",
    )
    suggestions: Literal["all", "signed-in", "nobody"] = Field(
        default="signed-in",
        description="Whose wrong names are answered by those that may be meant.",
    )
    graphiql: bool = Field(
        default=True, description="Whether browsers get GraphiQL at /graphql."
    )
    graph_api_accounts: bool = Field(
        default=False,
        description="Whether everybody needs a credential: a key, or a token from "
        "`signIn`. Otherwise whoever reaches this machine's own address is the owner.",
    )
    allowed_hosts: Listed = Field(
        default=(),
        description="With accounts, the hosts that are answered, by commas, such as "
        "`graph.example.org`; any by default.",
    )
    allowed_origins: Listed = Field(
        default=(),
        description="With accounts, the origins whose pages may use the server, by "
        "commas, such as `https://app.example.org`.",
    )
    token_lifetime_s: int = Field(
        default=12 * 60 * 60,
        ge=60,
        le=24 * 60 * 60,
        description="Seconds that a token from `signIn` is good for.",
    )
    token_key_file: Path | None = Field(
        default=None,
        description="A private Ed25519 key in PEM, by which tokens are signed; by "
        "default SECRET_KEY signs them.",
    )
    jwt_issuer: str | None = Field(
        default=None,
        description="The issuer (`iss`) of tokens of others that let in as well.",
    )
    jwt_audience: str | None = Field(
        default=None, description="What those tokens must be made for (`aud`)."
    )
    jwt_jwks: str | None = Field(
        default=None,
        description="The keys of that issuer, a JSON Web Key Set: a file, or a URL "
        "that begins https://.",
    )
    jwt_algorithms: Algorithms = Field(
        default=("RS256", "ES256", "EdDSA"),
        description="The algorithms of those tokens, by commas.",
    )
    jwt_user_claim: str = Field(
        default="email",
        min_length=1,
        description="The claim of those tokens that has a user's e-mail address or "
        "username.",
    )
    graph_api_trust_bind: bool = Field(
        default=False,
        description="Whether to serve without accounts on another address than "
        "loopback; only where something else keeps strangers out.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="How much to log."
    )


@cache
def settings() -> Settings:
    """The settings of this process.

    ConfigurationError says which of them cannot be so, and why.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise ConfigurationError(" ".join(_complaints(error))) from error


def _complaints(error: ValidationError) -> list[str]:
    """What is wrong with each setting, without its value, which may be a secret."""
    return [
        f"{'.'.join(map(str, one['loc'])).upper()}: {one['msg']}."
        for one in error.errors(include_input=False, include_url=False)
    ]
