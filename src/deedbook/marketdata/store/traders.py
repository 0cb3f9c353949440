"""SQL of traders who want to be shown: what they traded, hour by hour, since they asked for it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from deedbook.infra.database import Tx
from deedbook.kernel.ids import PairId, UserId
from deedbook.marketdata.store.candles import EPOCH

_HOUR = f"date_bin('1 hour', executed_at, {EPOCH})"
_SIDES = """
    SELECT t.buyer_id AS user_id, t.executed_at, t.quote_amount FROM chosen t
    UNION ALL SELECT t.seller_id, t.executed_at, t.quote_amount FROM chosen t
"""


@dataclass(frozen=True)
class Shown:
    """What a trader who wants to be shown has traded, in base units of one quote token."""

    name: str
    quote: str
    decimals: int
    volume: int
    trades: int


async def show(tx: Tx, user_id: UserId, name: str) -> bool:
    """Show this user under this name, from now on or as before; `False` when the name is another's."""
    try:
        await tx.execute(
            "INSERT INTO shown_traders (user_id, name) VALUES ($1, $2) ON CONFLICT (user_id) DO UPDATE SET name = $2",
            user_id,
            name,
        )
    except asyncpg.UniqueViolationError:
        return False
    return True


async def hide(tx: Tx, user_id: UserId) -> None:
    """Show this user no longer, and forget what was counted."""
    await tx.execute("DELETE FROM shown_traders WHERE user_id = $1", user_id)


async def shown_as(connection: Any, user_id: UserId) -> str | None:
    """The name under which a user is shown."""
    found = await connection.fetchval("SELECT name FROM shown_traders WHERE user_id = $1", user_id)
    return str(found) if found is not None else None


async def fold(tx: Tx, pair_id: PairId, after: int, upto: int) -> None:
    """Count these trades for those of their parties who want to be shown."""
    await tx.execute(
        f"""
        WITH chosen AS (
            SELECT buyer_id, seller_id, executed_at, quote_amount FROM trades
            WHERE pair_id = $1 AND trade_number > $2 AND trade_number <= $3 AND settlement_status <> 'FAILED'
              AND EXISTS (SELECT 1 FROM shown_traders)
        )
        INSERT INTO trader_volumes AS v (user_id, pair_id, hour, quote_volume, trades)
        SELECT s.user_id, $1, {_HOUR}, sum(quote_amount), count(*) FROM ({_SIDES}) AS s
        JOIN shown_traders h ON h.user_id = s.user_id AND s.executed_at >= h.since
        GROUP BY 1, 3 ORDER BY 1, 3
        ON CONFLICT (user_id, pair_id, hour) DO UPDATE SET
            quote_volume = v.quote_volume + EXCLUDED.quote_volume, trades = v.trades + EXCLUDED.trades
        """,
        pair_id,
        after,
        upto,
    )


async def compute_anew(tx: Tx, pair_id: PairId, minutes: list[datetime], upto: int) -> None:
    """The hours around these minutes from their trades, for those who are shown."""
    hours = sorted({minute.replace(minute=0) for minute in minutes})
    await tx.execute(
        "DELETE FROM trader_volumes WHERE pair_id = $1 AND hour = ANY ($2::timestamptz[])", pair_id, hours
    )
    await tx.execute(
        f"""
        WITH chosen AS (
            SELECT t.buyer_id, t.seller_id, t.executed_at, t.quote_amount
            FROM unnest($2::timestamptz[]) AS w (hour) JOIN trades t
              ON t.executed_at >= w.hour AND t.executed_at < w.hour + interval '1 hour'
            WHERE t.pair_id = $1 AND t.trade_number <= $3 AND t.settlement_status <> 'FAILED'
              AND EXISTS (SELECT 1 FROM shown_traders)
        )
        INSERT INTO trader_volumes (user_id, pair_id, hour, quote_volume, trades)
        SELECT s.user_id, $1, {_HOUR}, sum(quote_amount), count(*) FROM ({_SIDES}) AS s
        JOIN shown_traders h ON h.user_id = s.user_id AND s.executed_at >= h.since
        GROUP BY 1, 3
        """,
        pair_id,
        hours,
        upto,
    )


async def leaders(connection: Any, now: datetime, limit: int) -> list[Shown]:
    """Who has traded most since the beginning of the hour a day ago."""
    rows = await connection.fetch(
        f"""
        SELECT h.name, q.symbol AS quote, q.decimals, sum(v.quote_volume) AS volume, sum(v.trades)::bigint AS trades
        FROM trader_volumes v JOIN shown_traders h USING (user_id) JOIN trading_pairs p USING (pair_id)
        JOIN tokens q ON q.token_id = p.quote_token_id
        WHERE v.hour >= date_bin('1 hour', $1::timestamptz - interval '24 hours', {EPOCH})
        GROUP BY h.name, q.symbol, q.decimals
        ORDER BY sum(v.quote_volume) / power(10::numeric, q.decimals) DESC, h.name LIMIT $2
        """,
        now,
        limit,
    )
    return [
        Shown(row["name"], row["quote"], row["decimals"], int(row["volume"]), int(row["trades"]))
        for row in rows
    ]


async def remove_old(tx: Tx, before: datetime, limit: int) -> None:
    """Forget hours that nobody asks for any more."""
    await tx.execute(
        "DELETE FROM trader_volumes WHERE ctid IN (SELECT ctid FROM trader_volumes WHERE hour < $1 LIMIT $2)",
        before,
        limit,
    )
