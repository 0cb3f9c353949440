"""SQL of living orders: what a matcher makes its book of, and commands to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import PairId, TokenId, UserId

ORDER_COLUMNS = """o.order_id::text, o.order_number, o.user_id::text, o.trade_group, o.side, o.order_type,
    o.time_in_force, o.post_only, o.self_trade, o.quantity_lots, o.price_ticks, o.stop_ticks, o.trail,
    o.trail_distance, o.fee_bps, o.client_order_id, o.expires_at, o.status, o.triggered, o.remaining_lots,
    o.filled_lots, o.filled_quote,
    o.fee_charged, o.held, o.match_seq, o.priority, o.created_at"""


async def resting(db: Database, pair_id: PairId) -> list[asyncpg.Record]:
    """The living orders that were matched before, in the order of their priority; waiting stops last."""
    async with db.reading() as connection:
        return await connection.fetch(
            f"SELECT {ORDER_COLUMNS} FROM orders o WHERE o.pair_id = $1 AND o.living AND o.match_seq IS NOT NULL "
            "ORDER BY o.triggered DESC, o.priority, o.order_number",
            pair_id,
        )


@dataclass(frozen=True)
class StoredTrade:
    """A trade as everybody may see it."""

    trade_id: UUID
    number: int
    taker_side: str
    price: int
    size: int
    executed_at: datetime


async def recent_trades(db: Database, pair_id: PairId, limit: int) -> list[StoredTrade]:
    """The last trades of a pair, oldest first."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT trade_id, trade_number AS number, taker_side, price_ticks AS price, size_lots AS size, executed_at "
            "FROM trades WHERE pair_id = $1 ORDER BY trade_number DESC LIMIT $2",
            pair_id,
            limit,
        )
    return [StoredTrade(**dict(row)) for row in reversed(rows)]


async def moment(db: Database) -> datetime:
    """The database's clock, one and the same for all processes."""
    async with db.reading() as connection:
        now = await connection.fetchval("SELECT now()")
    assert isinstance(now, datetime)
    return now


async def living_ids(db: Database, user_ids: Sequence[str]) -> dict[str, list[str]]:
    """The ids of these users' living orders, the newest first; nothing of who has none."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT user_id::text, array_agg(order_id::text ORDER BY order_number DESC) AS ids FROM orders "
            "WHERE user_id = ANY ($1::text[]::uuid[]) AND living GROUP BY user_id",
            user_ids,
        )
    return {row["user_id"]: row["ids"] for row in rows}


async def owner_and_status(tx: Tx, order_id: UUID) -> tuple[UserId, PairId, str] | None:
    """Whose an order is, on which pair, and where it is."""
    row = await tx.fetchrow("SELECT user_id, pair_id, status FROM orders WHERE order_id = $1", order_id)
    return (UserId(row["user_id"]), PairId(row["pair_id"]), row["status"]) if row else None


async def add_command(
    tx: Tx, kind: str, pair_id: PairId, order_id: UUID, actor_id: UserId, remaining_lots: int | None
) -> None:
    """Write a command to the pair's book."""
    await tx.execute(
        "INSERT INTO order_commands (pair_id, kind, order_id, actor_id, remaining_lots) VALUES ($1, $2, $3, $4, $5)",
        pair_id,
        kind,
        order_id,
        actor_id,
        remaining_lots,
    )


async def cancel_one(tx: Tx, order_id: UUID) -> None:
    """Ask for an order's end, if it lives and nobody has asked for that already."""
    await tx.execute(
        """
        INSERT INTO order_commands (pair_id, kind, order_id, actor_id)
        SELECT o.pair_id, 'CANCEL', o.order_id, o.user_id FROM orders o WHERE o.order_id = $1 AND o.living
          AND NOT EXISTS (SELECT 1 FROM order_commands k WHERE k.pair_id = o.pair_id AND k.order_id = o.order_id
                          AND k.kind = 'CANCEL' AND k.match_seq IS NULL)
        """,
        order_id,
    )


async def cancel_living(
    tx: Tx, user_id: UserId, why: str, *, pair_id: PairId | None = None, side: str | None = None
) -> int:
    """Ask for the end of all living orders of a user, or those of one pair or side, by durable commands."""
    told = await tx.execute(
        """
        INSERT INTO order_commands (pair_id, kind, order_id, why, actor_id)
        SELECT o.pair_id, 'CANCEL', o.order_id, $2, $1 FROM orders o
        WHERE o.user_id = $1 AND o.living
          AND ($3::uuid IS NULL OR o.pair_id = $3) AND ($4::text IS NULL OR o.side = $4)
        ORDER BY o.order_number
        """,
        user_id,
        why,
        pair_id,
        side,
    )
    return int(told.rsplit(" ", 1)[1])


async def pairs_with_orders_of(
    tx: Tx, user_id: UserId, token_id: TokenId | None
) -> list[tuple[PairId, TokenId]]:
    """The pairs, of one base token or all, on which a user has living orders, each with its base token."""
    rows = await tx.fetch(
        """
        SELECT DISTINCT p.pair_id, p.base_token_id FROM orders o JOIN trading_pairs p USING (pair_id)
        WHERE o.user_id = $1 AND o.living
          AND ($2::uuid IS NULL OR p.base_token_id = $2)
        """,
        user_id,
        token_id,
    )
    return [(PairId(row["pair_id"]), TokenId(row["base_token_id"])) for row in rows]
