"""Lines of files: plain or compressed, counted, and no longer than memory allows."""

import gzip
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Literal, cast

from graph_api.errors import BadUserInput

# A document's text has up to 5 million characters, and one takes up to 12 bytes where
# it is escaped: a longer line could not be imported whatever it says.
MAX_LINE_BYTES = 64 * 1024 * 1024

STDIN: Literal["-"] = "-"

_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass
class Source:
    """A file to import, or standard input; lines before it in the import are `base`.

    `spool` keeps what came through standard input, if it may have to be read again.
    """

    path: Path | None
    base: int = 0
    spool: IO[bytes] | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        return str(self.path) if self.path else "standard input"

    @property
    def folder(self) -> Path | None:
        return self.path.parent if self.path else None

    @property
    def rejected(self) -> Path:
        """Where its refused lines go."""
        if self.path is None:
            return Path("stdin.rejected.jsonl")
        return self.path.with_name(self.path.name + ".rejected.jsonl")


def sources(paths: Sequence[Path | Literal["-"]], *, again: bool) -> list[Source]:
    """What to read; `again` says that it may be read a second time."""
    found = [Source(None if path == STDIN else Path(path)) for path in paths]
    if sum(source.path is None for source in found) > 1:
        raise BadUserInput("Standard input can be imported only once.")
    for source in found:
        if source.path is None and again:
            source.spool = TemporaryFile()  # noqa: SIM115 - closed with the process
    return found


def read(source: Source) -> Iterator[tuple[int, bytes | None]]:
    """The lines of `source` with their numbers; None for one that is too long.

    Raises BadUserInput when the file cannot be read, or is damaged.
    """
    try:
        with _opened(source) as file:
            for number, line in enumerate(_bounded(file), 1):
                if source.spool is not None:
                    source.spool.write((line or b"").rstrip(b"\r\n") + b"\n")
                yield number, _unmarked(line) if number == 1 else line
    except (OSError, EOFError, zlib.error) as error:
        raise BadUserInput(f"{source.name} cannot be read: {error}") from error


def read_again(source: Source) -> Iterator[tuple[int, bytes | None]]:
    """The lines once more, whole or None, as `read` gave them."""
    if source.path is not None:
        yield from read(source)
    elif source.spool is not None:
        source.spool.seek(0)
        yield from enumerate(_bounded(source.spool), 1)


@contextmanager
def _opened(source: Source) -> Iterator[IO[bytes]]:
    if source.path is None:
        yield _decompressed(cast("BufferedReader", sys.stdin.buffer))
    else:
        with source.path.open("rb") as file:
            yield _decompressed(file)


def _decompressed(file: BufferedReader) -> IO[bytes]:
    if file.peek(2).startswith(_GZIP):
        return cast("IO[bytes]", gzip.open(file, "rb"))
    return file


def _bounded(file: IO[bytes]) -> Iterator[bytes | None]:
    while line := file.readline(MAX_LINE_BYTES):
        if len(line) < MAX_LINE_BYTES or line.endswith(b"\n"):
            yield line
        else:
            while len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE_BYTES)
            yield None


def _unmarked(line: bytes | None) -> bytes | None:
    return line.removeprefix(_BYTE_ORDER_MARK) if line else line
