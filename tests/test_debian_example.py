"""The example that turns a Debian package index into an import file, and its sample."""

import gzip
import json
import lzma
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
SAMPLE = EXAMPLES / "debian-sample.jsonl.gz"

Row = dict[str, Any]

# Shaped like a real index: folded and missing fields, alternatives, qualifiers.
EDITOR = """\
Package: quill
Source: quill-src (2.1-1)
Version: 2.1-1+b1
Maintainer: Quill Packaging Team <team+quill@tracker.example.org>
Architecture: amd64
Pre-Depends: loader (>= 1.15.6~)
Depends: libink2 (>= 2.0), libink2 (<< 3), interpreter:any,
 fonts-a | fonts-b (>= 1) | fonts-gone, mail-agent
Recommends: spell
Suggests: libink2, not-in-any-index
Description: editor for long letters
 Quill writes letters
 that are long.
 .
 It can:
  * fold them
  * send them
Homepage: https://quill.example.org/
Tag: interface::graphical, role::program,
 works-with::text
Section: contrib/editors
Priority: standard
Filename: pool/contrib/q/quill/quill_2.1-1+b1_amd64.deb
Size: 4711
SHA256: 3a2118df47bf3f04285649f0455c2fc6fe2dc7f0b237073038aa00af41f0d5f2
"""


def stanza(name: str, **fields: str) -> str:
    """The least that is a package, and what a test says of it."""
    given = {"Package": name, "Version": "1"} | fields
    return "".join(f"{field}: {value}\n" for field, value in given.items()) + "\n"


NEEDED = "".join(
    [
        stanza("loader"),
        stanza("libink2"),
        stanza("interpreter"),
        stanza("fonts-a"),
        stanza("fonts-b"),
        stanza("spell"),
        stanza("post-a", Provides="mail-agent (= 3), never-mentioned"),
        stanza("post-b", Provides="mail-agent"),
    ]
)


def run(*arguments: str, index: str) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, str(EXAMPLES / "debian.py"), *arguments]
    return subprocess.run(
        command, input=index.encode(), capture_output=True, check=False, timeout=60
    )


def convert(index: str, *options: str) -> list[Row]:
    done = run("-", *options, index=index)
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def of_type(rows: list[Row], type_: str) -> list[Row]:
    return [row for row in rows if row["type"] == type_]


def edges(rows: list[Row], source: str, *edge_types: str) -> dict[str, Row]:
    """Weight and properties of what leaves a knowledge node, by target."""
    return {
        row["target"]: {"weight": row["weight"]} | row["properties"]
        for row in of_type(rows, "KnowledgeEdge")
        if row["source"] == source and row["edgeType"] in edge_types
    }


def reachable(start: str, rows: list[Row]) -> set[str]:
    """The knowledge nodes that edges connect with one, whichever way they point."""
    neighbours: dict[str, set[str]] = defaultdict(set)
    for row in of_type(rows, "KnowledgeEdge"):
        neighbours[row["source"]].add(row["target"])
        neighbours[row["target"]].add(row["source"])
    found: set[str] = set()
    waiting = {start}
    while waiting:
        found |= waiting
        waiting = {each for one in waiting for each in neighbours[one]} - found
    return found


def test_a_package_becomes_a_commitment_of_its_maintainer() -> None:
    rows = convert(EDITOR)

    assert of_type(rows, "Party") == [
        {
            "type": "Party",
            "ref": "deb/maintainer/quill-packaging-team",
            "kind": "org",
            "name": "Quill Packaging Team",
            "contact": {"emails": ["team+quill@tracker.example.org"]},
        }
    ]
    assert of_type(rows, "Role") == [
        {
            "type": "Role",
            "ref": "deb/maintainership/quill-packaging-team",
            "party": "deb/maintainer/quill-packaging-team",
            "roleName": "Maintainer",
            "domainTags": ["editors"],
        }
    ]
    assert of_type(rows, "Commitment") == [
        {
            "type": "Commitment",
            "ref": "deb/commitment/quill",
            "role": "deb/maintainership/quill-packaging-team",
            "commitmentType": "responsibility",
            "title": "Maintain quill",
            "source": "api",
            "priority": 60,
            "state": "active",
            "domainTags": ["editors"],
            "metadata": {
                "version": "2.1-1+b1",
                "section": "contrib/editors",
                "architecture": "amd64",
                "sourcePackage": "quill-src",
            },
        }
    ]


def test_a_package_file_becomes_a_document_linked_to_what_it_shows() -> None:
    rows = convert(EDITOR)

    file = "deb/file/quill_2.1-1+b1_amd64.deb"
    assert of_type(rows, "Document") == [
        {
            "type": "Document",
            "ref": file,
            "title": "quill 2.1-1+b1",
            "fileName": "quill_2.1-1+b1_amd64.deb",
            "mimeType": "application/vnd.debian.binary-package",
            "fileSize": 4711,
            "sha256": "3a2118df47bf3f04285649f0455c2fc6"
            "fe2dc7f0b237073038aa00af41f0d5f2",
            "source": "batch_import",
            "text": "editor for long letters\n\nQuill writes letters that are long.\n\n"
            "It can:\n * fold them\n * send them",
        }
    ]
    assert [
        (row["document"], row["target"], row["relation"])
        for row in of_type(rows, "DocumentLink")
    ] == [
        (file, "KnowledgeNode:deb/package/quill", "describes"),
        (file, "Commitment:deb/commitment/quill", "evidence"),
    ]


def test_packages_sections_and_debtags_become_knowledge_nodes() -> None:
    rows = convert(EDITOR)

    nodes = of_type(rows, "KnowledgeNode")
    assert [(row["ref"], row["label"], row["nodeType"]) for row in nodes] == [
        ("deb/section/editors", "editors", "topic"),
        ("deb/tag/interface::graphical", "interface::graphical", "topic"),
        ("deb/tag/role::program", "role::program", "topic"),
        ("deb/tag/works-with::text", "works-with::text", "topic"),
        ("deb/package/quill", "quill", "entity"),
    ]
    assert nodes[-1]["properties"]["homepage"] == "https://quill.example.org/"
    assert edges(rows, "deb/package/quill", "tagged", "in_section") == {
        "deb/tag/interface::graphical": {"weight": 0.5},
        "deb/tag/role::program": {"weight": 0.5},
        "deb/tag/works-with::text": {"weight": 0.5},
        "deb/section/editors": {"weight": 0.2},
    }


def test_relations_become_weighted_edges_one_for_each_target() -> None:
    rows = convert(EDITOR + "\n" + NEEDED)

    assert edges(rows, "deb/package/quill", "depends_on") == {
        "deb/package/loader": {"weight": 1.0, "versions": [">= 1.15.6~"], "pre": True},
        "deb/package/libink2": {"weight": 1.0, "versions": [">= 2.0", "<< 3"]},
        "deb/package/interpreter": {"weight": 1.0, "architecture": "any"},
        "deb/package/fonts-a": {"weight": 0.333, "alternative": True},
        "deb/package/fonts-b": {
            "weight": 0.333,
            "versions": [">= 1"],
            "alternative": True,
        },
        "deb/virtual/mail-agent": {"weight": 1.0},
    }
    assert edges(rows, "deb/package/quill", "recommends") == {
        "deb/package/spell": {"weight": 0.6}
    }
    assert edges(rows, "deb/package/quill", "suggests") == {
        "deb/package/libink2": {"weight": 0.3}
    }


def test_a_relation_without_alternatives_goes_before_one_with_them() -> None:
    rows = convert(stanza("a", Depends="b | c, b") + stanza("b") + stanza("c"))

    assert edges(rows, "deb/package/a", "depends_on") == {
        "deb/package/b": {"weight": 1.0},
        "deb/package/c": {"weight": 0.5, "alternative": True},
    }


def test_a_virtual_package_that_is_mentioned_leads_to_its_providers() -> None:
    rows = convert(EDITOR + "\n" + NEEDED)

    assert [row for row in rows if row.get("nodeType") == "concept"] == [
        {
            "type": "KnowledgeNode",
            "ref": "deb/virtual/mail-agent",
            "label": "mail-agent",
            "nodeType": "concept",
            "properties": {"kind": "virtual package"},
        }
    ]
    assert edges(rows, "deb/virtual/mail-agent", "provided_by") == {
        "deb/package/post-a": {"weight": 1.0, "versions": ["= 3"]},
        "deb/package/post-b": {"weight": 1.0},
    }


def test_what_is_left_out_is_counted() -> None:
    index = EDITOR + "\n" + NEEDED + "Version: 1\n\n" + stanza("a", Depends="a")

    done = run("-", index=index)

    assert done.stderr.decode() == (
        "10 packages, 35 rows: 1 Commitment, 1 Document, 2 DocumentLink, "
        "14 KnowledgeEdge, 15 KnowledgeNode, 1 Party, 1 Role; left out: "
        "9 commitments of nobody, 9 packages without a file, "
        "3 relations that lead nowhere, 1 stanzas without a name or version\n"
    )


def test_of_two_versions_the_newest_is_taken() -> None:
    older = stanza("a", Version="1:0.9~rc1-2", Section="old")
    newest = stanza("a", Version="1:0.9-1", Section="new")

    rows = convert(older + newest + older + stanza("a", Version="2.0"))

    nodes = of_type(rows, "KnowledgeNode")
    assert [(row["ref"], row["properties"]) for row in nodes] == [
        ("deb/section/new", {"kind": "section"}),
        (
            "deb/package/a",
            {"version": "1:0.9-1", "section": "new", "sourcePackage": "a"},
        ),
    ]


def test_a_package_without_maintainer_or_file_is_a_knowledge_node_only() -> None:
    rows = convert(stanza("a", SHA256="abc", Size="1", Filename="a.deb"))

    assert rows == [
        {
            "type": "KnowledgeNode",
            "ref": "deb/package/a",
            "label": "a",
            "nodeType": "entity",
            "properties": {"version": "1", "sourcePackage": "a"},
        }
    ]


def test_a_person_keeps_the_name_but_no_address_unless_asked_for() -> None:
    index = stanza("a", Maintainer="Some Person <Person@example.org>")

    default, asked = convert(index), convert(index, "--all-addresses")

    assert of_type(default, "Party") == [
        {
            "type": "Party",
            "ref": "deb/maintainer/some-person",
            "kind": "person",
            "name": "Some Person",
            "contact": {},
        }
    ]
    assert [row["contact"] for row in of_type(asked, "Party")] == [
        {"emails": ["person@example.org"]}
    ]


@pytest.mark.parametrize(
    ("maintainer", "kind"),
    [
        ("Quill Team <quill@example.org>", "org"),
        ("Quill Maintainers <quill@example.org>", "org"),
        ("Those Who Care <quill@lists.example.org>", "org"),
        ("Quill <quill@packages.example.org>", "org"),
        ("Quill <quill@example.org>", "person"),
        ("Some Person <quill@packages.example.org>", "person"),
        ("Some Person", "person"),
    ],
)
def test_teams_are_known_by_name_or_address(maintainer: str, kind: str) -> None:
    rows = convert(stanza("a", Maintainer=maintainer))

    assert [row["kind"] for row in of_type(rows, "Party")] == [kind]


def test_spellings_of_an_address_and_addresses_of_a_name_are_one_party() -> None:
    rows = convert(
        stanza("a", Maintainer="Quill Team <quill@lists.example.org>")
        + stanza("b", Maintainer="Quill Team <quill@lists.example.org>")
        + stanza("c", Maintainer="Quill-Team <quill@lists.example.org>")
        + stanza("d", Maintainer="quill  team <quill@lists.example.net>,")
    )

    assert [(row["name"], row["contact"]) for row in of_type(rows, "Party")] == [
        (
            "Quill Team",
            {"emails": ["quill@lists.example.net", "quill@lists.example.org"]},
        )
    ]
    assert [row["role"] for row in of_type(rows, "Commitment")] == [
        "deb/maintainership/quill-team"
    ] * 4


def test_addresses_in_registries_are_dropped() -> None:
    rows = convert(
        stanza(
            "a",
            Homepage="https://registry.example.org/quill",
            Description="see www.registry.example.org/quill or mirror",
        )
    )

    assert [(row["description"], row["properties"]) for row in rows] == [
        ("see registry or mirror", {"version": "1", "sourcePackage": "a"})
    ]


@pytest.mark.parametrize("compress", [bytes, gzip.compress, lzma.compress])
def test_an_index_may_be_compressed(compress: Any, tmp_path: Path) -> None:
    file = tmp_path / "Packages"
    file.write_bytes(compress(EDITOR.encode()))

    assert run(str(file), index="").stdout == run("-", index=EDITOR).stdout


def test_the_same_index_gives_the_same_compressed_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first.jsonl.gz", tmp_path / "second.jsonl.gz"

    run("-", "--output", str(first), index=EDITOR + "\n" + NEEDED)
    run("-", "--output", str(second), index=EDITOR + "\n" + NEEDED)

    assert first.read_bytes() == second.read_bytes()
    # RFC 1952: flags (no name), then the time.
    assert first.read_bytes()[3:8] == bytes(5)
    assert gzip.decompress(first.read_bytes()) == (
        run("-", index=EDITOR + "\n" + NEEDED).stdout
    )


def test_a_sample_holds_all_that_its_packages_need() -> None:
    chain = stanza("app", Depends="gone | lib, agent") + stanza("lib", Depends="base")
    others = stanza("base") + stanza("post", Provides="agent") + stanza("loner")

    rows = convert(
        chain + others + stanza("too-much", Depends="app, loner"), "--sample", "4"
    )

    packages = [row["label"] for row in rows if row.get("nodeType") == "entity"]
    assert sorted(packages) == ["app", "base", "lib", "post"]


def test_a_sample_begins_with_what_every_system_has() -> None:
    popular = stanza("popular") + stanza("user", Depends="popular")

    rows = convert(popular + stanza("init", Priority="required"), "--sample", "1")

    assert [row["label"] for row in rows] == ["init"]


def test_what_an_import_refuses_is_cut_or_removed() -> None:
    rows = convert(
        stanza("a" * 600, Maintainer="Some Person" + "x" * 300, Description="a\0b\x1bc")
    )

    limits = {"name": 255, "title": 500, "label": 500, "ref": 500}
    assert {
        field: max(len(row[field]) for row in rows if field in row) for field in limits
    } == limits
    assert rows[-2]["description"] == "abc"


@pytest.mark.parametrize("index", ["", "no index\n"])
def test_a_file_without_packages_is_refused(index: str) -> None:
    done = run("-", index=index)

    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1] == "There is no package in -."


def test_a_missing_index_is_refused_in_one_line() -> None:
    done = run("missing", index="")

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture(scope="module")
def sample() -> list[Row]:
    """The committed sample, which `make demo` imports."""
    with gzip.open(SAMPLE, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def test_the_sample_is_small_and_has_no_time_in_it() -> None:
    compressed = SAMPLE.read_bytes()

    assert len(compressed) < 1_000_000
    assert compressed[3:8] == bytes(5)


def test_the_sample_has_rows_of_these_types(sample: list[Row]) -> None:
    assert Counter(row["type"] for row in sample) == {
        "Party": 327,
        "Role": 327,
        "Commitment": 2_000,
        "Document": 2_000,
        "DocumentLink": 4_000,
        "KnowledgeNode": 2_582,
        "KnowledgeEdge": 16_276,
    }


def test_every_reference_in_the_sample_resolves(sample: list[Row]) -> None:
    known = {f"{row['type']}:{row['ref']}" for row in sample if "ref" in row}

    references = [
        *(f"Party:{row['party']}" for row in of_type(sample, "Role")),
        *(f"Role:{row['role']}" for row in of_type(sample, "Commitment")),
        *(f"Document:{row['document']}" for row in of_type(sample, "DocumentLink")),
        *(row["target"] for row in of_type(sample, "DocumentLink")),
        *(
            f"KnowledgeNode:{row[end]}"
            for row in of_type(sample, "KnowledgeEdge")
            for end in ("source", "target")
        ),
    ]

    assert [reference for reference in references if reference not in known] == []


def test_nothing_in_the_sample_comes_twice(sample: list[Row]) -> None:
    names = [
        *((row["type"], row["ref"]) for row in sample if "ref" in row),
        *(row["sha256"] for row in of_type(sample, "Document")),
        *(
            (row["source"], row["target"], row["edgeType"])
            for row in of_type(sample, "KnowledgeEdge")
        ),
        *((row["document"], row["target"]) for row in of_type(sample, "DocumentLink")),
    ]

    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_values_in_the_sample_are_ones_an_import_accepts(sample: list[Row]) -> None:
    choices = {
        "kind": {"person", "org"},
        "commitmentType": {"responsibility"},
        "state": {"active"},
        "nodeType": {"entity", "topic", "concept"},
        "edgeType": {
            "depends_on",
            "recommends",
            "suggests",
            "provided_by",
            "tagged",
            "in_section",
        },
        "relation": {"evidence", "describes"},
        "roleName": {"Maintainer"},
    }
    limits = {"ref": 500, "title": 500, "label": 500, "name": 255, "fileName": 255}

    assert {
        field: {row[field] for row in sample if field in row} for field in choices
    } == choices
    assert [
        row
        for row in sample
        for field in limits
        if len(row.get(field, "x")) > limits[field]
    ] == []
    assert {row["priority"] for row in of_type(sample, "Commitment")} <= {*range(101)}
    assert {0 < row["weight"] <= 1 for row in of_type(sample, "KnowledgeEdge")} == {
        True
    }
    assert [
        row["sha256"]
        for row in of_type(sample, "Document")
        if not re.fullmatch("[0-9a-f]{64}", row["sha256"]) or row["fileSize"] <= 0
    ] == []


def test_the_sample_shows_no_persons_address_and_no_registry(sample: list[Row]) -> None:
    persons = [row for row in of_type(sample, "Party") if row["kind"] == "person"]
    registry = re.compile(
        r"\b(pypi|pythonhosted|npmjs|rubygems|crates|cpan|deb\.debian)\.(org|com|io)"
    )

    assert persons
    assert [row for row in persons if row["contact"]] == []
    assert [row for row in sample if registry.search(json.dumps(row))] == []


def test_the_sample_is_one_connected_graph(sample: list[Row]) -> None:
    nodes = {row["ref"] for row in of_type(sample, "KnowledgeNode")}

    assert reachable("deb/package/libc6", sample) == nodes
