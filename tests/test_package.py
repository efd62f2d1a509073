"""What a wheel has to carry, so that an installation needs no checkout."""

import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[1]

SETUPTOOLS = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"][
    "setuptools"
]


def test_the_wheel_has_every_package() -> None:
    modules = (PROJECT / "graph_api").rglob("*.py")
    folders = {module.parent.relative_to(PROJECT) for module in modules}
    packages = {".".join(folder.parts) for folder in folders}

    assert set(SETUPTOOLS["packages"]) == packages | {
        "graph_api.migrations",
        "graph_api.migrations.versions",
    }


def test_the_wheel_has_every_file_that_is_no_module() -> None:
    files = [
        file
        for folder in ("graph_api", "migrations")
        for file in (PROJECT / folder).rglob("*")
        if file.is_file() and file.suffix not in {".py", ".pyc"}
    ]
    carried = {
        file
        for package, patterns in SETUPTOOLS["package-data"].items()
        for pattern in patterns
        for file in _folder(package).glob(pattern)
    }

    assert sorted(carried) == sorted(files)


def _folder(package: str) -> Path:
    """Where a package lies in the checkout."""
    name = SETUPTOOLS["package-dir"].get(package, package)
    return PROJECT.joinpath(*name.split("."))
