// Starts GraphiQL on this page: its operations go back to the page's own address.
"use strict";

async function examples() {
  const response = await fetch("/graphiql/examples.graphql");
  return response.ok ? response.text() : "{ __typename }";
}

async function start() {
  const parameters = new URLSearchParams(window.location.search);
  const shared = parameters.get("query");
  const query = shared ?? (await examples());
  const variables = shared === null ? undefined : parameters.get("variables");
  const fetcher = GraphiQL.createFetcher({
    url: window.location.pathname,
    // Not one that a form of another site could send.
    headers: { "x-graphql-client": "graphiql" },
  });
  const element = React.createElement(GraphiQL, {
    fetcher,
    defaultQuery: query,
    // A link with a query opens that; else the browser remembers the last tabs.
    query: shared ?? undefined,
    variables: variables ?? undefined,
    plugins: [GraphiQLPluginExplorer.explorerPlugin()],
    defaultEditorToolsVisibility: true,
    inputValueDeprecation: true,
    schemaDescription: true,
    shouldPersistHeaders: false,
  });
  ReactDOM.createRoot(document.getElementById("graphiql")).render(element);
}

start();
