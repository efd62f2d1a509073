"""Operations by name, each for one thing that two ways of answering can differ in.

An operation's variables are made from the world that it is asked in, so that it can
name rows. What is to be said of the answer, beyond that both ways agree, is beside it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from operations import Operation
from world import Row, World

from graph_api.ids import global_id
from graph_api.models import (
    Base,
    Document,
    DocumentLink,
    Interaction,
    Party,
    Role,
    User,
    Workspace,
)

Given = Callable[[World], Mapping[str, Any]]


def nothing(_: World) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True)
class Named:
    """An operation, what it is given, and which codes its errors have."""

    query: str
    given: Given = nothing
    codes: tuple[str, ...] = ()
    broken: bool = False
    operation: str | None = None

    def in_(self, world: World, name: str) -> Operation:
        return Operation(world, self.query, self.given(world), self.operation, name)


def ids(model: type[Base], *indexes: int) -> Given:
    """`$id` is that of one row, `$ids` those of some."""

    def given(world: World) -> Mapping[str, Any]:
        rows = world.rows[model]
        found = [global_id(model.__name__, rows[i]["id"]) for i in indexes]
        return {"id": found[0]} if len(found) == 1 else {"ids": found}

    return given


def where(model: type[Base], condition: Callable[[Row], Any]) -> Given:
    """`$id` is that of the first row for which `condition` holds."""

    def given(world: World) -> Mapping[str, Any]:
        row = next(row for row in world.rows[model] if condition(row))
        return {"id": global_id(model.__name__, row["id"])}

    return given


def mixed_ids(world: World) -> Mapping[str, Any]:
    """Ids of every kind, one twice, one of nobody's row."""
    found = [
        global_id(model.__name__, row["id"])
        for model in (Party, Document, User, Workspace, DocumentLink, Interaction, Role)
        for row in world.rows[model][:2]
    ]
    nobodys = global_id("Party", world.rows[Role][0]["id"])
    return {"ids": [*found, found[0], nobodys]}


def of_world(**values: Any) -> Given:
    return lambda _: values


FIGURES = """
fragment Figures on CommitmentAggregate {
    count avg { priority severity } sum { priority severity }
    min { priority dueAt createdAt } max { severity dueAt updatedAt }
}
"""

NAMED: dict[str, Named] = {
    # Values
    "fractions of seconds": Named(
        """
        { commitments(first: 100) { nodes { dueAt createdAt updatedAt } }
        signals(first: 100) { nodes { receivedAt } } }
        """
    ),
    "floats, the minus of zero too": Named(
        """
        { knowledgeEdges(first: 100) { nodes { weight } } documents(first: 100) {
        nodes { classificationConfidence } } }
        """
    ),
    "lists of floats": Named("{ knowledgeNodes(first: 100) { nodes { embedding } } }"),
    "lists of texts": Named("{ commitments(first: 100) { nodes { domainTags } } }"),
    "integers of 64 bits": Named(
        """
        { documents(first: 100) { nodes { fileSize } aggregate { sum { fileSize }
        max { fileSize } avg { fileSize } } } interactions(first: 100) { nodes {
        position } } }
        """
    ),
    "decimals with their places": Named(
        """
        { signals(first: 100) { nodes { extractionCost } aggregate { sum {
        extractionCost } avg { extractionCost } max { extractionCost } } }
        interactions(first: 100) { nodes { cost } } }
        """
    ),
    "JSON as it is spelled": Named(
        """
        { parties(first: 100) { nodes { contact metadata } } signals(first: 100) {
        nodes { payload } } knowledgeNodes(first: 100) { nodes { properties } }
        interactions(first: 100) { nodes { before after metadata } } }
        """
    ),
    "JSON with numbers beyond floats": Named(
        "{ parties(first: 100) { nodes { contact metadata } } }", broken=True
    ),
    "texts of every script": Named(
        """
        { commitments(first: 100) { nodes { title description reason externalRef }
        } documents(first: 100) { nodes { title text fileName language } } }
        """
    ),
    "words of enumerations": Named(
        """
        { commitments(first: 100) { nodes { state source commitmentType } }
        interactions(first: 100) { nodes { actorType primaryEntityType } } }
        """
    ),
    "uuids": Named(
        """
        { interactions(first: 100) { nodes { id requestId changeSetId } }
        roles(first: 100) { nodes { id uuid } } }
        """
    ),
    "booleans and nulls": Named(
        """
        { documents(first: 100) { nodes { isActive pageCount language sha256 } } }
        """
    ),
    # Selections
    "one name selected twice is merged": Named(
        """
        { parties(first: 3) { nodes { name } nodes { roles(first: 2) { nodes {
        roleName } } } ... on PartyConnection { nodes { roles(first: 2) {
        totalCount } } } } }
        """
    ),
    "keys stand in the order of their first selection": Named(
        """
        { roles(first: 3) { totalCount nodes { ...Late roleName party { name }
        ...Late externalRef party { id kind } } pageInfo { endCursor } } }
        fragment Late on Role { id party { kind } version }
        """
    ),
    "aliases of one field with different arguments": Named(
        """
        { parties(first: 4) { nodes { two: roles(first: 2) { nodes { roleName } }
        last: roles(last: 1) { nodes { roleName } } none: roles(first: 0) { nodes
        { roleName } pageInfo { endCursor } } named: roles(orderBy: [{field:
        CREATED_AT, direction: DESC}]) { edges { cursor } } } } }
        """
    ),
    "one name with two meanings is refused": Named(
        "{ parties { nodes { x: name x: kind } } }",
        codes=("GRAPHQL_VALIDATION_FAILED",),
    ),
    "one name with two sets of arguments is refused": Named(
        "{ parties(first: 1) { totalCount } parties(first: 2) { totalCount } }",
        codes=("GRAPHQL_VALIDATION_FAILED",),
    ),
    "fragments in fragments, by interfaces": Named(
        """
        query ($ids: [ID!]!) { nodes(ids: $ids) { ...Any } }
        fragment Any on Node { __typename id ... on Entity { uuid version
        links(first: 2) { nodes { relation } } } ... on Actor { label ... on User
        { username ...Deep } } ... { __typename } }
        fragment Deep on User { roles(first: 2) { nodes { party { ... on Node { id
        } } } } }
        """,
        mixed_ids,
    ),
    "types that do not fit give empty objects": Named(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Tag { name } } }", mixed_ids
    ),
    "nothing but __typename": Named(
        """
        { __typename parties(first: 2) { __typename nodes { t: __typename } edges
        { __typename node { __typename } } pageInfo { __typename } } viewer {
        __typename } }
        """
    ),
    "skip and include by variables": Named(
        """
        query ($yes: Boolean!, $no: Boolean = false) { parties(first: 2) { nodes {
        name @include(if: $yes) id @skip(if: $yes) kind @include(if: $no) roles
        @skip(if: $no) { totalCount @include(if: $yes) } ... @include(if: $no) {
        version } ...Some @skip(if: $no) } } }
        fragment Some on Party { externalRef @include(if: $yes) }
        """,
        of_world(yes=True),
    ),
    "what is included here and skipped there is there once": Named(
        """
        query ($no: Boolean!) { parties(first: 1) { nodes { name @include(if: $no)
        id name roles @skip(if: true) { totalCount } } } }
        """,
        of_world(no=False),
    ),
    "everything skipped leaves empty objects": Named(
        "{ parties(first: 2) { nodes { name @skip(if: true) } } }"
    ),
    "the operation is chosen by name": Named(
        """
        query A { tags(first: 1) { totalCount } }
        query B { tags(first: 2) { nodes { name } } }
        """,
        operation="B",
    ),
    "no operation is chosen": Named(
        """
        query A { __typename }
        query B { __typename }
        """,
        codes=("OPERATION_RESOLUTION_FAILURE",),
    ),
    "introspection beside data": Named(
        """
        { __type(name: "Party") { name fields { name } } tags(first: 1) {
        totalCount } }
        """
    ),
    # Variables
    "variables that are absent, null and given": Named(
        """
        query ($first: Int, $last: Int, $filter: PartyFilter, $after: String) {
        parties(first: $first, last: $last, filter: $filter, after: $after) {
        totalCount nodes { name } pageInfo { hasNextPage hasPreviousPage } } }
        """,
        of_world(last=2, filter=None),
    ),
    "variables with defaults": Named(
        """
        query ($first: Int = 2, $by: [PartyOrder!] = [{field: CREATED_AT}]) {
        parties(first: $first, orderBy: $by) { nodes { createdAt } } }
        """
    ),
    "variables within lists and objects": Named(
        """
        query ($kind: PartyKind!, $word: String, $no: PartyFilter!) {
        parties(filter: {kind: {in: [ORG, $kind]}, or: [{name: {contains: $word}},
        $no]}) { nodes { name kind } } }
        """,
        of_world(kind="PERSON", word="a", no={"not": {"name": {"isNull": True}}}),
    ),
    "variables within JSON": Named(
        """
        query ($n: Int) { signals(filter: {payload: {contains: {a: $n}}}) {
        totalCount } }
        """,
        of_world(n=1),
    ),
    "a variable of a wrong type": Named(
        "query ($first: Int) { parties(first: $first) { totalCount } }",
        of_world(first="many"),
        ("BAD_USER_INPUT",),
    ),
    "a variable that is missing": Named(
        "query ($id: ID!) { party(id: $id) { name } }", codes=("BAD_USER_INPUT",)
    ),
    "a null for what cannot be null": Named(
        """
        query ($first: Int = 3) { parties { groups(by: [KIND], first: $first) {
        aggregate { count } } } }
        """,
        of_world(first=None),
        ("BAD_USER_INPUT",),
    ),
    # Lists
    "pages forwards, backwards and of nothing": Named(
        """
        { a: commitments(first: 3) { ...Page } b: commitments(last: 3) { ...Page }
        c: commitments(first: 0) { ...Page } d: commitments(last: 0) { ...Page }
        e: commitments(first: 100) { ...Page } f: commitments(last: 100) { ...Page
        } }
        fragment Page on CommitmentConnection { totalCount nodes { id } edges {
        cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }
        """
    ),
    "orders with ties and nulls": Named(
        """
        { a: commitments(orderBy: [{field: DUE_AT, nulls: FIRST}]) { ...Page } b:
        commitments(orderBy: [{field: DUE_AT, direction: DESC}]) { ...Page } c:
        commitments(orderBy: [{field: PRIORITY}, {field: DUE_AT, nulls: FIRST,
        direction: DESC}, {field: CREATED_AT}], last: 7) { ...Page } }
        fragment Page on CommitmentConnection { edges { cursor node { dueAt
        priority createdAt } } }
        """
    ),
    "figures": Named(
        """
        { commitments { totalCount totalCountCapped aggregate { count ...Figures }
        groups(by: [STATE, PRIORITY], first: 50) { key { state priority title:
        roleId } aggregate { count ...Figures } } } }
        """
        + FIGURES
    ),
    "figures of lists below, some of them empty": Named(
        """
        { parties(first: 20) { nodes { commitments(first: 1) { totalCount
        aggregate { count ...Figures } groups(by: [COMMITMENT_TYPE]) { key {
        commitmentType } aggregate { count } } } } } }
        """
        + FIGURES
    ),
    "filters by related rows": Named(
        """
        { parties(filter: {roles: {some: {commitments: {some: {priority: {gte:
        1}}}}}, not: {documents: {every: {isActive: {eq: true}}}}}) { totalCount
        nodes { name roles(filter: {commitments: {none: {state: {eq: ACTIVE}}}}) {
        totalCount } } } }
        """
    ),
    "a cursor of another list": Named(
        """
        query ($after: String) { parties(first: 1) { pageInfo { endCursor } }
        roles(after: $after) { totalCount nodes { id } } }
        """,
        of_world(after="AAAA"),
        ("BAD_CURSOR",),
    ),
    "a page too large": Named(
        "{ parties(first: 101) { totalCount } }", codes=("BAD_USER_INPUT",)
    ),
    "first and last": Named(
        "{ parties(first: 1, last: 1) { totalCount nodes { id } } }",
        codes=("BAD_USER_INPUT",),
    ),
    "four levels": Named(
        """
        { parties(first: 5) { nodes { name roles(first: 3) { nodes { roleName
        commitments(first: 3) { nodes { title documents(first: 2) { nodes { title
        tags(first: 2) { nodes { name } } } } } } } } } } }
        """
    ),
    "the same rows by several ways": Named(
        """
        { knowledgeNodes(first: 6) { nodes { label outEdges(first: 4) { nodes {
        weight target { label inEdges(first: 3) { nodes { source { label } target
        { id } } } } } } } } }
        """
    ),
    # Objects
    "objects of every kind": Named(
        """
        query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Party {
        name } ... on Document { title owner { label } } ... on User { username
        preferences } ... on Workspace { name members { totalCount nodes { role
        user { label } } } } ... on DocumentLink { target { __typename id } } ...
        on Role { roleName } } }
        """,
        mixed_ids,
    ),
    "what links lead to, some of it gone": Named(
        """
        { documentLinks(first: 100) { nodes { entityType target { __typename id
        uuid ... on Commitment { title role { party { name } } } ... on
        KnowledgeEdge { weight source { label } } ... on Document { title fileHash
        { fileHash } } } } } }
        """
    ),
    "the log, who did it and to what": Named(
        """
        { interactions(first: 100) { nodes { type actor { __typename label }
        primaryEntity { __typename version } relatedEntities { entityType entityId
        entity { __typename id } } } } }
        """
    ),
    "one that there is": Named(
        """
        query ($id: ID!) { document(id: $id) { title collection { name parent {
        name } } fileHash { duplicateCount } signals { totalCount } } }
        """,
        ids(Document, 0),
    ),
    "one by its bare key": Named(
        "query ($id: ID!) { party(id: $id) { id uuid } }",
        lambda world: {"id": str(world.rows[Party][0]["id"])},
    ),
    "one that is of another type": Named(
        "query ($id: ID!) { party(id: $id) { name } }",
        ids(Role, 0),
        ("BAD_USER_INPUT",),
    ),
    "one that nobody has": Named(
        "query ($id: ID!) { party(id: $id) { name } node(id: $id) { id } }",
        lambda world: {"id": global_id("Party", world.rows[Role][0]["id"])},
    ),
    "an id that is none, beside what is well": Named(
        'query ($id: ID!) { party(id: "x") { name } role(id: $id) { roleName } }',
        ids(Role, 0),
        ("BAD_USER_INPUT",),
    ),
    "who asks": Named(
        """
        { viewer { user { label email memberships { nodes { role workspace { name
        } } } roles(first: 2) { nodes { roleName } } } workspace { name version }
        } }
        """
    ),
    # Errors within the answer
    "null where there must be something": Named(
        """
        { roles(first: 100) { nodes { roleName party { name } } } tags {
        totalCount } }
        """,
        broken=True,
        codes=("INTERNAL",),
    ),
    "null where there must be something, under what may be null": Named(
        """
        { documentLinks(first: 100) { nodes { id target { ... on Role { party {
        name } } ... on Commitment { title role { party { name } } } } } } }
        """,
        broken=True,
        codes=("INTERNAL",),
    ),
    "errors in lists": Named(
        """
        { interactions(first: 100) { nodes { id relatedEntities { entityId } } } }
        """,
        broken=True,
        codes=("INTERNAL",),
    ),
    "errors at several places": Named(
        """
        { interactions(first: 100) { nodes { relatedEntities { entity { id } } } }
        knowledgeEdges(first: 100) { nodes { source { label } target { label } } }
        }
        """,
        broken=True,
        codes=("INTERNAL",),
    ),
    "a cursor below that is none": Named(
        '{ parties(first: 2) { nodes { roles(after: "x") { totalCount } } } }',
        codes=("BAD_CURSOR", "BAD_CURSOR"),
    ),
    "sums beyond what there is": Named(
        "{ knowledgeEdges { aggregate { sum { weight } } } }"
    ),
    # Dry runs
    "a dry run that makes something": Named(
        """
        mutation ($role: ID!) { createCommitment(input: {roleId: $role, title:
        "🐜", commitmentType: GOAL, source: API, dueAt:
        "2020-02-29T12:00:00.5+02:00", metadata: {a: 1.0}, dryRun: true}) {
        commitment { id uuid title dueAt createdAt metadata version role { id
        party { name } } interactions { nodes { id position after } edges { cursor
        } } } interaction { id position createdAt after primaryEntity { id } }
        interactions { id } userErrors { message } replayed } }
        """,
        lambda world: {"role": global_id("Role", world.rows[Role][0]["id"])},
    ),
    "a dry run that takes much away": Named(
        """
        mutation ($id: ID!, $v: Int!) { deleteParty(input: {id: $id,
        expectedVersion: $v, dryRun: true}) { deletedId interactions(first: 50) {
        type before primaryEntity { __typename } } userErrors { __typename message
        path } } }
        """,
        lambda world: {
            "id": global_id("Party", world.rows[Party][0]["id"]),
            "v": world.rows[Party][0]["version"],
        },
    ),
    "a dry run refused, with what there is": Named(
        """
        mutation ($id: ID!) { updateParty(input: {id: $id, name: "x",
        expectedVersion: 77, dryRun: true}) { party { name } userErrors {
        __typename code path ... on ConflictError { version current { __typename
        uuid ... on Party { name roles { nodes { roleName } } } } } } } }
        """,
        ids(Party, 1),
    ),
    "a dry run refused, with what is in the way": Named(
        """
        mutation ($ref: String!) { createParty(input: {kind: ORG, name: "x",
        externalRef: $ref, dryRun: true}) { userErrors { message ... on
        DuplicateError { existing { ... on Party { name externalRef } } } } } }
        """,
        lambda world: {
            "ref": next(
                row["external_ref"] for row in world.rows[Party] if row["external_ref"]
            )
        },
    ),
    "several dry runs, one of them refused": Named(
        """
        mutation ($id: ID!) { a: createTag(input: {name: "new", dryRun: true}) {
        tag { name createdAt } } b: deleteTag(input: {id: "x", expectedVersion: 1,
        dryRun: true}) { deletedId userErrors { code } } c: updateParty(input:
        {id: $id, name: "other", dryRun: true}) { party { name updatedAt roles {
        totalCount } } interactions { before after } } }
        """,
        ids(Party, 2),
    ),
    "a dry run of many": Named(
        """
        mutation { upsertKnowledgeNodes(input: {onError: SKIP, dryRun: true,
        items: [ {externalRef: "new:1", label: "One", nodeType: "x", embedding:
        [0.1, -0.0]}, {externalRef: "new:2", label: "", nodeType: "x"}]}) {
        results { index node { id label embedding outEdges { totalCount } }
        userErrors { message } } interactions { type } } }
        """
    ),
}
