"""Parties, their roles, what these owe, and what comes in.

Each line is made of its number and a revision alone: no line need be remembered to make
a later state of the same thing, and things may be made in any order.
"""

from typing import Any

from graph_api.generating import words
from graph_api.generating.chance import DAYS, Chance
from graph_api.generating.sizes import Sizes
from graph_api.models import CommitmentSource, CommitmentState, CommitmentType
from graph_api.models import SignalSource as Source
from graph_api.services.commitments import MOVES

Line = dict[str, Any]
S = CommitmentState

# In which state commitments come in, as often as they stand here.
_FIRST_STATES = (
    *(S.ACTIVE,) * 9,
    *(S.ACCEPTED,) * 4,
    *(S.PROPOSED,) * 3,
    *(S.FULFILLED,) * 2,
    S.PAUSED,
    S.CANCELED,
)
_MOVES = {state: sorted(moves) for state, moves in MOVES.items()}
_TYPES = tuple(CommitmentType)
_SOURCES = tuple(CommitmentSource)
_SIGNAL_STATES = ("new", "processing", "attached", "archived")


def party(seed: int, number: int, revision: int) -> Line:
    chance = Chance(seed, f"party {number}")
    place = chance.one_of(words.PLACES)
    line: Line = {"type": "Party", "ref": chance.ref("party", number)}
    if chance.often(0.55):
        name = f"{chance.one_of(words.FIRMS)} {chance.one_of(words.BUSINESSES)} {place}"
        line |= {"kind": "org", "name": name}
        line["taxId"] = f"XX{chance.below(10**9):09d}" if chance.often(0.8) else None
    else:
        name = f"The {chance.one_of(words.TRADES)} in {place} ({number})"
        line |= {"kind": "person", "name": name}
    return line | {
        "contact": _contact(chance, number),
        "metadata": {"since": 1990 + chance.below(36), "revision": revision},
        "createdAt": chance.moment(),
    }


def role(seed: int, number: int, revision: int, sizes: Sizes) -> Line:
    chance = Chance(seed, f"role {number}")
    # Everybody has one, as far as they go round; some have many.
    party = number if number < sizes.parties else chance.popular(sizes.parties)
    name = chance.one_of(words.ROLES)
    return {
        "type": "Role",
        "ref": chance.ref("role", number),
        "party": chance.ref("party", party),
        "roleName": f"{name}, {revision + 1}" if revision else name,
        "domainTags": chance.some_of(words.DOMAINS, 3),
        "createdAt": chance.moment(),
    }


def commitment(seed: int, number: int, revision: int, sizes: Sizes) -> Line:
    chance = Chance(seed, f"commitment {number}")
    title = f"{chance.one_of(words.DUTIES)} {chance.one_of(words.OBJECTS)}"
    known = number < sizes.commitments // 20
    line: Line = {
        "type": "Commitment",
        "ref": chance.ref("commitment", number),
        "role": chance.ref("role", chance.popular(sizes.roles)),
        "commitmentType": chance.one_of(_TYPES),
        "title": f"{title} ({chance.one_of(words.PLACES)})",
        "source": chance.one_of(_SOURCES),
        "counterparty": chance.ref("party", chance.popular(sizes.parties)),
        "dueAt": chance.moment(0, DAYS + 180),
        # What much hangs on is more urgent.
        "priority": chance.around(75 if known else 45, 20, 0, 100),
        "severity": chance.around(20, 25, 0, 100),
        "domainTags": chance.some_of(words.DOMAINS, 4),
        "metadata": {"revision": revision, "effort": chance.below(500) / 4},
        "createdAt": chance.moment(),
    }
    if chance.often(0.3):
        line["counterparty"] = None
    if chance.often(0.3):
        line["dueAt"] = None
    elif chance.often(0.15):
        line["rrule"] = chance.one_of(words.RULES)
    if chance.often(0.4):
        line["description"] = _text(chance, 3)
    line["state"] = _state_after(chance, revision)
    return line


def signal(seed: int, number: int, revision: int, sizes: Sizes) -> Line:
    chance = Chance(seed, f"signal {number}")
    line: Line = {
        "type": "Signal",
        "source": chance.one_of(tuple(Source)),
        "dedupeKey": chance.ref("signal", number),
        "payload": {
            "subject": f"{chance.one_of(words.DUTIES)} {chance.one_of(words.OBJECTS)}",
            "body": _text(chance, 2),
            "revision": revision,
        },
        "receivedAt": chance.moment(),
        "status": _SIGNAL_STATES[min(chance.popular(4, 2) + revision, 3)],
    }
    if line["status"] == "attached":
        line["extraction"] = chance.ref("document", chance.below(sizes.documents))
        line["extractionCost"] = f"{chance.below(2000) / 10000:.4f}"
    return line


def _contact(chance: Chance, number: int) -> Line:
    contact: Line = {"emails": [f"office{number}@example.com"]}
    if chance.often(0.5):
        contact["phones"] = [f"+00 {chance.below(10**8):08d}"]
    if chance.often(0.3):
        contact["urls"] = [f"https://example.org/{number}"]
    if chance.often(0.4):
        contact["addresses"] = [
            {"city": chance.one_of(words.PLACES), "postcode": f"{chance.below(99999)}"}
        ]
    return contact


def _state_after(chance: Chance, moves: int) -> CommitmentState:
    """Where so many steps lead; every other one stays where it is."""
    state = chance.one_of(_FIRST_STATES)
    for _ in range(moves):
        if _MOVES[state] and chance.often(0.5):
            state = chance.one_of(_MOVES[state])
    return state


def _text(chance: Chance, most: int) -> str:
    sentences = range(1 + chance.below(most))
    return " ".join(chance.one_of(words.SENTENCES) for _ in sentences)
