"""A Debian package index as an import file: who keeps what, and what needs what.

    apt-cache dumpavail | python examples/debian.py - --output debian.jsonl.gz
    graph-api import debian.jsonl.gz

Maintainers become parties with one role each; a package becomes a commitment of that
role and a knowledge node, its `.deb` a document that is evidence of the one and
describes the other. Relations between packages, sections and debtags are knowledge
edges. The index is read twice: the first pass keeps names, so that the second knows
which of them lead somewhere. The same index always gives the same bytes.
"""

import argparse
import gzip
import json
import lzma
import os
import re
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import IO

from debian_index import Relation, Stanza, description, relations, stanzas
from debian_names import Index, Package, Party, connected_sample, learn

Row = dict[str, object]

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

# What an import accepts.
MAX_REF = 500
MAX_TITLE = 500
MAX_NAME = 255

# Where packages are fetched from: an address there says nothing of the project.
_REGISTRY = re.compile(
    r"(?:\w+://)?(?<![\w.-])(?:[\w-]+\.)*(?P<name>pypi|pythonhosted|npmjs|yarnpkg|"
    r"crates|rubygems|packagist|pear|pecl|cpan|metacpan|cran|ctan|hackage|nuget|"
    r"luarocks|opam|anaconda|registry|mirrors?|(?:repo1?|search)\.maven|proxy\.golang|"
    r"(?:deb|ftp|archive|security|snapshot|packages)(?:\.\w\w)?\.debian)"
    r"(?:\.[\w-]+)*\.(?:org|com|net|io|dev)\b(?:/\S*)?",
    re.IGNORECASE,
)
_SHA256 = re.compile(r"[0-9a-f]{64}")


def convert(path: Path, index: Index, *, all_addresses: bool) -> Iterator[Row]:
    """The rows of the packages in `index`; their text comes from the file again."""
    yield from party_rows(index, all_addresses=all_addresses)
    yield from topic_rows(index)
    positions = {package.position for package in index.packages.values()}
    for position, stanza in enumerate(stanzas(path)):
        if position in positions:
            yield from package_rows(stanza, index)


def party_rows(index: Index, *, all_addresses: bool) -> Iterator[Row]:
    """Each maintainer with a role. A person's addresses only if they are asked for."""
    parties: dict[str, Party] = {}
    sections: dict[str, set[str]] = defaultdict(set)
    for package in index.packages.values():
        if party := index.parties.get(package.maintainer):
            parties[party.slug] = party
            sections[party.slug].add(package.section)
    for slug, party in sorted(parties.items()):
        shown = sorted(party.addresses) if party.is_team or all_addresses else []
        yield {
            "type": "Party",
            "ref": _ref("maintainer", slug),
            "kind": "org" if party.is_team else "person",
            "name": party.name[:MAX_NAME],
            "contact": {"emails": shown} if shown else {},
        }
        yield {
            "type": "Role",
            "ref": _ref("maintainership", slug),
            "party": _ref("maintainer", slug),
            "roleName": "Maintainer",
            "domainTags": sorted(sections[slug] - {""}),
        }


def topic_rows(index: Index) -> Iterator[Row]:
    """The sections, debtags and virtual packages as knowledge nodes."""
    packages = index.packages.values()
    for name in sorted({package.section for package in packages} - {""}):
        yield _node("section", name, "topic", {"kind": "section"})
    for name in sorted(set(chain.from_iterable(one.tags for one in packages))):
        facet = name.partition("::")[0]
        yield _node("tag", name, "topic", {"kind": "debtag", "facet": facet})
    for name in sorted(index.providers):
        yield _node("virtual", name, "concept", {"kind": "virtual package"})


def package_rows(stanza: Stanza, index: Index) -> Iterator[Row]:
    """All that one package becomes: knowledge node, commitment, document, edges."""
    name = stanza["Package"]
    party = index.parties.get(index.packages[name].maintainer)
    text = _REGISTRY.sub(r"\g<name>", description(stanza))
    homepage = stanza.get("Homepage", "")
    if _REGISTRY.search(homepage):
        index.left_out["homepages in registries"] += 1
        homepage = ""
    properties = _details(stanza) | _without_empty({"homepage": homepage})
    yield _node("package", name, "entity", properties, text)
    if party:
        yield _commitment(stanza, index.packages[name], party)
    else:
        index.left_out["commitments of nobody"] += 1
    document = _document(stanza, text)
    if document:
        yield document
        yield _link(document, f"KnowledgeNode:{_ref('package', name)}", "describes")
    else:
        index.left_out["packages without a file"] += 1
    if document and party:
        yield _link(document, f"Commitment:{_ref('commitment', name)}", "evidence")
    yield from edge_rows(stanza, index)


def edge_rows(stanza: Stanza, index: Index) -> Iterator[Row]:
    """The edges of a package, one for each type and target."""
    name = stanza["Package"]
    source = _ref("package", name)
    uses: dict[tuple[str, str], list[tuple[str, Relation]]] = defaultdict(list)
    for field_name, (edge_type, _) in RELATIONS.items():
        for relation in chain.from_iterable(relations(stanza.get(field_name, ""))):
            target = _target(relation.name, index)
            if target is None or target == source:
                index.left_out["relations that lead nowhere"] += 1
            else:
                uses[edge_type, target].append((field_name, relation))
    for (edge_type, target), found in uses.items():
        yield _relation_edge(source, target, edge_type, found)
    provided = {
        relation.name: relation
        for relation in chain.from_iterable(relations(stanza.get("Provides", "")))
    }
    for virtual in sorted(provided.keys() & index.providers.keys()):
        properties = _versions([provided[virtual]])
        yield _edge(_ref("virtual", virtual), source, "provided_by", 1.0, properties)
    for tag in index.packages[name].tags:
        yield _edge(source, _ref("tag", tag), "tagged", TAGGED_WEIGHT)
    if group := index.packages[name].section:
        yield _edge(source, _ref("section", group), "in_section", IN_SECTION_WEIGHT)


def main() -> None:
    arguments = _arguments()
    written: Counter[str] = Counter()
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    try:
        with _on_disk(arguments.index) as path, _opened(arguments.output) as output:
            index = learn(path)
            if arguments.sample is not None:
                index.keep(connected_sample(index, arguments.sample))
            for row in convert(path, index, all_addresses=arguments.all_addresses):
                output.write(encode(row).encode() + b"\n")
                written[str(row["type"])] += 1
            output.flush()
    except BrokenPipeError:
        # What is still in the buffer has nowhere to go either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (OSError, EOFError, lzma.LZMAError) as error:
        sys.exit(f"Cannot convert {arguments.index}: {error}")
    print(_summary(index, written), file=sys.stderr)
    if not index.packages:
        sys.exit(f"There is no package in {arguments.index}.")


def _target(name: str, index: Index) -> str | None:
    """The knowledge node that a name leads to; a real package before a virtual one."""
    if name in index.packages:
        return _ref("package", name)
    return _ref("virtual", name) if name in index.providers else None


def _ref(kind: str, name: str) -> str:
    ref = f"deb/{kind}/{name}"
    if len(ref) <= MAX_REF:
        return ref
    return f"{ref[: MAX_REF - 65]}~{sha256(ref.encode()).hexdigest()}"


def _node(
    kind: str, name: str, node_type: str, properties: Row, text: str | None = None
) -> Row:
    row: Row = {
        "type": "KnowledgeNode",
        "ref": _ref(kind, name),
        "label": name[:MAX_TITLE],
        "nodeType": node_type,
    }
    return row | _without_empty({"description": text}) | {"properties": properties}


def _commitment(stanza: Stanza, package: Package, party: Party) -> Row:
    return {
        "type": "Commitment",
        "ref": _ref("commitment", stanza["Package"]),
        "role": _ref("maintainership", party.slug),
        "commitmentType": "responsibility",
        "title": f"Maintain {stanza['Package']}"[:MAX_TITLE],
        "source": "api",
        "priority": package.priority,
        "state": "active",
        "domainTags": [package.section] if package.section else [],
        "metadata": _details(stanza),
    }


def _document(stanza: Stanza, text: str) -> Row | None:
    """The package's file; none for what is not in an archive, but only installed."""
    file_name = PurePosixPath(stanza.get("Filename", "")).name
    checksum = stanza.get("SHA256", "").lower()
    size = stanza.get("Size", "")
    if not (file_name and size.isdecimal() and _SHA256.fullmatch(checksum)):
        return None
    return {
        "type": "Document",
        "ref": _ref("file", file_name),
        "title": f"{stanza['Package']} {stanza['Version']}"[:MAX_TITLE],
        "fileName": file_name[:MAX_NAME],
        "mimeType": "application/vnd.debian.binary-package",
        "fileSize": int(size),
        "sha256": checksum,
        "source": "batch_import",
        "text": text,
    }


def _link(document: Row, target: str, relation: str) -> Row:
    return {
        "type": "DocumentLink",
        "document": document["ref"],
        "target": target,
        "relation": relation,
    }


def _relation_edge(
    source: str, target: str, edge_type: str, uses: list[tuple[str, Relation]]
) -> Row:
    """One edge for all that a package says of a target in relations of one type.

    Alternatives share the weight; the strongest relation counts.
    """
    alternatives = min(relation.alternatives for _, relation in uses)
    weight = max(
        RELATIONS[field_name][1] / relation.alternatives
        for field_name, relation in uses
    )
    architecture = next(
        (each.architecture for _, each in uses if each.architecture), None
    )
    properties = {
        **_versions([relation for _, relation in uses]),
        "architecture": architecture,
        "pre": any(field_name == "Pre-Depends" for field_name, _ in uses),
        "alternative": alternatives > 1,
    }
    return _edge(source, target, edge_type, weight, _without_empty(properties))


def _versions(found: list[Relation]) -> Row:
    versions = dict.fromkeys(each.version for each in found if each.version)
    return _without_empty({"versions": [*versions]})


def _edge(
    source: str,
    target: str,
    edge_type: str,
    weight: float,
    properties: Row | None = None,
) -> Row:
    return {
        "type": "KnowledgeEdge",
        "source": source,
        "target": target,
        "edgeType": edge_type,
        "weight": round(weight, 3),
        "properties": properties or {},
    }


def _details(stanza: Stanza) -> Row:
    return _without_empty(
        {
            "version": stanza["Version"],
            "section": stanza.get("Section"),
            "architecture": stanza.get("Architecture"),
            "sourcePackage": stanza.get("Source", stanza["Package"]).partition(" ")[0],
            "essential": stanza.get("Essential") == "yes",
        }
    )


def _without_empty(row: Row) -> Row:
    return {key: value for key, value in row.items() if value}


@contextmanager
def _on_disk(index: str) -> Iterator[Path]:
    """The path of the index; the standard input is kept until it was read twice."""
    if index != "-":
        yield Path(index)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "Packages"
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield path


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[bytes] | gzip.GzipFile]:
    if output is None:
        yield sys.stdout.buffer
        return
    with output.open("wb") as file:
        if output.suffix == ".gz":
            # Without name and time, so that the same rows are the same bytes.
            with gzip.GzipFile("", "wb", 9, file, mtime=0) as compressed:
                yield compressed
        else:
            yield file


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Turn a Debian package index into a file that can be imported."
    )
    parser.add_argument(
        "index", help="a Packages file, plain, .gz or .xz; - is the standard input"
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="compressed if it ends in .gz"
    )
    parser.add_argument(
        "--sample", type=int, metavar="N", help="at most N packages, well connected"
    )
    parser.add_argument(
        "--all-addresses",
        action="store_true",
        help="keep the addresses of persons too, not only those of teams",
    )
    arguments = parser.parse_args()
    if arguments.sample is not None and arguments.sample < 1:
        parser.error("--sample takes a number from 1 up")
    return arguments


def _summary(index: Index, written: Counter[str]) -> str:
    return (
        f"{len(index.packages):,} packages, {written.total():,} rows: "
        f"{_listed(written)}; left out: {_listed(index.left_out)}"
    )


def _listed(counts: Counter[str]) -> str:
    found = [f"{count:,} {name}" for name, count in sorted(counts.items()) if count]
    return ", ".join(found) or "nothing"


if __name__ == "__main__":
    main()
