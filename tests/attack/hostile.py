"""Documents that ask for much in few bytes, each with the code that refuses it.

They are of the real schema. Whatever they cost has to be spent before it is known that
they are too much, so that each must be cheap to refuse.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PARTY = 'party(id: "00000000-0000-0000-0000-000000000000")'


@dataclass(frozen=True)
class Hostile:
    """A request, and the code of its refusal."""

    query: str
    code: str = "TOO_COMPLEX"
    variables: Mapping[str, Any] = field(default_factory=dict)
    operation_name: str | None = None

    @property
    def body(self) -> bytes:
        said = {"query": self.query, "variables": self.variables}
        return json.dumps({**said, "operationName": self.operation_name}).encode()


def doubling(levels: int, *, fields: str = "") -> str:
    """Fragments that each spread the next one twice."""
    chain = " ".join(
        f"fragment F{i} on Party {{{fields} ...F{i + 1} ...F{i + 1}}}"
        for i in range(levels)
    )
    return f"{{{PARTY} {{...F0}}}} {chain} fragment F{levels} on Party {{name}}"


def relations(levels: int) -> str:
    """Fragments that each lead to the next one by two relations."""
    chain = " ".join(
        f"fragment F{i} on Party {{"
        f" a{i}: roles {{ nodes {{ party {{ ...F{i + 1} }} }} }}"
        f" b{i}: roles {{ nodes {{ party {{ ...F{i + 1} }} }} }} }}"
        for i in range(levels)
    )
    return f"{{{PARTY} {{...F0}}}} {chain} fragment F{levels} on Party {{name}}"


def nested(levels: int, first: int) -> str:
    level = f"roles(first: {first}) {{ nodes {{ party {{ "
    return f"{{ {PARTY} {{ {level * levels} name {'} } } ' * levels} }} }}"


def within(levels: int, opening: str, innermost: str, closing: str) -> str:
    return opening * levels + innermost + closing * levels


_OPERATIONS = "".join(f"query Q{i} {{ ...F }} " for i in range(300))

HOSTILE: dict[str, Hostile] = {
    "fragments doubled 30 times": Hostile(doubling(30)),
    "fragments doubled 150 times": Hostile(doubling(150)),
    "fragments doubled, with fields": Hostile(doubling(20, fields="id name")),
    "fragments doubled by relations": Hostile(relations(12)),
    "pages of a hundred, ten levels": Hostile(nested(6, 100)),
    "pages of a hundred by a variable": Hostile(
        "query($n: Int)" + nested(5, 100).replace("100", "$n"), variables={"n": 100}
    ),
    "a page of a billion": Hostile(nested(1, 10**9), "BAD_USER_INPUT"),
    "thirty levels of relations": Hostile(nested(15, 1)),
    "31 aliases": Hostile("{" + " ".join(f"a{i}: __typename" for i in range(31)) + "}"),
    "600 aliases": Hostile(
        "{" + " ".join(f"a{i}: __typename" for i in range(600)) + "}"
    ),
    "a field by the thousand": Hostile(f"{{{PARTY} {{" + "name " * 1_900 + "}}"),
    "relations that overlap": Hostile(
        f"{{{PARTY} {{" + "roles { nodes { id } } " * 200 + "}}"
    ),
    "overlap within overlap": Hostile(
        f"{{{PARTY} {{" + ("roles { nodes { " + "id " * 40 + "} } ") * 40 + "}}"
    ),
    "a hundred directives": Hostile(
        f"{{{PARTY} {{name " + "@include(if: true) " * 100 + "}}"
    ),
    "900 unknown directives": Hostile(f"{{{PARTY} {{name " + "@a " * 900 + "}}"),
    "21 fields at the root": Hostile("{" + "__typename " * 21 + "}"),
    "tokens": Hostile("{" + "__typename " * 6_000 + "}"),
    "comments": Hostile("#\n" * 30_000 + "{ __typename }"),
    "a comment of two megabytes": Hostile("#" * 2_000_000 + "\n{ __typename }"),
    "a text of 70 KB": Hostile(
        '{ tags(filter: {name: {eq: "' + "a" * 70_000 + '"}}) { totalCount } }'
    ),
    "a block string of 60 KB": Hostile(
        '{ nodes(ids: """' + ("\n" + " " * 50) * 1_150 + 'x""") { id } }',
        "BAD_USER_INPUT",
    ),
    "nested braces": Hostile("{a" * 900 + "}" * 900),
    "nested lists": Hostile("{ nodes(ids: " + "[" * 900 + "]" * 900 + ") { id } }"),
    "nested inputs": Hostile(
        f"{{ tags(filter: {within(250, '{not: ', '{}', '}')}) {{ totalCount }} }}"
    ),
    "inputs nested in a variable": Hostile(
        "query($f: TagFilter) { tags(filter: $f) { totalCount } }",
        "BAD_USER_INPUT",
        {"f": json.loads(within(100, '{"not": ', "{}", "}"))},
    ),
    "a list of 100,000 ids": Hostile(
        "query($ids: [ID!]!) { nodes(ids: $ids) { id } }",
        variables={"ids": ["x"] * 100_000},
    ),
    "a list of 4,900 values": Hostile(
        "query($v: [String!]) { tags(filter: {name: {in: $v}}) { totalCount } }",
        "BAD_USER_INPUT",
        {"v": ["x"] * 4_900},
    ),
    "a filter of 10,000 conditions": Hostile(
        "query($f: TagFilter) { tags(filter: $f) { totalCount } }",
        variables={"f": {"or": [{"name": {"eq": "a"}}] * 10_000}},
    ),
    "300 variables": Hostile(
        "query(" + " ".join(f"$v{i}: Int" for i in range(300)) + ") { __typename }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "300 operations": Hostile(
        _OPERATIONS + "fragment F on Query { " + "__typename " * 30 + "}",
        operation_name="Q7",
    ),
    "the schema in a circle": Hostile(
        "{ __schema { types { "
        + within(6, "fields { type { ", "name", "} } ")
        + "} } }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "ofType, thirty levels": Hostile(
        "{ __schema { types { " + within(30, "ofType { ", "name", "} ") + "} } }"
    ),
    "the schema by every alias": Hostile(
        "{"
        + " ".join(f"a{i}: __schema {{ types {{ name }} }}" for i in range(20))
        + "}"
    ),
    "a fragment of itself": Hostile(
        "{ ...F } fragment F on Query { ...G } fragment G on Query { ...F }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "unknown fields by the hundred": Hostile(
        f"{{{PARTY} {{" + " ".join(f"nme{i}" for i in range(900)) + "}}",
        "GRAPHQL_VALIDATION_FAILED",
    ),
}
