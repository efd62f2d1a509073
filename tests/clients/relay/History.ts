// The log of whatever it is, on the interface that all entities have.
import { graphql } from "relay-runtime";

export const history = graphql`
  fragment History_entity on Entity
  @refetchable(queryName: "HistoryPaginationQuery")
  @argumentDefinitions(
    count: { type: "Int", defaultValue: 20 }
    cursor: { type: "String" }
  ) {
    uuid
    version
    interactions(first: $count, after: $cursor)
      @connection(key: "History_interactions") {
      edges {
        node {
          position
          type
          before
          after
          actor {
            label
          }
        }
      }
    }
  }
`;

export const accept = graphql`
  mutation HistoryAcceptMutation($input: AcceptCommitmentInput!) {
    acceptCommitment(input: $input) {
      commitment {
        id
        state
        version
        ...History_entity
      }
      userErrors {
        __typename
        message
        path
        code
        ... on InvalidTransitionError {
          from
          to
          allowed
        }
        ... on ConflictError {
          current {
            id
            ...History_entity
          }
        }
      }
    }
  }
`;
