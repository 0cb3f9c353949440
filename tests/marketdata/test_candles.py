"""Candles are what the trades say: however late, repeated, interrupted or undone."""

import asyncio
import random
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from deedbook import marketdata, truths
from deedbook.infra.database import Database
from deedbook.infra.failpoints import FailpointHit, arm
from deedbook.marketdata import Candle, Interval, service
from deedbook.marketdata.store import candles as store
from tests.marketdata.support import Tape, at, open_tape


@pytest.fixture
async def tape(db: Database, redis: Redis) -> Tape:
    return await open_tape(db, redis)


async def stored(tape: Tape) -> list[Candle]:
    """Every candle that is there, by interval and time."""
    found: list[Candle] = []
    for interval in Interval:
        page, _ = await store.candles(tape.db, tape.pair_id, interval, None, 100_000)
        found += reversed(page)
    return found


async def test_a_minute_of_three_trades_opens_with_the_first_and_closes_with_the_last(tape: Tape) -> None:
    await tape.trade((500, 10, at(0)), (700, 20, at(0.2)), (600, 30, at(0.9)))
    await tape.aggregate()
    minute = (await stored(tape))[0]
    assert (minute.open_ticks, minute.high_ticks, minute.low_ticks, minute.close_ticks) == (
        500,
        700,
        500,
        600,
    )
    assert (minute.volume_lots, minute.trades, minute.opened_at) == (60, 3, at(0))
    assert await stored(tape) == tape.expected()


async def test_candles_stay_what_they_are_when_the_job_comes_again(tape: Tape) -> None:
    await tape.trade(*((500 + n, 1, at(n / 3)) for n in range(50)))
    await tape.aggregate()
    first = await stored(tape)
    await tape.aggregate()
    assert first == await stored(tape) == tape.expected()


async def test_a_trade_counts_in_its_own_minute_when_the_writers_clock_went_back(tape: Tape) -> None:
    await tape.trade((500, 1, at(5)))
    await tape.aggregate()
    await tape.trade((900, 1, at(4)), (800, 1, at(5)), (100, 7, at(-60)))
    await tape.aggregate()
    assert await stored(tape) == tape.expected()
    five = next(c for c in await stored(tape) if c.interval is Interval.ONE_MINUTE and c.opened_at == at(5))
    assert (five.open_ticks, five.close_ticks) == (500, 800)


async def test_a_trade_is_taken_out_when_its_settlement_fails_and_comes_back_when_it_is_revived(
    tape: Tape,
) -> None:
    first, highest, last = await tape.trade((500, 1, at(0)), (900, 2, at(1)), (700, 3, at(2)))
    await tape.aggregate()
    for trade in (highest, last, first):
        await tape.settle(trade, "FAILED")
        await tape.aggregate()
        assert await stored(tape) == tape.expected()
    assert await stored(tape) == []
    await tape.settle(highest, "PENDING")
    await tape.aggregate()
    assert await stored(tape) == tape.expected() != []
    assert await tape.rows("SELECT 1 FROM candle_repairs") == []


async def test_a_trade_never_counts_when_it_failed_before_it_was_folded(tape: Tape) -> None:
    good, bad = await tape.trade((500, 1, at(0)), (900, 2, at(0)))
    await tape.settle(bad, "FAILED")
    await tape.aggregate()
    assert await stored(tape) == tape.expected()
    await tape.settle(good, "SUBMITTED")
    await tape.settle(good, "SETTLED")
    assert await tape.rows("SELECT 1 FROM candle_repairs") == []


async def test_candles_equal_their_trades_whatever_happens_in_whatever_order(tape: Tape) -> None:
    draw = random.Random(7)
    for _ in range(40):
        for _ in range(draw.randrange(3)):
            batch = [
                (draw.randrange(1, 2000), draw.randrange(1, 500), at(draw.uniform(-1500, 1500)))
                for _ in range(draw.randrange(1, 6))
            ]
            await tape.trade(*batch)
        for trade in draw.sample(tape.trades, min(len(tape.trades), draw.randrange(3))):
            await tape.settle(trade, draw.choice(("FAILED", "FAILED", "PENDING", "SETTLED")))
        if draw.random() < 0.7:
            await tape.aggregate()
            assert await stored(tape) == tape.expected()
            assert [truth.findings for truth in await untrue(tape)] == []


async def untrue(tape: Tape) -> list[truths.Truth]:
    """What `deedbook check` would find about candles."""
    return [
        truth for truth in await truths.check_trading(tape.db) if "candles" in truth.name and not truth.holds
    ]


async def test_the_truth_is_broken_when_a_candle_tells_what_was_not_traded(tape: Tape) -> None:
    await tape.trade((500, 1, at(0)))
    await tape.aggregate()
    async with tape.db.transaction() as tx:
        await tx.execute("UPDATE price_candles SET volume_lots = 2 WHERE interval = '5m'")
    (found,) = await untrue(tape)
    assert found.findings[0].startswith("candles of 5m")


async def test_nothing_is_counted_twice_when_the_job_dies_before_its_commit(tape: Tape) -> None:
    await tape.trade((500, 1, at(0)), (600, 1, at(1)))
    arm("database.beforeCommit=raise:1")
    try:
        with pytest.raises(FailpointHit):
            await service.fold(tape.db, tape.pair_id)
    finally:
        arm("")
    assert await stored(tape) == []
    await tape.aggregate()
    assert await stored(tape) == tape.expected()


async def test_each_trade_is_folded_once_when_many_workers_come_at_once(tape: Tape) -> None:
    await tape.trade(*((500 + n % 7, 1, at(n / 10)) for n in range(500)))
    await asyncio.gather(*(marketdata.fold(tape.db, tape.pair_id) for _ in range(5)))
    await tape.aggregate()
    assert await stored(tape) == tape.expected()


async def test_a_backlog_is_folded_in_pieces(tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "FOLDED_AT_ONCE", 30)
    await tape.trade(*((500 + n, 1, at(n)) for n in range(100)))
    await tape.aggregate()
    assert await stored(tape) == tape.expected()
    assert await store.behind(tape.db, 10) == []


async def test_every_interval_begins_at_a_whole_multiple_of_itself(tape: Tape) -> None:
    await tape.trade((500, 1, at(7 * 60 + 13.5)))
    await tape.aggregate()
    opened = {candle.interval: candle.opened_at for candle in await stored(tape)}
    assert opened[Interval.DAY] == at(0) - timedelta(hours=12)
    assert opened[Interval.FOUR_HOURS] == at(4 * 60)
    assert opened[Interval.QUARTER_HOUR] == at(7 * 60)
