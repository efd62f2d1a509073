"""CPU time and memory of processes, from /proc."""

import os
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")
_TICK = 1 / os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(root: int) -> float:
    """What the process `root` and all below it have used so far, in any thread.

    By the scheduler's nanoseconds for what lives, and by ticks for the children that
    have ended, whose time is told to the parent that waits for them.
    """
    return sum(_alive(pid) + _ended_children(pid) for pid in tree(root))


def resident_bytes(root: int) -> int:
    """The memory that the process and all below it have in RAM.

    What they share counts for each.
    """
    return sum(_resident(pid) for pid in tree(root))


def tree(root: int) -> set[int]:
    """The process `root` and all that descend from it."""
    parents = dict(_parents())
    found = {root}
    while more := {p for p, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _parents() -> Iterator[tuple[int, int]]:
    for entry in _PROC.iterdir():
        if entry.name.isdecimal() and (fields := _stat(int(entry.name))):
            yield int(entry.name), int(fields[1])


def _stat(pid: int) -> list[str]:
    """The fields after the name, which may contain anything; none once it is gone."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()


def _alive(pid: int) -> float:
    total = 0
    for task in (_PROC / str(pid) / "task").glob("*/schedstat"):
        try:
            total += int(task.read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total / 1e9


def _ended_children(pid: int) -> float:
    fields = _stat(pid)
    return (int(fields[13]) + int(fields[14])) * _TICK if fields else 0.0


def _resident(pid: int) -> int:
    try:
        text = (_PROC / str(pid) / "statm").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(text.split()[1]) * _PAGE
