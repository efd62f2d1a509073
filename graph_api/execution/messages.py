"""A request and its answer, whatever way they travel."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Request:
    """What a client asks for, whatever way it came in."""

    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    id: UUID | None = None
    explain: bool = False
    # From nobody: it may ask only for a way in.
    is_anonymous: bool = False


@dataclass(frozen=True)
class Answer:
    """What a client gets; not `executed` when the request was refused as a whole."""

    data: Any = None
    errors: list[dict[str, Any]] = field(default_factory=list)
    executed: bool = False
    extensions: dict[str, Any] | None = None
    # The data as JSON already, where it is answered again and again.
    encoded: Any = None

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.errors]

    @property
    def retry_after(self) -> int:
        """In how many seconds it is worth the while to ask again."""
        return max(
            (error["extensions"].get("retryAfter", 1) for error in self.errors),
            default=1,
        )

    def body(self) -> dict[str, Any]:
        """The response as GraphQL defines it: no `data` entry without execution."""
        return self._with(self.data)

    def wire(self) -> dict[str, Any]:
        """The response to be encoded, in which data may be encoded already."""
        return self._with(self.data if self.encoded is None else self.encoded)

    def _with(self, data: Any) -> dict[str, Any]:
        body: dict[str, Any] = {}
        if self.errors:
            body["errors"] = self.errors
        if self.executed:
            body["data"] = data
        if self.extensions:
            body["extensions"] = self.extensions
        return body
