"""`graph-api serve` with real processes: it starts, is stopped, is killed, recovers."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from server import GRAPH_API, PROJECT, Server, surroundings

from graph_api.cli.listening import refuse_strangers
from graph_api.config import Settings
from graph_api.database.embedded import EmbeddedServer
from graph_api.errors import ConfigurationError

WHO = "{ viewer { user { username } workspace { name } } }"
LOCAL = {
    "data": {"viewer": {"user": {"username": "local"}, "workspace": {"name": "Local"}}}
}
ADD = """
    mutation ($name: String!) {
      createTag(input: {name: $name}) { tag { name } userErrors { message } }
    }
"""
TAGS = "{ tags { nodes { name } } }"


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory to copy, which is faster than to make one."""
    data_dir = tmp_path_factory.mktemp("migrated") / "data"
    ran = graph_api("migrate", "upgrade", "--data-dir", data_dir)
    assert ran.returncode == 0, ran.stderr
    return data_dir


@pytest.fixture
def data_dir(migrated: Path, tmp_path: Path) -> Iterator[Path]:
    data_dir = tmp_path / "data"
    # As root, PostgreSQL's files are another user's, and have to stay so.
    subprocess.run(["cp", "-a", migrated, data_dir], check=True)
    yield data_dir
    left = EmbeddedServer(data_dir)
    if left.lives():
        left.start()
        left.stop()


@pytest.fixture
def serve(data_dir: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers on one data directory, which are stopped in the end."""
    started: list[Server] = []

    def start(*options: str, **more: Any) -> Server:
        started.append(Server("--data-dir", data_dir, *options, **more))
        return started[-1]

    yield start
    for server in started:
        server.__exit__()


def graph_api(
    *arguments: str | Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*GRAPH_API, *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=PROJECT,
        env=surroundings(environment),
        timeout=60,
    )


def lives(data_dir: Path) -> bool:
    return EmbeddedServer(data_dir).lives()


def postmaster(data_dir: Path) -> int:
    return int((data_dir / "postgres" / "postmaster.pid").read_text().split()[0])


def until(true: Callable[[], bool], seconds: float = 15) -> None:
    give_up_at = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up_at
        time.sleep(0.05)


def test_an_empty_directory_is_served_and_a_second_start_finds_the_data(
    serve: Callable[..., Server], data_dir: Path
) -> None:
    shutil.rmtree(data_dir)
    first = serve()
    assert first.ask(WHO) == (200, LOCAL)
    first.ask(ADD, name="kept")
    ended = first.send(signal.SIGTERM)
    stopped = not lives(data_dir)

    second = serve()
    _, kept = second.ask(TAGS)

    assert (ended, stopped) == (0, True)
    assert kept == {"data": {"tags": {"nodes": [{"name": "kept"}]}}}
    assert second.get("/readyz") == (
        200,
        {"status": "ok", "checks": {"database": True, "migrated": True}},
    )


def test_it_says_where_it_listens_where_the_data_lies_and_how_to_stop(
    serve: Callable[..., Server], data_dir: Path
) -> None:
    server = serve()

    assert server.process.stdout
    assert server.url.startswith("http://127.0.0.1:")
    assert server.process.stdout.readline() == f"The data lies in {data_dir}\n"
    assert server.process.stdout.readline() == "Stop with Ctrl-C\n"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_ends_it_in_good_order(
    serve: Callable[..., Server], data_dir: Path, workers: str
) -> None:
    server = serve("--workers", workers)
    assert server.ask(WHO) == (200, LOCAL)

    ended = server.interrupt()

    assert ended == 0
    assert not lives(data_dir)
    assert "Traceback" not in server.said()


def test_a_signal_while_it_is_starting_ends_it_as_well(
    serve: Callable[..., Server], data_dir: Path
) -> None:
    shutil.rmtree(data_dir)
    server = serve()
    until((data_dir / "postgres.alive").exists)

    ended = server.send(signal.SIGTERM)

    assert ended == 0
    assert not lives(data_dir)


def test_a_request_that_is_being_answered_is_answered(
    serve: Callable[..., Server],
) -> None:
    server = serve()
    # It listens before it has started, and would be stopped before it has.
    server.ask(TAGS)
    port = int(server.url.rsplit(":", 1)[1].split("/")[0])
    body = b'{"query": "{ __typename }"}'
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(
            b"POST /graphql HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        client.sendall(body)
        answer = client.recv(65536)

    assert answer.startswith(b"HTTP/1.1 200")
    assert server.process.wait(15) == 0


def test_what_a_killed_server_leaves_hinders_no_next_one(
    serve: Callable[..., Server], data_dir: Path
) -> None:
    first = serve()
    first.ask(ADD, name="kept")
    first.send(signal.SIGKILL)
    left = postmaster(data_dir)

    second = serve()
    _, kept = second.ask(TAGS)
    taken_over = postmaster(data_dir)
    second.send(signal.SIGTERM)

    assert kept == {"data": {"tags": {"nodes": [{"name": "kept"}]}}}
    assert taken_over == left
    assert not lives(data_dir)


def test_a_killed_postgresql_is_started_again_and_clients_are_told_to_wait(
    serve: Callable[..., Server], data_dir: Path
) -> None:
    server = serve()
    server.ask(ADD, name="kept")
    killed = postmaster(data_dir)

    os.kill(killed, signal.SIGKILL)
    answers = answers_until_there_is_data(server)

    refusals = {
        (status, answer["errors"][0]["extensions"]["code"])
        for status, answer in answers[:-1]
    }
    assert answers[-1] == (200, {"data": {"tags": {"nodes": [{"name": "kept"}]}}})
    assert refusals <= {(503, "SERVICE_BUSY"), (200, "SERVICE_BUSY")}
    assert postmaster(data_dir) != killed


def answers_until_there_is_data(server: Server) -> list[tuple[int, Any]]:
    """The first may still come from a process that outlives PostgreSQL's first."""
    time.sleep(0.1)
    answers = [server.ask(TAGS)]
    give_up_at = time.monotonic() + 15
    while "errors" in answers[-1][1]:
        assert time.monotonic() < give_up_at
        answers.append(server.ask(TAGS))
    return answers


def test_a_second_server_uses_the_same_postgresql(
    serve: Callable[..., Server], data_dir: Path
) -> None:
    first, second = serve(), serve()
    first.ask(ADD, name="shared")
    _, seen = second.ask(TAGS)

    first.send(signal.SIGTERM)
    still = second.ask(TAGS)
    second.send(signal.SIGTERM)

    assert seen == {"data": {"tags": {"nodes": [{"name": "shared"}]}}}
    assert still == (200, seen)
    assert not lives(data_dir)


def test_workers_share_the_secret_and_end_when_their_parent_is_killed(
    serve: Callable[..., Server], data_dir: Path
) -> None:
    server = serve("--workers", "2")
    assert server.ask(WHO) == (200, LOCAL)
    workers = workers_of(server)

    server.send(signal.SIGKILL)

    assert len(workers) == 2
    until(lambda: not any(worker.exists() for worker in workers))
    assert stat.S_IMODE((data_dir / "secret_key").stat().st_mode) == 0o600


def test_a_worker_that_dies_is_replaced(serve: Callable[..., Server]) -> None:
    server = serve("--workers", "2")
    assert server.ask(WHO) == (200, LOCAL)
    first, second = workers_of(server)

    os.kill(int(first.name), signal.SIGKILL)
    until(lambda: len({*workers_of(server)} - {first, second}) == 1)
    ended = server.send(signal.SIGTERM)

    assert ended == 0
    assert "WARNING graph_api.cli.serving A worker has died" in server.said()


def workers_of(server: Server) -> list[Path]:
    """The processes that `multiprocessing` made, of which PostgreSQL is none."""
    pid = server.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    found = [Path("/proc", child) for child in children]
    return [one for one in found if b"spawn_main" in (one / "cmdline").read_bytes()]


def test_a_port_in_use_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    data_dir = tmp_path / "new"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = graph_api("serve", "--data-dir", data_dir, "--port", str(port))

    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == (
        f"graph-api: Port {port} of 127.0.0.1 is in use. Choose another with --port, "
        "or any free one with --port 0.\n"
    )
    assert not data_dir.exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
def test_strangers_are_kept_out(host: str) -> None:
    with pytest.raises(ConfigurationError, match="GRAPH_API_TRUST_BIND=1"):
        refuse_strangers(host, Settings(graph_api_trust_bind=False))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_this_machine_is_let_in(host: str) -> None:
    refuse_strangers(host, Settings(graph_api_trust_bind=False))


def test_a_trusted_bind_answers_to_any_name(serve: Callable[..., Server]) -> None:
    server = serve("--host", "0.0.0.0", environment={"GRAPH_API_TRUST_BIND": "1"})

    assert server.url.startswith("http://0.0.0.0:")
    assert server.ask(WHO) == (200, LOCAL)


def test_several_workers_on_a_database_of_ones_own_need_a_secret(
    server_url: str,
) -> None:
    ran = graph_api("serve", "--database-url", server_url, "--workers", "2")

    assert ran.returncode == 1
    assert "SECRET_KEY must be set" in ran.stderr


def test_an_import_works_beside_a_running_server(
    serve: Callable[..., Server], data_dir: Path, tmp_path: Path
) -> None:
    file = tmp_path / "tags.jsonl"
    file.write_text('{"type":"Tag","ref":"t1","name":"imported"}\n')
    server = serve()
    server.ask(WHO)

    ran = graph_api("import", "--data-dir", data_dir, file)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert server.ask(TAGS)[1] == {"data": {"tags": {"nodes": [{"name": "imported"}]}}}
