"""uvicorn, as this server wants it: in this process, or in several of its children."""

import logging
import socket
import threading
from functools import partial

import typer
import uvicorn
from starlette.types import ASGIApp
from uvicorn.config import STARTUP_FAILURE
from uvicorn.importer import import_from_string
from uvicorn.supervisors import Multiprocess

from graph_api.cli.logs import logging_configuration
from graph_api.config import Settings

log = logging.getLogger(__name__)

_CREATE_APP = "graph_api.app:create_app"

# Requests that are being answered when the server is stopped have as long to end.
_DRAIN_S = 10
# Connections of one worker, idle ones too; beyond them clients get a plain 503.
_MOST_CONNECTIONS = 1_000
# The supervisor asks each worker whether it lives. On a busy machine one that is still
# importing may not find the time to say so within uvicorn's 5 seconds.
_WORKER_SILENCE_S = 20


def import_app() -> None:
    """Begin to import what is served, which takes a second, beside whatever is done."""
    threading.Thread(target=import_from_string, args=[_CREATE_APP], daemon=True).start()


def configured(settings: Settings, workers: int) -> uvicorn.Config:
    """What is served, and how; with one worker it is imported by now."""
    config = uvicorn.Config(
        partial(_make_app, settings),
        factory=True,
        workers=workers,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=logging_configuration(settings.log_level),
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=_DRAIN_S,
        timeout_worker_healthcheck=_WORKER_SILENCE_S,
    )
    if workers == 1:
        config.load()
    return config


def run_server(config: uvicorn.Config, listener: socket.socket) -> None:
    """Serve at `listener` until a signal ends it, and drain then.

    With one worker, the handlers of the signals are called once more in the end.
    """
    if config.workers == 1:
        uvicorn.Server(config).run([listener])
        return
    workers = Workers(config, [listener])
    workers.run()
    if any(worker.exitcode == STARTUP_FAILURE for worker in workers.processes):
        raise typer.Exit(STARTUP_FAILURE)


class Workers(Multiprocess):
    """uvicorn's supervisor, which replaces those who die."""

    def keep_subprocess_alive(self) -> None:
        before = list(self.processes)
        super().keep_subprocess_alive()
        for old, new in zip(before, self.processes, strict=True):
            if old is not new:
                log.warning(
                    "A worker has died and was replaced",
                    extra={"pid": old.pid, "exit_code": old.exitcode},
                )

    def handle_hup(self) -> None:
        # A closed terminal; uvicorn would only start the workers anew.
        self.handle_term()


def _make_app(settings: Settings) -> ASGIApp:
    # Imported by each worker when uvicorn says so: the parent of several needs it not,
    # and what comes before that is too early for a signal to end it in good order.
    app: ASGIApp = import_from_string(_CREATE_APP)(settings)
    return app
