"""Checks that the tools which clients use accept our schema and realistic operations.

    python tests/clients/check.py

It installs the tools (npm's into node_modules here, pip's into a virtual environment
of its own, since they need another graphql-core than the server), and then says for
each check whether it is ok, FAILED or skipped, and why. The exit code is 1 if any has
failed. Where there is no npm, or no registry, what needs it is skipped: visibly, but
that is no failure.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from textwrap import indent
from venv import EnvBuilder

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SCHEMA = ROOT / "schema.graphql"
# Below this folder, so that what is generated finds node_modules; git ignores it.
BUILD = HERE / "build"
# A line of uses/with_ariadne.py.
HIDING_FROM_MYPY = "# mypy: ignore-errors\n"
TYPES = BUILD / "codegen" / "graphql.ts"

INSTALLING_TIMEOUT_S = 600
CHECK_TIMEOUT_S = 120

UNREACHABLE = re.compile(
    "ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT"
    "|ENOTCACHED|ERR_SOCKET_TIMEOUT|NewConnectionError|ConnectTimeoutError"
    "|NameResolutionError|ReadTimeoutError|Failed to establish a new connection"
    # Of what is pinned, and was once to be had.
    "|from versions: none"
)
# What is no code: comments and strings, where `any` is a word like others.
NO_CODE = re.compile(
    r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'""", re.DOTALL
)
COLOUR = re.compile("\x1b\\[[0-9;]*m")

# Gives what else there is to say.
Check = Callable[[], str | None]


class Skipped(Exception):
    """The check cannot be made here, and why."""


class Failed(Exception):
    """What the tool said."""


class Report:
    """One line for each check, and whether any has failed."""

    def __init__(self) -> None:
        self.failed = False

    def group(
        self, installing: str, install: Check, checks: Mapping[str, Check]
    ) -> None:
        """Install what some checks need, and make them if that is ok."""
        outcome = self.check(installing, install)
        for name, check in checks.items():
            if outcome == "ok":
                self.check(name, check)
            else:
                self._line("skipped", name, f"{installing}: {outcome}")

    def check(self, name: str, check: Check) -> str:
        """Make one check; gives the word for its outcome."""
        started = time.monotonic()
        try:
            detail = check()
        except Skipped as why:
            return self._line("skipped", name, str(why))
        except Failed as said:
            self.failed = True
            return self._line("FAILED", name, indent(f"\n{said}", " " * 8))
        took = f"{time.monotonic() - started:.1f} s"
        return self._line("ok", name, f"{detail}, {took}" if detail else took)

    def _line(self, outcome: str, name: str, detail: str) -> str:
        sys.stdout.write(f"{outcome:<8}{name}: {detail}\n")
        sys.stdout.flush()
        return outcome


def run(
    *command: str | Path, within: Path = HERE, timeout_s: float = CHECK_TIMEOUT_S
) -> str:
    """What a command writes.

    Raises Failed, with that, if its exit code is not 0.
    """
    try:
        done = subprocess.run(
            command,
            cwd=within,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"{command[0]} took longer than {timeout_s:.0f} s.") from None
    said = COLOUR.sub("", done.stdout).strip()
    if done.returncode:
        raise Failed(said or f"{command[0]} ended with {done.returncode}.")
    return said


def tool(name: str, *arguments: str | Path) -> str:
    """Run a program that npm has installed."""
    return run(HERE / "node_modules" / ".bin" / name, *arguments)


def install(installer: str, *command: str | Path) -> None:
    """Run the command of an installer.

    Raises Skipped where it is for want of a registry that it fails.
    """
    try:
        run(*command, timeout_s=INSTALLING_TIMEOUT_S)
    except Failed as failure:
        if UNREACHABLE.search(str(failure)):
            raise Skipped(f"the registry of {installer} cannot be reached") from failure
        raise


def install_from_npm() -> str | None:
    npm = shutil.which("npm")
    if npm is None:
        raise Skipped("npm is not installed")
    try:
        run(npm, "ls", "--depth=0")
    except Failed:
        install("npm", npm, "install", "--prefer-offline", "--no-progress")
        return None
    return "was there already"


def lint() -> None:
    """All rules: that all is described, sorted, and as Relay wants it."""
    tool("graphql-schema-linter", SCHEMA)


def validate() -> None:
    tool("graphql-inspector", "validate", "operations/*.graphql", SCHEMA)


def compare() -> str:
    """Nothing that clients of the last release rely on is gone unannounced.

    Before there is a release nothing is promised, and changes are only counted.
    """
    git = shutil.which("git")
    if git is None:
        raise Skipped("git is not installed")
    try:
        base = run(git, "describe", "--tags", "--abbrev=0", "--match=v*")
    except Failed:
        base = "HEAD"
    before = BUILD / "before.graphql"
    try:
        before.write_text(run(git, "show", f"{base}:schema.graphql", within=ROOT))
    except Failed:
        raise Skipped(f"there is no schema.graphql in {base}") from None
    try:
        tool("graphql-inspector", "diff", before, SCHEMA)
    except Failed as failure:
        if base != "HEAD" and not announces_a_breach(base):
            raise
        return f"{str(failure).count('✖')} breaking changes since {base}"
    return f"nothing breaking since {base}"


def announces_a_breach(base: str) -> bool:
    """Whether the changelog has anything under Breaking since the release `base`.

    That each breach is named there is what tests/test_schema.py sees to.
    """
    changelog = ROOT / "CHANGELOG.md"
    written = changelog.read_text() if changelog.exists() else ""
    since = re.split(rf"^## .*{re.escape(base[1:])}", written, flags=re.MULTILINE)[0]
    return "### Breaking" in since


def compile_for_relay() -> str:
    (BUILD / "relay").mkdir()
    tool("relay-compiler", "relay.config.json")
    return f"{len(list((BUILD / 'relay').iterdir()))} artifacts"


def generate_types() -> None:
    tool("graphql-codegen", "--config", "codegen.yml")
    code = NO_CODE.sub("", TYPES.read_text())
    if found := re.findall(r"^.*\bany\b.*$", code, re.MULTILINE):
        raise Failed("`any` is no type:\n" + "\n".join(found))


def check_types() -> None:
    if not TYPES.exists() or not any((BUILD / "relay").iterdir()):
        raise Skipped("there are no types")
    tool("tsc", "--project", "tsconfig.json")


def install_from_pip(place: Path) -> None:
    EnvBuilder(with_pip=True).create(place / "venv")
    requirements = HERE / "requirements.txt"
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input", "--retries=1")
    install("pip", python(place), "-m", "pip", "install", *quiet, "-r", requirements)


def generate_client(place: Path) -> None:
    shutil.copy(SCHEMA, place)
    shutil.copy(HERE / "ariadne.toml", place)
    use = (HERE / "uses" / "with_ariadne.py").read_text()
    (place / "with_ariadne.py").write_text(use.replace(HIDING_FROM_MYPY, ""))
    shutil.copytree(HERE / "operations", place / "operations")
    generate = (python(place), "-W", "error", "-m", "ariadne_codegen")
    run(*generate, "--config", "ariadne.toml", "client", within=place)


def check_client(place: Path) -> None:
    if not (place / "graph_api_client").exists():
        raise Skipped("there is no client")
    mypy = (python(place), "-m", "mypy")
    run(*mypy, "-p", "graph_api_client", within=place)
    strict = ("--strict", "--follow-imports=silent")
    run(*mypy, *strict, "with_ariadne.py", within=place)


def use_client(place: Path) -> None:
    if not (place / "graph_api_client").exists():
        raise Skipped("there is no client")
    run(python(place), "-W", "error", "with_ariadne.py", within=place)


def python(place: Path) -> Path:
    return place / "venv" / "bin" / "python"


def main() -> int:
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir()
    report = Report()
    with_npm = {
        "graphql-schema-linter": lint,
        "graphql-inspector validate": validate,
        "graphql-inspector diff": compare,
        "relay-compiler": compile_for_relay,
        "@graphql-codegen client preset": generate_types,
        "tsc --strict": check_types,
    }
    report.group("npm install", install_from_npm, with_npm)
    with tempfile.TemporaryDirectory(prefix="graph-api-clients-") as directory:
        place = Path(directory)
        with_pip = {
            "ariadne-codegen": partial(generate_client, place),
            "ariadne-codegen: mypy": partial(check_client, place),
            "ariadne-codegen: use": partial(use_client, place),
        }
        report.group("pip install", partial(install_from_pip, place), with_pip)
    return int(report.failed)


if __name__ == "__main__":
    sys.exit(main())
