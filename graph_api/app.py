"""The ASGI application, put together: settings in, something to serve out."""

import asyncio
import gc
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.types import ASGIApp

from graph_api.auth import Accounts, Door, Local
from graph_api.caller import Caller
from graph_api.config import Settings, settings
from graph_api.database.engine import Database
from graph_api.database.migrations import head
from graph_api.errors import ConfigurationError
from graph_api.execution.database_errors import database_error
from graph_api.execution.limits import Limits
from graph_api.execution.openness import Disclosure
from graph_api.execution.operation import Executor
from graph_api.http import exception_handlers, graphql_endpoint, guarded, routes
from graph_api.quotas import Attempts, Quotas
from graph_api.quotas.storing import store_at
from graph_api.reading.cursors import Cursors
from graph_api.schema import graphql_schema
from graph_api.schema.context import Context, Surroundings
from graph_api.tokens import Issuer, Signer

# Young objects between two looks at them: a thousand rows of an answer are not one.
_ALLOCATIONS = 20_000
_PATIENCE_S = 30.0
_PAUSE_S = 0.2


def create_app(given: Settings | None = None) -> ASGIApp:
    """The application; by itself (`uvicorn --factory`) it is set by the environment.

    The database must be running and migrated, which `graph-api serve` sees to.
    """
    chosen = given or settings()
    surroundings = _surroundings(chosen)
    newest = head()
    quotas = Quotas.of(chosen)
    executor = Executor(
        graphql_schema,
        Limits.of(chosen),
        timeout_s=chosen.operation_timeout_s,
        disclosure=Disclosure(chosen.introspection, chosen.suggestions),
        quotas=quotas,
    )

    async def make_context(caller: Caller) -> Context:
        return Context(surroundings, caller)

    async def ready() -> Mapping[str, bool]:
        revision = await surroundings.database.revision()
        return {"database": True, "migrated": revision == newest}

    door = _door(chosen, surroundings)
    endpoint = graphql_endpoint(executor, chosen, make_context, door)
    app = Starlette(
        routes=routes(endpoint, chosen, ready),
        exception_handlers=dict(exception_handlers()),
        lifespan=partial(_lifespan, surroundings.database, quotas),
    )
    return guarded(app, endpoint, chosen)


def _surroundings(chosen: Settings) -> Surroundings:
    if chosen.database_url is None or chosen.secret_key is None:
        raise ConfigurationError(
            "DATABASE_URL and SECRET_KEY must both be set for the application alone. "
            "Or start it with `graph-api serve`, which needs neither."
        )
    database = Database(chosen.database_url.get_secret_value(), chosen)
    cursors = Cursors(chosen.secret_key.get_secret_value())
    if not chosen.graph_api_accounts:
        return Surroundings(database, cursors, chosen)
    storage = chosen.rate_limit_storage
    attempts = Attempts(store_at(storage.get_secret_value() if storage else None))
    return Surroundings(database, cursors, chosen, Signer.of(chosen), attempts)


def _door(chosen: Settings, surroundings: Surroundings) -> Door:
    signer = surroundings.signer
    if signer is None:
        return Local()
    return Accounts(surroundings.database, signer, Issuer.of(chosen))


@asynccontextmanager
async def _lifespan(
    database: Database, quotas: Quotas | None, _: Starlette
) -> AsyncIterator[None]:
    _end_with_parent()
    await _verify(database)
    _tune_collector()
    yield
    if quotas is not None:
        await quotas.close()
    await database.close()


def _tune_collector() -> None:
    """Have the garbage collector look at what requests leave, and seldom.

    The schema and the models are some 500,000 objects that never go; plans make no
    cycles, so that counting references frees what requests need.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS, 50, 100)


async def _verify(database: Database) -> None:
    """Let nobody in before the database is known to keep tenants apart.

    One that is away is waited for: it may just be started again.
    """
    give_up_at = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return await database.verify()
        except Exception as error:
            if database_error(error) is None or time.monotonic() > give_up_at:
                raise
        await asyncio.sleep(_PAUSE_S)


def _end_with_parent() -> None:
    """Let a worker stop in good order when the parent that started it is gone."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()
