"""uvicorn, as this server wants it: in this process, or in several of its children."""

import socket
from functools import partial

import typer
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from ..app import create_app
from ..config import Settings
from .logs import logging_configuration
from .options import take_hang_up_for_end

# Requests that are answered when the server is stopped have as long to end.
_DRAIN_S = 10
# Connections of one worker, idle ones too; beyond them clients get a plain 503.
_MOST_CONNECTIONS = 1_000
# A worker answers the supervisor only after its imports. Many workers on few cores need
# more than uvicorn's 5 seconds for them, and would be killed and started for ever.
_WORKER_SILENCE_S = 20


def run_server(listener: socket.socket, settings: Settings, workers: int) -> None:
    """Serve at `listener` until a signal ends it, and drain then.

    With one worker, the handlers of the signals are called once more in the end.
    """
    config = uvicorn.Config(
        partial(create_app, settings),
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
        uvicorn.Server(config).run([listener])
        return
    supervisor = Multiprocess(config, [listener])
    take_hang_up_for_end()
    supervisor.run()
    if any(worker.exitcode == STARTUP_FAILURE for worker in supervisor.processes):
        raise typer.Exit(STARTUP_FAILURE)
