"""PostgreSQL is kept up: should it die while we serve, it is started again."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from graph_api.database.embedded import EmbeddedServer
from graph_api.errors import ConfigurationError

log = logging.getLogger(__name__)

# To look costs a system call or two.
_PAUSE_S = 0.25
_PAUSE_AFTER_FAILURE_S = 5.0


@contextmanager
def kept_up(server: EmbeddedServer | None) -> Iterator[None]:
    """Start the server again whenever it is found dead, until the block ends."""
    if server is None:
        yield
        return
    ended = threading.Event()
    watching = threading.Thread(target=_watch, args=(server, ended), daemon=True)
    watching.start()
    try:
        yield
    finally:
        ended.set()
        watching.join()


def _watch(server: EmbeddedServer, ended: threading.Event) -> None:
    pause_s = _PAUSE_S
    while not ended.wait(pause_s):
        pause_s = _PAUSE_S
        if server.lives():
            continue
        log.warning("PostgreSQL has died and is started again")
        try:
            server.start()
        except ConfigurationError as error:
            log.error("PostgreSQL could not be started", extra={"reason": str(error)})  # noqa: TRY400
            pause_s = _PAUSE_AFTER_FAILURE_S
