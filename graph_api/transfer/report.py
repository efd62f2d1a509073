"""What a transfer has done, is doing, and would not do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from graph_api.errors import BadUserInput

# As many refusals are told in full; of the others, the number.
TOLD_REFUSALS = 20


@dataclass(frozen=True)
class Refusal:
    """A line that cannot be read or stored, and why."""

    file: str
    line: int
    field: str | None
    reason: str

    def __str__(self) -> str:
        about = f"`{self.field}` " if self.field else ""
        return f"{self.file}:{self.line}: {about}{self.reason}"


class ImportRefused(BadUserInput):
    """Files with wrong lines: the first of them, and how many there are in all."""

    def __init__(self, refusals: Sequence[Refusal], count: int, outcome: str) -> None:
        more = count - len(refusals)
        lines = [f"{count} of the lines cannot be imported; {outcome}."]
        lines += map(str, refusals)
        lines += [f"… and {more} more"] if more else []
        super().__init__("\n".join(lines), count=count)
        self.refusals = tuple(refusals)
        self.count = count


@dataclass(frozen=True)
class Progress:
    """How far a transfer has come.

    `phase` is waiting (for another import of the workspace), reading, checking,
    writing or exporting; `done` counts lines or rows of that phase, and `total` how
    many there will be, where that is known.
    """

    phase: str
    done: int = 0
    total: int | None = None


OnProgress = Callable[[Progress], None]


@dataclass
class Counts:
    """What became of the lines of one type.

    `duplicates` are documents whose file was there, and had not been counted before.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    refused: int = 0

    @property
    def lines(self) -> int:
        return (
            self.created
            + self.updated
            + self.unchanged
            + self.duplicates
            + self.refused
        )


@dataclass
class Summary:
    """What a transfer has done, by type; lines of no known type are refused as `?`."""

    types: dict[str, Counts] = field(default_factory=dict)
    seconds: float = 0.0
    change_set_id: UUID | None = None
    refusals: tuple[Refusal, ...] = ()
    rejected_files: tuple[Path, ...] = ()

    @property
    def lines(self) -> int:
        return sum(counts.lines for counts in self.types.values())

    @property
    def written(self) -> int:
        return sum(c.created + c.updated for c in self.types.values())

    @property
    def refused(self) -> int:
        return sum(counts.refused for counts in self.types.values())

    @property
    def rows_per_second(self) -> float:
        return self.lines / self.seconds if self.seconds else 0.0
