"""What a caller may still ask for, told to the caller."""

from datetime import datetime

import strawberry

from graph_api.schema.fields import maybe, object_type, row_field
from graph_api.schema.sources import ColumnValue, OfRequest


def _field(type: type, attribute: str, description: str) -> object:
    return row_field(type, ColumnValue(None, attribute), description)


RATE_LIMIT = object_type(
    "RateLimit",
    "The points that operations cost, as they stand for the credential that was used.",
    {
        "limit": _field(int, "limit", "How many there are when none is used."),
        "cost": _field(
            int,
            "requested",
            "What this operation may cost. What it does not is given back when it is "
            "answered; `extensions.cost` tells that.",
        ),
        "remaining": _field(int, "remaining", "How many are left."),
        "used": _field(int, "used", "How many are not."),
        "reset_at": _field(
            datetime, "reset_at", "When all are there again, if no more is used."
        ),
    },
)


@strawberry.type
class QuotaQueries:
    """Where reading about what one may ask starts."""

    rate_limit = row_field(
        maybe(RATE_LIMIT),
        OfRequest(lambda context: context.charge),
        "What the caller may still ask for; null where nothing is limited, as in local "
        "mode. To ask costs nothing.",
    )
