"""Extensions, the application role, and what all tables use."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# What the indexes need. All are trusted: who may create in the database may create
# them. Which of them are ours, and not somebody else's, is written on them.
EXTENSIONS = ("pg_trgm", "btree_gin", "btree_gist")
OURS = "Created by graph-api"

EXTENSION = """
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_extension WHERE extname = '{name}') THEN
    RETURN;
  END IF;
  CREATE EXTENSION {name} SCHEMA public;
  COMMENT ON EXTENSION {name} IS '{ours}';
EXCEPTION
  WHEN insufficient_privilege THEN
    RAISE insufficient_privilege USING
      MESSAGE = format('%I may not create the extension {name}.', current_user),
      HINT = format('As its owner: GRANT CREATE ON DATABASE %I TO %I; or as a '
        'superuser, in this database: CREATE EXTENSION {name};',
        current_database(), current_user);
  WHEN feature_not_supported OR undefined_file THEN
    RAISE feature_not_supported USING
      MESSAGE = 'The server does not have the extension {name}.',
      HINT = 'Install PostgreSQL''s contrib modules beside the server, such as '
        'Debian''s postgresql-contrib.';
END $$
"""

# Nothing needs it, but seeds and habits may: where the server has it, and lets us.
PGCRYPTO = """
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_available_extensions
             WHERE name = 'pgcrypto' AND installed_version IS NULL) THEN
    CREATE EXTENSION pgcrypto SCHEMA public;
    COMMENT ON EXTENSION pgcrypto IS '{ours}';
  END IF;
EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR undefined_file THEN
  RAISE NOTICE 'pgcrypto is left out: %', sqlerrm;
END $$
"""

DROP_EXTENSION = """
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_extension WHERE extname = '{name}'
             AND obj_description(oid, 'pg_extension') = '{ours}') THEN
    DROP EXTENSION {name};
  END IF;
EXCEPTION WHEN dependent_objects_still_exist THEN
  RAISE NOTICE '{name} is kept: something else uses it';
END $$
"""

# Roles belong to all databases of a server, so this one may be there, and is never
# dropped. Policies are written for it; it owns nothing, and nobody logs in as it.
ROLE = """
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'graph_api') THEN
    BEGIN
      CREATE ROLE graph_api NOLOGIN NOINHERIT;
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN NULL;
      WHEN insufficient_privilege THEN
        RAISE insufficient_privilege USING
          MESSAGE = format('There is no role graph_api, and %I may not create it.',
            current_user),
          HINT = format('As a superuser: CREATE ROLE graph_api NOLOGIN NOINHERIT; '
            'GRANT graph_api TO %I;', current_user);
    END;
  END IF;
END $$
"""

# Who migrates becomes a member, because one login may serve as well, and because what
# a foreign key cascades to is done as the owner, who then has to see the log.
MEMBERSHIP = """
DO $$
BEGIN
  IF NOT pg_has_role(current_user, 'graph_api', 'USAGE') THEN
    EXECUTE format('GRANT graph_api TO %I', current_user) || CASE
      WHEN current_setting('server_version_num')::int >= 160000
      THEN ' WITH INHERIT TRUE, SET TRUE' ELSE '' END;
  END IF;
EXCEPTION WHEN insufficient_privilege THEN
  IF NOT pg_has_role(current_user, 'graph_api', 'MEMBER') THEN
    RAISE insufficient_privilege USING
      MESSAGE = format('%I is not a member of the role graph_api.', current_user),
      HINT = format('As a superuser: GRANT graph_api TO %I;', current_user);
  END IF;
END $$
"""

WORKSPACE = """
CREATE FUNCTION app.workspace() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT nullif(current_setting('app.workspace', true), '')::uuid $$
"""

TOUCH = """
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
  IF NEW.id <> OLD.id OR NEW.created_at <> OLD.created_at THEN
    RAISE restrict_violation USING
      MESSAGE = format('id and created_at of %s never change', TG_TABLE_NAME);
  END IF;
  NEW.version := OLD.version + 1;
  NEW.updated_at := now();
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    for name in EXTENSIONS:
        op.execute(EXTENSION.format(name=name, ours=OURS))
    op.execute(PGCRYPTO.format(ours=OURS))
    op.execute(ROLE)
    op.execute(MEMBERSHIP)
    op.execute("CREATE SCHEMA app")
    op.execute("COMMENT ON SCHEMA app IS 'What the tables of graph-api use'")
    op.execute("GRANT USAGE ON SCHEMA app TO graph_api")
    op.execute(WORKSPACE)
    op.execute("COMMENT ON FUNCTION app.workspace() IS 'Whose rows can be seen'")
    op.execute(TOUCH)
    op.execute("COMMENT ON FUNCTION app.touch() IS 'Moves version and updated_at'")


def downgrade() -> None:
    op.execute("DROP FUNCTION app.touch()")
    op.execute("DROP FUNCTION app.workspace()")
    op.execute("DROP SCHEMA app")
    for name in ("pgcrypto", *reversed(EXTENSIONS)):
        op.execute(DROP_EXTENSION.format(name=name, ours=OURS))
