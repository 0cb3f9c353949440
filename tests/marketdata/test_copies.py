"""Copies in Redis say what PostgreSQL says, whatever was lost; and where there are none, PostgreSQL answers."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from deedbook.infra.bullmq_client import connect
from deedbook.infra.database import Database
from deedbook.infra.telemetry import REGISTRY
from deedbook.marketdata import Interval, copies, service, views
from deedbook.marketdata.store import candles as store
from tests.marketdata.support import Tape, at, open_tape


@pytest.fixture
async def tape(db: Database, redis: Redis) -> Tape:
    return await open_tape(db, redis)


async def read(tape: Tape, interval: Interval = Interval.ONE_MINUTE, limit: int = 400) -> list[Any]:
    """What a screen gets."""
    return [
        orjson.loads(told)
        for told in await views.candles(tape.db, tape.redis, tape.spec, interval, None, limit)
    ]


async def true(tape: Tape, interval: Interval = Interval.ONE_MINUTE, limit: int = 400) -> list[Any]:
    """What PostgreSQL has."""
    page, _ = await store.candles(tape.db, tape.pair_id, interval, None, limit)
    return [orjson.loads(candle.told(tape.spec)) for candle in page]


def reads(source: str) -> float:
    return REGISTRY.get_sample_value("deedbook_market_data_reads_total", {"source": source}) or 0.0


async def test_candles_come_from_the_copy_once_somebody_has_asked(tape: Tape) -> None:
    await tape.trade((500, 1, at(0)), (600, 2, at(1)))
    await tape.aggregate()
    asked = reads("database")
    assert await read(tape) == await true(tape)
    before = reads("copy")
    assert await read(tape) == await true(tape)
    assert (reads("copy") - before, reads("database") - asked) == (1, 1)


async def test_the_copy_follows_every_change_whatever_is_lost_on_the_way(tape: Tape) -> None:
    draw, minute = random.Random(3), 0.0
    for _ in range(60):
        minute += draw.choice((0.2, 0.7, 1.5, 9))
        late = draw.random() < 0.1
        await tape.trade(
            *((draw.randrange(1, 900), 1, at(minute - 30 * late)) for _ in range(draw.randrange(1, 4)))
        )
        if draw.random() < 0.2:
            await tape.settle(draw.choice(tape.trades), "FAILED")
        if draw.random() < 0.1:
            await service.fold(tape.db, tape.pair_id)  # the worker dies before it tells Redis
        if draw.random() < 0.1:
            await tape.redis.flushdb()
        await tape.aggregate()
        await tape.update_stats()
        for interval in draw.sample(list(Interval), 2):
            assert await read(tape, interval) == await true(tape, interval)


async def test_a_reader_that_was_slow_leaves_nothing_old_behind(tape: Tape) -> None:
    await tape.trade((500, 1, at(0)))
    await tape.aggregate()
    old, revision = await store.candles(tape.db, tape.pair_id, Interval.ONE_MINUTE, None, 400)
    await tape.trade((900, 1, at(0)))
    await tape.aggregate()
    told = [candle.told(tape.spec) for candle in old]
    await copies.fill_candles(tape.redis, tape.spec, Interval.ONE_MINUTE, revision, told)
    assert await read(tape) == await true(tape)


async def test_an_older_change_is_harmless_when_it_comes_after_a_newer_one(tape: Tape) -> None:
    await tape.trade((500, 1, at(0)))
    await tape.aggregate()
    await read(tape)
    await tape.trade((900, 1, at(0)))
    first = await service.fold(tape.db, tape.pair_id)
    await tape.trade((300, 1, at(1)))
    second = await service.fold(tape.db, tape.pair_id)
    assert first is not None and second is not None
    for folded in (second, first, second):
        await copies.tell_candles(tape.redis, tape.spec, folded)
        assert await read(tape) == await true(tape)


async def test_only_the_newest_are_kept_and_older_ones_come_from_the_database(tape: Tape) -> None:
    await tape.trade(*((500 + n, 1, at(n)) for n in range(copies.KEPT + 50)))
    await tape.aggregate()
    await read(tape)
    await tape.trade(*((500 + n, 1, at(copies.KEPT + 50 + n)) for n in range(20)))
    await tape.aggregate()
    assert await tape.redis.llen(copies.candles_key(tape.pair_id, Interval.ONE_MINUTE)) == copies.KEPT
    newest = await read(tape, limit=copies.KEPT - 1)
    assert newest == (await true(tape, limit=copies.KEPT))
    before = datetime.fromisoformat(newest[-1]["openedAt"])
    older = await views.candles(tape.db, tape.redis, tape.spec, Interval.ONE_MINUTE, before, 400)
    assert len(older) == copies.KEPT + 70 - len(newest)


async def test_everything_is_answered_when_redis_is_away(tape: Tape) -> None:
    await tape.trade((500, 1, at(0)), (600, 2, at(1)))
    await tape.aggregate()
    nowhere = connect("redis://127.0.0.1:1", timeout_s=0.2)
    try:
        told = await views.candles(tape.db, nowhere, tape.spec, Interval.ONE_MINUTE, None, 10)
        assert [orjson.loads(candle) for candle in told] == await true(tape)
        assert orjson.loads(await views.price(tape.db, nowhere, tape.spec))["price"] == "6"
        assert orjson.loads(await views.stats(tape.db, nowhere, tape.spec))["seq"] == 2
        assert orjson.loads(await views.all_stats(tape.db, nowhere))["pairs"][0]["pair"] == "LUXAPT-USDC"
        tape.redis = nowhere
        await tape.trade((700, 1, at(2)))
        await tape.aggregate()
        await tape.update_stats()
        assert orjson.loads(await views.price(tape.db, nowhere, tape.spec))["price"] == "7"
    finally:
        await nowhere.aclose()


async def test_statistics_and_price_follow_the_trades_and_are_told_on_the_ticker(tape: Tape) -> None:
    lately = datetime.now(UTC) - timedelta(hours=1)
    assert orjson.loads(await views.stats(tape.db, tape.redis, tape.spec))["lastPrice"] is None
    listening = tape.redis.pubsub()
    await listening.subscribe(f"events:ticker:{tape.pair_id}", f"events:candle:{tape.pair_id}")
    await tape.trade((500, 10, lately), (750, 10, lately))
    await tape.aggregate()
    await tape.update_stats()
    stats = orjson.loads(await views.stats(tape.db, tape.redis, tape.spec))
    assert (stats["lastPrice"], stats["open24h"], stats["changeBps24h"], stats["volume24h"]) == (
        "7.5",
        "5",
        5000,
        "0.002",
    )
    price = orjson.loads(await views.price(tape.db, tape.redis, tape.spec))
    assert (price["price"], price["source"]) == ("7.5", "trade")
    heard = await _heard(listening, 7)
    assert sorted(message["interval"] for channel, message in heard if "candle" in channel) == sorted(
        interval.value for interval in Interval
    )
    (ticker,) = [message for channel, message in heard if "ticker" in channel]
    assert (ticker["lastPrice"], ticker["price"], ticker["trades24h"]) == ("7.5", "7.5", 2)
    await listening.aclose()  # type: ignore[no-untyped-call]


async def _heard(listening: Any, count: int) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    async with asyncio.timeout(10):
        while len(found) < count:
            message = await listening.get_message(ignore_subscribe_messages=True, timeout=1)
            if message is not None:
                found.append((message["channel"], orjson.loads(message["data"])))
    return found


async def test_copies_end_by_themselves_when_nobody_renews_them(tape: Tape) -> None:
    await tape.trade((500, 1, at(0)))
    await tape.aggregate()
    await tape.update_stats()
    await read(tape)
    await views.all_stats(tape.db, tape.redis)
    for key, most in {
        copies.stats_key(tape.pair_id): copies.STATS_TTL_S,
        copies.price_key(tape.pair_id): copies.PRICE_TTL_S,
        copies.candles_key(tape.pair_id, Interval.ONE_MINUTE): copies.CANDLES_TTL_S,
        copies.ALL_STATS_KEY: copies.ALL_STATS_TTL_S,
    }.items():
        assert 0 < await tape.redis.ttl(key) <= most
