"""The words that an annotation is about: their end does not lie before their start."""

from graph_api.transfer.kinds import ANNOTATIONS
from graph_api.transfer.sql import sql

# A changed line may have only one of the two, so the stored row is looked at as well.
INVERTED = sql(
    """
SELECT f.n, 'endOffset' AS field, 'must not lie before startOffset' AS reason,
       NULL::bigint AS other, true AS direct
FROM {found} AS f {sources}
LEFT JOIN {stored} AS t ON t.workspace_id = $1 AND t.id = f.stored
WHERE {start} > {end}
""",
    found=ANNOTATIONS.temporary("found"),
    sources=ANNOTATIONS.sources,
    stored=ANNOTATIONS.stored,
    start=ANNOTATIONS.when_given(ANNOTATIONS.field("startOffset"), "t.start_offset"),
    end=ANNOTATIONS.when_given(ANNOTATIONS.field("endOffset"), "t.end_offset"),
)
