// A list that loads page after page, and to which new parties are prepended.
import { graphql } from "relay-runtime";

export const query = graphql`
  query PartyListQuery($filter: PartyFilter, $count: Int = 20, $cursor: String) {
    ...PartyList_parties @arguments(filter: $filter, count: $count, cursor: $cursor)
  }
`;

export const list = graphql`
  fragment PartyList_parties on Query
  @refetchable(queryName: "PartyListPaginationQuery")
  @argumentDefinitions(
    filter: { type: "PartyFilter" }
    count: { type: "Int", defaultValue: 20 }
    cursor: { type: "String" }
  ) {
    parties(
      filter: $filter
      orderBy: [{ field: NAME, direction: ASC }]
      first: $count
      after: $cursor
    ) @connection(key: "PartyList_parties", filters: ["filter"]) {
      __id
      totalCount
      edges {
        node {
          ...PartyItem_party
        }
      }
    }
  }
`;

export const create = graphql`
  mutation PartyListCreateMutation($input: CreatePartyInput!, $connections: [ID!]!) {
    createParty(input: $input) {
      party
        @prependNode(connections: $connections, edgeTypeName: "PartyEdge") {
        ...PartyItem_party
      }
      userErrors {
        __typename
        message
        path
        ... on DuplicateError {
          existing {
            id
          }
        }
      }
    }
  }
`;

export const remove = graphql`
  mutation PartyListDeleteMutation($input: DeletePartyInput!, $connections: [ID!]!) {
    deleteParty(input: $input) {
      deletedId @deleteEdge(connections: $connections) @deleteRecord
      userErrors {
        message
      }
    }
  }
`;
