"""Runs a check of this folder against a server of its own, on an empty database.

    python against_server.py http       the audits of GraphQL over HTTP, with node
    python against_server.py browser    GraphiQL, in a headless Chromium

What the check needs and is not to be had is said, and is no failure.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from server import Server  # noqa: E402 - the folder above is no package

PICTURE = Path(tempfile.gettempdir()) / "graphiql.png"


def main(check: str) -> int:
    missing = {"http": _no_audits, "browser": _no_browser}[check]()
    if missing:
        print(f"skipped: {missing}")  # noqa: T201
        return 0
    with tempfile.TemporaryDirectory() as data, Server("--data-dir", data) as server:
        commands = {
            "http": ["node", "http_audit.mjs", server.url],
            "browser": [sys.executable, "graphiql.py", server.url, str(PICTURE)],
        }
        return subprocess.run(commands[check], cwd=HERE, check=False).returncode


def _no_audits() -> str | None:
    if not (shutil.which("node") and shutil.which("npm")):
        return "there is no node with npm here"
    install = subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", "--omit=dev"],
        cwd=HERE,
        capture_output=True,
        check=False,
    )
    return "npm cannot install here" if install.returncode else None


def _no_browser() -> str | None:
    browsers = ("chromium", "chromium-browser", "google-chrome")
    return None if any(map(shutil.which, browsers)) else "there is no Chromium here"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
