"""A tape of trades as the matcher would leave it, and what candles and statistics of it must be, told naively."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from redis.asyncio import Redis

from deedbook.bench.venue import open_venue
from deedbook.infra.database import Database
from deedbook.kernel.ids import PairId, new_uuid
from deedbook.kernel.jobs import Job
from deedbook.marketdata import Candle, Interval, jobs
from deedbook.trading import settled
from deedbook.trading.spec import PairSpec

JOB = Job("1", "by-the-clock", {})


@dataclass
class Traded:
    """One trade of a tape."""

    number: int
    ticks: int
    lots: int
    at: datetime
    buyer: UUID
    seller: UUID
    failed: bool = False
    trade_id: UUID = field(default_factory=new_uuid)


@dataclass
class Tape:
    """A pair, and every trade on it."""

    db: Database
    redis: Redis
    spec: PairSpec
    trades: list[Traded] = field(default_factory=list)

    @property
    def pair_id(self) -> PairId:
        return self.spec.pair_id

    async def trade(
        self, *told: tuple[int, int, datetime], buyer: UUID | None = None, seller: UUID | None = None
    ) -> list[Traded]:
        """Let these (ticks, lots, moment) be traded in one batch."""
        first = len(self.trades) + 1
        made = [
            Traded(first + place, ticks, lots, at, buyer or new_uuid(), seller or new_uuid())
            for place, (ticks, lots, at) in enumerate(told)
        ]
        self.trades += made
        async with self.db.transaction() as tx:
            await tx.executemany(_TRADE, [self._row(trade) for trade in made])
            await tx.execute(
                "UPDATE pair_writer SET trade_number = $2 WHERE pair_id = $1", self.pair_id, len(self.trades)
            )
        return made

    def _row(self, trade: Traded) -> tuple[Any, ...]:
        spec = self.spec
        quote = spec.notional(trade.ticks, trade.lots)
        return (trade.trade_id, spec.pair_id, trade.number, new_uuid(), new_uuid(), trade.buyer, trade.seller,
                trade.ticks, trade.lots, trade.lots * spec.lot_units, quote, trade.at)  # fmt: skip

    async def settle(self, trade: Traded, status: str) -> None:
        """Let the settlement of a trade come to this."""
        trade.failed = status == "FAILED"
        async with self.db.transaction() as tx:
            await settled.mark(tx, [trade.trade_id], status)

    async def aggregate(self) -> None:
        """Run the job, twice: a job may always come again."""
        for _ in range(2):
            await jobs.aggregate_candles(self, JOB)

    async def update_stats(self) -> None:
        for _ in range(2):
            await jobs.update_market_stats(self, JOB)

    def expected(self) -> list[Candle]:
        """What the candles must be, from every trade that counts."""
        counting = [trade for trade in self.trades if not trade.failed]
        return [
            candle
            for interval in Interval
            for opened_at, trades in _by(interval, counting)
            for candle in [self._candle(interval, opened_at, trades)]
        ]

    def _candle(self, interval: Interval, opened_at: datetime, trades: list[Traded]) -> Candle:
        by_number = sorted(trades, key=lambda trade: trade.number)
        return Candle(
            interval=interval,
            opened_at=opened_at,
            open_ticks=by_number[0].ticks,
            high_ticks=max(trade.ticks for trade in trades),
            low_ticks=min(trade.ticks for trade in trades),
            close_ticks=by_number[-1].ticks,
            volume_lots=sum(trade.lots for trade in trades),
            quote_volume=sum(self.spec.notional(trade.ticks, trade.lots) for trade in trades),
            trades=len(trades),
            first_trade=by_number[0].number,
            last_trade=by_number[-1].number,
        )

    async def rows(self, query: str, *args: Any) -> list[dict[str, Any]]:
        async with self.db.reading() as connection:
            return [dict(row) for row in await connection.fetch(query, *args)]


_TRADE = """
    INSERT INTO trades (trade_id, pair_id, trade_number, match_seq, taker_side, buy_order_id, sell_order_id, buyer_id,
        seller_id, price_ticks, size_lots, base_amount, quote_amount, buyer_fee, seller_fee, executed_at)
    VALUES ($1, $2, $3, $3, 'BUY', $4, $5, $6, $7, $8, $9, $10, $11, 0, 0, $12)
"""


def _by(interval: Interval, trades: Iterable[Traded]) -> list[tuple[datetime, list[Traded]]]:
    def opened_at(trade: Traded) -> datetime:
        since = datetime(2000, 1, 1, tzinfo=UTC)
        return since + (trade.at - since) // interval.width * interval.width

    ordered = sorted(trades, key=opened_at)
    return [(key, list(group)) for key, group in itertools.groupby(ordered, opened_at)]


async def open_tape(db: Database, redis: Redis, symbol: str = "LUXAPT") -> Tape:
    """A pair on which nothing was traded."""
    return Tape(db, redis, await open_venue(db, symbol))


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """So many minutes after some noon."""
    return NOON + timedelta(minutes=minutes)
