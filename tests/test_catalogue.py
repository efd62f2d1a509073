"""What holds for every table, asked of the catalogue, so that none can slip past.

Each rule is a query for what breaks it, and has a table that does: a rule that never
found anything proves nothing.
"""

from collections.abc import Iterator

import asyncpg
import pytest
from databases import empty_database, migrated_database, query

from graph_api.database.migrations import history, upgrade

# Tables without a workspace: what lies above workspaces, and alembic's own.
SHARED = "('workspaces', 'users', 'alembic_version')"

# Tables of a workspace whose changes no interaction tells of.
UNTOLD = "('workspace_members', 'idempotency_keys', 'hash_index', 'interactions')"

# Of a user, all memberships in whatever workspace are looked up and deleted.
ACROSS = "('idx_workspace_members_user')"

OF_THE_WORKSPACE = "(workspace_id = ( SELECT app.workspace() AS workspace))"

# Each table in public, and the number of its column workspace_id if it has one.
TABLES = """
    WITH tables AS (
        SELECT c.oid, relname AS name, relrowsecurity, relforcerowsecurity,
               attnum AS workspace
        FROM pg_class c LEFT JOIN pg_attribute
             ON attrelid = c.oid AND attname = 'workspace_id'
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
    )
"""

RULES = {
    "a table belongs to a workspace": f"""
        SELECT name FROM tables WHERE workspace IS NULL AND name NOT IN {SHARED}
    """,
    "row-level security is on, and holds the owner too": """
        SELECT name FROM tables WHERE name <> 'alembic_version'
               AND NOT (relrowsecurity AND relforcerowsecurity)
    """,
    "the workspace's policy checks what is read and what is written": f"""
        SELECT name FROM tables WHERE workspace IS NOT NULL AND NOT EXISTS (
            SELECT FROM pg_policies WHERE tablename = name AND schemaname = 'public'
            AND roles = '{{graph_api}}' AND cmd = 'ALL' AND permissive = 'PERMISSIVE'
            AND qual = '{OF_THE_WORKSPACE}' AND with_check = '{OF_THE_WORKSPACE}')
    """,
    "no second policy lets through what the first does not": """
        SELECT tablename || '.' || policyname FROM pg_policies
        WHERE permissive = 'PERMISSIVE' AND policyname <> 'tenant'
    """,
    "what has no workspace can be read through a policy, and not written": f"""
        SELECT name FROM tables
        WHERE name IN {SHARED} AND name <> 'alembic_version' AND (
            SELECT array_agg(cmd || ' ' || roles::text)
            FROM pg_policies WHERE tablename = name
        ) IS DISTINCT FROM ARRAY['SELECT {{graph_api}}']
    """,
    "the primary key starts with the workspace": """
        SELECT name FROM tables WHERE workspace IS NOT NULL AND NOT EXISTS (
            SELECT FROM pg_constraint WHERE conrelid = oid_of(name)
            AND contype = 'p' AND conkey[1] = workspace)
    """,
    "nothing is unique beyond its workspace": """
        SELECT indexrelid::regclass::text FROM tables JOIN pg_index
               ON indrelid = tables.oid
        WHERE workspace IS NOT NULL AND indisunique
              AND NOT workspace = ANY (indkey)
    """,
    "an index starts with the workspace": f"""
        SELECT indexrelid::regclass::text FROM tables JOIN pg_index
               ON indrelid = tables.oid
        WHERE workspace IS NOT NULL AND indkey[0] <> workspace
              AND indexrelid::regclass::text NOT IN {ACROSS}
    """,
    "a foreign key stays within the workspace": """
        SELECT conname FROM pg_constraint
               JOIN tables AS child ON child.oid = conrelid
               JOIN tables AS parent ON parent.oid = confrelid
        WHERE contype = 'f' AND parent.workspace IS NOT NULL
              AND array_position(conkey, child.workspace) IS DISTINCT FROM
                  array_position(confkey, parent.workspace)
    """,
    "emptying a foreign key leaves the workspace alone": """
        SELECT conname FROM pg_constraint JOIN tables ON tables.oid = conrelid
        WHERE contype = 'f' AND confdeltype IN ('n', 'd')
              AND workspace = ANY (coalesce(confdelsetcols, conkey))
    """,
    "a foreign key has an index": """
        SELECT conname FROM pg_constraint WHERE contype = 'f' AND NOT EXISTS (
            SELECT FROM pg_index WHERE indrelid = conrelid AND indisvalid
            AND (indkey::int2[])[0:cardinality(conkey) - 1] @> conkey
            AND (indpred IS NULL
                 OR pg_get_expr(indpred, indrelid) ~ '^[(]\\w+ IS NOT NULL[)]$'))
    """,
    "constraints and indexes are valid": """
        SELECT conname FROM pg_constraint WHERE NOT convalidated
        UNION ALL
        SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid
    """,
    "a value that cannot be read back is refused": """
        SELECT name || '.' || attname FROM tables JOIN pg_attribute
               ON attrelid = tables.oid JOIN pg_type ON pg_type.oid = atttypid
        WHERE attnum > 0 AND NOT attisdropped
              AND (typcategory = 'A' OR typname IN ('timestamptz', 'timestamp', 'date',
                   'time', 'interval', 'float4', 'float8', 'numeric', 'jsonb', 'json'))
              AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = tables.oid
                              AND contype = 'c' AND attnum = ANY (conkey))
    """,
    "no enumeration is a type of its own": """
        SELECT typname FROM pg_type WHERE typtype = 'e'
               AND typnamespace NOT IN ('pg_catalog'::regnamespace,
                                        'information_schema'::regnamespace)
    """,
    "a column says what it is": """
        SELECT relname || '.' || attname FROM pg_attribute
               JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
              AND attnum > 0 AND NOT attisdropped AND relname <> 'alembic_version'
              AND coalesce(col_description(attrelid, attnum), '') = ''
    """,
    "a view shows what its reader may see": """
        SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
               AND (relkind = 'm' OR relkind = 'v' AND NOT coalesce(
                    'security_invoker=true' = ANY (reloptions), false))
    """,
    "a function with its owner's rights pins its search path": f"""
        SELECT proname FROM pg_proc WHERE prosecdef
               AND pronamespace NOT IN ('pg_catalog'::regnamespace,
                                        'information_schema'::regnamespace)
               AND NOT coalesce(proconfig::text LIKE '%search_path=%', false)
    """,
    "a version moves with each change": """
        SELECT name FROM tables JOIN pg_attribute ON attrelid = tables.oid
        WHERE attname = 'version' AND NOT EXISTS (
            SELECT FROM pg_trigger WHERE tgrelid = attrelid AND tgenabled = 'O'
            AND tgfoid = 'app.touch'::regproc AND tgtype = 1 + 2 + 16
            AND tgattr = '' AND tgqual IS NULL)
    """,
    "the application's role is nobody special": """
        SELECT rolname FROM pg_roles WHERE rolname = 'graph_api' AND (
            rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb
            OR rolreplication OR rolinherit)
        UNION ALL
        SELECT roleid::regrole::text FROM pg_auth_members
        WHERE member = 'graph_api'::regrole
    """,
    "the application's role owns nothing": """
        SELECT pg_describe_object(classid, objid, objsubid) FROM pg_shdepend
        WHERE deptype = 'o' AND refobjid = 'graph_api'::regrole
              AND dbid IN (0, (SELECT oid FROM pg_database
                               WHERE datname = current_database()))
    """,
    "the application's role can create nothing that lasts": """
        SELECT nspname FROM pg_namespace
        WHERE has_schema_privilege('graph_api', oid, 'CREATE')
        UNION ALL
        SELECT current_database() WHERE
               has_database_privilege('graph_api', current_database(), 'CREATE')
    """,
    "the application's role changes rows, and not tables": """
        SELECT name || ' ' || privilege
        FROM tables, unnest(ARRAY['TRUNCATE', 'REFERENCES', 'TRIGGER']) AS privilege
        WHERE has_table_privilege('graph_api', tables.oid, privilege)
    """,
    "nobody else was granted anything": """
        SELECT relname FROM pg_class, aclexplode(relacl)
        WHERE relnamespace = 'public'::regnamespace
              AND grantee NOT IN (relowner, 'graph_api'::regrole)
    """,
}
