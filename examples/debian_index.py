"""Reading a Debian package index: stanzas, their relations, descriptions, versions.

What the fields mean is said in Debian's policy, chapters 5 and 7; here is as much of
it as `debian.py` needs.
"""

import gzip
import lzma
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

Stanza = dict[str, str]

_RELATION = re.compile(
    r"\s*(?P<name>[A-Za-z0-9][A-Za-z0-9+.-]*)(?::(?P<architecture>[a-z0-9-]+))?"
    r"\s*(?:\(\s*(?P<operator>[<>=]+)\s*(?P<version>[^\s)]+)\s*\))?"
)
_MAINTAINER = re.compile(r'[\s"]*(?P<name>[^<"]*)[\s"]*(?:<\s*(?P<address>[^>\s]*))?')
# The database refuses U+0000; the others, a carriage return too, mean nothing here.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_LIST_ITEM = re.compile(r"[*+o-] ")
_VERSION_PART = re.compile(r"([^0-9]*)([0-9]*)")


@dataclass(frozen=True, slots=True)
class Relation:
    """One name in a field such as Depends, among so many alternatives."""

    name: str
    architecture: str | None
    version: str | None
    alternatives: int


def stanzas(path: Path) -> Iterator[Stanza]:
    """The stanzas of an index, plain, .gz or .xz, whose lines are still folded."""
    stanza: Stanza = {}
    name = ""
    with _text(path) as lines:
        for line in (_CONTROL.sub("", raw) for raw in lines):
            if not line.strip():
                if stanza:
                    yield stanza
                stanza, name = {}, ""
            elif line[0] not in " \t":
                name, _, value = line.partition(":")
                stanza[name] = value.strip()
            elif name:
                stanza[name] += "\n" + line.rstrip()
    if stanza:
        yield stanza


def relations(value: str) -> Iterator[list[Relation]]:
    """The relations of a field, those that are alternatives to each other together."""
    for group in value.split(","):
        matches = [_RELATION.match(member) for member in group.split("|")]
        found = [match for match in matches if match]
        if found:
            yield [_relation(match, len(found)) for match in found]


def maintainer(value: str) -> tuple[str, str]:
    """Name and address, each perhaps ""; of several maintainers the first."""
    match = _MAINTAINER.match(value)
    name, address = match.group("name", "address") if match else ("", "")
    return " ".join(name.split()), (address or "").lower()


def section(value: str) -> str:
    """The section without its area: `net` of "contrib/net"."""
    return value.rpartition("/")[2]


def tags(value: str) -> list[str]:
    """The debtags of a field, in order, each once."""
    return sorted({tag.strip() for tag in value.split(",")} - {""})


def description(stanza: Stanza) -> str:
    """The short description and, where the index has it, the long one below.

    Lines of a paragraph are joined; those that are indented further or begin an item
    of a list stay apart.
    """
    folded = stanza.get("Description") or stanza.get("Description-en", "")
    short, *long = folded.split("\n")
    lines = [short.strip(), ""]
    open_paragraph = False
    for line in (folded_line[1:] for folded_line in long):
        if line.strip() in {"", "."}:
            lines.append("")
            open_paragraph = False
        elif open_paragraph and not line[0].isspace() and not _LIST_ITEM.match(line):
            lines[-1] += f" {line}"
        else:
            lines.append(line)
            open_paragraph = not line[0].isspace()
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def version_key(version: str) -> tuple[object, ...]:
    """A key that sorts versions: `~` before the end, the end before all else."""
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    upstream, dash, revision = rest.rpartition("-")
    if not dash:
        upstream, revision = rest, "0"
    return _part_key(epoch), _part_key(upstream), _part_key(revision)


def _relation(match: re.Match[str], alternatives: int) -> Relation:
    name, architecture, operator, version = match.groups()
    constraint = f"{operator} {version}" if version else None
    return Relation(sys.intern(name), architecture, constraint, alternatives)


def _part_key(part: str) -> list[tuple[tuple[int, ...], int]]:
    # The last match is always empty, and so stands for the end.
    return [
        ((*map(_rank, other), 0), int(digits or 0))
        for other, digits in _VERSION_PART.findall(part)
    ]


def _rank(character: str) -> int:
    if character == "~":
        return -1
    return ord(character) if character.isalpha() else ord(character) + 256


def _text(path: Path) -> TextIO:
    with path.open("rb") as file:
        magic = file.read(6)
    if magic.startswith(b"\x1f\x8b"):
        return gzip.open(path, "rt", encoding="utf-8", errors="replace", newline="\n")
    if magic == b"\xfd7zXZ\x00":
        return lzma.open(path, "rt", encoding="utf-8", errors="replace", newline="\n")
    return path.open(encoding="utf-8", errors="replace", newline="\n")
