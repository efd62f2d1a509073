"""The first pass over a package index: what names there are, and what they mean.

Kept are names, versions and who maintains; some 60,000 packages fit into 100 MB.
Which of them to write is decided here as well: all, or a sample that hangs together.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from debian_index import (
    Stanza,
    maintainer,
    relations,
    section,
    stanzas,
    tags,
    version_key,
)

# The importance of a package in Debian's words, on our scale of 0 to 100.
PRIORITIES = {
    "required": 100,
    "important": 80,
    "standard": 60,
    "optional": 30,
    "extra": 10,
}
# A package may bring at most one in so many of a sample along with it, so that no
# single desktop fills it; ten always, so that small samples are no dust.
SAMPLE_SHARE = 50
SAMPLE_LEAST = 10

_TEAM_ADDRESS = re.compile(
    r"^(?:team|pkg-|debian-)"
    r"|[@.](?:lists?|alioth-lists|groups|googlegroups|tracker|qa)\.",
    re.IGNORECASE,
)
_PACKAGE_ADDRESS = re.compile(r"@packages\.", re.IGNORECASE)
_TEAM_NAME = re.compile(
    r"\b(?:teams?|group|maintainers?|packag(?:ers?|ing)|developers?|devel|project|"
    r"task force|debian|ubuntu|qa|lists?|foundation|community|research|support)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Package:
    """What the first pass keeps of a stanza; `position` is the stanza's number."""

    position: int
    version: str
    priority: int
    section: str
    maintainer: tuple[str, str]
    needs: list[list[str]]
    wishes: list[str]
    provides: list[str]
    tags: list[str]

    @property
    def mentions(self) -> list[str]:
        return [*chain.from_iterable(self.needs), *self.wishes]


@dataclass
class Party:
    """All that goes by one name: a team may write its own with several addresses."""

    name: str
    addresses: set[str] = field(default_factory=set)

    @property
    def slug(self) -> str:
        return _slug(self.name)

    @property
    def is_team(self) -> bool:
        if _TEAM_NAME.search(self.name) or self._has(_TEAM_ADDRESS):
            return True
        # Persons too use the alias of a package; what is called "LMDB" is none.
        return " " not in self.name and self._has(_PACKAGE_ADDRESS)

    def _has(self, address: re.Pattern[str]) -> bool:
        return any(address.search(each) for each in self.addresses)


@dataclass
class Index:
    """What the first pass learnt: the packages to write, and what names mean.

    `providers` are the packages behind each virtual one that is mentioned;
    `left_out` counts what cannot be written, by reason.
    """

    packages: dict[str, Package]
    parties: dict[tuple[str, str], Party]
    providers: dict[str, list[str]]
    left_out: Counter[str]

    def keep(self, names: Iterable[str]) -> None:
        """Forget all other packages, and the virtual ones that no kept one mentions."""
        self.packages = {name: self.packages[name] for name in sorted(names)}
        mentioned = {
            name for package in self.packages.values() for name in package.mentions
        }
        virtual = mentioned - self.packages.keys()
        self.providers = {}
        for name, package in self.packages.items():
            for provided in virtual.intersection(package.provides):
                self.providers.setdefault(provided, []).append(name)


def learn(path: Path) -> Index:
    """All packages of an index; of two with one name the newest, else the first."""
    packages: dict[str, Package] = {}
    left_out: Counter[str] = Counter()
    for position, stanza in enumerate(stanzas(path)):
        name, version = stanza.get("Package"), stanza.get("Version")
        if not name or not version:
            left_out["stanzas without a name or version"] += 1
            continue
        known = packages.get(name)
        left_out["other versions"] += known is not None
        if known is None or version_key(version) > version_key(known.version):
            packages[sys.intern(name)] = _package(position, stanza)
    parties = _parties(package.maintainer for package in packages.values())
    index = Index(packages, parties, {}, left_out)
    index.keep(packages)
    return index


def connected_sample(index: Index, size: int) -> set[str]:
    """At most `size` packages, with all that each of them needs.

    First what every system has, then in turn from each section the package that most
    others mention.
    """
    packages = index.packages
    mentions = Counter(chain.from_iterable(one.mentions for one in packages.values()))
    seen: Counter[str] = Counter()
    turns: dict[str, tuple[bool, int]] = {}
    for name in sorted(packages, key=lambda name: (-mentions[name], name)):
        ordinary = packages[name].priority <= PRIORITIES["optional"]
        seen[packages[name].section] += ordinary
        turns[name] = (ordinary, seen[packages[name].section])
    chosen: set[str] = set()
    for name in sorted(turns, key=turns.__getitem__):
        needed = _needed(name, index, chosen)
        room = min(size - len(chosen), max(size // SAMPLE_SHARE, SAMPLE_LEAST))
        if len(needed) <= room:
            chosen |= needed
    return chosen


def _package(position: int, stanza: Stanza) -> Package:
    def names(field_name: str) -> list[list[str]]:
        found = relations(stanza.get(field_name, ""))
        return [[relation.name for relation in group] for group in found]

    priority = stanza.get("Priority", "").lower()
    return Package(
        position=position,
        version=stanza["Version"],
        priority=PRIORITIES.get(priority, PRIORITIES["optional"]),
        section=sys.intern(section(stanza.get("Section", ""))),
        maintainer=maintainer(stanza.get("Maintainer", "")),
        needs=names("Pre-Depends") + names("Depends"),
        wishes=[*chain.from_iterable(names("Recommends") + names("Suggests"))],
        provides=[*chain.from_iterable(names("Provides"))],
        tags=[sys.intern(tag) for tag in tags(stanza.get("Tag", ""))],
    )


def _parties(
    maintainers: Iterable[tuple[str, str]],
) -> dict[tuple[str, str], Party]:
    """Who is meant by each name and address.

    All names of one address are one party, under the commonest; so are all addresses
    of one name.
    """
    counts = Counter(maintainers)
    commonest_first = sorted(counts, key=lambda one: (-counts[one], one))
    names: dict[str, str] = {}
    for name, address in commonest_first:
        names.setdefault(address or name, name or address.partition("@")[0])
    parties: dict[str, Party] = {}
    found: dict[tuple[str, str], Party] = {}
    for name, address in commonest_first:
        if known_as := names[address or name]:
            party = parties.setdefault(_slug(known_as), Party(known_as))
            party.addresses |= {address} - {""}
            found[name, address] = party
    return found


def _slug(name: str) -> str:
    return "-".join(name.casefold().split())


def _needed(name: str, index: Index, chosen: set[str]) -> set[str]:
    """`name` and what it needs beyond `chosen`: of alternatives the first there is."""
    needed: set[str] = set()
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one in needed or one in chosen:
            continue
        needed.add(one)
        for alternatives in index.packages[one].needs:
            real = [*chain.from_iterable(_real(each, index) for each in alternatives)]
            if real and not any(each in needed or each in chosen for each in real):
                waiting.append(real[0])
    return needed


def _real(name: str, index: Index) -> list[str]:
    return [name] if name in index.packages else index.providers.get(name, [])
