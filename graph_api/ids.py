"""Global ids: opaque to clients, they name the type and the key of a row.

`base64("Party:01890a5d-ac96-774b-bcce-b302099a8057")`, as Relay's servers do it. Where
the type is known, an argument may also be the bare UUID.
"""

import binascii
from base64 import b64decode, b64encode
from binascii import b2a_base64
from collections.abc import Callable
from functools import cache
from uuid import UUID

from graph_api.errors import BadUserInput


def global_id(type: str, key: UUID) -> str:
    """The id of the row of `type` with this key."""
    return b64encode(f"{type}:{key}".encode()).decode()


@cache
def global_ids(type: str) -> Callable[[str], str]:
    """What makes global ids of the keys of `type`, as text: `global_id`, many times."""
    prefix = f"{type}:".encode()

    def made(key: str) -> str:
        return b2a_base64(prefix + key.encode(), newline=False).decode()

    return made


def parse_global_id(id: str) -> tuple[str, UUID]:
    """The type and the key that `id` names.

    Raises BadUserInput when it is none of ours.
    """
    try:
        type, _, key = b64decode(id, validate=True).decode("ascii").partition(":")
        # One spelling for one object: clients compare ids.
        if len(key) == 36 and global_id(type, UUID(key)) == id:
            return type, UUID(key)
    except (binascii.Error, ValueError):
        pass
    raise BadUserInput(
        f"{id[:100]!r} is not an id. Pass the `id` of an object as you received it.",
    )


def key_of(id: str, type: str | None) -> UUID:
    """The key of the row of `type` that `id` names, globally or as a bare UUID.

    No `type` is any type. Raises BadUserInput when it is no id, or another type's.
    """
    if len(id) == 36:
        try:
            return UUID(id)
        except ValueError:
            pass
    found, key = parse_global_id(id)
    if type is not None and found != type:
        raise BadUserInput(
            f"This is the id of a {found}; the id of a {type} goes here."
        )
    return key
