"""Many users of many workspaces at once over few connections: whom each one sees."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from running import Run

from graph_api.caller import Caller

# Each reads by a plan and by the reference path, counts, follows relations, and writes.
READING = (
    "{ parties { totalCount nodes { name roles { nodes { roleName party { name } } } } "
    "aggregate { count } } viewer { workspace { id } } }"
)
BY_NAME = """
    query ($name: String!) {
      parties(filter: {name: {contains: $name}}) { nodes { name } }
    }
"""
WRITING = """
    mutation ($name: String!, $dryRun: Boolean!) {
      createParty(input: {kind: ORG, name: $name, dryRun: $dryRun}) {
        party { name roles { totalCount } interactions { totalCount } }
        userErrors { message }
      }
    }
"""


@dataclass(frozen=True)
class Member:
    """A caller, and the mark that is in all names of his workspace."""

    caller: Caller
    mark: str


@dataclass
class Seen:
    """What a crowd was shown."""

    requests: int = 0
    foreign: int = 0
    failed: int = 0


async def ask(
    run: Run, members: Sequence[Member], *, requests: int, at_once: int, seed: int
) -> Seen:
    """Let members ask in random order, so many at once, and look at what they see."""
    seen = Seen()
    random = Random(seed)
    turns = [random.choice(members) for _ in range(requests)]
    pending = iter(enumerate(turns))

    async def work() -> None:
        for number, member in pending:
            answer = await _one(run, member, number, random)
            seen.requests += 1
            seen.failed += "errors" in answer
            seen.foreign += _names_others(answer, member, members)
            # Whoever is between two statements gives way to others.
            await asyncio.sleep(random.choice([0, 0, 0.001, 0.003]))

    await asyncio.gather(*(work() for _ in range(at_once)))
    return seen


async def _one(run: Run, member: Member, number: int, random: Random) -> dict[str, Any]:
    one = replace(run, caller=member.caller)
    what = random.randrange(4)
    if what == 0:
        name = f"{member.mark} {number}"
        return await one(WRITING, name=name, dryRun=number % 3 == 0)
    if what == 1:
        return await one(BY_NAME, name="org")
    return await one(READING)


def _names_others(answer: Any, member: Member, members: Sequence[Member]) -> bool:
    text = str(answer)
    return any(
        other.mark in text or str(other.caller.workspace_id) in text
        for other in members
        if other is not member
    )
