"""Writing what belongs to documents: links, tags, hashes, and files seen again.

What comes with a new document is part of its creation. A link or tag of a document that
was there is a change of the document, which is told once for each document and chunk.
"""

from graph_api.transfer.kinds import DOCUMENTS, LINKS, TAGGINGS
from graph_api.transfer.log_sql import moved_json, tell, time_json
from graph_api.transfer.sql import sql
from graph_api.transfer.writing import create_statement, value_of

_PARTS = {
    "documents": DOCUMENTS.stored,
    "new": DOCUMENTS.temporary("new"),
    "changed_documents": DOCUMENTS.temporary("changed"),
    "again": DOCUMENTS.temporary("again"),
    "document_lines": DOCUMENTS.temporary("lines"),
    "new_links": LINKS.temporary("new"),
    "changed_links": LINKS.temporary("changed"),
    "carried_links": LINKS.temporary("carried"),
    "link_sources": LINKS.sources,
    "new_tags": TAGGINGS.temporary("new"),
    "carried_tags": TAGGINGS.temporary("carried"),
    "tag_sources": TAGGINGS.sources,
    "relation": value_of(LINKS.field("relation")),
    "link_created": value_of(LINKS.field("createdAt")),
    "tag_created": value_of(TAGGINGS.field("createdAt")),
    "first_seen": value_of(DOCUMENTS.field("firstSeen")),
    "last_seen": value_of(DOCUMENTS.field("lastSeen")),
    "duplicate_count": value_of(DOCUMENTS.field("duplicateCount")),
    "link_json": sql(
        "jsonb_build_object('entityType', l.entity_type, 'entityId', l.entity_id, "
        "'relation', l.relation, 'createdAt', {created})",
        created=time_json("l.created_at"),
    ),
    "moved_before": moved_json("d"),
    "moved_after": moved_json("t"),
}

_INSERT_LINKS = """
INSERT INTO document_links
  (workspace_id, id, document_id, entity_type, entity_id, relation, created_at)
SELECT $1::uuid, s.id, e.document_id, e.entity_type, e.entity_id, {relation},
       {link_created}
FROM {links} AS f {link_sources}
"""

_INSERT_TAGS = """
INSERT INTO document_tags (workspace_id, id, document_id, tag_id, created_at)
SELECT $1::uuid, s.id, e.document_id, e.tag_id, {tag_created}
FROM {tags} AS f {tag_sources}
"""

_IN_CHUNK = "WHERE f.chunk = $2::bigint ORDER BY s.n"

_WITH_DOCUMENT = """
JOIN {new} AS d ON d.key = f.document_id WHERE d.chunk = $2::bigint ORDER BY s.n
"""

_MORE = sql(
    ", hashes AS ({hashes}), links AS ({links} RETURNING *), "
    "tags AS ({tags} RETURNING *)",
    hashes=sql(
        """
  INSERT INTO hash_index (workspace_id, id, file_hash, document_id, first_seen,
                          last_seen, duplicate_count)
  SELECT $1::uuid, s.id, s.sha256, s.key, {first_seen}, {last_seen}, {duplicate_count}
  FROM chosen AS s WHERE s.sha256 IS NOT NULL ORDER BY s.n
  ON CONFLICT (workspace_id, file_hash) DO UPDATE SET document_id = excluded.document_id
""",
        **_PARTS,
    ),
    links=sql(_INSERT_LINKS + _WITH_DOCUMENT, links=_PARTS["carried_links"], **_PARTS),
    tags=sql(_INSERT_TAGS + _WITH_DOCUMENT, tags=_PARTS["carried_tags"], **_PARTS),
)

_BELONGINGS = sql(
    """
LEFT JOIN (
  SELECT l.document_id,
         jsonb_build_object('links', jsonb_object_agg(l.id::text, {link_json})) AS told
  FROM links AS l GROUP BY 1
) AS link ON link.document_id = w.id
LEFT JOIN (
  SELECT document_id,
         jsonb_build_object('tags', jsonb_agg(tag_id ORDER BY tag_id)) AS told
  FROM tags GROUP BY 1
) AS tag ON tag.document_id = w.id
""",
    **_PARTS,
)

# New documents with their hashes, links and tags.
CREATE_DOCUMENTS = create_statement(
    DOCUMENTS,
    more=_MORE,
    after=" || coalesce(link.told, '{}') || coalesce(tag.told, '{}')",
    joins=_BELONGINGS,
)

# The hash index follows documents whose file has changed.
FORGET_HASHES = sql(
    """
DELETE FROM hash_index AS h USING {changed_documents} AS f, {documents} AS d
WHERE f.chunk = $2::bigint AND d.workspace_id = $1::uuid AND d.id = f.key
  AND h.workspace_id = $1::uuid AND h.document_id = d.id
  AND h.file_hash IS DISTINCT FROM d.sha256
""",
    **_PARTS,
)
FOLLOW_HASHES = sql(
    """
INSERT INTO hash_index (workspace_id, id, file_hash, document_id)
SELECT $1::uuid, s.id, d.sha256, d.id
FROM {changed_documents} AS f JOIN {document_lines} AS s USING (n)
JOIN {documents} AS d ON d.workspace_id = $1::uuid AND d.id = f.key
WHERE f.chunk = $2::bigint AND d.sha256 IS NOT NULL
ON CONFLICT (workspace_id, file_hash) DO NOTHING
""",
    **_PARTS,
)

# Files seen again: counted in the index, told of the document, which does not change.
# That its line was counted is known from the log, where its ref is noted.
COUNT_DUPLICATES = sql(
    """
WITH seen AS (
  SELECT f.key, count(*) FROM {again} AS f WHERE f.chunk = $2::bigint GROUP BY 1
),
counted AS (
  INSERT INTO hash_index (workspace_id, id, file_hash, document_id, duplicate_count)
  SELECT $1::uuid, (array_agg(s.id ORDER BY s.n))[1], d.sha256, d.id, seen.count
  FROM seen JOIN {again} AS f USING (key) JOIN {document_lines} AS s USING (n)
  JOIN {documents} AS d ON d.workspace_id = $1::uuid AND d.id = seen.key
  WHERE f.chunk = $2::bigint
  GROUP BY d.sha256, d.id, seen.count
  ON CONFLICT (workspace_id, file_hash) DO UPDATE
  SET duplicate_count = hash_index.duplicate_count + excluded.duplicate_count,
      last_seen = now()
  RETURNING document_id, duplicate_count
)
{tell}
""",
    tell=tell(
        sql(
            """
s.interaction_id, 'document.duplicate_detected', 'document', f.key, '{{}}', '{{}}',
jsonb_build_object('duplicateCount', c.duplicate_count, 'ref', s.ref)
FROM {again} AS f JOIN {document_lines} AS s USING (n)
JOIN counted AS c ON c.document_id = f.key
WHERE f.chunk = $2::bigint ORDER BY s.n
""",
            **_PARTS,
        ),
        "metadata",
    ),
    **_PARTS,
)

_LOCK = """
SELECT d.id FROM {documents} AS d WHERE d.workspace_id = $1::uuid AND d.id IN (
  SELECT e.document_id FROM {parts} AS f {sources} WHERE f.chunk = $2::bigint
) ORDER BY d.id FOR UPDATE
"""

# Every change of a document moves its version, that of what belongs to it as well.
_TOUCH = """
UPDATE {documents} AS d SET version = d.version
WHERE d.workspace_id = $1::uuid AND d.id IN (SELECT document_id FROM written)
RETURNING d.id, d.version, d.updated_at
"""

_TELL_PARTS = """
p.interaction_id, 'document.{verb}', 'document', d.id,
p.before || {moved_before}, p.after || {moved_after}
FROM touched AS t JOIN parts AS p ON p.document_id = t.id
JOIN {documents} AS d ON d.workspace_id = $1::uuid AND d.id = t.id ORDER BY p.n
"""

_ADD_LINKS = """
WITH written AS ({insert} RETURNING *), touched AS ({touch}),
parts AS (
  SELECT l.document_id, min(s.n) AS n,
         (array_agg(s.interaction_id ORDER BY s.n))[1] AS interaction_id,
         '{{"links": {{}}}}'::jsonb AS before,
         jsonb_build_object('links', jsonb_object_agg(l.id::text, {link_json})) AS after
  FROM written AS l JOIN {link_lines} AS s ON s.id = l.id GROUP BY 1
)
{tell}
"""

_CHANGE_LINKS = """
WITH chosen AS MATERIALIZED (
  SELECT f.key, s.n, s.interaction_id, s.relation, l.document_id,
         {link_json} AS before
  FROM {changed_links} AS f {link_sources}
  JOIN document_links AS l ON l.workspace_id = $1::uuid AND l.id = f.key
  WHERE f.chunk = $2::bigint AND l.relation <> s.relation
),
written AS (
  UPDATE document_links AS l SET relation = s.relation FROM chosen AS s
  WHERE l.workspace_id = $1::uuid AND l.id = s.key RETURNING l.*
),
touched AS ({touch}),
parts AS (
  SELECT l.document_id, min(s.n) AS n,
         (array_agg(s.interaction_id ORDER BY s.n))[1] AS interaction_id,
         jsonb_build_object('links', jsonb_object_agg(l.id::text, s.before)) AS before,
         jsonb_build_object('links', jsonb_object_agg(l.id::text, {link_json})) AS after
  FROM written AS l JOIN chosen AS s ON s.key = l.id GROUP BY 1
)
{tell}
"""

_ADD_TAGS = """
WITH written AS ({insert} RETURNING *), touched AS ({touch}),
had AS (
  SELECT g.document_id, g.tag_id FROM document_tags AS g
  WHERE g.workspace_id = $1::uuid
    AND g.document_id IN (SELECT document_id FROM written)
),
parts AS (
  SELECT g.document_id, min(s.n) AS n,
         (array_agg(s.interaction_id ORDER BY s.n))[1] AS interaction_id,
         jsonb_build_object('tags', coalesce((
           SELECT jsonb_agg(tag_id ORDER BY tag_id) FROM had
           WHERE had.document_id = g.document_id), '[]')) AS before,
         jsonb_build_object('tags', (
           SELECT jsonb_agg(tag_id ORDER BY tag_id) FROM (
             SELECT tag_id FROM had WHERE had.document_id = g.document_id
             UNION SELECT tag_id FROM written AS n WHERE n.document_id = g.document_id
           ) AS has)) AS after
  FROM written AS g JOIN {tag_lines} AS s ON s.id = g.id GROUP BY 1
)
{tell}
"""


def _lock(parts: str, sources: str) -> str:
    return sql(_LOCK, parts=parts, sources=sources, **_PARTS)


def _statement(template: str, verb: str, insert: str = "") -> str:
    return sql(
        template,
        insert=insert,
        touch=sql(_TOUCH, **_PARTS),
        tell=tell(sql(_TELL_PARTS, verb=verb, **_PARTS)),
        link_lines=LINKS.temporary("lines"),
        tag_lines=TAGGINGS.temporary("lines"),
        **_PARTS,
    )


LOCK_LINKED = _lock(LINKS.temporary("new"), LINKS.sources)
LOCK_CHANGED = _lock(LINKS.temporary("changed"), LINKS.sources)
LOCK_TAGGED = _lock(TAGGINGS.temporary("new"), TAGGINGS.sources)

ADD_LINKS = _statement(
    _ADD_LINKS,
    "linked",
    sql(_INSERT_LINKS + _IN_CHUNK, links=_PARTS["new_links"], **_PARTS),
)
CHANGE_LINKS = _statement(_CHANGE_LINKS, "linked")
ADD_TAGS = _statement(
    _ADD_TAGS,
    "tagged",
    sql(_INSERT_TAGS + _IN_CHUNK, tags=_PARTS["new_tags"], **_PARTS),
)
