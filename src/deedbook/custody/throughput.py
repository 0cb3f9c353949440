"""Money that only passes through: it came, from outside or from another account, and is handed on within the time that
is looked at. For compliance (FATF, red flags for virtual assets: rapid movement without an apparent purpose)."""

from datetime import datetime
from typing import NamedTuple

from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.kernel.ids import UserId, least_uuid

OUT_AGAIN_PERCENT = 90
MOST = 200


class Passage(NamedTuple):
    """What came to one user and what they then asked to hand on of one token, in base units of so many decimals."""

    user_id: UserId
    account: Address
    symbol: str
    decimals: int
    brought_in: int
    taken_out: int
    first_at: datetime
    last_at: datetime


async def passages(db: Database, since: datetime) -> list[Passage]:
    """Users who hand on most of what has come to them since then, whoever did so last first. What they handed on before
    it came was other money."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            WITH brought AS (
                SELECT user_id, token_id, credited AS amount, updated_at AS at FROM deposits
                WHERE status = 'CREDITED' AND updated_at >= $1
                UNION ALL
                SELECT to_user_id, token_id, amount, updated_at FROM transfers
                WHERE status = 'COMPLETED' AND updated_at >= $1
            ), came AS (
                SELECT user_id, token_id, sum(amount) AS amount, min(at) AS first_at FROM brought
                GROUP BY user_id, token_id
            ), taken AS (
                SELECT user_id, token_id, amount, created_at AS at FROM withdrawal_requests
                WHERE withdrawal_id >= $2 AND status NOT IN ('REJECTED', 'FAILED', 'CANCELLED')
                UNION ALL
                SELECT from_user_id, token_id, amount, created_at FROM transfers
                WHERE transfer_id >= $2 AND status <> 'FAILED'
            ), went AS (
                SELECT user_id, token_id, sum(t.amount) AS amount, max(t.at) AS last_at
                FROM came JOIN taken t USING (user_id, token_id) WHERE t.at >= came.first_at
                GROUP BY user_id, token_id
            )
            SELECT user_id, u.account, t.symbol, t.decimals, came.amount AS came, went.amount AS went,
                   came.first_at, went.last_at
            FROM came JOIN went USING (user_id, token_id) JOIN users u USING (user_id) JOIN tokens t USING (token_id)
            WHERE went.amount * 100 >= came.amount * $3
            ORDER BY went.last_at DESC LIMIT $4
            """,
            since,
            least_uuid(since),
            OUT_AGAIN_PERCENT,
            MOST,
        )
    return [Passage(*row[:4], *map(int, row[4:6]), *row[6:]) for row in map(tuple, rows)]
