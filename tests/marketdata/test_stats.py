"""The last 24 hours are exact to the microsecond, as of any moment."""

import random
from datetime import datetime, timedelta

import pytest
from redis.asyncio import Redis

from deedbook.infra.database import Database
from deedbook.marketdata import Stats, service
from deedbook.marketdata.store import stats as store
from tests.marketdata.support import Tape, Traded, at, open_tape

DAY = timedelta(hours=24)
MOMENT = timedelta(microseconds=1)


@pytest.fixture
async def tape(db: Database, redis: Redis) -> Tape:
    return await open_tape(db, redis)


async def counted(tape: Tape, now: datetime) -> Stats:
    stats = await service.count(tape.db, tape.pair_id, now)
    assert stats is not None
    return stats


def same(tape: Tape, stats: Stats, now: datetime) -> None:
    """Compare with what a look at every trade gives."""
    counting = [trade for trade in tape.trades if not trade.failed]
    inside = sorted((trade for trade in counting if trade.at > now - DAY), key=lambda trade: trade.number)
    last: Traded | None = max(counting, key=lambda trade: trade.number, default=None)
    assert (stats.trades, stats.volume_lots) == (len(inside), sum(trade.lots for trade in inside))
    assert stats.quote_volume == sum(tape.spec.notional(trade.ticks, trade.lots) for trade in inside)
    assert stats.open_ticks == (inside[0].ticks if inside else None)
    assert stats.high_ticks == max((trade.ticks for trade in inside), default=None)
    assert stats.low_ticks == min((trade.ticks for trade in inside), default=None)
    assert stats.last_ticks == (last.ticks if last else None)
    assert stats.last_at == (last.at if last else None)


async def test_a_trade_leaves_when_it_is_exactly_a_day_old_and_no_earlier(tape: Tape) -> None:
    await tape.trade((500, 10, at(0.5)), (700, 20, at(0.7)), (600, 30, at(60)))
    await tape.aggregate()
    before, there = at(0.5) + DAY - MOMENT, at(0.5) + DAY
    assert (await counted(tape, before)).trades == 3
    stats = await counted(tape, there)
    assert (stats.trades, stats.open_ticks, stats.volume_lots) == (2, 700, 50)
    same(tape, stats, there)
    assert (stats.change_ticks, stats.change_bps) == (-100, -1428)


async def test_a_quiet_day_has_no_prices_but_the_last_one(tape: Tape) -> None:
    await tape.trade((500, 10, at(0)))
    await tape.aggregate()
    stats = await counted(tape, at(0) + DAY)
    assert (stats.open_ticks, stats.high_ticks, stats.low_ticks, stats.last_ticks) == (None, None, None, 500)
    assert (stats.trades, stats.change_bps, stats.leaves_at) == (0, None, None)


async def test_statistics_equal_their_trades_at_any_moment_whatever_failed(tape: Tape) -> None:
    draw = random.Random(11)
    for _ in range(25):
        moments = sorted(draw.uniform(-2000, 2000) for _ in range(draw.randrange(1, 12)))
        await tape.trade(*((draw.randrange(1, 900), draw.randrange(1, 99), at(m)) for m in moments))
        for trade in draw.sample(tape.trades, min(3, len(tape.trades))):
            await tape.settle(trade, draw.choice(("FAILED", "SETTLED")))
        await tape.aggregate()
        now = draw.choice(tape.trades).at + draw.choice((DAY, DAY - MOMENT, DAY + MOMENT, timedelta(hours=3)))
        same(tape, await counted(tape, now), now)


async def test_a_pair_is_due_when_it_traded_when_a_trade_leaves_and_when_one_was_undone(tape: Tape) -> None:
    (trade, _) = await tape.trade((500, 10, at(0.5)), (500, 10, at(3)))
    await tape.aggregate()
    now = at(10)
    assert await store.due(tape.db, now, 10) == [tape.pair_id]
    stats = await counted(tape, now)
    assert await store.due(tape.db, now, 10) == []
    assert stats.leaves_at is not None and stats.leaves_at <= at(0.5) + DAY
    # The minute comes to the edge first, then the trade in it.
    assert await store.due(tape.db, stats.leaves_at, 10) == [tape.pair_id]
    assert (await counted(tape, stats.leaves_at)).leaves_at == at(0.5) + DAY
    assert await store.due(tape.db, at(0.5) + DAY - MOMENT, 10) == []
    assert await store.due(tape.db, at(0.5) + DAY, 10) == [tape.pair_id]
    await counted(tape, at(0.5) + DAY)
    await tape.settle(trade, "FAILED")
    await tape.aggregate()
    assert await store.due(tape.db, at(0.5) + DAY, 10) == [tape.pair_id]


async def test_the_job_writes_down_the_same_when_it_comes_again(tape: Tape) -> None:
    await tape.trade((500, 10, at(0)))
    await tape.aggregate()
    await tape.update_stats()
    (row,) = await tape.rows("SELECT pair_id, trade_number, last_ticks FROM market_stats")
    assert (row["pair_id"], row["trade_number"], row["last_ticks"]) == (tape.pair_id, 1, 500)
    assert await store.due(tape.db, None, 10) == []
