"""What one operation may ask for, and how it is told that it asks for too much.

A refusal says which limit it was, by how much, and what would fit.
"""

from collections import Counter
from dataclasses import dataclass, field

from graph_api.config import Settings
from graph_api.errors import TooComplex
from graph_api.execution.cost import Cost

# Far beyond any depth in relations, and within Python's recursion limit.
MAX_NESTING = 100
# graphql-core's rule for overlapping fields is quadratic in them.
MAX_SAME_NAME = 100
# The introspection query of graphql-js, with nine levels of `ofType`, has 14.
MAX_INTROSPECTION_DEPTH = 15
# Saturation: a fragment doubled 150 times must not make a number of 150 bits.
CAP = 10**12


@dataclass(frozen=True)
class Limits:
    """How much of each an operation may have."""

    depth: int = 12
    rows: int = 500_000
    tokens: int = 2_000
    query_bytes: int = 64 * 1024
    aliases: int = 30
    root_fields: int = 20
    directives: int = 20
    # With their fragments expanded; a full introspection query has about 250.
    fields: int = 1_000
    page: int = 100
    default_page: int = 20

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        return cls(
            depth=settings.max_depth,
            rows=settings.max_rows,
            tokens=settings.max_tokens,
            query_bytes=settings.max_query_bytes,
            aliases=settings.max_aliases,
            root_fields=settings.max_root_fields,
            page=settings.max_page,
        )


@dataclass(slots=True)
class Amount:
    """So many of something, and so many more for each row of the page around it."""

    total: int = 0
    per_page: int = 0

    def add(self, other: "Amount") -> None:
        self.total = min(self.total + other.total, CAP)
        self.per_page = min(self.per_page + other.per_page, CAP)

    def on_page_of(self, size: int) -> int:
        """How many there are in all, where the page around has so many rows."""
        return min(self.total + size * self.per_page, CAP)


@dataclass(slots=True)
class Weight:
    """What a selection set amounts to, with its fragments expanded.

    `figures` are counts and the like of whole lists; `fixed` is what it costs whatever
    is found, in hundredths of a point; `names` are the response names of this level,
    with how often each is asked.
    """

    depth: int = 0
    introspection_depth: int = 0
    fields: int = 0
    aliases: int = 0
    schemas: int = 0
    rows: Amount = field(default_factory=Amount)
    figures: Amount = field(default_factory=Amount)
    fixed: int = 0
    names: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Weight") -> None:
        """Make this the weight of both, side by side."""
        self.depth = max(self.depth, other.depth)
        self.introspection_depth = max(
            self.introspection_depth, other.introspection_depth
        )
        self.fields += other.fields
        self.aliases += other.aliases
        self.schemas += other.schemas
        self.rows.add(other.rows)
        self.figures.add(other.figures)
        self.fixed = min(self.fixed + other.fixed, CAP)

    @property
    def root_fields(self) -> int:
        return self.names.total()


def refuse_above(limit: str, allowed: int, actual: int, what: str, remedy: str) -> None:
    """Refuse an operation whose `what` are more than allowed; `remedy` would fit."""
    if actual > allowed:
        raise TooComplex(
            f"The operation has {actual} {what}; at most {allowed} are allowed. "
            f"{remedy}",
            limit=limit,
            allowed=allowed,
            actual=actual,
        )


def refuse_weight(weight: Weight, limits: Limits) -> None:
    """Refuse an operation that is too heavy whatever its variables are."""
    refuse_above(
        "depth",
        limits.depth,
        weight.depth,
        "levels of relations",
        "Ask for the deeper ones by their ids in a second operation.",
    )
    refuse_above(
        "introspectionDepth",
        MAX_INTROSPECTION_DEPTH,
        weight.introspection_depth,
        "levels of introspection",
        "The usual introspection query fits.",
    )
    refuse_above(
        "aliases",
        limits.aliases,
        weight.aliases,
        "aliases, its fragments expanded",
        "Use a filter or `nodes(ids:)`, or several operations.",
    )
    refuse_above(
        "rootFields",
        limits.root_fields,
        weight.root_fields,
        "fields at its root",
        "Use several operations.",
    )
    refuse_above("schemas", 1, weight.schemas, "times `__schema`", "Ask it once.")


def refuse_breadth(weight: Weight, part: Weight, limits: Limits) -> None:
    """Refuse a level, to which `part` was added, once it would be slow to validate."""
    refuse_above(
        "fields",
        limits.fields,
        weight.fields,
        "or more fields, its fragments expanded",
        "Spread a fragment fewer times, or use several operations.",
    )
    refuse_above(
        "sameName",
        MAX_SAME_NAME,
        max((weight.names[name] for name in part.names), default=0),
        "or more fields with one name in one place",
        "Ask for each once.",
    )


def refuse_rows(weight: Weight, limits: Limits) -> None:
    """Refuse an operation that could ask for more rows than are allowed."""
    # A list at the root has no field around it that would say its size.
    refuse_above(
        "rows",
        limits.rows,
        weight.rows.on_page_of(limits.default_page),
        "potential rows, which are the product of its page sizes",
        "Ask for smaller pages (`first:`), or for fewer levels at once.",
    )


def cost_of(weight: Weight, limits: Limits) -> Cost:
    """What an operation of this weight costs at most."""
    page = limits.default_page
    rows, figures = weight.rows.on_page_of(page), weight.figures.on_page_of(page)
    return Cost(weight.fixed, rows, figures)
