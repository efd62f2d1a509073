"""The data: generated once, and cloned for each run, which may write into its clone."""

import asyncio
import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.workload import Facts
from graph_api.database.embedded import EmbeddedServer
from graph_api.database.local import LOCAL_WORKSPACE_ID

HERE = Path(__file__).parent
PROJECT = HERE.parent
KEPT = PROJECT / ".benchmarks"
SEED = 1

# What is measured is not disturbed by what PostgreSQL does on its own account.
_SETTINGS = {"autovacuum": "off", "max_connections": "100"}
_CLONE = "bench"
# Our server says so itself on its connections; the others are spared planning as well.
_FOR_ALL = (("jit", "off"), ("plan_cache_mode", "force_generic_plan"))

_HUBS = """
SELECT source_id FROM knowledge_graph_edges
GROUP BY source_id ORDER BY count(*) DESC, source_id LIMIT 500
"""
# The last made have the fewest commitments; they stay out of what others read.
_ROLES_TO_BIND = """
SELECT id, party_id FROM roles ORDER BY id DESC
LIMIT (SELECT 1 + count(*) / 100 FROM roles)
"""
_COLLECTIONS = """
SELECT collection_id FROM documents WHERE collection_id IS NOT NULL
GROUP BY collection_id ORDER BY count(*) DESC, collection_id LIMIT 25
"""


@dataclass(frozen=True)
class Data:
    """A database to measure on: how servers reach it, and what is in it."""

    url: str
    admin_url: str
    postmaster: int
    facts: Facts
    version: str
    workspace: str = str(LOCAL_WORKSPACE_ID)


@contextmanager
def cloned(scale: float) -> Iterator[Data]:
    """A fresh clone of the data, for as long as the block lasts.

    Raises RuntimeError while another run has one.
    """
    KEPT.mkdir(exist_ok=True)
    with (
        _alone(),
        EmbeddedServer(generated(scale), settings=_SETTINGS) as server,
    ):
        admin_url = server.url(database=_CLONE)
        try:
            asyncio.run(_clone(server.url(), admin_url))
            facts, version = asyncio.run(_look(admin_url))
            yield Data(
                url=server.url(user="graph_api", database=_CLONE),
                admin_url=admin_url,
                postmaster=_postmaster(_place(scale)),
                facts=facts,
                version=version,
            )
        finally:
            asyncio.run(_execute(server.url(), _DROP))


@contextmanager
def _alone() -> Iterator[None]:
    with (KEPT / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError("another benchmark is running here") from None
        yield


def generated(scale: float) -> Path:
    """The directory of the data, which is generated unless it is there already."""
    directory = _place(scale)
    mark, maker = directory / "made-by", _maker()
    if mark.exists() and mark.read_text() == maker:
        return directory
    if directory.exists():
        shutil.rmtree(directory)
    print(f"Generating the data, {scale:g} years of it …", flush=True)
    command = [sys.executable, "-m", "graph_api", "generate"]
    options = [
        "--scale",
        f"{scale:g}",
        "--seed",
        f"{SEED}",
        "--data-dir",
        f"{directory}",
    ]
    subprocess.run([*command, *options], cwd=PROJECT, check=True)
    mark.write_text(maker)
    return directory


def _maker() -> str:
    """What the data depends on: another generator or schema makes other data."""
    files = [
        *(PROJECT / "graph_api" / "generating").glob("*.py"),
        *(PROJECT / "migrations" / "versions").glob("*.py"),
    ]
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()


_DROP = f"DROP DATABASE IF EXISTS {_CLONE} WITH (FORCE)"


async def _clone(original_url: str, clone_url: str) -> None:
    copy = f"CREATE DATABASE {_CLONE} TEMPLATE graph_api STRATEGY file_copy"
    await _execute(original_url, _DROP, copy)
    await _execute(
        clone_url,
        *(f"ALTER DATABASE {_CLONE} SET {name} = {value}" for name, value in _FOR_ALL),
        (HERE / "postgraphile" / "setup.sql").read_text(),
        "VACUUM ANALYZE",
        "CHECKPOINT",
    )


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _look(admin_url: str) -> tuple[Facts, str]:
    connection = await asyncpg.connect(admin_url)
    try:
        version = await connection.fetchval("SHOW server_version")
        return await facts_of(connection), version
    finally:
        await connection.close()


async def facts_of(connection: "asyncpg.Connection[Any]") -> Facts:
    """What the variables are drawn from, in a database with one workspace."""
    bound = await connection.fetch(_ROLES_TO_BIND)
    apart = {row["party_id"] for row in bound}
    parties = await connection.fetch("SELECT id FROM parties ORDER BY id")
    return Facts(
        parties=[str(row["id"]) for row in parties if row["id"] not in apart],
        hubs=await _texts(connection, _HUBS),
        collections=await _texts(connection, _COLLECTIONS),
        roles_to_bind=[str(row["id"]) for row in bound],
    )


async def _texts(connection: "asyncpg.Connection[Any]", statement: str) -> list[str]:
    return [str(row[0]) for row in await connection.fetch(statement)]


def _place(scale: float) -> Path:
    return KEPT / f"scale-{scale:g}"


def _postmaster(directory: Path) -> int:
    text = (directory / "postgres" / "postmaster.pid").read_text()
    return int(text.split()[0])
