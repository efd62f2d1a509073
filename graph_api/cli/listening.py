"""The socket that the server listens at, taken before anything else is started."""

import errno
import ipaddress
import socket
from typing import Any

from graph_api.config import Settings
from graph_api.errors import ConfigurationError

# As many clients wait for the server to start, or to be less busy.
_BACKLOG = 2048


def refuse_strangers(host: str, settings: Settings) -> None:
    """Raise ConfigurationError where without accounts anybody could come in."""
    if settings.graph_api_accounts:
        return
    addresses = [address[0] for _, address in _addresses(host, 0)]
    local = all(ipaddress.ip_address(address).is_loopback for address in addresses)
    if not local and not settings.graph_api_trust_bind:
        raise ConfigurationError(
            f"Without accounts, whoever reaches {host or 'any address'} would be the "
            "owner. Listen at 127.0.0.1, set GRAPH_API_ACCOUNTS=1 so that everybody "
            "needs a credential, or GRAPH_API_TRUST_BIND=1 where something else keeps "
            "strangers out."
        )


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens at the first address of `host`, an IPv4 one if it has any.

    ConfigurationError says why there is none.
    """
    family, address = _addresses(host, port)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigurationError(_refusal(error, host, port)) from error
    return listener


def address_of(listener: socket.socket) -> str:
    """The start of the URLs at which `listener` is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, Any]]:
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (socket.gaierror, UnicodeError) as error:
        raise ConfigurationError(
            f"{host!r} is no address and no name that this machine knows."
        ) from error
    by_family = sorted(found, key=lambda one: one[0] != socket.AF_INET)
    return [(family, address) for family, _, _, _, address in by_family]


def _refusal(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} of {host} is in use. Choose another with --port, or any "
            "free one with --port 0."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights than you have. Choose one from 1024 on."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine."
    return f"{host} port {port} cannot be listened at: {error.strerror}."
