// Audits the endpoint at a URL for GraphQL over HTTP, with the specification's own audits.
// node http_audit.mjs http://127.0.0.1:8000/graphql: exits with 1 if any of them fails.
import { auditServer } from "graphql-http";

const [url] = process.argv.slice(2);
if (!url) {
  console.error("Usage: node http_audit.mjs URL");
  process.exit(2);
}
const results = await auditServer({ url });
const failed = results.filter((result) => result.status !== "ok");
for (const { id, name, status, reason } of failed) {
  console.log(`${status} ${id} ${name}: ${reason}`);
}
console.log(`${results.length - failed.length} of ${results.length} audits passed`);
process.exit(failed.length > 0 || results.length === 0 ? 1 : 0);
