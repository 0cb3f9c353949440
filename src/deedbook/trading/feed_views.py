"""Pairs as the live feeds begin from, and catch up with, when they have missed something: all of one moment."""

from dataclasses import dataclass
from datetime import datetime

from deedbook.infra.database import Database
from deedbook.kernel.ids import PairId
from deedbook.trading.book_copies import feed_channel
from deedbook.trading.order_store import StoredTrade

__all__ = ["RECENT", "MarketState", "feed_channel", "market_state", "trades_between"]

RECENT = 100
_SIDE = """
    SELECT price_ticks, sum(remaining_lots)::bigint AS lots FROM orders
    WHERE pair_id = $1 AND side = $2 AND living AND match_seq IS NOT NULL AND triggered
    GROUP BY price_ticks ORDER BY price_ticks
"""
_TRADES = """
    SELECT trade_id, trade_number AS number, taker_side, price_ticks AS price, size_lots AS size, executed_at
    FROM trades WHERE pair_id = $1
"""


@dataclass(frozen=True)
class MarketState:
    """A pair after the commit of the event `seq`: levels in ticks and lots, the best first; the last trades, the
    oldest first, of which `trade_number` were there in all; the last price, 0 where nothing has traded."""

    seq: int
    trade_number: int
    last_ticks: int
    at: datetime
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]
    trades: list[StoredTrade]


async def market_state(db: Database, pair_id: PairId, *, levels: int) -> MarketState:
    """The best levels, the last price and the last trades of a pair, as of its writer's last commit."""
    async with db.reading() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        writer = await connection.fetchrow(
            "SELECT fact_seq, trade_number, last_price_ticks, now() AS at FROM pair_writer WHERE pair_id = $1",
            pair_id,
        )
        assert writer is not None, "every pair has the row of its writer"
        bids = await connection.fetch(f"{_SIDE} DESC LIMIT $3", pair_id, "BUY", levels)
        asks = await connection.fetch(f"{_SIDE} ASC LIMIT $3", pair_id, "SELL", levels)
        trades = await connection.fetch(f"{_TRADES} ORDER BY trade_number DESC LIMIT $2", pair_id, RECENT)
    return MarketState(
        writer["fact_seq"],
        writer["trade_number"],
        writer["last_price_ticks"],
        writer["at"],
        [(row["price_ticks"], row["lots"]) for row in bids],
        [(row["price_ticks"], row["lots"]) for row in asks],
        [StoredTrade(**dict(row)) for row in reversed(trades)],
    )


async def trades_between(
    db: Database, pair_id: PairId, *, after: int, up_to: int, limit: int
) -> list[StoredTrade]:
    """The trades of a pair after one number, up to another, the oldest first."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            f"{_TRADES} AND trade_number > $2 AND trade_number <= $3 ORDER BY trade_number LIMIT $4",
            pair_id,
            after,
            up_to,
            limit,
        )
    return [StoredTrade(**dict(row)) for row in rows]
