"""Imports go one way; and what is installed is what is there."""

import subprocess
import sys
import tomllib
from pathlib import Path

from server import PROJECT

PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())


def test_imports_go_one_way_and_in_no_circle() -> None:
    ran = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        check=False,
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_module_and_package_has_its_layer() -> None:
    (contract, _) = PYPROJECT["tool"]["importlinter"]["contracts"]
    layers = {name for layer in contract["layers"] for name in layer.split(" | ")}

    found = {
        path.stem
        for path in (PROJECT / "graph_api").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert found - {"__init__"} == layers


def test_every_package_is_installed() -> None:
    packages = set(PYPROJECT["tool"]["setuptools"]["packages"])

    found = {
        ".".join(path.parent.relative_to(PROJECT).parts)
        for path in (PROJECT / "graph_api").rglob("__init__.py")
    }
    assert packages - found == {"graph_api.migrations", "graph_api.migrations.versions"}
    assert found <= packages
