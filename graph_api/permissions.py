"""What a caller may do: scopes, and which of them each role of a member has.

This is the whole matrix. Services ask for the scope that their writes need; reading
needs `read`, and a few fields more than that.
"""

from collections.abc import Mapping
from enum import StrEnum


class MemberRole(StrEnum):
    """What a member may do in a workspace."""

    OWNER = "owner"
    EDITOR = "editor"
    VIEWER = "viewer"
    AGENT = "agent"


class Scope(StrEnum):
    """One thing that a role lets a member do, or a key its bearer."""

    READ = "read"
    WRITE_PARTIES = "parties:write"
    WRITE_COMMITMENTS = "commitments:write"
    WRITE_DOCUMENTS = "documents:write"
    WRITE_SIGNALS = "signals:write"
    WRITE_KNOWLEDGE = "knowledge:write"
    ADMINISTER = "workspace:admin"


EVERYTHING = frozenset(Scope)

# An agent has of its role's scopes those that its key names, and none without a key.
SCOPES: Mapping[MemberRole, frozenset[Scope]] = {
    MemberRole.OWNER: EVERYTHING,
    MemberRole.EDITOR: EVERYTHING - {Scope.ADMINISTER},
    MemberRole.AGENT: EVERYTHING - {Scope.ADMINISTER},
    MemberRole.VIEWER: frozenset({Scope.READ}),
}


def roles_with(scope: Scope) -> list[MemberRole]:
    """The roles that have a scope, the most powerful first."""
    return [role for role, scopes in SCOPES.items() if scope in scopes]
