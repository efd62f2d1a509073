"""Checks of a running server by programs of others.

    python tests/clients/against_server.py http     the audits of GraphQL over HTTP
    python tests/clients/against_server.py browser  GraphiQL in a headless Chromium

Each starts a server of its own on an empty data directory. Where npm, its registry or
Chromium is missing, the check is skipped: visibly, but that is no failure.
"""

import shutil
import sys
import tempfile

from check import BUILD, HERE, Report, Skipped, install_from_npm, run
from graphiql import BROWSERS

sys.path.append(str(HERE.parent))
from server import Server


def audit() -> str:
    """All audits of the specification, the optional ones too."""
    with tempfile.TemporaryDirectory() as data, Server("--data-dir", data) as server:
        return run("node", HERE / "http_audit.mjs", server.url)


def look() -> str:
    """What a visitor does first; its picture is kept."""
    if not any(map(shutil.which, BROWSERS)):
        raise Skipped("Chromium is not installed (Debian: apt-get install chromium)")
    BUILD.mkdir(exist_ok=True)
    picture = BUILD / "graphiql.png"
    with tempfile.TemporaryDirectory() as data, Server("--data-dir", data) as server:
        return run(sys.executable, HERE / "graphiql.py", server.url, picture)


def main(what: str) -> None:
    report = Report()
    if what == "http":
        report.group("npm", install_from_npm, {"GraphQL over HTTP": audit})
    else:
        report.check("GraphiQL", look)
    sys.exit(report.failed)


if __name__ == "__main__":
    main(*sys.argv[1:])
