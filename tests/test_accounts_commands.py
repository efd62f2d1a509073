"""From an empty database to a request with a key, as an operator does it."""

import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from server import GRAPH_API, Server, surroundings

PASSWORD = "correct horse battery"
WITH_ACCOUNTS = {"GRAPH_API_ACCOUNTS": "1"}
Json = dict[str, Any]


def ran(*arguments: str | Path, typed: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*GRAPH_API, *arguments],
        input=typed,
        capture_output=True,
        text=True,
        env=surroundings(),
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("accounts")


@pytest.fixture(scope="module")
def server(place: Path) -> Iterator[Server]:
    options = ("--data-dir", place, "--workers", "2")
    with Server(*options, environment=WITH_ACCOUNTS) as server:
        assert server.url
        yield server


@pytest.fixture(scope="module")
def key(server: Server, place: Path) -> str:
    """A key of the owner of a new workspace, all made by commands."""
    at = ("--data-dir", place)
    assert server
    made = ran("user", "create", "ada", "--password-stdin", *at, typed=PASSWORD)
    founded = ran("workspace", "create", "Home", "--owner", "ada", *at)
    key = ran("key", "create", "laptop", "--user", "ada", *at)
    assert (made.returncode, founded.returncode, key.returncode) == (0, 0, 0), (
        made.stderr + founded.stderr + key.stderr
    )
    return key.stdout.strip()


def test_the_key_lets_in(server: Server, key: str) -> None:
    status, body = server.ask(
        "{ viewer { workspace { name } user { username } } }",
        headers={"authorization": f"Bearer {key}"},
    )

    assert status == 200
    assert body["data"]["viewer"] == {
        "workspace": {"name": "Home"},
        "user": {"username": "ada"},
    }


def test_nobody_else_is_let_in(server: Server) -> None:
    status, body = server.ask("{ viewer { workspace { name } } }")

    assert (status, body["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")


def test_the_password_lets_in(server: Server, key: str) -> None:
    assert key
    status, body = server.ask(
        "mutation ($input: SignInInput!) { signIn(input: $input) { token } }",
        input={"login": "ada", "password": PASSWORD},
    )
    token = body["data"]["signIn"]["token"]

    answer = server.ask(
        "{ viewer { workspace { name } } }",
        headers={"authorization": f"Bearer {token}"},
    )

    assert status == 200
    assert answer[1]["data"]["viewer"]["workspace"]["name"] == "Home"


def test_a_key_is_listed_by_its_first_characters(place: Path, key: str) -> None:
    listed = ran("key", "list", "--data-dir", place)

    assert key.split("_")[1] in listed.stdout
    assert key not in listed.stdout


def test_a_key_is_rotated_and_revoked(server: Server, place: Path, key: str) -> None:
    at = ("--data-dir", place)
    first = ran("key", "create", "robot", "--user", "ada", *at).stdout.strip()
    second = ran("key", "rotate", first.split("_")[1], *at).stdout.strip()

    revoked = ran("key", "revoke", second.split("_")[1], *at)

    answers = [
        server.ask("{ __typename }", headers={"authorization": f"Bearer {one}"})[0]
        for one in (first, second)
    ]
    assert revoked.returncode == 0
    assert answers == [200, 401]
    assert key


def test_within_a_second_no_worker_lets_in_a_revoked_key(
    server: Server, place: Path, key: str
) -> None:
    at = ("--data-dir", place)
    assert key
    lost = ran("key", "create", "lost", "--user", "ada", *at).stdout.strip()
    bearer = {"authorization": f"Bearer {lost}"}
    asked = partial(server.ask, "{ __typename }", headers=bearer)

    before = statuses(asked)
    ran("key", "revoke", lost.split("_")[1], *at)
    time.sleep(1)
    after = statuses(asked)

    assert (before, after) == ({200}, {401})


def statuses(asked: "partial[tuple[int, Json]]") -> set[int]:
    """What many at once are answered, by whichever worker."""
    with ThreadPoolExecutor(16) as pool:
        answers = [pool.submit(asked) for _ in range(64)]
    return {answer.result()[0] for answer in answers}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("user", "create", "ada", "--password-stdin"), "Somebody else has this"),
        (("user", "create", "eve", "--password-stdin"), "12 to 1000 characters"),
        (("workspace", "create", "X", "--owner", "eve"), "There is no user 'eve'"),
        (("workspace", "remove-member", "ada"), "The last owner of a workspace stays"),
        (("key", "revoke", "00000000"), "No key of this workspace begins with"),
        (("key", "create", "x", "--user", "local"), "There is no member with this id"),
        (("key", "list", "--workspace", "nowhere"), "There is no such workspace"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    place: Path, key: str, arguments: tuple[str, ...], said: str
) -> None:
    assert key
    password = "short" if "eve" in arguments else PASSWORD

    done = ran(*arguments, "--data-dir", place, typed=password)

    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_user_who_is_deactivated_is_let_in_no_more(
    server: Server, place: Path, key: str
) -> None:
    at = ("--data-dir", place)
    assert key
    ran("user", "create", "bob", "--password-stdin", *at, typed=PASSWORD)
    ran("workspace", "add-member", "bob", "--role", "viewer", *at)
    of_bob = ran("key", "create", "x", "--user", "bob", "--scope", "read", *at)
    bearer = {"authorization": f"Bearer {of_bob.stdout.strip()}"}

    before = server.ask("{ viewer { scopes } }", headers=bearer)
    ran("user", "deactivate", "bob", *at)
    after = server.ask("{ viewer { scopes } }", headers=bearer)
    ran("user", "activate", "bob", *at)
    again = server.ask("{ viewer { scopes } }", headers=bearer)

    assert before[1]["data"] == {"viewer": {"scopes": ["read"]}}
    assert (after[0], again[0]) == (401, 200)


def test_the_demo_user_is_made_only_when_asked_for(place: Path, key: str) -> None:
    at = ("--data-dir", place)
    assert key

    plain = ran("seed", *at)
    without = ran("user", "list", *at).stdout
    demo = ran("seed", "--with-demo-user", *at)
    with_ = ran("user", "list", *at).stdout

    assert (plain.returncode, demo.returncode) == (0, 0), demo.stderr
    assert "testuser" not in without
    assert "testuser" in with_
