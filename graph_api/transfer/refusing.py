"""Refusing staged lines, set by set."""

from typing import Any

from graph_api.transfer.connecting import Connection
from graph_api.transfer.kinds import Kind
from graph_api.transfer.sql import sql

_REFUSE = """
WITH bad AS MATERIALIZED ({bad}),
gone AS (DELETE FROM {table} AS t USING bad WHERE t.n = bad.n)
INSERT INTO import_refusals (n, type, ref, field, reason, other, direct)
SELECT DISTINCT ON (bad.n)
       bad.n, '{type}', s.ref, bad.field, bad.reason, bad.other, bad.direct
FROM bad JOIN {lines} AS s USING (n)
ORDER BY bad.n, bad.direct
ON CONFLICT (n) DO NOTHING
"""


async def refuse(
    connection: Connection, kind: Kind, role: str, bad: str, *arguments: Any
) -> int:
    """Refuse the lines that the query `bad` gives, and take them out of `role`.

    The query gives n, field, reason, other (a line to point at) and direct (whether the
    cause lies in the line itself). How many lines there were is the result.
    """
    status = await connection.execute(
        sql(
            _REFUSE,
            bad=bad,
            table=kind.temporary(role),
            lines=kind.temporary("lines"),
            type=kind.name,
        ),
        *arguments,
    )
    return int(status.split()[-1])
