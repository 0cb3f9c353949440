"""SQL of statistics: the last 24 hours to the microsecond, from whole minutes and the trades of the one at the edge."""

from datetime import datetime
from typing import Any

from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import PairId
from deedbook.marketdata.model import Stats
from deedbook.marketdata.store.candles import EPOCH

WINDOW = "interval '24 hours'"
# A trade leaves when it is exactly as old as the window is long.
_STATS = f"""
    WITH span AS (SELECT $2::timestamptz - {WINDOW} AS since),
    edge AS (
        SELECT c.opened_at, c.first_trade, c.last_trade FROM price_candles c, span s
        WHERE c.pair_id = $1 AND c.interval = '1m' AND c.opened_at = date_bin('1 minute', s.since, {EPOCH})
    ), parts AS (
        SELECT open_ticks AS open, high_ticks AS high, low_ticks AS low, volume_lots AS lots, quote_volume AS quote,
               trades, first_trade AS first, opened_at AS since
        FROM price_candles, span s WHERE pair_id = $1 AND interval = '1m' AND opened_at > s.since
        UNION ALL
        SELECT t.price_ticks, t.price_ticks, t.price_ticks, t.size_lots, t.quote_amount, 1, t.trade_number,
               t.executed_at
        FROM edge e JOIN trades t ON t.pair_id = $1 AND t.trade_number BETWEEN e.first_trade AND e.last_trade, span s
        WHERE t.executed_at > s.since AND t.executed_at < e.opened_at + interval '1 minute'
          AND t.settlement_status <> 'FAILED'
    ), totals AS (
        SELECT (array_agg(open ORDER BY first))[1] AS open_ticks, max(high) AS high_ticks, min(low) AS low_ticks,
               COALESCE(sum(lots), 0) AS volume_lots, COALESCE(sum(quote), 0) AS quote_volume,
               COALESCE(sum(trades), 0) AS trades, min(since) + {WINDOW} AS leaves_at
        FROM parts
    )
    SELECT t.*, c.trade_number, c.revision, last.price_ticks AS last_ticks, last.executed_at AS last_at
    FROM totals t CROSS JOIN candle_cursors c LEFT JOIN LATERAL (
        SELECT price_ticks, executed_at FROM trades
        WHERE pair_id = $1 AND trade_number <= c.trade_number AND settlement_status <> 'FAILED'
        ORDER BY trade_number DESC LIMIT 1) AS last ON true
    WHERE c.pair_id = $1
"""


async def due(db: Database, now: datetime | None, limit: int) -> list[PairId]:
    """Pairs whose candles have changed, or whose window has moved past a trade, since they were counted."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            SELECT c.pair_id FROM candle_cursors c LEFT JOIN market_stats s USING (pair_id)
            WHERE s.revision IS DISTINCT FROM c.revision OR s.leaves_at <= COALESCE($1, now())
            ORDER BY s.as_of NULLS FIRST LIMIT $2
            """,
            now,
            limit,
        )
    return [PairId(row["pair_id"]) for row in rows]


async def claim(tx: Tx, pair_id: PairId) -> bool:
    """Count this pair now; `False` while another does."""
    return bool(
        await tx.fetchval(
            "SELECT true FROM candle_cursors WHERE pair_id = $1 FOR NO KEY UPDATE SKIP LOCKED", pair_id
        )
    )


async def count(connection: Any, pair_id: PairId, now: datetime) -> Stats:
    """The pair's 24 hours before this moment, from what is folded."""
    row = await connection.fetchrow(_STATS, pair_id, now)
    return _stats(row, pair_id, now) if row else Stats.nothing(pair_id, now)


async def kept(connection: Any) -> dict[PairId, Stats]:
    """What was counted last, of every pair that was ever counted."""
    rows = await connection.fetch("SELECT * FROM market_stats")
    return {PairId(row["pair_id"]): _stats(row, PairId(row["pair_id"]), row["as_of"]) for row in rows}


def _stats(row: Any, pair_id: PairId, as_of: datetime) -> Stats:
    return Stats(
        pair_id=pair_id,
        as_of=as_of,
        open_ticks=row["open_ticks"],
        high_ticks=row["high_ticks"],
        low_ticks=row["low_ticks"],
        last_ticks=row["last_ticks"],
        last_at=row["last_at"],
        volume_lots=int(row["volume_lots"]),
        quote_volume=int(row["quote_volume"]),
        trades=int(row["trades"]),
        trade_number=row["trade_number"],
        revision=row["revision"],
        leaves_at=row["leaves_at"],
    )


async def keep(tx: Tx, stats: Stats) -> None:
    """Write down what was counted."""
    await tx.execute(
        """
        INSERT INTO market_stats (pair_id, open_ticks, high_ticks, low_ticks, last_ticks, last_at, volume_lots,
            quote_volume, trades, trade_number, revision, leaves_at, as_of)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        ON CONFLICT (pair_id) DO UPDATE SET open_ticks = $2, high_ticks = $3, low_ticks = $4, last_ticks = $5,
            last_at = $6, volume_lots = $7, quote_volume = $8, trades = $9, trade_number = $10, revision = $11,
            leaves_at = $12, as_of = $13
        """,
        stats.pair_id,
        stats.open_ticks,
        stats.high_ticks,
        stats.low_ticks,
        stats.last_ticks,
        stats.last_at,
        stats.volume_lots,
        stats.quote_volume,
        stats.trades,
        stats.trade_number,
        stats.revision,
        stats.leaves_at,
        stats.as_of,
    )
