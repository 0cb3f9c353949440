"""What looks unusual in how people trade, for compliance: who keeps meeting themselves, and who keeps placing orders
only to take them back. Such figures prove nothing: somebody looks at the orders behind them."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.kernel.ids import UserId, least_uuid

LATEST = 200_000
"""So many orders are looked at, at most: a busy hour must not make the question a long one."""
SELF_TRADES = 3
PLACED, TAKEN_BACK_PERCENT = 200, 95
MOST = 200


class Conduct(NamedTuple):
    """Orders of one user: all, those that ended because they met the user's own (self-trade prevention), and those that
    the user took back before any of it was filled."""

    user_id: UserId
    account: Address
    orders: int
    self_trades: int
    taken_back: int
    first_at: datetime
    last_at: datetime

    @property
    def meets_itself(self) -> bool:
        return self.self_trades >= SELF_TRADES

    @property
    def takes_back(self) -> bool:
        """Layering and spoofing look like this (ESMA, MAR Annex I); so does a market maker's ordinary day."""
        return self.orders >= PLACED and self.taken_back * 100 >= self.orders * TAKEN_BACK_PERCENT


class Looked(NamedTuple):
    """What was found among the orders since a moment: later than asked where there were too many."""

    since: datetime
    found: Sequence[Conduct]


async def unusual(db: Database, since: datetime) -> Looked:
    """Users who stand out among the latest orders, whoever did so last first."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            WITH latest AS MATERIALIZED (
                SELECT user_id, reason, status, filled_lots, created_at, updated_at FROM orders
                WHERE order_id >= $1 ORDER BY order_id DESC LIMIT $2
            ), by_user AS (
                SELECT user_id, count(*) AS orders, min(created_at) AS first_at, max(updated_at) AS last_at,
                       count(*) FILTER (WHERE reason = 'self_trade') AS self_trades,
                       count(*) FILTER (WHERE status = 'CANCELLED' AND reason = 'cancelled' AND filled_lots = 0)
                           AS taken_back
                FROM latest GROUP BY user_id
            )
            SELECT b.user_id, u.account, b.orders, b.self_trades, b.taken_back, b.first_at, b.last_at, l.reached
            FROM (SELECT CASE WHEN count(*) = $2 THEN min(created_at) END AS reached FROM latest) AS l
            LEFT JOIN (by_user b JOIN users u USING (user_id))
                ON b.self_trades >= $3 OR (b.orders >= $4 AND b.taken_back * 100 >= b.orders * $5)
            ORDER BY b.last_at DESC LIMIT $6
            """,
            least_uuid(since),
            LATEST,
            SELF_TRADES,
            PLACED,
            TAKEN_BACK_PERCENT,
            MOST,
        )
    found = [Conduct(*tuple(row)[:-1]) for row in rows if row["user_id"] is not None]
    return Looked(rows[0]["reached"] or since, found)
