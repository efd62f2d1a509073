"""What a caller has the right to: scopes, and what keys alone have not."""

from graph_api.caller import Caller
from graph_api.errors import Forbidden
from graph_api.permissions import Scope, roles_with


def require(caller: Caller, scope: Scope) -> None:
    """Raise Forbidden unless the caller has the scope."""
    if scope not in caller.scopes:
        *others, last = (role.value for role in roles_with(scope))
        who = f"{', '.join(others)} or {last}" if others else last
        raise Forbidden(
            f"This needs the scope `{scope.value}`: that of a member who is {who}, or "
            "of a key that names it.",
            needs=scope.value,
        )


def is_owner(caller: Caller) -> bool:
    """Whether the caller may do what owners may."""
    return Scope.ADMINISTER in caller.scopes


def refuse_keys(caller: Caller) -> None:
    """Raise Forbidden for who came by a key that is no owner's.

    Whoever finds one shall neither make others nor change whose it is.
    """
    came_by_key = (caller.credential or "").startswith("key:")
    if came_by_key and not is_owner(caller):
        raise Forbidden(
            "A key may do this only with the scope "
            f"`{Scope.ADMINISTER.value}`; sign in instead.",
            needs=Scope.ADMINISTER.value,
        )
