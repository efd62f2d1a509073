"""References: the text by which a line names another line or row.

It is a ref, a global id or a UUID. `Commitment:c1` is the ref c1 of a commitment; a
prefix counts only if it is a type's name.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from graph_api.errors import BadUserInput
from graph_api.ids import parse_global_id
from graph_api.transfer.kinds import ANY, ENTITIES
from graph_api.transfer.values import Unfit

# A ref has at most 500 characters, and a type's name with its colon at most 14.
MAX_REF = 500
_MAX_REFERENCE = 520

_TYPES = {kind.name: kind.entity_type for kind in ENTITIES}

# The shortest global id: base64 of `Tag:` and a UUID.
_MIN_GLOBAL_ID = 56

Name = tuple[str | None, UUID | None, str | None]


def parse_ref(value: Any) -> str:
    """The name that a line gives itself."""
    if not isinstance(value, str) or not value or len(value) > MAX_REF:
        raise Unfit(f"must be text of 1 to {MAX_REF} characters")
    return value


def parse_reference(value: Any, to: str) -> Name:
    """The ref, the key and the entity type that `value` names, as far as it says.

    `to` is the type that is wanted, or `ANY`.
    """
    if not isinstance(value, str) or not value or len(value) > _MAX_REFERENCE:
        raise Unfit("must be the ref, the id or the UUID of another line or row")
    prefix, colon, ref = value.partition(":")
    if colon and prefix in _TYPES:
        _require(prefix, to)
        return ref, uuid_or_none(ref), _TYPES[prefix]
    if len(value) >= _MIN_GLOBAL_ID and (named := _global_id(value)):
        _require(named[0], to)
        return value, named[1], _TYPES[named[0]]
    return value, uuid_or_none(value), None if to == ANY else _TYPES[to]


def parse_user(value: Any, members: Mapping[str, UUID]) -> UUID:
    """The member with this username, global id or UUID."""
    if isinstance(value, str):
        if value in members:
            return members[value]
        named = _global_id(value) if len(value) >= _MIN_GLOBAL_ID else None
        key = named[1] if named and named[0] == "User" else uuid_or_none(value)
        if key in members.values():
            assert key is not None
            return key
    raise Unfit(
        "must be the username or the id of a member of this workspace; without the "
        "field, it is you"
    )


def uuid_or_none(value: str) -> UUID | None:
    """The UUID that `value` is."""
    if len(value) != 36:
        return None
    try:
        return UUID(value)
    except ValueError:
        return None


def _require(type: str, to: str) -> None:
    if to not in {ANY, type}:
        raise Unfit(f"names a {type}; a {to} is wanted here")


def _global_id(value: str) -> tuple[str, UUID] | None:
    try:
        type, key = parse_global_id(value)
    except BadUserInput:
        return None
    return (type, key) if type in _TYPES or type == "User" else None
