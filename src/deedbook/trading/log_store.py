"""SQL of what was written for ever: a pair's events as the relay reads them, and its log as a replay does."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from deedbook.infra.database import Database
from deedbook.infra.outbox import Cursor
from deedbook.kernel.ids import PairId


@dataclass(frozen=True)
class StoredFacts:
    """The events of one commit on one pair, one JSON text a line."""

    batch_id: UUID
    pair_id: UUID
    occurred_at: datetime
    lines: list[str]
    cursor: Cursor


MAX_BYTES = 32 << 20


async def facts_after(
    db: Database, cursor: Cursor, *, limit: int, most_bytes: int = MAX_BYTES
) -> list[StoredFacts]:
    """The next events that are safe to read, oldest first: see `infra.outbox` for why so. No more commits than `limit`,
    and none that begins beyond `most_bytes`: one commit may tell a hundred thousand events."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            WITH page AS (
                SELECT batch_id, pair_id, occurred_at, facts, tx_id, position FROM trading_facts
                WHERE (tx_id, position) > ($1::text::xid8, $2::bigint)
                  AND tx_id < pg_snapshot_xmin(pg_current_snapshot())
                ORDER BY tx_id, position LIMIT $3
            ), sized AS (
                SELECT *, sum(octet_length(facts)) OVER (ORDER BY tx_id, position) - octet_length(facts) AS before
                FROM page
            )
            SELECT batch_id, pair_id, occurred_at, facts, tx_id::text::bigint AS tx, position FROM sized
            WHERE before < $4 ORDER BY sized.tx_id, position
            """,
            str(cursor.tx_id),
            cursor.position,
            limit,
            most_bytes,
        )
    return [
        StoredFacts(
            row["batch_id"],
            row["pair_id"],
            row["occurred_at"],
            row["facts"].split("\n"),
            Cursor(row["tx"], row["position"]),
        )
        for row in rows
    ]


@dataclass(frozen=True)
class Log:
    """Everything that a pair's book was told, and the trades that came of it, each in order."""

    orders: list[asyncpg.Record]
    commands: list[asyncpg.Record]
    trades: list[asyncpg.Record]


async def log_of(db: Database, pair_id: PairId) -> Log:
    """The whole log of a pair, of one moment."""
    async with db.transaction() as tx:
        await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        orders = await tx.fetch(
            "SELECT order_id, order_number, trade_group, side, order_type, time_in_force, post_only, self_trade, "
            "quantity_lots, price_ticks, stop_ticks, trail, trail_distance, match_seq FROM orders "
            "WHERE pair_id = $1 AND match_seq IS NOT NULL ORDER BY match_seq",
            pair_id,
        )
        commands = await tx.fetch(
            "SELECT kind, order_id, remaining_lots, why, match_seq FROM order_commands "
            "WHERE pair_id = $1 AND match_seq IS NOT NULL ORDER BY match_seq",
            pair_id,
        )
        trades = await tx.fetch(
            "SELECT buy_order_id, sell_order_id, taker_side, price_ticks, size_lots FROM trades "
            "WHERE pair_id = $1 ORDER BY trade_number",
            pair_id,
        )
    return Log(orders, commands, trades)
