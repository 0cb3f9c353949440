"""What waits for a matcher for longer than any batch, or any takeover, lasts: there should never be any."""

from datetime import datetime
from typing import NamedTuple

from deedbook.infra.database import Database

STUCK_AFTER_S = 10.0


class Stuck(NamedTuple):
    """How many orders, and how many cancels and other commands, and since when the first of them."""

    orders: int
    commands: int
    since: datetime | None


async def stuck(db: Database) -> Stuck:
    """What no matcher has taken up in time."""
    async with db.reading() as connection:
        row = await connection.fetchrow(
            """
            WITH late AS (
                SELECT cardinality(w.order_ids) AS orders, 0 AS commands, o.created_at
                FROM waiting_orders w JOIN orders o ON o.order_id = w.order_ids[1]
                UNION ALL
                SELECT 0, 1, created_at FROM order_commands WHERE match_seq IS NULL
            )
            SELECT COALESCE(sum(orders), 0)::int, COALESCE(sum(commands), 0)::int, min(created_at) FROM late
            WHERE created_at < now() - make_interval(secs => $1)
            """,
            STUCK_AFTER_S,
        )
    assert row is not None
    return Stuck(*row)
