"""Money that only passes through: brought in and taken out again within the time that is looked at. For compliance
(FATF, red flags for virtual assets: rapid movement without an apparent purpose)."""

from datetime import datetime
from typing import NamedTuple

from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.kernel.ids import UserId, least_uuid

OUT_AGAIN_PERCENT = 90
MOST = 200


class Passage(NamedTuple):
    """What one user brought in and then asked to take out of one token, in base units of so many decimals."""

    user_id: UserId
    account: Address
    symbol: str
    decimals: int
    brought_in: int
    taken_out: int
    first_at: datetime
    last_at: datetime


async def passages(db: Database, since: datetime) -> list[Passage]:
    """Users who take out most of what they have brought in since then, whoever did so last first. What they took out
    before that was other money."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            WITH came AS (
                SELECT user_id, token_id, sum(credited) AS amount, min(created_at) AS first_at FROM deposits
                WHERE deposit_id >= $1 AND status = 'CREDITED' GROUP BY user_id, token_id
            ), went AS (
                SELECT user_id, token_id, sum(w.amount) AS amount, max(w.created_at) AS last_at
                FROM came JOIN withdrawal_requests w USING (user_id, token_id)
                WHERE w.withdrawal_id >= $1 AND w.created_at >= came.first_at
                      AND w.status NOT IN ('REJECTED', 'FAILED', 'CANCELLED')
                GROUP BY user_id, token_id
            )
            SELECT user_id, u.account, t.symbol, t.decimals, came.amount AS came, went.amount AS went,
                   came.first_at, went.last_at
            FROM came JOIN went USING (user_id, token_id) JOIN users u USING (user_id) JOIN tokens t USING (token_id)
            WHERE went.amount * 100 >= came.amount * $2
            ORDER BY went.last_at DESC LIMIT $3
            """,
            least_uuid(since),
            OUT_AGAIN_PERCENT,
            MOST,
        )
    return [Passage(*row[:4], *map(int, row[4:6]), *row[6:]) for row in map(tuple, rows)]
