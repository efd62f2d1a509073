"""Taking signals in, once each, and saying what has become of them."""

from uuid import UUID

from graph_api.errors import InvalidTransition
from graph_api.models import Document, Signal, SignalStatus
from graph_api.permissions import Scope
from graph_api.services.entities import EntityService, Values

_OPEN = frozenset({SignalStatus.NEW, SignalStatus.PROCESSING})


class Signals(EntityService[Signal]):
    model = Signal
    scope = Scope.WRITE_SIGNALS

    async def ingest(self, values: Values) -> None:
        """Store a signal, unless one with its `dedupe_key` is stored already."""
        async with self.writing() as work:
            row, known = await self._create_unless_known(work, values, "dedupe_key")
            self.outcome.subject = row
            self.outcome.extra["duplicate"] = known

    async def attach(
        self, id: UUID, document_id: UUID, expected_version: int | None
    ) -> None:
        """Say which document was made of a signal."""
        async with self.writing() as work:
            row = await work.get(Signal, id, expected_version)
            _refuse_unless_open(row, SignalStatus.ATTACHED)
            await work.get(Document, document_id, path=("documentId",))
            values = {"status": SignalStatus.ATTACHED, "extraction_id": document_id}
            await self._update(work, row, values, "attached")
            self.outcome.subject = row

    async def archive(self, id: UUID, expected_version: int | None) -> None:
        """Put a signal away."""
        async with self.writing() as work:
            row = await work.get(Signal, id, expected_version)
            if row.status is SignalStatus.ARCHIVED:
                _refuse_unless_open(row, SignalStatus.ARCHIVED)
            await self._update(work, row, {"status": SignalStatus.ARCHIVED}, "archived")
            self.outcome.subject = row


def _refuse_unless_open(signal: Signal, to: SignalStatus) -> None:
    if signal.status in _OPEN:
        return
    allowed = sorted({SignalStatus.ARCHIVED} - {signal.status})
    raise InvalidTransition(
        f"A signal that is {signal.status.name} cannot become {to.name}.",
        path=("id",),
        from_state=signal.status,
        to_state=to,
        allowed=allowed,
    )
