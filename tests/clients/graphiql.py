"""Opens GraphiQL in a real, headless Chromium, runs an operation, takes a picture.

    python graphiql.py http://127.0.0.1:8000/graphql graphiql.png

It fails on any error in the console (a breach of the Content-Security-Policy is one),
on any request to elsewhere, and when the schema or an answer does not appear. It speaks
the DevTools protocol, of which a page's events are all that it needs.
"""

import base64
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

from websockets.sync.client import ClientConnection, connect

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,900",
    "--remote-debugging-port=0",
)
WAIT_S = 60.0

# GraphiQL has introspected once it knows the schema's root fields; then an operation
# without fields of a domain is run as by the button.
SCHEMA_IS_SHOWN = """
(() => {
  const label = 'Show Documentation Explorer';
  document.querySelector(`button[aria-label="${label}"]`)?.click();
  return Boolean(document.querySelector('.graphiql-doc-explorer-root-type,'
    + '.graphiql-doc-explorer-section-content a'));
})()
"""
WRITE = """
(() => {
  const place = document.querySelector('.graphiql-query-editor .CodeMirror');
  const editor = place.CodeMirror;
  window.examples = editor.getValue();
  editor.setValue('{ __typename __schema { queryType { name } } }');
  return true;
})()
"""
# Once the editor has understood that there is only one operation left.
RUN = """
(() => {
  const button = document.querySelector('.graphiql-execute-button');
  if (button.getAttribute('aria-haspopup')) return false;
  button.click();
  return true;
})()
"""
ANSWER = """
document.querySelector('.result-window .CodeMirror')?.CodeMirror.getValue() ?? ''
"""
SHOW_EXAMPLES = """
document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror
  .setValue(window.examples)
"""


class Page:
    """One tab of the browser, and what it has told of errors and requests."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._last = 0
        self.errors: list[str] = []
        self.requested: list[str] = []

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """The browser's answer; the events that come before it are noted."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": params}
        self._socket.send(json.dumps(message))
        while True:
            told = json.loads(self._socket.recv(timeout=WAIT_S))
            if told.get("id") == self._last:
                result: dict[str, Any] = told.get("result", {})
                return result
            self._note(told.get("method"), told.get("params", {}))

    def value(self, script: str) -> Any:
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        return answer["result"].get("value")

    def until(self, script: str) -> Any:
        """The first true value of a script."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            if found := self.value(script):
                return found
            time.sleep(0.2)
        sys.exit(f"In vain waited for {script.strip()}; errors: {self.errors}")

    def _note(self, event: str | None, params: dict[str, Any]) -> None:
        if event == "Network.requestWillBeSent":
            self.requested.append(params["request"]["url"])
        elif event == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(params["exceptionDetails"]))
        elif event == "Runtime.consoleAPICalled" and params["type"] == "error":
            self.errors.append(json.dumps(params["args"]))
        elif event == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(params["entry"]["text"])


@contextmanager
def browser() -> Iterator[int]:
    """A new Chromium with an empty profile; gives the port it listens on."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        sys.exit("No Chromium here (Debian: apt-get install chromium).")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stderr=subprocess.DEVNULL,
        )
        try:
            yield _port(Path(profile) / "DevToolsActivePort")
        finally:
            process.terminate()
            process.wait(10)


def _port(file: Path) -> int:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        if file.exists() and (lines := file.read_text().split()):
            return int(lines[0])
        time.sleep(0.1)
    sys.exit("Chromium did not start.")


def _tab(port: int) -> str:
    with urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
        tabs = json.load(answer)
    return str(
        next(tab for tab in tabs if tab["type"] == "page")["webSocketDebuggerUrl"]
    )


def check(page: Page, url: str, picture: Path) -> None:
    """Use GraphiQL as a visitor does, and fail on what he would see fail."""
    for domain in ("Page", "Runtime", "Log", "Network"):
        page.ask(f"{domain}.enable")
    page.ask("Page.navigate", url=url)
    page.until(SCHEMA_IS_SHOWN)
    page.until(WRITE)
    page.until(RUN)
    page.until(f"({ANSWER.strip()}).includes('queryType')")
    page.value(SHOW_EXAMPLES)
    time.sleep(1)  # The editor paints and checks the examples against the schema.
    shot = page.ask("Page.captureScreenshot", format="png")
    picture.write_bytes(base64.b64decode(shot["data"]))
    here = urlsplit(url).netloc
    foreign = [
        found
        for found in page.requested
        if not found.startswith("data:") and urlsplit(found).netloc != here
    ]
    if page.errors or foreign:
        sys.exit(f"Errors: {page.errors}\nRequests to elsewhere: {foreign}")
    sys.stdout.write(f"GraphiQL works; its picture is in {picture}\n")


def main() -> None:
    url, picture = sys.argv[1:]
    with (
        browser() as port,
        connect(_tab(port), max_size=None, open_timeout=WAIT_S) as socket,
    ):
        check(Page(socket), url, Path(picture))


if __name__ == "__main__":
    main()
