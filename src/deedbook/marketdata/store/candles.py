"""SQL of candles: each trade is folded in once, by its number; what settlement undoes is computed anew.

A pair's trades commit in the order of their numbers, so that a number is a cursor. Candles are merged, never made
again, while trades only arrive: the work is that of the new trades, whatever was traded before.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import PairId
from deedbook.marketdata.model import Candle
from deedbook.marketdata.terms import Interval

EPOCH = "'2000-01-01 00:00:00+00'::timestamptz"
_COLUMNS = """interval, opened_at, open_ticks, high_ticks, low_ticks, close_ticks, volume_lots, quote_volume, trades,
    first_trade, last_trade"""
_ALL = ", ".join(
    f"('{each.value}', interval '{int(each.width.total_seconds())} seconds')" for each in Interval
)
_BEYOND = ", ".join(
    f"('{each.value}', interval '{int(each.width.total_seconds())} seconds')"
    for each in Interval
    if each is not Interval.ONE_MINUTE
)
_OF_TRADES = f"""
    SELECT date_bin('1 minute', executed_at, {EPOCH}) AS minute,
           (array_agg(price_ticks ORDER BY trade_number))[1] AS open, max(price_ticks) AS high,
           min(price_ticks) AS low, (array_agg(price_ticks ORDER BY trade_number DESC))[1] AS close,
           sum(size_lots) AS lots, sum(quote_amount) AS quote, count(*) AS trades,
           min(trade_number) AS first, max(trade_number) AS last
    FROM trades
"""
_OF_MINUTES = """
    (array_agg(open ORDER BY first))[1], max(high), min(low), (array_agg(close ORDER BY last DESC))[1],
    sum(lots), sum(quote), sum(trades), min(first), max(last)
"""


@dataclass(frozen=True)
class Cursor:
    """How far a pair is folded, and which edition of its candles that is."""

    trade_number: int
    revision: int


async def behind(db: Database, limit: int) -> list[PairId]:
    """Pairs with trades that are not folded yet, or with some to take out."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            SELECT w.pair_id FROM pair_writer w LEFT JOIN candle_cursors c USING (pair_id)
            WHERE w.trade_number > COALESCE(c.trade_number, 0)
            UNION SELECT r.pair_id FROM candle_repairs r JOIN candle_cursors c USING (pair_id)
            WHERE r.trade_number <= c.trade_number LIMIT $1
            """,
            limit,
        )
    return [PairId(row["pair_id"]) for row in rows]


async def claim(tx: Tx, pair_id: PairId) -> Cursor | None:
    """The pair's cursor, until this transaction ends nobody else's; `None` while it is another's."""
    await tx.execute("INSERT INTO candle_cursors (pair_id) VALUES ($1) ON CONFLICT DO NOTHING", pair_id)
    row = await tx.fetchrow(
        "SELECT trade_number, revision FROM candle_cursors WHERE pair_id = $1 FOR UPDATE SKIP LOCKED", pair_id
    )
    return Cursor(**row) if row else None


async def newest(tx: Tx, pair_id: PairId) -> int:
    """The number of the pair's last trade."""
    return int(await tx.fetchval("SELECT trade_number FROM pair_writer WHERE pair_id = $1", pair_id) or 0)


async def fold(tx: Tx, pair_id: PairId, after: int, upto: int) -> list[Candle]:
    """Merge these trades into the candles of all intervals; those that changed, the oldest first."""
    rows = await tx.fetch(_FOLD, pair_id, after, upto)
    return sorted((candle_of(row) for row in rows), key=lambda candle: candle.opened_at)


_FOLD = f"""
    WITH minutes AS (
        {_OF_TRADES}
        WHERE pair_id = $1 AND trade_number > $2 AND trade_number <= $3 AND settlement_status <> 'FAILED' GROUP BY 1
    )
    INSERT INTO price_candles AS c (pair_id, {_COLUMNS})
    SELECT $1, i.name, date_bin(i.width, minute, {EPOCH}), {_OF_MINUTES}
    FROM minutes CROSS JOIN (VALUES {_ALL}) AS i (name, width) GROUP BY 2, 3
    ON CONFLICT (pair_id, interval, opened_at) DO UPDATE SET
        open_ticks = CASE WHEN EXCLUDED.first_trade < c.first_trade THEN EXCLUDED.open_ticks ELSE c.open_ticks END,
        close_ticks = CASE WHEN EXCLUDED.last_trade > c.last_trade THEN EXCLUDED.close_ticks ELSE c.close_ticks END,
        high_ticks = greatest(c.high_ticks, EXCLUDED.high_ticks),
        low_ticks = least(c.low_ticks, EXCLUDED.low_ticks),
        volume_lots = c.volume_lots + EXCLUDED.volume_lots,
        quote_volume = c.quote_volume + EXCLUDED.quote_volume,
        trades = c.trades + EXCLUDED.trades,
        first_trade = least(c.first_trade, EXCLUDED.first_trade),
        last_trade = greatest(c.last_trade, EXCLUDED.last_trade)
    RETURNING {_COLUMNS}
"""


async def advance(tx: Tx, pair_id: PairId, trade_number: int) -> Cursor:
    """Move the cursor, in the transaction that folded."""
    row = await tx.fetchrow(
        "UPDATE candle_cursors SET trade_number = $2, revision = revision + 1 WHERE pair_id = $1 "
        "RETURNING trade_number, revision",
        pair_id,
        trade_number,
    )
    assert row is not None, "it was claimed in this transaction"
    return Cursor(**row)


async def take_repairs(tx: Tx, pair_id: PairId, upto: int, limit: int) -> list[datetime]:
    """The minutes of trades that are folded and no longer count, or count again. They are forgotten here."""
    rows = await tx.fetch(
        f"""
        WITH taken AS (
            DELETE FROM candle_repairs WHERE repair_id IN (
                SELECT repair_id FROM candle_repairs WHERE pair_id = $1 AND trade_number <= $2
                ORDER BY repair_id LIMIT $3)
            RETURNING executed_at)
        SELECT DISTINCT date_bin('1 minute', executed_at, {EPOCH}) AS minute FROM taken
        """,
        pair_id,
        upto,
        limit,
    )
    return [row["minute"] for row in rows]


async def compute_anew(tx: Tx, pair_id: PairId, minutes: list[datetime], upto: int) -> None:
    """Candles of these minutes from their trades, and every longer candle around them from its minutes."""
    await tx.execute(
        "DELETE FROM price_candles WHERE pair_id = $1 AND interval = '1m' AND opened_at = ANY ($2::timestamptz[])",
        pair_id,
        minutes,
    )
    await tx.execute(_MINUTES_ANEW, pair_id, minutes, upto)
    await tx.execute(_DROP_AROUND, pair_id, minutes)
    await tx.execute(_AROUND_ANEW, pair_id, minutes)


_MINUTES_ANEW = f"""
    INSERT INTO price_candles (pair_id, {_COLUMNS})
    SELECT $1, '1m', m.* FROM unnest($2::timestamptz[]) AS w (minute) CROSS JOIN LATERAL (
        {_OF_TRADES}
        WHERE executed_at >= w.minute AND executed_at < w.minute + interval '1 minute'
          AND pair_id = $1 AND trade_number <= $3 AND settlement_status <> 'FAILED' GROUP BY 1
    ) AS m
"""
_AROUND = f"""
    SELECT DISTINCT i.name, i.width, date_bin(i.width, minute, {EPOCH}) AS opened_at
    FROM unnest($2::timestamptz[]) AS minute CROSS JOIN (VALUES {_BEYOND}) AS i (name, width)
"""
_DROP_AROUND = f"""
    DELETE FROM price_candles c USING ({_AROUND}) AS a
    WHERE c.pair_id = $1 AND c.interval = a.name AND c.opened_at = a.opened_at
"""
_AROUND_ANEW = f"""
    WITH minutes AS (
        SELECT a.name, a.opened_at, c.open_ticks AS open, c.high_ticks AS high, c.low_ticks AS low,
               c.close_ticks AS close, c.volume_lots AS lots, c.quote_volume AS quote, c.trades,
               c.first_trade AS first, c.last_trade AS last
        FROM ({_AROUND}) AS a JOIN price_candles c ON c.pair_id = $1 AND c.interval = '1m'
            AND c.opened_at >= a.opened_at AND c.opened_at < a.opened_at + a.width
    )
    INSERT INTO price_candles (pair_id, {_COLUMNS})
    SELECT $1, name, opened_at, {_OF_MINUTES} FROM minutes GROUP BY 2, 3
"""


async def candles(
    db: Database, pair_id: PairId, interval: Interval, before: datetime | None, limit: int
) -> tuple[list[Candle], int]:
    """The last candles before a moment, newest first, and the edition that they are of; 0 where there are none."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            f"""
            SELECT {_COLUMNS}, (SELECT revision FROM candle_cursors WHERE pair_id = $1) AS revision
            FROM price_candles WHERE pair_id = $1 AND interval = $2 AND ($3::timestamptz IS NULL OR opened_at < $3)
            ORDER BY opened_at DESC LIMIT $4
            """,
            pair_id,
            interval.value,
            before,
            limit,
        )
    return [candle_of(row) for row in rows], rows[0]["revision"] if rows else 0


def candle_of(row: Any) -> Candle:
    """A candle from its row."""
    return Candle(
        interval=Interval(row["interval"]),
        opened_at=row["opened_at"],
        open_ticks=row["open_ticks"],
        high_ticks=row["high_ticks"],
        low_ticks=row["low_ticks"],
        close_ticks=row["close_ticks"],
        volume_lots=int(row["volume_lots"]),
        quote_volume=int(row["quote_volume"]),
        trades=int(row["trades"]),
        first_trade=row["first_trade"],
        last_trade=row["last_trade"],
    )
