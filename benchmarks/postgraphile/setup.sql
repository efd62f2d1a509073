-- What PostGraphile needs beside the tables: relations that are no foreign keys, as
-- computed columns, and the mutation that tells what it does, as a function.

CREATE FUNCTION commitments_documents(commitment commitments) RETURNS SETOF documents
LANGUAGE sql STABLE AS $$
  SELECT d.*
  FROM document_links AS l
  JOIN documents AS d ON d.workspace_id = l.workspace_id AND d.id = l.document_id
  WHERE l.workspace_id = commitment.workspace_id
    AND l.entity_type = 'commitment' AND l.entity_id = commitment.id
  ORDER BY l.document_id
$$;

CREATE FUNCTION document_links_commitment(link document_links)
RETURNS SETOF commitments LANGUAGE sql STABLE ROWS 1 AS $$
  SELECT c.* FROM commitments AS c
  WHERE link.entity_type = 'commitment'
    AND c.workspace_id = link.workspace_id AND c.id = link.entity_id
$$;

CREATE FUNCTION document_links_party(link document_links)
RETURNS SETOF parties LANGUAGE sql STABLE ROWS 1 AS $$
  SELECT p.* FROM parties AS p
  WHERE link.entity_type = 'party'
    AND p.workspace_id = link.workspace_id AND p.id = link.entity_id
$$;

CREATE FUNCTION create_logged_commitment(
  role_id uuid, title text, commitment_type text, source text, priority int,
  due_at timestamptz
) RETURNS commitments LANGUAGE plpgsql AS $$
DECLARE
  made commitments;
BEGIN
  INSERT INTO commitments
    (workspace_id, id, role_id, title, commitment_type, source, priority, due_at)
  VALUES (app.workspace(), uuidv7(), create_logged_commitment.role_id,
    create_logged_commitment.title, create_logged_commitment.commitment_type,
    create_logged_commitment.source, create_logged_commitment.priority,
    create_logged_commitment.due_at)
  RETURNING * INTO made;
  INSERT INTO interactions
    (workspace_id, id, type, actor_type, primary_entity_type, primary_entity_id, after)
  VALUES (made.workspace_id, uuidv7(), 'commitment.created', 'user', 'commitment',
    made.id, to_jsonb(made) - 'workspace_id');
  RETURN made;
END $$;

CREATE FUNCTION commitments_last_interaction(commitment commitments)
RETURNS SETOF interactions LANGUAGE sql STABLE ROWS 1 AS $$
  SELECT i.* FROM interactions AS i
  WHERE i.workspace_id = commitment.workspace_id AND i.primary_entity_id = commitment.id
  ORDER BY i.xid DESC, i.position DESC
  LIMIT 1
$$;

-- And the orders that it asks for, which end in the key as it writes it: ours say
-- exactly what our own statements do, and would leave it with something to sort.
CREATE INDEX ON commitments
  (workspace_id, priority DESC NULLS LAST, id DESC NULLS LAST);
CREATE INDEX ON knowledge_graph_edges
  (workspace_id, source_id, weight DESC NULLS LAST, id DESC NULLS LAST);
CREATE INDEX ON documents (workspace_id, title, id);
