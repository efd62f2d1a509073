// PostGraphile as its documentation would have it in production, for the benchmark.
import { PgSimplifyInflectionPreset } from "@graphile/simplify-inflection";
import { makePgService } from "postgraphile/adaptors/pg";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { PostGraphileConnectionFilterPreset } from "postgraphile-plugin-connection-filter";

const { DATABASE_URL, WORKSPACE } = process.env;

export default {
  extends: [
    PostGraphileAmberPreset,
    PgSimplifyInflectionPreset,
    PostGraphileConnectionFilterPreset,
  ],
  pgServices: [
    makePgService({
      connectionString: DATABASE_URL,
      schemas: ["public"],
      pubsub: false,
      poolConfig: { max: 10 },
    }),
  ],
  schema: {
    // Lists are leaner than connections, and used wherever a page's edges are not.
    defaultBehavior: "+list +connection",
    // As our indexes have it.
    pgOrderByNullsLast: true,
    connectionFilterRelations: true,
  },
  grafast: {
    context: () => ({ pgSettings: { "app.workspace": WORKSPACE } }),
  },
  grafserv: {
    graphiql: false,
    websockets: false,
    watch: false,
    maxRequestLength: 100_000,
  },
};
