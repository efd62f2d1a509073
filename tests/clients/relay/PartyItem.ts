// One party, read again by its id, with a list of its own that goes both ways.
import { graphql } from "relay-runtime";

export const item = graphql`
  fragment PartyItem_party on Party @refetchable(queryName: "PartyItemRefetchQuery") {
    id
    version
    name
    kind
    contact
    roles(first: 3) {
      nodes {
        roleName
      }
    }
  }
`;

export const owed = graphql`
  fragment PartyItem_commitments on Party
  @refetchable(queryName: "PartyItemCommitmentsQuery")
  @argumentDefinitions(
    states: { type: "[CommitmentState!]", defaultValue: [ACTIVE, DELINQUENT] }
    first: { type: "Int", defaultValue: 10 }
    after: { type: "String" }
    last: { type: "Int" }
    before: { type: "String" }
  ) {
    commitments(
      filter: { state: { in: $states } }
      first: $first
      after: $after
      last: $last
      before: $before
    ) @connection(key: "PartyItem_commitments") {
      edges {
        cursor
        node {
          id
          title
          state
          dueAt
        }
      }
      pageInfo {
        hasNextPage
        hasPreviousPage
        startCursor
        endCursor
      }
    }
  }
`;

export const page = graphql`
  query PartyItemQuery($id: ID!) {
    node(id: $id) {
      __typename
      ...PartyItem_party @alias(as: "party")
      ...PartyItem_commitments @alias(as: "owed")
    }
    party(id: $id) @required(action: LOG) {
      ...PartyItem_party @alias(as: "card")
      documents(first: 5) {
        nodes {
          title
          fileSize
          extractionCost
        }
      }
    }
  }
`;
