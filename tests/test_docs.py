"""The documentation states facts: settings, commands, codes, tables; held here."""

import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

from graph_api.cli import COMMANDS
from graph_api.config import Settings
from graph_api.errors import GraphApiError

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"

# Shown by commands only, never in an answer.
_NOT_ANSWERED = {"CONFIGURATION"}


def test_the_database_page_is_what_the_models_say() -> None:
    spec = importlib.util.spec_from_file_location("tables", DOCS / "database_tables.py")
    assert spec is not None
    assert spec.loader is not None
    tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tables)
    page = (DOCS / "database.md").read_text()

    assert page == tables.renewed(page), "run `make docs`"


def test_every_setting_is_documented_and_every_documented_setting_exists() -> None:
    documented = set(
        re.findall(r"^\| `([A-Z_]+)`", _page("operations.md"), re.MULTILINE)
    )

    assert documented == set(_setting_names())


def test_every_command_is_documented() -> None:
    documented = set(
        re.findall(r"^### `graph-api (\w+)", _page("operations.md"), re.MULTILINE)
    )

    assert documented == set(COMMANDS)


def test_every_code_is_documented_and_every_documented_code_exists() -> None:
    documented = set(re.findall(r"^\| `([A-Z_]+)`", _page("errors.md"), re.MULTILINE))
    said = {*_codes(GraphApiError), *_codes_of_http()} - _NOT_ANSWERED

    assert documented == said


@pytest.mark.parametrize(
    "page", sorted([*DOCS.rglob("*.md"), ROOT / "README.md"]), ids=lambda p: p.name
)
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_no_file_names_a_registry_or_a_path_of_a_machine() -> None:
    # Put together here, so that this file does not name them either.
    registries = ("py" + "pi", "python" + "hosted", "npm" + "js", "deb.debian")
    pattern = rf"({'|'.join(registries)})\.(org|com)|/(root|home)/[a-z]"
    found = subprocess.run(
        ["git", "grep", "-nIE", pattern, "--", "."],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert found.stdout == ""


def _page(name: str) -> str:
    return (DOCS / name).read_text()


def _setting_names() -> list[str]:
    """The names in the environment, the first where a setting has several."""
    names = []
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        names.append(str(getattr(alias, "choices", [name])[0]).upper())
    return names


def _codes(error: type[GraphApiError]) -> set[str]:
    own = {error.code} if "code" in vars(error) else set()
    return own.union(*(_codes(each) for each in error.__subclasses__()))


def _codes_of_http() -> set[str]:
    """The codes that are said in `graph_api/http`, which has no classes for them."""
    texts = "".join(path.read_text() for path in (ROOT / "graph_api/http").glob("*.py"))
    return set(re.findall(r'"([A-Z]+(?:_[A-Z]+)+|CROSS_SITE)"', texts))
