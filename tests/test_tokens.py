"""Tokens: what is forged, stale or odd lets nobody in, ours and those of others."""

import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from hmac import new as hmac
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from pydantic import SecretStr

from graph_api.config import Settings
from graph_api.errors import ConfigurationError
from graph_api.tokens import BadToken, Issuer, Signer
from graph_api.tokens.own import Subject

SECRET = "the secret of this server"
USER, WORKSPACE = UUID(int=1), UUID(int=2)
HOUR = timedelta(hours=1)
ELSEWHERE, FOR_US = "https://sign-in.example.org", "the graph"

RSA_KEY = rsa.generate_private_key(65537, 2048)
OTHER_RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY, OTHER_ED_KEY = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()

Json = dict[str, Any]


def derived(secret: str) -> bytes:
    return hmac(secret.encode(), b"graph-api tokens", sha256).digest()


OURS = derived(SECRET)


def part(value: object) -> str:
    return plain(json.dumps(value).encode())


def plain(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def signed_text(header: str, claims: str, key: bytes = OURS) -> str:
    """A token of any two texts, with a good signature by HS256."""
    text = f"{header}.{claims}"
    return f"{text}.{plain(hmac(key, text.encode(), sha256).digest())}"


def claims(**changed: Any) -> Json:
    """The claims of a good token of ours, with some changed; ... leaves one out."""
    now = int(time.time())
    good = {
        "iss": "graph-api",
        "aud": "graph-api",
        "sub": str(USER),
        "workspace": str(WORKSPACE),
        "iat": now,
        "exp": now + 3600,
    }
    return {name: v for name, v in (good | changed).items() if v is not ...}


def ours(header: Json | None = None, key: bytes = OURS, **changed: Any) -> str:
    """A token like ours, correctly signed by the key."""
    told = {"alg": "HS256", "typ": "JWT"} | (header or {})
    return signed_text(part(told), part(claims(**changed)), key)


def unsigned(alg: str) -> str:
    return f"{part({'alg': alg, 'typ': 'JWT'})}.{part(claims())}."


def flipped(token: str, of: int) -> str:
    """The token with one character of a part changed to another."""
    parts = token.split(".")
    parts[of] = parts[of][:5] + ("A" if parts[of][5] != "A" else "B") + parts[of][6:]
    return ".".join(parts)


def now(offset: float) -> float:
    return int(time.time()) + offset


def public(key: Any) -> bytes:
    pem: bytes = key.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    return pem


def raw(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


FORGED: dict[str, Callable[[], str]] = {
    # No signature, or one of another kind.
    "alg none": lambda: unsigned("none"),
    "alg None": lambda: unsigned("None"),
    "alg NONE": lambda: unsigned("NONE"),
    "alg nOnE": lambda: unsigned("nOnE"),
    "alg none, with our signature": lambda: ours({"alg": "none"}),
    "alg empty": lambda: ours({"alg": ""}),
    "alg null": lambda: ours({"alg": None}),
    "alg a list": lambda: ours({"alg": ["HS256"]}),
    "alg hs256": lambda: ours({"alg": "hs256"}),
    "HS512 by our key": lambda: jwt.encode(claims(), OURS * 2, "HS512"),
    "RS256 by a key of theirs": lambda: jwt.encode(claims(), RSA_KEY, "RS256"),
    "EdDSA by a key of theirs": lambda: jwt.encode(claims(), ED_KEY, "EdDSA"),
    "no signature": lambda: ours().rpartition(".")[0] + ".",
    "signature cut": lambda: ours()[:-4],
    "signature of another token": lambda: (
        ours(sub=str(UUID(int=3))).rpartition(".")[0] + "." + ours().rpartition(".")[2]
    ),
    # Other keys.
    "another server's SECRET_KEY": lambda: ours(key=derived("another secret")),
    "SECRET_KEY itself": lambda: ours(key=SECRET.encode()),
    "an empty key": lambda: ours(key=b""),
    # Altered, and misshapen.
    "a flipped header": lambda: flipped(ours(), 0),
    "flipped claims": lambda: flipped(ours(), 1),
    "a flipped signature": lambda: flipped(ours(), 2),
    "padded": lambda: ours() + "=",
    "what base64 skips": lambda: ours() + "!",
    "a line more": lambda: ours() + "\n",
    "two parts": lambda: ours().rpartition(".")[0],
    "four parts": lambda: ours() + ".e30",
    "five parts": lambda: "e30.e30.e30.e30.e30",
    "JSON serialisation": lambda: json.dumps({"payload": part(claims())}),
    "nested": lambda: signed_text(part({"alg": "HS256", "cty": "JWT"}), ours()[:40]),
    "more than 8 KiB": lambda: ours(more="x" * 8192),
    "letters of elsewhere": lambda: "ü" + ours(),
    "nothing": lambda: "",
    "dots": lambda: "..",
    "a header of another kind": lambda: signed_text(part([1]), part(claims())),
    "a header that is no JSON": lambda: signed_text(plain(b"\xff{"), part(claims())),
    "claims of another kind": lambda: signed_text(part({"alg": "HS256"}), part([1])),
    "claims that are no JSON": lambda: signed_text(part({"alg": "HS256"}), "AAAA"),
    "a header far too deep": lambda: signed_text(plain(b"[" * 3000), part(claims())),
    "claims far too deep": lambda: signed_text(
        part({"alg": "HS256"}), plain(b'{"a":' + b"[" * 3000)
    ),
    # Headers that name a key, or what else we do not know.
    "kid that is a path": lambda: ours({"kid": "../../dev/null", "x": 1}),
    "kid of another kind": lambda: ours({"kid": ["a"]}),
    "jku": lambda: ours({"jku": "https://evil.example.org/keys"}),
    "x5u": lambda: ours({"x5u": "https://evil.example.org/chain"}),
    "x5c": lambda: ours({"x5c": ["MII"]}),
    "jwk": lambda: ours({"jwk": {"kty": "oct", "k": plain(OURS)}}),
    "crit": lambda: ours({"crit": ["exp"]}),
    "b64": lambda: ours({"b64": False, "crit": ["b64"]}),
    "zip": lambda: ours({"zip": "DEF"}),
    "typ of another kind of token": lambda: ours({"typ": "logout+jwt"}),
    "typ a list": lambda: ours({"typ": ["JWT"]}),
    "typ an object": lambda: ours({"typ": {}}),
    # Times.
    "expired": lambda: ours(iat=now(-4000), exp=now(-31)),
    "exp left out": lambda: ours(exp=...),
    "exp null": lambda: ours(exp=None),
    "exp true": lambda: ours(exp=True),
    "exp a text": lambda: ours(exp=str(int(now(3600)))),
    "exp a list": lambda: ours(exp=[]),
    "exp never": lambda: ours(exp=1e30),
    "exp NaN": lambda: ours(exp=float("nan")),
    "exp infinite": lambda: ours(exp=float("inf")),
    "exp negative": lambda: ours(exp=-1),
    "exp before iat": lambda: ours(iat=now(20), exp=now(10)),
    "more than a day to live": lambda: ours(exp=now(24 * 3600 + 1)),
    "iat left out": lambda: ours(iat=...),
    "iat in the future": lambda: ours(iat=now(60)),
    "iat a text": lambda: ours(iat=str(int(now(0)))),
    "iat true": lambda: ours(iat=True),
    "iat an object": lambda: ours(iat={}),
    "iat long ago": lambda: ours(iat=0),
    "nbf in the future": lambda: ours(nbf=now(60)),
    "nbf a text": lambda: ours(nbf="1"),
    "nbf true": lambda: ours(nbf=True),
    # For others, or of nobody.
    "iss left out": lambda: ours(iss=...),
    "another iss": lambda: ours(iss="graph-api.example.org"),
    "iss a list": lambda: ours(iss=["graph-api"]),
    "aud left out": lambda: ours(aud=...),
    "another aud": lambda: ours(aud="graph"),
    "aud of others": lambda: ours(aud=["a", "b"]),
    "aud an object": lambda: ours(aud={"graph-api": 1}),
    "sub left out": lambda: ours(sub=...),
    "sub empty": lambda: ours(sub=""),
    "sub a number": lambda: ours(sub=1),
    "sub no id": lambda: ours(sub="admin"),
    "workspace left out": lambda: ours(workspace=...),
    "workspace no id": lambda: ours(workspace="' OR true --"),
    "workspace a number": lambda: ours(workspace=7),
    "workspace a list": lambda: ours(workspace=[str(WORKSPACE)]),
}


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer(SECRET, HOUR)


@pytest.mark.parametrize("forged", FORGED)
def test_a_forged_or_stale_token_is_refused(signer: Signer, forged: str) -> None:
    token = FORGED[forged]()

    with pytest.raises(BadToken):
        signer.read(token)


@pytest.mark.parametrize(
    "token",
    [
        lambda: Signer(SECRET, HOUR).token(USER, WORKSPACE)[0],
        ours,
        lambda: ours({"typ": "at+jwt"}),
        lambda: ours(iat=now(-3600), exp=now(-20)),
        lambda: ours(iat=now(20)),
        lambda: ours(exp=now(3600) + 0.5),
        lambda: ours(aud=["others", "graph-api"]),
    ],
)
def test_a_good_token_is_read(signer: Signer, token: Callable[[], str]) -> None:
    assert signer.read(token()) == Subject(USER, WORKSPACE)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "key.pem"
    file.write_bytes(pem(ED_KEY))
    return file


def pem(key: Any) -> bytes:
    written: bytes = key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    return written


def with_file(file: Path) -> Signer:
    return Signer.of(Settings(secret_key=SecretStr(SECRET), token_key_file=file))


def test_a_key_file_signs_with_eddsa(key_file: Path) -> None:
    signer = with_file(key_file)

    token, _ = signer.token(USER, WORKSPACE)

    assert jwt.get_unverified_header(token)["alg"] == "EdDSA"
    assert signer.read(token) == Subject(USER, WORKSPACE)


@pytest.mark.parametrize(
    "token",
    [
        ours,
        lambda: unsigned("none"),
        lambda: jwt.encode(claims(), OTHER_ED_KEY, "EdDSA"),
        lambda: jwt.encode(claims(), EC_KEY, "ES256"),
        lambda: ours(key=public(ED_KEY)),
        lambda: ours(key=raw(ED_KEY)),
        lambda: ours({"alg": "EdDSA"}, key=public(ED_KEY)),
        lambda: flipped(jwt.encode(claims(), ED_KEY, "EdDSA"), 2),
    ],
)
def test_with_a_key_file_nothing_else_signs(
    key_file: Path, token: Callable[[], str]
) -> None:
    with pytest.raises(BadToken):
        with_file(key_file).read(token())


@pytest.mark.parametrize("content", [b"", b"no key", pem(RSA_KEY), public(ED_KEY)])
def test_a_key_file_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(content)

    with pytest.raises(ConfigurationError, match="TOKEN_KEY_FILE"):
        with_file(file)


# Tokens of another issuer.

KEYS: dict[str, Any] = {"r": RSA_KEY, "e": EC_KEY, "d": ED_KEY}
MADE_OF: dict[str, Any] = {
    "r": jwt.algorithms.RSAAlgorithm,
    "e": jwt.algorithms.ECAlgorithm,
    "d": jwt.algorithms.OKPAlgorithm,
}
ALGORITHMS = {"r": "RS256", "e": "ES256", "d": "EdDSA"}


def jwk(kid: str, **more: Any) -> Json:
    made: Json = MADE_OF[kid].to_jwk(KEYS[kid].public_key(), as_dict=True)
    return {**made, "kid": kid, **more}


def key_set(*keys: Any) -> bytes:
    return json.dumps({"keys": keys}).encode()


ALL_KEYS = key_set(*map(jwk, KEYS))


def theirs(kid: str = "r", header: Json | None = None, **changed: Any) -> str:
    """A good token of the other issuer, by one of its keys, with claims changed."""
    named = {"iss": ELSEWHERE, "aud": FOR_US, "sub": "17", "workspace": ...}
    given = claims(**(named | {"email": "ada@example.org"} | changed))
    told = {"kid": kid, **(header or {})}
    return jwt.encode(given, KEYS[kid], ALGORITHMS[kid], told)


def issuer_at(place: str | Path, **changed: Any) -> Issuer:
    found = Issuer.of(
        Settings(
            **{
                "jwt_issuer": ELSEWHERE,
                "jwt_audience": FOR_US,
                "jwt_jwks": str(place),
                **changed,
            }
        )
    )
    assert found is not None
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "keys.json"
    file.write_bytes(ALL_KEYS)
    return file


Publish = Callable[[bytes], Issuer]


@pytest.fixture
def publish(file: Path) -> Publish:
    """An issuer whose file has this content."""

    def publish(content: bytes) -> Issuer:
        file.write_bytes(content)
        return issuer_at(file)

    return publish


@pytest.mark.parametrize("kid", KEYS)
async def test_a_token_of_the_other_issuer_says_who(file: Path, kid: str) -> None:
    issuer, token = issuer_at(file), theirs(kid)

    assert issuer.is_of(token)
    assert await issuer.read(token) == "ada@example.org"


async def test_another_claim_can_say_who(file: Path) -> None:
    issuer = issuer_at(file, jwt_user_claim="preferred_username")

    assert await issuer.read(theirs(preferred_username="ada")) == "ada"


def by(key: Any, alg: str, kid: Any = "r", **changed: Any) -> str:
    given = claims(iss=ELSEWHERE, aud=FOR_US, email="ada@example.org", **changed)
    return jwt.encode(given, key, alg, {} if kid is None else {"kid": kid})


def by_hmac(key: bytes) -> str:
    given = claims(iss=ELSEWHERE, aud=FOR_US, email="ada@example.org")
    return signed_text(part({"alg": "HS256", "kid": "r"}), part(given), key)


FORGED_THEIRS: dict[str, Callable[[], str]] = {
    "another key": lambda: by(OTHER_RSA_KEY, "RS256"),
    "no kid": lambda: by(RSA_KEY, "RS256", kid=None),
    "an unknown kid": lambda: by(RSA_KEY, "RS256", kid="x"),
    "kid of another key": lambda: by(RSA_KEY, "RS256", kid="d"),
    "RS512": lambda: by(RSA_KEY, "RS512"),
    "PS256": lambda: by(RSA_KEY, "PS256"),
    "HS256 by the public key": lambda: by_hmac(public(RSA_KEY)),
    "HS256 by the published key": lambda: by_hmac(json.dumps(jwk("r")).encode()),
    "HS256 by the key of ours": lambda: by_hmac(OURS),
    "flipped": lambda: flipped(theirs(), 1),
    "its own key": lambda: theirs(header={"jwk": jwk("r")}),
    "a place of its keys": lambda: theirs(header={"jku": "https://evil.example.org"}),
    "expired": lambda: theirs(exp=now(-31), iat=now(-60)),
    "more than a day": lambda: theirs(exp=now(90_000)),
    "for others": lambda: theirs(aud="others"),
    "of ours": lambda: theirs(iss="graph-api"),
    "sub left out": lambda: theirs(sub=...),
    "nobody": lambda: theirs(email=...),
    "nobody's name": lambda: theirs(email=""),
    "a name of half a character": lambda: theirs(email="\ud800@example.org"),
    "a name with a zero": lambda: theirs(email="a\0da@example.org"),
    "many names": lambda: theirs(email=["ada@example.org"]),
    "an address that is not verified": lambda: theirs(email_verified=False),
    "an address, verified in no words": lambda: theirs(email_verified="false"),
    "an address, verified by nothing": lambda: theirs(email_verified=None),
}


@pytest.mark.parametrize("forged", FORGED_THEIRS)
async def test_a_forged_token_of_the_other_issuer_is_refused(
    file: Path, forged: str
) -> None:
    token = FORGED_THEIRS[forged]()

    with pytest.raises(BadToken):
        await issuer_at(file).read(token)


async def test_algorithms_that_are_not_set_are_refused(file: Path) -> None:
    issuer = issuer_at(file, jwt_algorithms=("ES256",))

    assert await issuer.read(theirs("e"))
    with pytest.raises(BadToken):
        await issuer.read(theirs("r"))


@pytest.mark.parametrize(
    "odd",
    [
        {"kty": "RSA", "kid": "x"},
        {"kty": "EC", "crv": "P-0", "kid": "x", "x": "AA", "y": "AA"},
        {"kty": ["RSA"], "kid": "x"},
        {"kty": "oct", "kid": "x", "k": "AAAA"},
        {"kty": "RSA", "kid": "x", "n": 7, "e": None},
        "no key",
        None,
    ],
)
async def test_an_odd_key_spoils_no_other(publish: Publish, odd: object) -> None:
    issuer = publish(key_set(odd, jwk("r")))

    assert await issuer.read(theirs())


async def test_a_key_for_encryption_verifies_nothing(publish: Publish) -> None:
    issuer = publish(key_set(jwk("r", use="enc")))

    with pytest.raises(BadToken):
        await issuer.read(theirs())


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"keys": 1}', b"\xff", b"null"])
async def test_what_is_no_key_set_lets_nobody_in(publish: Publish, text: bytes) -> None:
    issuer = publish(text)

    with pytest.raises(BadToken):
        await issuer.read(theirs())


@pytest.mark.parametrize("text", ["", "a.b", "..", "e30.W10.e30", "e30.Wzdd.", "ü.b.c"])
def test_what_is_no_token_is_not_of_the_issuer(file: Path, text: str) -> None:
    assert not issuer_at(file).is_of(text)


@dataclass
class Published:
    """Keys at a URL of this machine, and how often they were read."""

    keys: bytes = ALL_KEYS
    status: int = 200
    read: int = 0
    url: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def published() -> Iterator[Published]:
    told = Published()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.read += 1
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(told.keys)

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        told.url = f"http://127.0.0.1:{server.server_port}/keys"
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield told
        server.shutdown()
        thread.join()


@dataclass
class Clock:
    now: float = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("graph_api.tokens.foreign.time", clock)
    return clock


async def test_an_unknown_key_is_looked_for_once_a_minute(
    published: Published, clock: Clock
) -> None:
    published.keys = key_set(jwk("r"))
    issuer = issuer_at(published.url)
    await issuer.read(theirs("r"))
    published.keys = key_set(jwk("e"))

    with pytest.raises(BadToken):
        await issuer.read(theirs("e"))
    assert published.read == 1
    clock.now += 61
    assert await issuer.read(theirs("e"))
    assert published.read == 2
    with pytest.raises(BadToken):
        await issuer.read(theirs("r"))


async def test_a_key_that_was_taken_back_is_good_for_ten_minutes_at_most(
    published: Published, clock: Clock
) -> None:
    issuer = issuer_at(published.url)
    await issuer.read(theirs("r"))
    published.keys = key_set(jwk("e"))

    clock.now += 599
    assert await issuer.read(theirs("r"))
    clock.now += 2
    with pytest.raises(BadToken):
        await issuer.read(theirs("r"))


async def test_while_keys_cannot_be_read_those_known_are_good(
    published: Published, clock: Clock
) -> None:
    issuer = issuer_at(published.url)
    await issuer.read(theirs("r"))
    published.status = 500

    clock.now += 601
    assert await issuer.read(theirs("r"))
    assert published.read == 2


async def test_keys_are_not_followed_elsewhere(published: Published) -> None:
    published.status = 302
    published.headers = {"location": published.url + "/moved"}

    with pytest.raises(BadToken):
        await issuer_at(published.url).read(theirs())
    assert published.read == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"jwt_audience": None},
        {"jwt_jwks": None},
        {"jwt_issuer": None},
        {"jwt_issuer": "graph-api"},
        {"jwt_jwks": "http://sign-in.example.org/keys"},
        {"jwt_jwks": "http://127.0.0.1.example.org/keys"},
        {"jwt_jwks": "http://127.0.0.1@example.org/keys"},
        {"jwt_jwks": "ftp://127.0.0.1/keys"},
        {"jwt_jwks": "file:///etc/keys"},
    ],
)
def test_settings_that_trust_nobody_in_particular_are_refused(changed: Json) -> None:
    with pytest.raises(ConfigurationError, match="JWT_"):
        issuer_at("https://sign-in.example.org/keys", **changed)
