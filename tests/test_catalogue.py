"""What holds for every table, asked of the catalogue, so that none can slip past.

Each rule is a query for what breaks it, and has a table that does: a rule that never
found anything proves nothing.
"""

import pytest
from databases import empty_database, query, session, taken_back

from graph_api.database.migrations import history, upgrade

# Tables without a workspace: what lies above workspaces, and alembic's own.
SHARED = "('workspaces', 'users', 'user_passwords', 'alembic_version')"

# What a transaction may see beside its workspace, and by what: for each policy, its
# command and its condition. Of those that write, the services say who may.
BESIDE = """
    (VALUES
        ('api_keys', 'presented', 'SELECT',
         '((key_hash)::text = ( SELECT app.credential() AS credential))', NULL),
        ('invitations', 'presented', 'SELECT',
         '((code_hash)::text = ( SELECT app.credential() AS credential))', NULL),
        ('workspace_members', 'own', 'SELECT',
         '(user_id = ( SELECT app."user"() AS "user"))', NULL),
        ('workspaces', 'own', 'SELECT', '(EXISTS ( SELECT
   FROM workspace_members member
  WHERE ((member.workspace_id = workspaces.id)
         AND (member.user_id = ( SELECT app."user"() AS "user")))))', NULL),
        ('workspaces', 'founded', 'INSERT', NULL,
         '(id = ( SELECT app.workspace() AS workspace))'),
        ('workspaces', 'administered', 'UPDATE',
         '(id = ( SELECT app.workspace() AS workspace))',
         '(id = ( SELECT app.workspace() AS workspace))'),
        ('users', 'own', 'SELECT', '(id = ( SELECT app."user"() AS "user"))', NULL),
        ('users', 'sign_in', 'SELECT',
         '(((username)::text = ( SELECT app.sign_in() AS sign_in))
           OR ((email)::text = ( SELECT app.sign_in() AS sign_in)))', NULL),
        ('users', 'joined', 'INSERT', NULL,
         '(id = ( SELECT app."user"() AS "user"))'),
        ('users', 'changed', 'UPDATE', '(id = ( SELECT app."user"() AS "user"))',
         '(id = ( SELECT app."user"() AS "user"))'),
        ('user_passwords', 'own', 'ALL',
         '(user_id = ( SELECT app."user"() AS "user"))',
         '(user_id = ( SELECT app."user"() AS "user"))')
    ) AS beside (tablename, policyname, cmd, qual, with_check)
"""

# Tables of a workspace whose changes no interaction tells of.
UNTOLD = """(
    'workspace_members', 'api_keys', 'invitations', 'idempotency_keys', 'hash_index',
    'interactions')
"""

# Of a user, all memberships in whatever workspace are looked up and deleted; a key and
# a code say by themselves where they are from.
ACROSS = """(
    'idx_workspace_members_user', 'idx_api_keys_key_hash', 'idx_invitations_code_hash')
"""

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


def _words(condition: str) -> str:
    """A condition with its lines broken nowhere."""
    return f"regexp_replace({condition}, '\\s+', ' ', 'g')"


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
    "no second policy lets through more than it is known to": f"""
        SELECT tablename || '.' || policyname FROM pg_policies AS policy
        WHERE permissive = 'PERMISSIVE' AND policyname <> 'tenant' AND NOT EXISTS (
            SELECT FROM {BESIDE}
            WHERE roles = '{{graph_api}}'
            AND (policy.tablename, policy.policyname, policy.cmd)
                = (beside.tablename, beside.policyname, beside.cmd)
            AND {_words("policy.qual")} IS NOT DISTINCT FROM {_words("beside.qual")}
            AND {_words("policy.with_check")}
                IS NOT DISTINCT FROM {_words("beside.with_check")})
    """,
    "what has no workspace is seen from a workspace, and not written": f"""
        SELECT name FROM tables
        WHERE name IN {SHARED} AND name NOT IN ('user_passwords', 'alembic_version')
        AND (SELECT array_agg(cmd || ' ' || roles::text)
            FROM pg_policies WHERE tablename = name AND policyname = 'tenant'
        ) IS DISTINCT FROM ARRAY['SELECT {{graph_api}}']
    """,
    "the primary key starts with the workspace": """
        SELECT name FROM tables WHERE workspace IS NOT NULL AND NOT EXISTS (
            SELECT FROM pg_constraint WHERE conrelid = tables.oid
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
              AND coalesce(array_position(conkey, child.workspace) <>
                           array_position(confkey, parent.workspace), true)
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
    "a function with its owner's rights pins its search path": """
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
        UNION ALL
        SELECT relname || '.' || attname
        FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid, aclexplode(attacl)
        WHERE relnamespace = 'public'::regnamespace
              AND grantee NOT IN (relowner, 'graph_api'::regrole)
    """,
}

# Only once there is a log.
TOLD = "a change is told"
RULES_OF_THE_LOG = {
    TOLD: f"""
        SELECT name FROM tables WHERE workspace IS NOT NULL AND name NOT IN {UNTOLD}
               AND NOT EXISTS (
            SELECT FROM pg_trigger WHERE tgrelid = tables.oid AND tgenabled = 'O'
            AND tgfoid = 'app.require_interaction'::regproc
            AND tgtype = 1 + 4 + 8 + 16 AND tgdeferrable AND tginitdeferred
            AND tgattr = '' AND tgqual IS NULL)
    """,
    "the log is guarded even from replication": """
        SELECT 'interactions' FROM pg_trigger
        WHERE tgrelid = 'interactions'::regclass AND tgenabled = 'A'
              AND tgfoid = 'app.append_only'::regproc
        HAVING array_agg(tgtype ORDER BY tgtype) IS DISTINCT FROM
               ARRAY[1 + 2 + 8 + 16, 2 + 32]::int2[]
    """,
}

ALL = RULES | RULES_OF_THE_LOG

# What breaks each rule, and what the rule then says.
CONTROLS = [
    ("a table belongs to a workspace", "CREATE TABLE bad (id uuid)", "bad"),
    (
        "row-level security is on, and holds the owner too",
        "ALTER TABLE parties NO FORCE ROW LEVEL SECURITY",
        "parties",
    ),
    (
        "row-level security is on, and holds the owner too",
        "ALTER TABLE users DISABLE ROW LEVEL SECURITY",
        "users",
    ),
    (
        "the workspace's policy checks what is read and what is written",
        "CREATE TABLE bad (workspace_id uuid)",
        "bad",
    ),
    (
        "the workspace's policy checks what is read and what is written",
        "ALTER POLICY tenant ON parties WITH CHECK (true)",
        "parties",
    ),
    (
        "no second policy lets through more than it is known to",
        "CREATE POLICY bad ON parties FOR SELECT USING (true)",
        "parties.bad",
    ),
    (
        "no second policy lets through more than it is known to",
        "ALTER POLICY presented ON api_keys USING (true)",
        "api_keys.presented",
    ),
    (
        "what has no workspace is seen from a workspace, and not written",
        "ALTER POLICY tenant ON users TO public",
        "users",
    ),
    (
        "the primary key starts with the workspace",
        "CREATE TABLE bad (workspace_id uuid, id uuid, PRIMARY KEY (id, workspace_id))",
        "bad",
    ),
    (
        "nothing is unique beyond its workspace",
        "CREATE UNIQUE INDEX bad ON parties (name)",
        "bad",
    ),
    (
        "an index starts with the workspace",
        "CREATE INDEX bad ON parties (name, workspace_id)",
        "bad",
    ),
    (
        "a foreign key stays within the workspace",
        (
            "CREATE UNIQUE INDEX ON parties (id);"
            "ALTER TABLE roles ADD CONSTRAINT bad "
            "FOREIGN KEY (party_id) REFERENCES parties (id)"
        ),
        "bad",
    ),
    (
        "emptying a foreign key leaves the workspace alone",
        (
            "ALTER TABLE commitments ADD CONSTRAINT bad "
            "FOREIGN KEY (workspace_id, counterparty_id) "
            "REFERENCES parties ON DELETE SET NULL"
        ),
        "bad",
    ),
    (
        "a foreign key has an index",
        "DROP INDEX idx_roles_party",
        "fk_roles_workspace_id_party_id",
    ),
    (
        "a foreign key has an index",
        (
            "DROP INDEX idx_commitments_counterparty;"
            "CREATE INDEX bad ON commitments (workspace_id, counterparty_id) "
            "WHERE state = 'active'"
        ),
        "fk_commitments_workspace_id_counterparty_id",
    ),
    (
        "constraints and indexes are valid",
        "ALTER TABLE parties ADD CONSTRAINT bad CHECK (name <> 'x') NOT VALID",
        "bad",
    ),
    (
        "a value that cannot be read back is refused",
        "ALTER TABLE parties ADD COLUMN bad timestamptz",
        "parties.bad",
    ),
    (
        "a value that cannot be read back is refused",
        "ALTER TABLE parties ADD COLUMN bad text[]",
        "parties.bad",
    ),
    (
        "no enumeration is a type of its own",
        "CREATE TYPE bad AS ENUM ('worse')",
        "bad",
    ),
    (
        "a column says what it is",
        "ALTER TABLE parties ADD COLUMN bad text",
        "parties.bad",
    ),
    (
        "a view shows what its reader may see",
        "CREATE VIEW bad AS SELECT * FROM parties",
        "bad",
    ),
    (
        "a view shows what its reader may see",
        "CREATE MATERIALIZED VIEW bad AS SELECT * FROM parties",
        "bad",
    ),
    (
        "a function with its owner's rights pins its search path",
        (
            "CREATE FUNCTION app.bad() RETURNS int LANGUAGE sql SECURITY DEFINER "
            "AS 'SELECT 1'"
        ),
        "bad",
    ),
    (
        "a version moves with each change",
        "DROP TRIGGER touch ON parties",
        "parties",
    ),
    (
        "the application's role is nobody special",
        "ALTER ROLE graph_api BYPASSRLS",
        "graph_api",
    ),
    (
        "the application's role owns nothing",
        "ALTER TABLE parties OWNER TO graph_api",
        "table parties",
    ),
    (
        "the application's role can create nothing that lasts",
        "GRANT CREATE ON SCHEMA public TO graph_api",
        "public",
    ),
    (
        "the application's role changes rows, and not tables",
        "GRANT TRUNCATE ON parties TO graph_api",
        "parties TRUNCATE",
    ),
    (
        "nobody else was granted anything",
        "GRANT SELECT ON parties TO public",
        "parties",
    ),
    (
        "nobody else was granted anything",
        "GRANT SELECT (name) ON parties TO public",
        "parties.name",
    ),
    (TOLD, "DROP TRIGGER needs_interaction ON tags", "tags"),
    (TOLD, "ALTER TABLE tags DISABLE TRIGGER needs_interaction", "tags"),
    (TOLD, "CREATE TABLE bad (workspace_id uuid)", "bad"),
    (
        "the log is guarded even from replication",
        "ALTER TABLE interactions ENABLE TRIGGER no_truncate",
        "interactions",
    ),
]


@pytest.mark.parametrize("rule", ALL)
def test_all_tables_keep_to(database_url: str, rule: str) -> None:
    assert query(database_url, TABLES + ALL[rule]) == []


@pytest.mark.parametrize(("rule", "change", "offender"), CONTROLS)
async def test_who_does_not_is_named(
    database_url: str, rule: str, change: str, offender: str
) -> None:
    async with session(database_url) as connection, taken_back(connection):
        await connection.execute(change)

        found = await connection.fetch(TABLES + ALL[rule])

    assert [tuple(row) for row in found] == [(offender,)]


def test_every_rule_has_something_that_breaks_it() -> None:
    assert {rule for rule, _, _ in CONTROLS} == set(ALL)


@pytest.mark.parametrize("revision", [r.id for r in history()])
def test_no_revision_leaves_a_table_open(server_url: str, revision: str) -> None:
    with empty_database(server_url) as url:
        upgrade(url, revision)
        found = {rule: query(url, TABLES + ask) for rule, ask in RULES.items()}

    assert found == {rule: [] for rule in RULES}


KEPT_OF_A_KEY = ["created_at", "id", "key_hash", "prefix", "user_id", "workspace_id"]
KEPT_OF_AN_INVITATION = [
    "code_hash",
    "created_at",
    "email",
    "expires_at",
    "id",
    "role",
    "workspace_id",
]
KEPT_OF_A_MEMBERSHIP = ["created_at", "id", "user_id", "workspace_id"]


def test_the_application_only_reads_what_others_write(database_url: str) -> None:
    granted = query(
        database_url,
        "SELECT table_name, privilege_type FROM information_schema.table_privileges "
        "WHERE grantee = 'graph_api' AND table_name IN ('workspaces', 'users', "
        "'interactions', 'audit_log', 'alembic_version') "
        "ORDER BY 1, 2",
    )

    assert granted == [
        ("alembic_version", "SELECT"),
        ("audit_log", "SELECT"),
        ("interactions", "SELECT"),
        ("workspaces", "SELECT"),
    ]


@pytest.mark.parametrize(
    ("table", "privilege", "withheld"),
    [
        ("interactions", "INSERT", ["position", "xid"]),
        ("api_keys", "UPDATE", KEPT_OF_A_KEY),
        ("invitations", "UPDATE", KEPT_OF_AN_INVITATION),
        ("workspace_members", "UPDATE", KEPT_OF_A_MEMBERSHIP),
        ("users", "UPDATE", ["created_at", "id", "version"]),
        ("workspaces", "UPDATE", ["created_at", "id", "version"]),
    ],
)
def test_some_columns_are_granted_to_nobody(
    database_url: str, table: str, privilege: str, withheld: list[str]
) -> None:
    found = query(
        database_url,
        "SELECT attname FROM pg_attribute "
        f"WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT "
        f"has_column_privilege('graph_api', attrelid, attnum, '{privilege}') "
        "ORDER BY 1",
    )

    assert [name for (name,) in found] == withheld
