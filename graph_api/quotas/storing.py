"""Where buckets are kept: in this process, or where a URL says."""

from importlib import import_module

from graph_api.errors import ConfigurationError
from graph_api.quotas.buckets import InProcess, Store


def store_at(url: str | None) -> Store:
    """The store that a URL names; without one, the memory of this process.

    Raises ConfigurationError where there is no such store.
    """
    if url is None:
        return InProcess()
    try:
        # A dependency of large installations only.
        module = import_module("graph_api.quotas.in_redis")
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "RATE_LIMIT_STORAGE needs the extra `redis`: install graph-api[redis]."
        ) from error
    store: Store = module.InRedis(url)
    return store
