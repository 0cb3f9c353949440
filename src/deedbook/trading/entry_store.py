"""SQL of order entry: what is looked up before an order comes in, and cancels, many in one commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
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
            WHERE living AND order_type <> 'SWAP' ORDER BY order_id, place
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


async def living_books(tx: Tx, user_id: UserId, pair_id: PairId | None) -> list[tuple[UUID, PairId]]:
    """The pairs on which a user has living orders, each with one of these."""
    rows = await tx.fetch(
        "SELECT DISTINCT ON (pair_id) order_id, pair_id FROM orders WHERE user_id = $1 "
        "AND living AND ($2::uuid IS NULL OR pair_id = $2) ORDER BY pair_id",
        user_id,
        pair_id,
    )
    return [(row["order_id"], PairId(row["pair_id"])) for row in rows]


async def set_deadline(tx: Tx, user_id: UserId, seconds: int) -> datetime:
    """When all orders of a user end, in the place of what was said before."""
    deadline = await tx.fetchval(
        """
        INSERT INTO cancel_all_after (user_id, deadline) VALUES ($1, now() + make_interval(secs => $2))
        ON CONFLICT (user_id) DO UPDATE SET deadline = EXCLUDED.deadline RETURNING deadline
        """,
        user_id,
        seconds,
    )
    assert isinstance(deadline, datetime)
    return deadline


async def drop_deadline(tx: Tx, user_id: UserId) -> None:
    await tx.execute("DELETE FROM cancel_all_after WHERE user_id = $1", user_id)


async def take_overdue(tx: Tx, limit: int) -> list[UserId]:
    """Those whose deadline has passed; it is taken down with this transaction, once."""
    rows = await tx.fetch(
        """
        DELETE FROM cancel_all_after WHERE user_id IN (
            SELECT user_id FROM cancel_all_after WHERE deadline <= now()
            ORDER BY deadline LIMIT $1 FOR UPDATE SKIP LOCKED
        ) RETURNING user_id
        """,
        limit,
    )
    return [UserId(row["user_id"]) for row in rows]
