"""Keeping commitments, and moving them through their life."""

from dataclasses import dataclass
from uuid import UUID

from graph_api.errors import Invalid, InvalidTransition
from graph_api.models import Commitment, CommitmentState
from graph_api.permissions import Scope
from graph_api.scheduling.schedule import refusal
from graph_api.services.entities import EntityService, Values
from graph_api.services.unit_of_work import Work

S = CommitmentState

# From each state, the states it may move to; the others are final.
MOVES: dict[CommitmentState, frozenset[CommitmentState]] = {
    S.PROPOSED: frozenset({S.ACCEPTED, S.CANCELED}),
    S.ACCEPTED: frozenset({S.ACTIVE, S.PAUSED, S.CANCELED, S.FULFILLED}),
    S.ACTIVE: frozenset({S.PAUSED, S.FULFILLED, S.CANCELED, S.DELINQUENT}),
    S.PAUSED: frozenset({S.ACTIVE, S.CANCELED}),
    S.DELINQUENT: frozenset({S.ACTIVE, S.FULFILLED, S.CANCELED}),
    S.FULFILLED: frozenset(),
    S.CANCELED: frozenset(),
}


@dataclass(frozen=True)
class Move:
    """A verb that moves a commitment, and from where."""

    to: CommitmentState
    verb: str
    only_from: frozenset[CommitmentState]


def _from(*states: CommitmentState) -> frozenset[CommitmentState]:
    return frozenset(states)


ACCEPT = Move(S.ACCEPTED, "accepted", _from(S.PROPOSED))
ACTIVATE = Move(S.ACTIVE, "activated", _from(S.ACCEPTED, S.DELINQUENT))
PAUSE = Move(S.PAUSED, "paused", _from(S.ACCEPTED, S.ACTIVE))
RESUME = Move(S.ACTIVE, "resumed", _from(S.PAUSED))
FULFILL = Move(S.FULFILLED, "fulfilled", _from(S.ACCEPTED, S.ACTIVE, S.DELINQUENT))
CANCEL = Move(
    S.CANCELED,
    "canceled",
    _from(S.PROPOSED, S.ACCEPTED, S.ACTIVE, S.PAUSED, S.DELINQUENT),
)
MARK_DELINQUENT = Move(S.DELINQUENT, "marked_delinquent", _from(S.ACTIVE))


class Commitments(EntityService[Commitment]):
    model = Commitment
    scope = Scope.WRITE_COMMITMENTS

    async def move(self, id: UUID, move: Move, expected_version: int | None) -> None:
        """Move a commitment to another state.

        Raises InvalidTransition when its present state does not lead there.
        """
        async with self.writing() as work:
            row = await work.get(Commitment, id, expected_version)
            if row.state not in move.only_from:
                raise _refused(row.state, move)
            values: dict[str, object] = {"state": move.to}
            if self.terms.reason is not None:
                values["reason"] = self.terms.reason
            await self._update(work, row, values, move.verb)
            self.outcome.subject = row

    async def _create(self, work: Work, values: Values) -> Commitment:
        _check_rule(values)
        if self.terms.reason is not None:
            values = {"reason": self.terms.reason, **values}
        return await super()._create(work, values)

    async def _update(
        self, work: Work, row: Commitment, values: Values, verb: str = "updated"
    ) -> bool:
        _check_rule(values)
        return await super()._update(work, row, values, verb)


def _refused(state: CommitmentState, move: Move) -> InvalidTransition:
    allowed = sorted(MOVES[state])
    hint = (
        f"It may become {', '.join(s.name for s in allowed)}."
        if allowed
        else "This state is final."
    )
    return InvalidTransition(
        f"A commitment that is {state.name} cannot be {move.verb.replace('_', ' ')}. "
        f"{hint}",
        path=("id",),
        from_state=state,
        to_state=move.to,
        allowed=allowed,
    )


def _check_rule(values: Values) -> None:
    rule = values.get("rrule")
    reason = None if rule is None else refusal(rule)
    if reason:
        raise Invalid(f"`rrule` {reason}.", path=("rrule",))
