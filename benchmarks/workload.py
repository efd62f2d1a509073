"""What is asked of every server: each operation as ours, and as PostGraphile has it.

The usual stack takes the same text as we do; the limit takes only the variables. Keys
are asked for as `uuid`, which PostGraphile calls `rowId`: so the answers are equal.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from graphql import get_introspection_query

Variables = dict[str, Any]

CORE = ("Q1", "Q2", "Q3", "Q4", "Q5")


@dataclass(frozen=True)
class Facts:
    """What of the data the variables are drawn from."""

    parties: Sequence[str]
    hubs: Sequence[str]
    collections: Sequence[str]
    # Roles that no other operation reads, for the commitments that are made.
    roles_to_bind: Sequence[str]


@dataclass(frozen=True)
class Operation:
    """One thing that is asked, and how its variables are drawn.

    `by_shape` is set where answers differ by nature, and only what they consist of can
    be compared; `own_schema` where even that is each server's own. `pages` says that
    the variable `after` is a cursor, which each server gives in its own form.
    """

    key: str
    says: str
    ours: str
    postgraphile: str
    draw: Callable[[Facts, Random, int], Variables]
    by_shape: bool = False
    own_schema: bool = False
    pages: bool = False


def _nothing(_facts: Facts, _random: Random, _number: int) -> Variables:
    return {}


def _party(facts: Facts, random: Random, _number: int) -> Variables:
    return {"id": random.choice(facts.parties)}


def _hub(facts: Facts, random: Random, _number: int) -> Variables:
    return {"id": random.choice(facts.hubs)}


def _collection(facts: Facts, random: Random, _number: int) -> Variables:
    return {"id": random.choice(facts.collections)}


def _priority(_facts: Facts, random: Random, _number: int) -> Variables:
    return {"priority": random.randrange(50, 90)}


def _commitment(facts: Facts, random: Random, number: int) -> Variables:
    due = datetime(2026, 7, 1, tzinfo=UTC) + timedelta(minutes=random.randrange(10**6))
    return {
        "role": random.choice(facts.roles_to_bind),
        "title": f"Water the garden, {number}",
        "priority": random.randrange(101),
        "due": due.isoformat(),
    }


Q1 = Operation(
    "Q1",
    "one party by id, 6 scalars",
    """
query Q1($id: ID!) {
  party(id: $id) { id: uuid kind name taxId contact createdAt }
}""",
    """
query Q1($id: UUID!, $workspace: UUID!) {
  party(workspaceId: $workspace, rowId: $id) {
    id: rowId kind name taxId contact: contactJson createdAt
  }
}""",
    _party,
)

Q2 = Operation(
    "Q2",
    "50 active commitments by priority, 8 scalars each",
    """
query Q2 {
  commitments(
    filter: {state: {eq: ACTIVE}}
    orderBy: [{field: PRIORITY, direction: DESC}]
    first: 50
  ) {
    nodes { id: uuid title state priority severity dueAt commitmentType source }
  }
}""",
    """
query Q2 {
  commitments: commitmentsList(
    condition: {state: "active"}
    orderBy: [PRIORITY_DESC, PRIMARY_KEY_DESC]
    first: 50
  ) { id: rowId title state priority severity dueAt commitmentType source }
}""",
    _nothing,
)

Q3 = Operation(
    "Q3",
    "50 commitments with role and its party, counterparty, first 5 documents",
    """
query Q3 {
  commitments(
    filter: {state: {eq: ACTIVE}}
    orderBy: [{field: PRIORITY, direction: DESC}]
    first: 50
  ) {
    nodes {
      id: uuid title state priority dueAt
      role { id: uuid roleName party { id: uuid name kind } }
      counterparty { id: uuid name }
      documents(first: 5) { nodes { id: uuid title mimeType fileSize } }
    }
  }
}""",
    """
query Q3 {
  commitments: commitmentsList(
    condition: {state: "active"}
    orderBy: [PRIORITY_DESC, PRIMARY_KEY_DESC]
    first: 50
  ) {
    id: rowId title state priority dueAt
    role: workspaceRole {
      id: rowId roleName party: workspaceParty { id: rowId name kind }
    }
    counterparty: workspaceCounterparty { id: rowId name }
    documents: documentsList(first: 5) { id: rowId title mimeType fileSize }
  }
}""",
    _nothing,
)

Q4 = Operation(
    "Q4",
    "a knowledge node, its 20 strongest edges, 10 of each target",
    """
query Q4($id: ID!) {
  knowledgeNode(id: $id) {
    id: uuid label nodeType
    outEdges(first: 20, orderBy: [{field: WEIGHT, direction: DESC}]) {
      nodes {
        id: uuid edgeType weight
        target {
          id: uuid label
          outEdges(first: 10, orderBy: [{field: WEIGHT, direction: DESC}]) {
            nodes { id: uuid edgeType weight target { id: uuid label } }
          }
        }
      }
    }
  }
}""",
    """
query Q4($id: UUID!, $workspace: UUID!) {
  knowledgeNode: knowledgeGraphNode(workspaceId: $workspace, rowId: $id) {
    id: rowId label nodeType
    outEdges: knowledgeGraphEdgesByWorkspaceIdAndSourceIdList(
      first: 20 orderBy: [WEIGHT_DESC, PRIMARY_KEY_DESC]
    ) {
      id: rowId edgeType weight
      target: workspaceTarget {
        id: rowId label
        outEdges: knowledgeGraphEdgesByWorkspaceIdAndSourceIdList(
          first: 10 orderBy: [WEIGHT_DESC, PRIMARY_KEY_DESC]
        ) { id: rowId edgeType weight target: workspaceTarget { id: rowId label } }
      }
    }
  }
}""",
    _hub,
)

Q5 = Operation(
    "Q5",
    "1,000 parties, 6 scalars each, two of them times",
    """
query Q5 {
  parties(first: 1000) {
    nodes { id: uuid kind name taxId createdAt updatedAt }
  }
}""",
    """
query Q5 {
  parties: partiesList(first: 1000, orderBy: [PRIMARY_KEY_ASC]) {
    id: rowId kind name taxId createdAt updatedAt
  }
}""",
    _nothing,
)

M1 = Operation(
    "M1",
    "make a commitment, and its interaction",
    """
mutation M1($role: ID!, $title: String!, $priority: Int!, $due: DateTime) {
  createCommitment(input: {
    roleId: $role, title: $title, commitmentType: GOAL, source: API
    priority: $priority, dueAt: $due
  }) {
    commitment { id: uuid title state priority dueAt version createdAt }
    interaction { type }
    userErrors { code message }
  }
}""",
    """
mutation M1($role: UUID!, $title: String!, $priority: Int!, $due: Datetime) {
  createCommitment: createLoggedCommitment(input: {
    roleId: $role, title: $title, commitmentType: "goal", source: "api"
    priority: $priority, dueAt: $due
  }) {
    commitment: result {
      id: rowId title state priority dueAt version createdAt
      interaction: lastInteractionList { type }
    }
  }
}""",
    _commitment,
    by_shape=True,
)

F = Operation(
    "F",
    "a list filtered by a related row as well, ordered, with its count",
    """
query F($priority: Int!) {
  commitments(
    filter: {
      state: {eq: ACTIVE}, priority: {lte: $priority}
      role: {party: {kind: {eq: ORG}}}
    }
    orderBy: [{field: PRIORITY, direction: DESC}]
    first: 20
  ) {
    totalCount
    nodes { id: uuid title dueAt priority role { roleName party { name } } }
  }
}""",
    """
query F($priority: Int!) {
  commitments(
    filter: {
      state: {equalTo: "active"}, priority: {lessThanOrEqualTo: $priority}
      workspaceRole: {workspaceParty: {kind: {equalTo: "org"}}}
    }
    orderBy: [PRIORITY_DESC, PRIMARY_KEY_DESC]
    first: 20
  ) {
    totalCount
    nodes {
      id: rowId title dueAt priority
      role: workspaceRole { roleName party: workspaceParty { name } }
    }
  }
}""",
    _priority,
)

A = Operation(
    "A",
    "a page from the middle of the documents by title",
    """
query A($after: String, $first: Int! = 20) {
  documents(first: $first, after: $after, orderBy: [{field: TITLE}]) {
    nodes { id: uuid title mimeType fileSize }
    pageInfo { hasNextPage endCursor }
  }
}""",
    """
query A($after: Cursor, $first: Int! = 20) {
  documents(first: $first, after: $after, orderBy: [TITLE_ASC, PRIMARY_KEY_ASC]) {
    nodes { id: rowId title mimeType fileSize }
    pageInfo { hasNextPage endCursor }
  }
}""",
    _nothing,
    pages=True,
)

T = Operation(
    "T",
    "a tree of four levels: party, roles, commitments, documents",
    """
query T($id: ID!) {
  party(id: $id) {
    id: uuid name
    roles(first: 5) {
      nodes {
        id: uuid roleName
        commitments(first: 5, orderBy: [{field: PRIORITY, direction: DESC}]) {
          nodes {
            id: uuid title priority
            counterparty { name }
            documents(first: 3) { nodes { id: uuid title collection { name } } }
          }
        }
      }
    }
  }
}""",
    """
query T($id: UUID!, $workspace: UUID!) {
  party(workspaceId: $workspace, rowId: $id) {
    id: rowId name
    roles: rolesByWorkspaceIdAndPartyIdList(first: 5, orderBy: [PRIMARY_KEY_ASC]) {
      id: rowId roleName
      commitments: commitmentsByWorkspaceIdAndRoleIdList(
        first: 5 orderBy: [PRIORITY_DESC, PRIMARY_KEY_DESC]
      ) {
        id: rowId title priority
        counterparty: workspaceCounterparty { name }
        documents: documentsList(first: 3) {
          id: rowId title collection: workspaceCollection { name }
        }
      }
    }
  }
}""",
    _party,
)

U = Operation(
    "U",
    "20 documents of a collection, their links, and what these lead to",
    """
query U($id: ID!) {
  collection(id: $id) {
    id: uuid name
    documents(first: 20) {
      nodes {
        id: uuid title
        links(first: 10) {
          nodes {
            relation
            target {
              ... on Commitment { id: uuid title state }
              ... on Party { id: uuid name kind }
            }
          }
        }
      }
    }
  }
}""",
    """
query U($id: UUID!, $workspace: UUID!) {
  collection(workspaceId: $workspace, rowId: $id) {
    id: rowId name
    documents: documentsByWorkspaceIdAndCollectionIdList(
      first: 20 orderBy: [PRIMARY_KEY_ASC]
    ) {
      id: rowId title
      links: documentLinksByWorkspaceIdAndDocumentIdList(
        first: 10 orderBy: [PRIMARY_KEY_ASC]
      ) {
        relation
        commitments: commitmentList { id: rowId title state }
        parties: partyList { id: rowId name kind }
      }
    }
  }
}""",
    _collection,
)

INTROSPECTION = get_introspection_query(descriptions=True)
INTROSPECT = Operation(
    "I",
    "introspection, by each server of its own schema",
    INTROSPECTION,
    INTROSPECTION,
    _nothing,
    own_schema=True,
)

OPERATIONS = {one.key: one for one in (Q1, Q2, Q3, Q4, Q5, M1, F, A, T, U, INTROSPECT)}
