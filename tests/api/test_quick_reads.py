"""The quick way to market data says what the long way says, and counts what it counts."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import orjson
import pytest

from deedbook.api.ratelimit import Limiter
from deedbook.api.showcase import Reading, Seen, Showcase
from deedbook.kernel.jobs import Job
from deedbook.marketdata import jobs
from deedbook.trading.book_copies import BookCopies
from deedbook.trading.matching import take_over
from tests.api.support import counted_anew, refused
from tests.support.floor import Floor, open_floor
from tests.support.waiting import eventually, under_way
from tests.support.world import World

JOB = Job("1", "by-the-clock", {})
BROWSER = {"Origin": "https://elsewhere.example"}
"""With it a request goes the long way."""
QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("orderbook", {}), ("orderbook", {"depth": 1}), ("orderbook", {"depth": 2}),
    ("trades", {}), ("trades", {"limit": 1}), ("trades", {"limit": 200}),
    ("candles", {}), ("candles", {"interval": "1h"}), ("candles", {"limit": 1, "interval": "1d"}),
    ("candles", {"limit": 499}), ("stats", {}), ("price", {}),
]  # fmt: skip
ODD = [
    {"depth": "0"}, {"depth": "101"}, {"depth": "1.0"}, {"depth": "05"}, {"depth": ""}, {"depth": ["1", "2"]},
    {"limit": "1"}, {"Depth": "1"}, {"cursor": "x"},
]  # fmt: skip


class Watched(Showcase):
    """Remembers what was asked of it, and which it could answer."""

    def __init__(self, world: World) -> None:
        super().__init__(world.resources.redis, world.app.state.limiter)
        self.answered: list[Reading] = []

    async def look(self, address: str, reading: Reading) -> Seen:
        seen = await super().look(address, reading)
        if seen.told is not None:
            self.answered.append(reading)
        return seen


@pytest.fixture
async def busy(world: World) -> AsyncIterator[Floor]:
    """A pair with trades, and with orders on both sides of its book."""
    floor = await open_floor(world)
    stopping, copies = asyncio.Event(), BookCopies(world.resources.redis)
    async with under_way(copies.run(stopping)):
        matcher = await take_over(world.db, floor.spec.pair_id, "reads", copies)
        assert matcher is not None
        buyer, seller = await floor.investor("100000"), await floor.investor("0", "100")
        for price in ("100", "101", "102"):
            await floor.place(seller, "SELL", price=price)
            await floor.place(buyer, "BUY", price=price)
            await floor.place(seller, "SELL", price=f"2{price}")
            await floor.place(buyer, "BUY", price=f"{int(price) - 50}")
        while await matcher.step():
            continue
        await jobs.aggregate_candles(world.resources, JOB)
        await jobs.update_market_stats(world.resources, JOB)
        await eventually(lambda: _shown(floor), "the book is shown with its trades")
        for what, query in QUESTIONS:
            await ask(floor, what, BROWSER, **query)
        await _keep(floor)
        yield floor
        await matcher.give_up()
        stopping.set()


async def _shown(floor: Floor) -> bool:
    book, tape = [await ask(floor, what, BROWSER) for what in ("orderbook", "trades")]
    return bool(len(book.json()["bids"]) == 3 and len(tape.json()["data"]) == 3)


async def _keep(floor: Floor) -> None:
    """Copies end after seconds; here they last as long as the test."""
    redis = floor.world.resources.redis
    for key in [key async for key in redis.scan_iter() if not key.startswith("ratelimit:")]:
        await redis.persist(key)


async def ask(
    floor: Floor, what: str, headers: dict[str, str] | None = None, **query: Any
) -> httpx2.Response:
    path = "/trading/stats" if what == "all" else f"/trading/pairs/{floor.spec.symbol}/{what}"
    return await floor.world.http.get(path, params=query, headers=headers or {})


async def test_both_ways_give_the_same_answer(busy: Floor) -> None:
    busy.world.app.state.showcase = watched = Watched(busy.world)
    for what, query in [*QUESTIONS, ("all", {})]:
        slow = await ask(busy, what, BROWSER, **query)
        await _keep(busy)
        quick, again = [await ask(busy, what, **query) for _ in range(2)]
        assert (quick.status_code, quick.content, again.content) == (200, slow.content, slow.content), what
        assert {name for name in slow.headers if name != "vary"} == set(quick.headers)
    assert len(watched.answered) == 2 * (len(QUESTIONS) + 1)


async def test_many_who_ask_at_once_are_each_counted_and_all_answered(busy: Floor) -> None:
    await counted_anew(busy.world.resources.redis, for_s=10)
    before = int((await ask(busy, "price")).headers["x-ratelimit-remaining"])
    answers = await asyncio.gather(*(ask(busy, what, **query) for what, query in QUESTIONS * 10))
    assert {answer.status_code for answer in answers} == {200}
    left = sorted(int(answer.headers["x-ratelimit-remaining"]) for answer in answers)
    assert left == list(range(before - len(answers), before))


async def test_a_reader_is_counted_once_whichever_way_they_come(busy: Floor) -> None:
    busy.world.app.state.showcase = watched = Watched(busy.world)

    async def left(way: dict[str, str]) -> int:
        return int((await ask(busy, "stats", way)).headers["x-ratelimit-remaining"])

    await counted_anew(busy.world.resources.redis, for_s=10)
    counts = [await left(way) for way in ({}, BROWSER, {})]
    await busy.world.resources.redis.delete(f"market:{busy.spec.pair_id}:stats")
    counts.append(await left({}))
    assert counts == list(range(counts[0], counts[0] - 4, -1))
    assert len(watched.answered) == 2


async def test_a_reader_too_many_is_refused_on_the_quick_way(busy: Floor) -> None:
    few = busy.world.resources.settings.model_copy(update={"RATE_LIMIT_READS": 3})
    limiter = Limiter(busy.world.resources.redis, few)
    busy.world.app.state.showcase = Showcase(busy.world.resources.redis, limiter)
    await counted_anew(busy.world.resources.redis, for_s=10)
    answers = [await ask(busy, "price") for _ in range(4)]
    assert [answer.status_code for answer in answers[:3]] == [200, 200, 200]
    refused(answers[3], 429, "rate_limited")
    assert int(answers[3].headers["retry-after"]) > 0


@pytest.mark.parametrize("query", ODD, ids=str)
async def test_what_is_odd_is_judged_by_the_route(busy: Floor, query: dict[str, Any]) -> None:
    slow, quick = [await ask(busy, "orderbook", way, **query) for way in (BROWSER, {})]
    assert quick.status_code == slow.status_code
    same = {"requestId": ""}
    assert quick.json() | same == slow.json() | same


async def test_what_has_no_copy_is_told_from_the_database(busy: Floor) -> None:
    quick = {what: (await ask(busy, what)).json() for what in ("orderbook", "trades", "candles")}
    await busy.world.resources.redis.flushdb()
    for what, told in quick.items():
        assert (await ask(busy, what)).json() == told


@pytest.mark.parametrize("way", [{}, BROWSER], ids=["quick", "long"])
async def test_who_has_seen_an_answer_is_told_only_that_it_is_the_same_still(
    busy: Floor, way: dict[str, str]
) -> None:
    for what, query in [*QUESTIONS, ("all", {})]:
        mark = (await ask(busy, what, **query)).headers["etag"]
        for shown in (mark, f'"another", W/{mark}', "*"):
            again = await ask(busy, what, {**way, "If-None-Match": shown}, **query)
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", mark), what
        for other in ('"another"', mark[:-2] + '"', "x" * 5000):
            told = await ask(busy, what, {**way, "If-None-Match": other}, **query)
            assert (told.status_code, told.headers["etag"]) == (200, mark), what


async def test_the_mark_is_another_when_the_book_has_changed(busy: Floor) -> None:
    mark = (await ask(busy, "orderbook")).headers["etag"]
    key = f"market:{busy.spec.pair_id}:depth"
    book = orjson.loads(await busy.world.resources.redis.get(key) or b"{}")
    await busy.world.resources.redis.set(key, orjson.dumps({**book, "bids": book["bids"][1:]}))
    told = await ask(busy, "orderbook", {"If-None-Match": mark})
    assert (told.status_code, len(told.json()["bids"])) == (200, 2)
    assert told.headers["etag"] != mark
