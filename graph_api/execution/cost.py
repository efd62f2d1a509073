"""What an operation costs, in points: what it could, before it runs, and what it did.

A point is about what a small operation takes of a processor. Prices are in hundredths
of one, which is that of a row.
"""

from dataclasses import dataclass

# What costs the same whatever is found: a field at the root, a mutation and each item
# that it is given, and a condition that no index serves.
ROOT_FIELD = 100
MUTATION = 1_000
ITEM = 100
SCAN = 500
# A count, an aggregate or the groups of one list.
FIGURE = 100
# These tell nothing of the data.
FREE = frozenset({"__typename", "rateLimit"})
FIGURES = frozenset({"totalCount", "totalCountCapped", "aggregate", "groups"})
# Operators of filters that read more than the rows that they find.
SCANNING = frozenset(
    {"contains", "resembles", "has", "hasAny", "hasAll", "path"}
    | {"some", "none", "every"}
)


@dataclass(frozen=True)
class Cost:
    """The parts of a cost: `fixed` in hundredths of a point, and how many of others."""

    fixed: int = 0
    rows: int = 0
    figures: int = 0

    @property
    def points(self) -> int:
        """In points, to the nearest: below fifty rows nobody counts them."""
        return self.when_read(self.rows, self.figures)

    def when_read(self, rows: int, figures: int) -> int:
        """The points that it comes to when so much is read, and no more than asked for.

        Some rows are read one beyond their page, which is our affair.
        """
        rows, figures = min(rows, self.rows), min(figures, self.figures)
        return (self.fixed + rows + FIGURE * figures + 50) // 100
