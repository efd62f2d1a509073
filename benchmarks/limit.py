"""The limit: a bare ASGI application, with a statement by hand for each operation.

No GraphQL, no objects, no choice: PostgreSQL makes the JSON, prepared statements run on
connections that are bound to their workspace, and what they give is sent as it is.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from starlette.types import Receive, Scope, Send

Variables = dict[str, Any]

_CONNECTIONS = 10


@dataclass(frozen=True)
class Statement:
    """The text, and what of the variables its parameters are after the workspace."""

    sql: str
    parameters: Callable[[Variables], tuple[Any, ...]] = lambda _: ()


def _id(variables: Variables) -> tuple[UUID]:
    return (UUID(variables["id"]),)


def _commitment(variables: Variables) -> tuple[Any, ...]:
    return (
        UUID(variables["role"]),
        variables["title"],
        variables["priority"],
        datetime.fromisoformat(variables["due"]),
    )


def _place(variables: Variables) -> tuple[str, UUID, int]:
    title, id = orjson.loads(variables["after"] or b'["", 0]')
    return title, UUID(id) if id else UUID(int=0), variables.get("first", 20)


STATEMENTS = {
    "Q1": Statement(
        """
SELECT json_build_object('party', json_build_object('id', id, 'kind', kind,
  'name', name, 'taxId', tax_id, 'contact', contact_json, 'createdAt', created_at))
FROM parties WHERE workspace_id = $1 AND id = $2
""",
        _id,
    ),
    "Q2": Statement(
        """
SELECT json_build_object('commitments', json_build_object('nodes', json_agg(
  json_build_object('id', id, 'title', title, 'state', state, 'priority', priority,
    'severity', severity, 'dueAt', due_at, 'commitmentType', commitment_type,
    'source', source))))
FROM (
  SELECT * FROM commitments WHERE workspace_id = $1 AND state = 'active'
  ORDER BY priority DESC NULLS LAST, id DESC LIMIT 50
) AS c
"""
    ),
    "Q3": Statement(
        """
SELECT json_build_object('commitments', json_build_object('nodes', json_agg(
  json_build_object('id', c.id, 'title', c.title, 'state', c.state,
    'priority', c.priority, 'dueAt', c.due_at,
    'role', json_build_object('id', r.id, 'roleName', r.role_name,
      'party', json_build_object('id', p.id, 'name', p.name, 'kind', p.kind)),
    'counterparty', CASE WHEN o.id IS NOT NULL THEN
      json_build_object('id', o.id, 'name', o.name) END,
    'documents', json_build_object('nodes', (
      SELECT coalesce(json_agg(json_build_object('id', d.id, 'title', d.title,
        'mimeType', d.mime_type, 'fileSize', d.file_size::text)), '[]')
      FROM (
        SELECT d.* FROM document_links AS l
        JOIN documents AS d ON d.workspace_id = $1 AND d.id = l.document_id
        WHERE l.workspace_id = $1 AND l.entity_type = 'commitment'
          AND l.entity_id = c.id
        ORDER BY l.document_id LIMIT 5
      ) AS d))) ORDER BY c.priority DESC, c.id DESC)))
FROM (
  SELECT * FROM commitments WHERE workspace_id = $1 AND state = 'active'
  ORDER BY priority DESC NULLS LAST, id DESC LIMIT 50
) AS c
JOIN roles AS r ON r.workspace_id = $1 AND r.id = c.role_id
JOIN parties AS p ON p.workspace_id = $1 AND p.id = r.party_id
LEFT JOIN parties AS o ON o.workspace_id = $1 AND o.id = c.counterparty_id
"""
    ),
    "Q4": Statement(
        """
SELECT json_build_object('knowledgeNode', json_build_object('id', n.id,
  'label', n.label, 'nodeType', n.node_type, 'outEdges', json_build_object('nodes', (
    SELECT coalesce(json_agg(json_build_object('id', e.id, 'edgeType', e.edge_type,
      'weight', e.weight, 'target', json_build_object('id', t.id, 'label', t.label,
        'outEdges', json_build_object('nodes', (
          SELECT coalesce(json_agg(json_build_object('id', f.id,
            'edgeType', f.edge_type, 'weight', f.weight,
            'target', json_build_object('id', g.id, 'label', g.label))
            ORDER BY f.weight DESC, f.id DESC), '[]')
          FROM (
            SELECT * FROM knowledge_graph_edges
            WHERE workspace_id = $1 AND source_id = t.id
            ORDER BY weight DESC NULLS LAST, id DESC LIMIT 10
          ) AS f
          JOIN knowledge_graph_nodes AS g
            ON g.workspace_id = $1 AND g.id = f.target_id))))
      ORDER BY e.weight DESC, e.id DESC), '[]')
    FROM (
      SELECT * FROM knowledge_graph_edges WHERE workspace_id = $1 AND source_id = n.id
      ORDER BY weight DESC NULLS LAST, id DESC LIMIT 20
    ) AS e
    JOIN knowledge_graph_nodes AS t ON t.workspace_id = $1 AND t.id = e.target_id))))
FROM knowledge_graph_nodes AS n WHERE n.workspace_id = $1 AND n.id = $2
""",
        _id,
    ),
    "Q5": Statement(
        """
SELECT json_build_object('parties', json_build_object('nodes', json_agg(
  json_build_object('id', id, 'kind', kind, 'name', name, 'taxId', tax_id,
    'createdAt', created_at, 'updatedAt', updated_at))))
FROM (SELECT * FROM parties WHERE workspace_id = $1 ORDER BY id LIMIT 1000) AS p
"""
    ),
    "M1": Statement(
        """
WITH made AS (
  INSERT INTO commitments (workspace_id, id, role_id, title, commitment_type, source,
    priority, due_at)
  VALUES ($1, uuidv7(), $2, $3, 'goal', 'api', $4, $5) RETURNING *
), told AS (
  INSERT INTO interactions (workspace_id, id, type, actor_type, primary_entity_type,
    primary_entity_id, after)
  SELECT $1, uuidv7(), 'commitment.created', 'user', 'commitment', id,
    to_jsonb(made) - 'workspace_id' FROM made
  RETURNING type
)
SELECT json_build_object('createCommitment', json_build_object(
  'commitment', json_build_object('id', id, 'title', title, 'state', state,
    'priority', priority, 'dueAt', due_at, 'version', version,
    'createdAt', created_at),
  'interaction', json_build_object('type', type)))
FROM made, told
""",
        _commitment,
    ),
    "F": Statement(
        """
SELECT json_build_object('commitments', json_build_object(
  'totalCount', (
    SELECT count(*) FROM commitments AS c
    JOIN roles AS r ON r.workspace_id = $1 AND r.id = c.role_id
    JOIN parties AS p ON p.workspace_id = $1 AND p.id = r.party_id AND p.kind = 'org'
    WHERE c.workspace_id = $1 AND c.state = 'active' AND c.priority <= $2),
  'nodes', (
    SELECT coalesce(json_agg(json_build_object('id', id, 'title', title,
      'dueAt', due_at, 'priority', priority, 'role', json_build_object(
        'roleName', role_name, 'party', json_build_object('name', name)))), '[]')
    FROM (
      SELECT c.id, c.title, c.due_at, c.priority, r.role_name, p.name
      FROM commitments AS c
      JOIN roles AS r ON r.workspace_id = $1 AND r.id = c.role_id
      JOIN parties AS p
        ON p.workspace_id = $1 AND p.id = r.party_id AND p.kind = 'org'
      WHERE c.workspace_id = $1 AND c.state = 'active' AND c.priority <= $2
      ORDER BY c.priority DESC NULLS LAST, c.id DESC LIMIT 20
    ) AS c)))
""",
        lambda variables: (variables["priority"],),
    ),
    "A": Statement(
        """
SELECT json_build_object('documents', json_build_object(
  'nodes', json_agg(json_build_object('id', id, 'title', title,
    'mimeType', mime_type, 'fileSize', file_size::text)) FILTER (WHERE n <= $4),
  'pageInfo', json_build_object('hasNextPage', count(*) > $4,
    'endCursor', (json_agg(json_build_array(title, id)) FILTER (WHERE n = $4)) ->> 0)))
FROM (
  SELECT *, row_number() OVER () AS n FROM (
    SELECT id, title, mime_type, file_size FROM documents
    WHERE workspace_id = $1 AND (title, id) > ($2, $3)
    ORDER BY title NULLS FIRST, id LIMIT $4 + 1
  ) AS d
) AS d
""",
        _place,
    ),
    "T": Statement(
        """
SELECT json_build_object('party', json_build_object('id', p.id, 'name', p.name,
  'roles', json_build_object('nodes', (
    SELECT coalesce(json_agg(json_build_object('id', r.id, 'roleName', r.role_name,
      'commitments', json_build_object('nodes', (
        SELECT coalesce(json_agg(json_build_object('id', c.id, 'title', c.title,
          'priority', c.priority, 'counterparty', CASE WHEN o.id IS NOT NULL THEN
            json_build_object('name', o.name) END,
          'documents', json_build_object('nodes', (
            SELECT coalesce(json_agg(json_build_object('id', d.id,
              'title', d.title, 'collection', CASE WHEN k.id IS NOT NULL THEN
                json_build_object('name', k.name) END) ORDER BY d.id), '[]')
            FROM (
              SELECT d.* FROM document_links AS l
              JOIN documents AS d ON d.workspace_id = $1 AND d.id = l.document_id
              WHERE l.workspace_id = $1 AND l.entity_type = 'commitment'
                AND l.entity_id = c.id
              ORDER BY l.document_id LIMIT 3
            ) AS d
            LEFT JOIN collections AS k
              ON k.workspace_id = $1 AND k.id = d.collection_id)))
          ORDER BY c.priority DESC, c.id DESC), '[]')
        FROM (
          SELECT * FROM commitments WHERE workspace_id = $1 AND role_id = r.id
          ORDER BY priority DESC NULLS LAST, id DESC LIMIT 5
        ) AS c
        LEFT JOIN parties AS o
          ON o.workspace_id = $1 AND o.id = c.counterparty_id)))), '[]')
    FROM (
      SELECT * FROM roles WHERE workspace_id = $1 AND party_id = p.id
      ORDER BY id LIMIT 5
    ) AS r))))
FROM parties AS p WHERE p.workspace_id = $1 AND p.id = $2
""",
        _id,
    ),
    "U": Statement(
        """
SELECT json_build_object('collection', json_build_object('id', k.id, 'name', k.name,
  'documents', json_build_object('nodes', (
    SELECT coalesce(json_agg(json_build_object('id', d.id, 'title', d.title,
      'links', json_build_object('nodes', (
        SELECT coalesce(json_agg(json_build_object('relation', l.relation,
          'target', CASE
            WHEN c.id IS NOT NULL THEN
              json_build_object('id', c.id, 'title', c.title, 'state', c.state)
            WHEN p.id IS NOT NULL THEN
              json_build_object('id', p.id, 'name', p.name, 'kind', p.kind)
            ELSE '{}' END) ORDER BY l.id), '[]')
        FROM (
          SELECT * FROM document_links WHERE workspace_id = $1 AND document_id = d.id
          ORDER BY id LIMIT 10
        ) AS l
        LEFT JOIN commitments AS c ON l.entity_type = 'commitment'
          AND c.workspace_id = $1 AND c.id = l.entity_id
        LEFT JOIN parties AS p ON l.entity_type = 'party'
          AND p.workspace_id = $1 AND p.id = l.entity_id)))), '[]')
    FROM (
      SELECT id, title FROM documents WHERE workspace_id = $1 AND collection_id = k.id
      ORDER BY id LIMIT 20
    ) AS d))))
FROM collections AS k WHERE k.workspace_id = $1 AND k.id = $2
""",
        _id,
    ),
}


class Limit:
    """The application: an operation's name is the path, its variables the body."""

    def __init__(self, url: str, workspace: UUID) -> None:
        self._url, self._workspace = url, workspace
        self._free: asyncio.LifoQueue[Any] = asyncio.LifoQueue()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message["body"]
            more = message.get("more_body", False)
        statement = STATEMENTS[scope["path"][1:]]
        parameters = statement.parameters(orjson.loads(body))
        connection = await self._free.get()
        try:
            data = await connection.fetchval(
                statement.sql, self._workspace, *parameters
            )
        finally:
            self._free.put_nowait(connection)
        answer = b'{"data":' + (data or "null").encode() + b"}"
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(answer)),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with self.connected():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    @asynccontextmanager
    async def connected(self) -> Any:
        """All connections, for as long as the block lasts."""
        connections = [
            await asyncpg.connect(self._url, server_settings=settings(self._workspace))
            for _ in range(_CONNECTIONS)
        ]
        for connection in connections:
            self._free.put_nowait(connection)
        try:
            yield
        finally:
            for connection in connections:
                await connection.close()


def settings(workspace: UUID) -> dict[str, str]:
    """What binds a connection to its workspace and its role, as our server's are."""
    return {
        "role": "graph_api",
        "app.workspace": str(workspace),
        "timezone": "UTC",
        "jit": "off",
        "plan_cache_mode": "force_generic_plan",
    }


def create_app() -> Limit:
    return Limit(os.environ["DATABASE_URL"], UUID(os.environ["WORKSPACE"]))
