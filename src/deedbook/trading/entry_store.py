"""SQL of order entry: what is looked up before an order comes in, and cancels, many in one commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from deedbook.infra.arrays import plain
from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import PairId, UserId
from deedbook.trading.admission import Quotes


@dataclass(frozen=True)
class Answered:
    """The first answer that was given under an Idempotency-Key."""

    fingerprint: bytes
    body: bytes


@dataclass(frozen=True)
class UsedNonce:
    """What has used a nonce: the digest of what was signed, and the id of what came of it, as text."""

    digest: str
    action_id: str


async def use_of_nonce(db: Database, account: str, nonce: str) -> UsedNonce | None:
    async with db.reading() as connection:
        row = await connection.fetchrow(
            "SELECT encode(digest, 'hex') AS digest, action_id::text FROM signed_actions "
            "WHERE account = $1 AND nonce = $2",
            account,
            nonce,
        )
    return UsedNonce(row["digest"], row["action_id"]) if row else None


async def pair_of_symbol(db: Database, symbol: str) -> PairId | None:
    async with db.reading() as connection:
        found = await connection.fetchval("SELECT pair_id FROM trading_pairs WHERE symbol = $1", symbol)
    return PairId(found) if found else None


async def quotes(db: Database, pair_id: PairId) -> Quotes:
    """What the pair's book showed after its last commit."""
    async with db.reading() as connection:
        row = await connection.fetchrow(
            "SELECT best_bid_ticks, best_ask_ticks, last_price_ticks FROM pair_writer WHERE pair_id = $1",
            pair_id,
        )
    return Quotes(*row) if row else Quotes(0, 0, 0)


async def answered(db: Database, user_id: UserId, key: str) -> Answered | None:
    async with db.reading() as connection:
        row = await connection.fetchrow(
            "SELECT fingerprint, body FROM idempotency_keys WHERE principal = $1 AND key = $2",
            str(user_id),
            key,
        )
    return Answered(bytes(row["fingerprint"]), bytes(row["body"])) if row else None


async def cancel_many(
    tx: Tx, order_ids: Sequence[UUID], user_ids: Sequence[UserId], why: str
) -> frozenset[UUID]:
    """Ask for the end of these orders, each on behalf of this user; those that live and are theirs."""
    rows = await tx.fetch(
        """
        WITH asked AS (
            SELECT DISTINCT ON (order_id) order_id, user_id, place
            FROM unnest($1::text::uuid[], $2::text::uuid[]) WITH ORDINALITY AS a (order_id, user_id, place)
            JOIN orders USING (order_id, user_id)
            WHERE status IN ('PENDING_MATCH', 'OPEN', 'PARTIAL') ORDER BY order_id, place
        ), told AS (
            INSERT INTO order_commands (pair_id, kind, order_id, why, actor_id)
            SELECT o.pair_id, 'CANCEL', o.order_id, $3, o.user_id FROM asked JOIN orders o USING (order_id)
            ORDER BY asked.place
        ) SELECT order_id FROM asked
        """,
        plain(order_ids),
        plain(user_ids),
        why,
    )
    return frozenset(row["order_id"] for row in rows)
