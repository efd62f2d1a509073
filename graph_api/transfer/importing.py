"""The import: lines are read and staged, resolved, compared, and then written.

With `stop`, all lines are checked before the first is written. A crash in the middle is
cured by importing again, for what is there already is not written twice. Two imports of
one workspace take turns; other writers are not kept waiting, and where one of them was
faster, what is left is planned anew.
"""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal
from uuid import UUID

import asyncpg

from graph_api.caller import Caller
from graph_api.errors import Busy, Forbidden
from graph_api.keys import new_key
from graph_api.transfer.applying import Overtaken, Story, write
from graph_api.transfer.comparing import compare
from graph_api.transfer.connecting import Connection, bind
from graph_api.transfer.lines import sources
from graph_api.transfer.parsing import Parser
from graph_api.transfer.rejecting import write_rejected
from graph_api.transfer.report import (
    TOLD_REFUSALS,
    Counts,
    ImportRefused,
    OnProgress,
    Progress,
    Summary,
)
from graph_api.transfer.resolving import resolve
from graph_api.transfer.staging import Staging

# Another writer may be faster now and then, but not always.
_ROUNDS = 5

_OVERTAKEN = (
    Overtaken,
    asyncpg.UniqueViolationError,
    asyncpg.ForeignKeyViolationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
)


async def import_files(
    connection: Connection,
    caller: Caller,
    paths: Sequence[Path | Literal["-"]],
    *,
    on_error: Literal["stop", "skip"] = "stop",
    progress: OnProgress | None = None,
    reason: str | None = None,
) -> Summary:
    """Import files into the caller's workspace; `-` is standard input.

    `connection` is one that `connect` gives. Raises ImportRefused when lines are wrong
    and `on_error` is stop; nothing was imported then. With skip, the refused lines are
    written beside their file, as they were.
    """
    work = _Import(connection, caller, progress or _silent, reason)
    await bind(connection, caller.workspace_id)
    async with _alone(connection, caller.workspace_id, work.progress):
        try:
            await work.staging.create()
            return await work.run(paths, skip=on_error == "skip")
        finally:
            if not connection.is_closed():
                await work.staging.drop()


class _Import:
    """One import, from its first line to its last row."""

    def __init__(
        self,
        connection: Connection,
        caller: Caller,
        progress: OnProgress,
        reason: str | None,
    ) -> None:
        self.progress = progress
        self.staging = Staging(connection)
        self._connection = connection
        self._caller = caller
        self._story = Story(caller, reason, new_key())
        self._counts: dict[str, Counts] = {}
        self._wrote = 0
        self._planned = 0

    async def run(self, paths: Sequence[Path | Literal["-"]], *, skip: bool) -> Summary:
        started = time.monotonic()
        found = sources(paths, again=skip)
        parser = Parser(await self._members())
        await self.staging.fill(found, parser, self.progress)
        await self._write(skip=skip)
        summary = Summary(change_set_id=self._story.change_set_id)
        if await self.staging.refused_count():
            summary.refusals = tuple(await self.staging.refused(TOLD_REFUSALS))
            rejected = await write_rejected(self._connection, found, self.staging.total)
            summary.rejected_files = tuple(rejected)
        summary.types = await self._totals()
        summary.seconds = time.monotonic() - started
        return summary

    async def _write(self, *, skip: bool) -> None:
        for _ in range(_ROUNDS):
            planned = await self._plan(skip=skip)
            try:
                await write(
                    self._connection,
                    self._story,
                    {name: self._counts[name] for name in planned},
                    self._note,
                )
            except _OVERTAKEN:
                continue
            return
        raise Busy(
            "Others keep changing what is being imported. What was imported so far "
            "stays; import the file again when the workspace is quiet."
        )

    async def _plan(self, *, skip: bool) -> dict[str, int]:
        """Find out what is to be written, and refuse what cannot be."""
        self.progress(Progress("checking", 0, self.staging.total))
        workspace_id = self._caller.workspace_id
        await resolve(self._connection, self.staging, workspace_id)
        refused = await self.staging.refused_count()
        if refused and not skip:
            outcome = "what was written before stays" if self._wrote else "nothing was"
            raise ImportRefused(
                await self.staging.refused(TOLD_REFUSALS), refused, outcome
            )
        planned = await compare(self._connection, self.staging, workspace_id)
        for name in planned:
            self._counts.setdefault(name, Counts())
        self._planned = self._wrote + sum(planned.values())
        return planned

    def _note(self, rows: int) -> None:
        self._wrote += rows
        self.progress(Progress("writing", self._wrote, self._planned))

    async def _members(self) -> dict[str, UUID]:
        rows = await self._connection.fetch(
            "SELECT u.username, u.id FROM workspace_members AS m "
            "JOIN users AS u ON u.id = m.user_id WHERE m.workspace_id = $1",
            self._caller.workspace_id,
        )
        members = {row["username"]: row["id"] for row in rows}
        if self._caller.user_id not in {None, *members.values()}:
            raise Forbidden("Only members of a workspace can import into it.")
        return members

    async def _totals(self) -> dict[str, Counts]:
        """What became of the lines: those of which nothing was written were there."""
        refused = await self.staging.refused_types()
        totals: dict[str, Counts] = {}
        for name, lines in self.staging.lines.items():
            counts = totals[name] = self._counts.get(name, Counts())
            counts.refused = refused.get(name, 0)
            counts.unchanged = 0
            counts.unchanged = max(0, lines - counts.lines)
        return totals


@asynccontextmanager
async def _alone(
    connection: Connection, workspace_id: UUID, progress: OnProgress
) -> AsyncIterator[None]:
    """Keep other imports of the workspace waiting, and wait for the one that runs."""
    key = f"graph-api import {workspace_id}"
    locked = await connection.fetchval(
        "SELECT pg_try_advisory_lock(hashtextextended($1, 0))", key
    )
    if not locked:
        progress(Progress("waiting"))
        await connection.execute(
            "SELECT pg_advisory_lock(hashtextextended($1, 0))", key
        )
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute(
                "SELECT pg_advisory_unlock(hashtextextended($1, 0))", key
            )


def _silent(_: Progress) -> None:
    pass
