"""What one operation may ask for: every limit, its refusal, and what still fits."""

import time
from typing import Any

import pytest
from graphql import build_schema, get_introspection_query, print_ast

from graph_api.errors import BadUserInput, GraphApiError, TooComplex
from graph_api.execution.documents import Documents
from graph_api.execution.limits import Limits
from graph_api.execution.validation import InvalidDocument

SCHEMA = build_schema(
    """
    interface Node { id: ID! }
    type Query {
      parties(first: Int, last: Int, after: String): PartyConnection!
      party(id: ID!): Party
      nodes(ids: [ID!]!): [Node]!
      knowledgeEdge(id: ID!): KnowledgeEdge
      text(value: String, number: Float, big: Int): String
    }
    type Mutation { createMany(input: ManyInput!): ManyPayload! }
    input ManyInput { names: [String!]! }
    type ManyPayload { results: [Result!]! }
    type Result { party: Party }
    type PartyConnection {
      edges: [PartyEdge!]!
      nodes: [Party!]!
      pageInfo: PageInfo!
      totalCount: Int
      groups(first: Int): [Group!]!
    }
    type Group { count: Int }
    type PartyEdge { cursor: String! node: Party! }
    type PageInfo { hasNextPage: Boolean! }
    type Party implements Node {
      id: ID!
      name: String
      parent: Party
      parties(first: Int, last: Int, after: String): PartyConnection!
    }
    type KnowledgeEdge implements Node { id: ID! source: Party }
    """
)
DEFAULTS = Limits()


def prepare(
    text: str,
    variables: dict[str, Any] | None = None,
    limits: Limits = DEFAULTS,
    name: str | None = None,
) -> None:
    Documents(SCHEMA, limits).prepare(text, name, variables or {})


def fits(text: str) -> bool:
    prepare(text)
    return True


def refused(
    text: str, variables: dict[str, Any] | None = None, limits: Limits = DEFAULTS
) -> dict[str, Any]:
    with pytest.raises(TooComplex) as caught:
        prepare(text, variables, limits)
    return caught.value.details


def nested(levels: int, arguments: str = "", *, edges: bool = False) -> str:
    """Parties of parties of …, so many levels of relations deep."""
    opened = "edges{node{" if edges else "nodes{"
    closed = "}}}" if edges else "}}"
    level = "parties" + arguments + "{" + opened
    return "{" + level * levels + "id" + closed * levels + "}"


def rows(text: str, variables: dict[str, Any] | None = None) -> int:
    """The potential rows of an operation."""
    details = refused(text, variables, Limits(rows=0, depth=100))
    assert details["limit"] == "rows"
    return int(details["actual"])


def test_depth_is_counted_in_relations() -> None:
    deepest = nested(12, "(first: 1)")

    assert fits(deepest)
    assert refused(nested(13, "(first: 1)")) == {
        "limit": "depth",
        "allowed": 12,
        "actual": 13,
    }


def test_edges_and_nodes_are_free() -> None:
    assert fits(nested(12, "(first: 1)", edges=True))


def test_an_edge_of_the_domain_is_not_an_edge_of_a_page() -> None:
    text = '{knowledgeEdge(id:"1"){source{parent{id}}}}'

    assert refused(text, limits=Limits(depth=2))["actual"] == 3


def test_rows_are_the_product_of_page_sizes() -> None:
    assert rows(nested(4)) == 20 + 20**2 + 20**3 + 20**4
    assert rows(nested(4, edges=True)) == 168_420
    assert rows(nested(2, "(first: 100)")) == 10_100
    assert rows("{parties(last: 7){nodes{parent{id}}}}") == 14


def test_what_is_no_row_is_not_counted() -> None:
    text = "{parties{totalCount pageInfo{hasNextPage} nodes{id}}}"

    assert rows(text) == 20


def test_a_page_size_may_come_from_a_variable() -> None:
    text = "query($n: Int = 10){parties(first: $n){nodes{id}}}"

    assert rows(text) == 10
    assert rows(text, {"n": 3}) == 3
    assert rows(text, {"n": None}) == 20
    assert rows(text, {"n": "many"}) == 100


@pytest.mark.parametrize("size", [-1, 101, 10**9])
def test_a_page_size_out_of_range_is_refused_before_anything_is_done(size: int) -> None:
    text = "query($n: Int = 10){parties(first: $n){nodes{id}}}"

    with pytest.raises(BadUserInput, match=f"from 0 to 100, not {size}"):
        rows(text, {"n": size})


def test_a_page_in_a_fragment_counts_by_the_field_around_it() -> None:
    text = "{parties(first: 9){...F}} fragment F on PartyConnection {nodes{id}}"

    assert rows(text) == 9


def test_given_ids_count_one_by_one() -> None:
    text = "query($ids: [ID!]!){nodes(ids: $ids){id}}"

    assert rows(text, {"ids": ["1"] * 50}) == 50
    assert rows('{nodes(ids: ["1", "2"]){id}}') == 2


def test_a_bulk_payload_has_as_many_rows_as_its_input() -> None:
    text = (
        "mutation($input: ManyInput!){createMany(input: $input)"
        "{results{party{parties{nodes{id}}}}}}"
    )

    # The payload, and for each name a result, a party and a page.
    assert rows(text, {"input": {"names": ["x"] * 100}}) == 1 + 100 * (1 + 1 + 20)


def test_allowed_sizes_are_asked_anew_for_other_variables() -> None:
    documents = Documents(SCHEMA, DEFAULTS)
    text = "query($n: Int){" + nested(3, "(first: $n)")[1:]

    documents.prepare(text, None, {"n": 10})
    with pytest.raises(TooComplex):
        documents.prepare(text, None, {"n": 100})
    documents.prepare(text, None, {"n": 10})


def test_explicit_null_is_not_the_default_of_a_variable() -> None:
    documents = Documents(SCHEMA, Limits(rows=1000))
    text = "query($n: Int = 100){" + nested(2, "(first: $n)")[1:]

    documents.prepare(text, None, {"n": None})
    with pytest.raises(TooComplex):
        documents.prepare(text, None, {})


def test_a_four_level_relay_query_fits() -> None:
    assert fits(nested(4, "(first: 20)", edges=True))


def test_the_usual_introspection_query_fits() -> None:
    text = get_introspection_query(
        specified_by_url=True, input_value_deprecation=True, schema_description=True
    )

    assert fits(text)


def aliases(count: int) -> str:
    return '{party(id:"1"){' + " ".join(f"a{i}: id" for i in range(count)) + "}}"


def root_fields(count: int) -> str:
    return "{" + "__typename " * count + "}"


def directives(count: int) -> str:
    return '{party(id:"1"){id ' + "@include(if: true) " * count + "}}"


@pytest.mark.parametrize(
    ("limit", "make", "allowed"),
    [
        ("aliases", aliases, 30),
        ("rootFields", root_fields, 20),
    ],
)
def test_what_is_within_a_limit_fits_and_one_more_does_not(
    limit: str, make: Any, allowed: int
) -> None:
    assert fits(make(allowed))
    assert refused(make(allowed + 1)) == {
        "limit": limit,
        "allowed": allowed,
        "actual": allowed + 1,
    }


def doubling(levels: int) -> str:
    """A fragment that is spread twice by one that is spread twice, and so on."""
    chain = " ".join(
        f"fragment F{i} on Party {{...F{i + 1} ...F{i + 1}}}" for i in range(levels)
    )
    return f'{{party(id:"1"){{...F0}}}} {chain} fragment F{levels} on Party {{name}}'


HOSTILE = {
    "doubling 30": (doubling(30), "sameName"),
    "doubling 150": (doubling(150), "nesting"),
    "doubling of aliased relations": (
        '{party(id:"1"){...F0}} '
        + " ".join(
            f"fragment F{i} on Party {{x:parent{{...F{i + 1}}} parent{{...F{i + 1}}}}}"
            for i in range(11)
        )
        + " fragment F11 on Party {name}",
        "fields",
    ),
    "nested pages": (nested(9, "(first: 100)"), "rows"),
    "a thousand aliases": (aliases(1000), "tokens"),
    "aliases within the tokens": (aliases(600), "aliases"),
    "directives by the hundred": (directives(100), "directives"),
    "unknown directives": ('{party(id:"1"){id ' + "@aa " * 900 + "}}", "directives"),
    "one field by the thousand": (
        '{party(id:"1"){' + "name " * 1900 + "}}",
        "sameName",
    ),
    "overlapping relations": (
        '{party(id:"1"){' + "parent{id} " * 450 + "}}",
        "sameName",
    ),
    "overlap in two levels": (
        '{party(id:"1"){' + ("parent{" + "parent{id} " * 9 + "}") * 40 + "}}",
        "overlap",
    ),
    "deep introspection": (
        "{__schema{types{" + "ofType{" * 15 + "name" + "}" * 15 + "}}}",
        "introspectionDepth",
    ),
    "the schema twice": (
        "{__schema{types{name}} a: __schema{types{name}}}",
        "schemas",
    ),
    "tokens": ("{" + "__typename " * 5000 + "}", "tokens"),
    "comments": ("#\n" * 30_000 + "{__typename}", "tokens"),
    "nested braces": ("{a" * 900 + "}" * 900, "tokens"),
    "nested lists": ("{text(value: " + "[" * 900 + "]" * 900 + ")}", "tokens"),
    "fragments one within the other": (
        "{...F0} "
        + " ".join(f"fragment F{i} on Query {{...F{i + 1}}}" for i in range(180))
        + " fragment F180 on Query {__typename}",
        "nesting",
    ),
    "inline fragments": ("{" + "...{" * 150 + "__typename" + "}" * 151, "nesting"),
    "a long text": ("#" + "x" * 70_000 + "\n{__typename}", "queryBytes"),
    "twenty megabytes of comment": ("#" * 20_000_000 + "\n{__typename}", "queryBytes"),
    "many operations": (
        "".join(f"query Q{i} {{a:__typename ...F}}" for i in range(150))
        + " fragment F on Query {"
        + "__typename " * 30
        + "}",
        "rootFields",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_document_is_refused_at_once(case: str) -> None:
    text, limit = HOSTILE[case]
    name = "Q0" if case == "many operations" else None

    with pytest.raises(TooComplex) as caught:
        prepare(text, name=name)
    fastest = min(duration_of_refusal(text, name) for _ in range(12))

    assert caught.value.details["limit"] == limit
    # 50 ms is what is promised; of processor time, for others use this machine.
    # Within 50 ms on a machine of its own, which `make attack-documents` shows.
    assert fastest < 0.25


def duration_of_refusal(text: str, name: str | None) -> float:
    documents = Documents(SCHEMA, DEFAULTS)
    start = time.thread_time()
    with pytest.raises(TooComplex):
        documents.prepare(text, name, {})
    return time.thread_time() - start


@pytest.mark.parametrize(
    "text",
    [
        "{...Nope}",
        "{...A} fragment A on Query {...B} fragment B on Query {...A}",
        "{...A} fragment A on Nope {id}",
        "{nope{nope(first: 3){nodes{id}}}}",
        "{parties}",
        "{__typename{x}}",
        "fragment A on Query {__typename} {...A ... on Nope{x}}",
        "{text(number: [1])}",
        "{parties(first: 1.5){nodes{id}} }",
        "{parties(first: $n){nodes{id}}}",
    ],
)
def test_what_is_no_document_of_the_schema_is_left_to_validation(text: str) -> None:
    with pytest.raises(InvalidDocument):
        prepare(text)


@pytest.mark.parametrize(
    "value",
    [
        'value: "a\\u0000b"',
        'value: "a\\u{0}b"',
        'value: "a\0b"',
        'value: """a\0b"""',
        "number: 1e400",
        "number: 1E+999",
        f"number: {'9' * 400}",
        f"big: {'9' * 5000}",
    ],
)
def test_a_literal_that_nothing_can_hold_is_refused(value: str) -> None:
    with pytest.raises(BadUserInput):
        prepare("{text(" + value + ")}")


@pytest.mark.parametrize(
    "value",
    [
        r'value: "\\u0000"',
        f'value: "{"9" * 30}"',
        'value: "1e400"',
        "number: 1e300",
        "number: 0.12345678901234567890123",
    ],
)
def test_what_only_looks_like_it_is_not(value: str) -> None:
    assert fits("{text(" + value + ")}")


def test_a_text_is_parsed_and_validated_once() -> None:
    documents = Documents(SCHEMA, DEFAULTS)
    first, *_ = documents.prepare("{parties{totalCount}}", None, {})

    second, *_ = documents.prepare("{parties{totalCount}}", None, {})

    assert second is first


def test_the_texts_that_are_kept_are_bounded() -> None:
    documents = Documents(SCHEMA, DEFAULTS)
    text = "#" + "x" * 60_000 + "\n{parties{totalCount}}"
    first, *_ = documents.prepare(text, None, {})

    for i in range(10):
        documents.prepare(f"{text} #{i}", None, {})
    again, *_ = documents.prepare(text, None, {})

    assert again is not first


@pytest.mark.parametrize(
    ("name", "chosen"), [("A", "query A"), ("B", "query B"), (None, None), ("C", None)]
)
def test_an_operation_is_chosen_by_its_name(
    name: str | None, chosen: str | None
) -> None:
    documents = Documents(SCHEMA, DEFAULTS)
    text = "query A {__typename} query B {__typename}"

    try:
        _, operation, _ = documents.prepare(text, name, {})
    except GraphApiError as error:
        found = error.code
    else:
        found = print_ast(operation).split(" {")[0]

    assert found == (chosen or "OPERATION_RESOLUTION_FAILURE")
