"""Market data over HTTP: what was traded on the floor, as everybody may read it."""

import asyncio
from datetime import datetime
from typing import Any

import pytest
from redis.asyncio import Redis

from deedbook.infra.telemetry import REGISTRY
from deedbook.kernel.jobs import Job
from deedbook.marketdata import jobs
from deedbook.trading.book_copies import BookCopies
from deedbook.trading.matching import take_over
from tests.api.support import refused
from tests.support.floor import Floor, open_floor
from tests.support.waiting import eventually, under_way
from tests.support.world import World

JOB = Job("1", "by-the-clock", {})


@pytest.fixture
async def quiet(world: World) -> Floor:
    """A floor of its own, on which nothing was traded."""
    return await open_floor(world)


async def trade(floor: Floor, *prices: str) -> None:
    """One token at each price, from one to another, and what follows from it."""
    buyer, seller = await floor.investor("100000"), await floor.investor("0", "100")
    for price in prices:
        await floor.place(seller, "SELL", price=price)
        await floor.place(buyer, "BUY", price=price)
        await floor.match()
    await refresh(floor)


async def refresh(floor: Floor) -> None:
    await jobs.aggregate_candles(floor.world.resources, JOB)
    await jobs.update_market_stats(floor.world.resources, JOB)


def of(floor: Floor, what: str) -> str:
    return f"/trading/pairs/{floor.spec.symbol}/{what}"


async def test_candles_statistics_and_price_say_what_was_traded(quiet: Floor) -> None:
    await trade(quiet, "100", "120", "90")
    candles = (await quiet.get(of(quiet, "candles"), interval="1d"))["data"]
    assert [candles[-1]["open"], candles[0]["close"]] == ["100", "90"]
    assert sum(candle["trades"] for candle in candles) == 3
    stats = await quiet.get(of(quiet, "stats"))
    assert stats | {"asOf": 0, "lastTradeAt": 0} == {
        "tradingPairId": str(quiet.spec.pair_id), "pair": quiet.spec.symbol, "asOf": 0, "seq": 3, "lastPrice": "90",
        "lastTradeAt": 0, "open24h": "100", "high24h": "120", "low24h": "90", "change24h": "-10",
        "changeBps24h": -1000, "volume24h": "3", "quoteVolume24h": "310", "trades24h": 3,
    }  # fmt: skip
    price = await quiet.get(of(quiet, "price"))
    assert (price["price"], price["source"]) == ("90", "trade")
    everything = await quiet.get("/trading/stats")
    assert (everything["pairs"], everything["losers"]) == ([stats | {"asOf": everything["pairs"][0]["asOf"]}],
                                                           [quiet.spec.symbol])  # fmt: skip


async def test_a_pair_without_a_trade_has_no_price_and_no_candles(quiet: Floor) -> None:
    assert await quiet.get(of(quiet, "candles")) == {"data": [], "nextCursor": None}
    assert (await quiet.get(of(quiet, "price")))["price"] is None
    assert (await quiet.get(of(quiet, "stats")))["trades24h"] == 0
    assert (await quiet.get("/trading/stats"))["gainers"] == []


async def test_candles_are_paged_without_a_gap_or_a_repetition(quiet: Floor) -> None:
    await trade(quiet, "100")
    async with quiet.world.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO price_candles SELECT pair_id, interval, opened_at - n * interval '1 minute', open_ticks, "
            "high_ticks, low_ticks, close_ticks, volume_lots, quote_volume, trades, first_trade, last_trade "
            "FROM price_candles, generate_series(1, 24) AS n WHERE interval = '1m'"
        )
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query: dict[str, Any] = {"limit": 7} | ({"cursor": cursor} if cursor else {})
        page = await quiet.get(of(quiet, "candles"), None, **query)
        seen += [candle["openedAt"] for candle in page["data"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert len(seen) == 25 and seen == sorted(set(seen), reverse=True)
    assert {datetime.fromisoformat(moment).second for moment in seen} == {0}


@pytest.mark.parametrize(
    "query", [{"interval": "2m"}, {"limit": "0"}, {"limit": "500"}, {"cursor": "x"}, {"from": "1"}]
)
async def test_a_question_for_candles_is_refused_when_it_makes_no_sense(
    floor: Floor, query: dict[str, str]
) -> None:
    refused(await floor.world.http.get(of(floor, "candles"), params=query), 422, "invalid_request")


async def test_a_cursor_of_another_interval_is_refused(quiet: Floor) -> None:
    await trade(quiet, "100")
    async with quiet.world.db.transaction() as tx:
        await tx.execute(
            "UPDATE price_candles SET opened_at = opened_at - interval '1 day' WHERE interval = '1m'"
        )
    await trade(quiet, "101")
    await quiet.world.resources.redis.flushdb()
    cursor = (await quiet.get(of(quiet, "candles"), limit=1))["nextCursor"]
    wrong = await quiet.world.http.get(of(quiet, "candles"), params={"cursor": cursor, "interval": "1h"})
    refused(wrong, 422, "invalid_request")


async def test_a_trader_is_shown_under_a_name_until_they_ask_for_the_opposite(quiet: Floor) -> None:
    ada, bob = await quiet.investor(), await quiet.investor()
    path = "/me/leaderboard"
    for _ in range(2):
        told = await quiet.world.http.put(path, headers=ada.headers, json={"name": " Ada "})
        assert (told.status_code, told.json()) == (200, {"name": "Ada"})
    assert await quiet.get(path, ada) == {"name": "Ada"}
    taken = await quiet.world.http.put(path, headers=bob.headers, json={"name": "ada"})
    refused(taken, 409, "leader_name_taken")
    for name in ("", " ", "x" * 41, "a\u202eb", 5, None):
        wrong = await quiet.world.http.put(path, headers=bob.headers, json={"name": name})
        refused(wrong, 422, "invalid_request")
    for _ in range(2):
        assert (await quiet.world.http.delete(path, headers=ada.headers)).json() == {"name": None}
    assert await quiet.get(path, ada) == {"name": None}


@pytest.mark.parametrize("what", ["candles", "stats", "price", "orderbook", "trades"])
async def test_an_unknown_pair_is_absent(floor: Floor, what: str) -> None:
    refused(await floor.world.http.get(f"/trading/pairs/NOSUCH-USDC/{what}"), 404, "pair_not_found")


async def test_nearly_all_reads_are_answered_without_postgresql(quiet: Floor) -> None:
    """Nine of ten at least, beside trades that go on: book, tape, candles, statistics, price."""
    before = {source: _reads(source) for source in ("copy", "database")}
    stopping, copies = asyncio.Event(), BookCopies(quiet.world.resources.redis)
    async with under_way(copies.run(stopping)):
        matcher = await take_over(quiet.world.db, quiet.spec.pair_id, "reads", copies)
        assert matcher is not None
        buyer, seller = await quiet.investor("100000"), await quiet.investor("0", "100")
        for _ in range(10):
            for who, side in ((seller, "SELL"), (buyer, "BUY")):
                await quiet.place(who, side)
            while await matcher.step():
                continue
            await refresh(quiet)
            for _ in range(3):
                for what in ("candles", "stats", "price", "orderbook", "trades"):
                    await quiet.get(of(quiet, what), None, **({"limit": 5} if what == "trades" else {}))
        await matcher.give_up()
        stopping.set()
    made = {source: _reads(source) - count for source, count in before.items()}
    assert sum(made.values()) == 150
    assert made["copy"] >= 135


async def test_the_tape_is_the_same_from_its_copy_and_from_the_database(quiet: Floor) -> None:
    redis, stopping = quiet.world.resources.redis, asyncio.Event()
    copies = BookCopies(redis)
    buyer, seller = await quiet.investor("100000"), await quiet.investor("0", "100")
    for price in ("100", "101", "102"):
        await quiet.place(seller, "SELL", price=price)
        await quiet.place(buyer, "BUY", price=price)
    async with under_way(copies.run(stopping)):
        matcher = await take_over(quiet.world.db, quiet.spec.pair_id, "tape", copies)
        assert matcher is not None
        while await matcher.step():
            continue
        await eventually(lambda: _length(redis, quiet), "the copy is there")
        for limit in (1, 2, 3, 50):
            copied = await quiet.get(of(quiet, "trades"), limit=limit)
            await redis.rename(f"trades:recent:{quiet.spec.pair_id}", "elsewhere")
            assert await quiet.get(of(quiet, "trades"), limit=limit) == copied
            await redis.rename("elsewhere", f"trades:recent:{quiet.spec.pair_id}")
            assert len(copied["data"]) == min(limit, 3)
        await matcher.give_up()
        stopping.set()


async def _length(redis: Redis, floor: Floor) -> bool:
    found: Any = redis.llen(f"trades:recent:{floor.spec.pair_id}")
    return bool(await found == 3)


def _reads(source: str) -> float:
    return REGISTRY.get_sample_value("deedbook_market_data_reads_total", {"source": source}) or 0.0
