"""A Debian package index as an import file: who keeps what, and what needs what.

    apt-cache dumpavail | python examples/debian.py - --output debian.jsonl.gz
    graph-api import debian.jsonl.gz

Maintainers become parties with one role each; a package becomes a commitment of that
role and a knowledge node, its `.deb` a document that is evidence of the one and
describes the other. Relations between packages, sections and debtags are knowledge
edges. The index is read twice: the first pass keeps names, so that the second knows
which references lead somewhere. The same index always gives the same bytes.
"""

import argparse
import gzip
import json
import lzma
import re
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import BinaryIO

Row = dict[str, object]
Stanza = dict[str, str]
Maintainer = tuple[str, str]

# The importance of a package in Debian's words, on our scale of 0 to 100.
PRIORITIES = {
    "required": 100,
    "important": 80,
    "standard": 60,
    "optional": 30,
    "extra": 10,
}
# Edge type and weight of each relation.
RELATIONS = {
    "Pre-Depends": ("depends_on", 1.0),
    "Depends": ("depends_on", 1.0),
    "Recommends": ("recommends", 0.6),
    "Suggests": ("suggests", 0.3),
}
TAGGED_WEIGHT = 0.5
# The least: a section holds thousands of packages and says little about each.
IN_SECTION_WEIGHT = 0.2

# A package may bring at most one part in so many of a sample along with it, so that
# no single desktop fills it.
SAMPLE_SHARE = 20

# What the importer accepts.
MAX_REF, MAX_TITLE, MAX_NAME = 500, 500, 255

_RELATION = re.compile(
    r"\s*(?P<name>[A-Za-z0-9][A-Za-z0-9+.-]*)(?::(?P<architecture>[a-z0-9-]+))?"
    r"\s*(?:\(\s*(?P<operator>[<>=]+)\s*(?P<version>[^\s)]+)\s*\))?"
)
_MAINTAINER = re.compile(r'\s*"?(?P<name>[^<"]*)"?\s*(?:<\s*(?P<address>[^>\s]*))?')
_TEAM_ADDRESS = re.compile(
    r"^(?:team|pkg-|debian-)|[@.](?:lists?|alioth-lists|groups|googlegroups|tracker|qa)\.",
    re.IGNORECASE,
)
_TEAM_NAME = re.compile(
    r"\b(?:teams?|group|maintainers?|packag(?:ers?|ing)|developers?|devel|project|"
    r"task force|debian|ubuntu|qa|lists?|foundation|community|support)\b",
    re.IGNORECASE,
)
# Where packages are fetched from: an address there says nothing of the project.
_REGISTRY = re.compile(
    r"(?:\w+://)?(?<![\w.-])(?:[\w-]+\.)*(?P<name>pypi|pythonhosted|npmjs|yarnpkg|"
    r"crates|rubygems|packagist|pear|pecl|cpan|metacpan|cran|ctan|hackage|nuget|luarocks|"
    r"opam|anaconda|registry|mirrors?|(?:repo1?|search)\.maven|proxy\.golang|"
    r"(?:deb|ftp|archive|security|snapshot|packages)(?:\.\w\w)?\.debian)"
    r"(?:\.[\w-]+)*\.(?:org|com|net|io|dev)\b(?:/\S*)?",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_VERBATIM = re.compile(r"\s|[*+o-] ")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_VERSION_PARTS = re.compile(r"([^0-9]*)([0-9]*)")


@dataclass(frozen=True, slots=True)
class Package:
    """What the first pass keeps of a stanza; `position` is the stanza's number."""

    position: int
    version: str
    priority: int
    section: str
    maintainer: Maintainer
    needs: list[list[str]]
    wishes: list[str]
    provides: list[str]
    tags: list[str]

    @property
    def mentions(self) -> list[str]:
        return [*chain.from_iterable(self.needs), *self.wishes]


@dataclass
class Party:
    """All that goes by one name: teams write theirs with several addresses."""

    name: str
    addresses: set[str] = field(default_factory=set)

    @property
    def slug(self) -> str:
        return _slug(self.name)

    @property
    def is_team(self) -> bool:
        return (
            " " not in self.name
            or bool(_TEAM_NAME.search(self.name))
            or any(_TEAM_ADDRESS.search(address) for address in self.addresses)
        )


@dataclass
class Index:
    """What the first pass learnt: the packages to write, and what names mean.

    `providers` are the packages behind each virtual one; `left_out` counts what could
    not be written, by reason.
    """

    packages: dict[str, Package]
    parties: dict[Maintainer, Party]
    providers: dict[str, list[str]]
    left_out: Counter[str]

    def target(self, name: str) -> str | None:
        """The knowledge node that a relation to `name` leads to, if there is one."""
        if name in self.packages:
            return _ref("package", name)
        return _ref("virtual", name) if name in self.providers else None

    def keep(self, names: Iterable[str]) -> None:
        """Forget all other packages, and the virtual ones that no kept one mentions."""
        self.packages = {name: self.packages[name] for name in sorted(names)}
        mentioned = {
            name for package in self.packages.values() for name in package.mentions
        }
        self.providers = _providers(self.packages, mentioned - self.packages.keys())


def main() -> None:
    arguments = _arguments()
    counts: Counter[str] = Counter()
    try:
        with _on_disk(arguments.index) as path, _opened(arguments.output) as output:
            index = learn(path)
            if arguments.sample is not None:
                index.keep(connected_sample(index, arguments.sample))
            rows = convert(path, index, all_addresses=arguments.all_addresses)
            encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
            for row in rows:
                output.write(encode(row).encode() + b"\n")
                counts[str(row["type"])] += 1
    except BrokenPipeError:
        sys.exit(1)
    except (OSError, EOFError, lzma.LZMAError) as error:
        sys.exit(f"{arguments.index}: {error}")
    ...
