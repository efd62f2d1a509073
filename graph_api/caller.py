"""Who asks: a value that services, reading and the schema may know."""

from dataclasses import dataclass, field
from uuid import UUID

from graph_api.permissions import EVERYTHING, Scope


@dataclass(frozen=True)
class Caller:
    """One user (or agent) acting in one workspace, for the length of a request.

    `request_id` goes into the log and the response, so that the two can be told
    to belong together. `credential` names what let the caller in, such as `key:` and
    an id, and is no secret; it is None in local mode, where there are no credentials.
    """

    workspace_id: UUID
    user_id: UUID | None
    actor_type: str = "user"
    label: str | None = None
    request_id: UUID | None = field(default=None, compare=False)
    # Of nobody there are none.
    scopes: frozenset[Scope] = EVERYTHING
    credential: str | None = None

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody has come in yet: then only the way in is open."""
        return self.user_id is None and not self.scopes
