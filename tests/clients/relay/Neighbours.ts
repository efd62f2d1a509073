// A connection of what is itself called an edge.
import { graphql } from "relay-runtime";

export const neighbours = graphql`
  fragment Neighbours_node on KnowledgeNode
  @refetchable(queryName: "NeighboursPaginationQuery")
  @argumentDefinitions(
    count: { type: "Int", defaultValue: 20 }
    cursor: { type: "String" }
    filter: { type: "KnowledgeEdgeFilter" }
  ) {
    label
    outEdges(filter: $filter, first: $count, after: $cursor)
      @connection(key: "Neighbours_outEdges") {
      edges {
        node {
          edgeType
          weight
          target {
            label
          }
        }
      }
    }
  }
`;

export const connect = graphql`
  mutation NeighboursConnectMutation(
    $input: CreateKnowledgeEdgeInput!
    $connections: [ID!]!
  ) {
    createKnowledgeEdge(input: $input) {
      knowledgeEdge
        @appendNode(connections: $connections, edgeTypeName: "KnowledgeEdgeEdge") {
        edgeType
        weight
      }
      userErrors {
        message
      }
    }
  }
`;
