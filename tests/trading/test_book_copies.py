"""Copies of a book in Redis: the book of the newest writer and of nobody else, whole again whatever was lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from deedbook.infra.database import Database
from deedbook.trading import book_copies, matcher
from deedbook.trading.book_copies import BookCopies, Change, depth_key, recent_key
from deedbook.trading.matcher import PairMatcher, take_over
from tests.support.waiting import eventually
from tests.trading.test_matcher import drain
from tests.trading.venue import Venue, open_venue


@pytest.fixture
async def venue(db: Database) -> Venue:
    return await open_venue(db)


@asynccontextmanager
async def writer(venue: Venue, redis: Redis, name: str) -> AsyncIterator[tuple[PairMatcher, BookCopies]]:
    """A pair's writer and its copies; whoever was it before is not asked."""
    async with venue.db.transaction() as tx:
        await tx.execute("UPDATE pair_writer SET expires_at = '-infinity'")
    copies, stopping = BookCopies(redis), asyncio.Event()
    taken = await take_over(venue.db, venue.pair_id, name, copies)
    assert taken is not None
    running = asyncio.create_task(copies.run(stopping))
    try:
        yield taken, copies
    finally:
        stopping.set()
        await running


async def bids(redis: Redis, venue: Venue) -> list[tuple[str, str]]:
    members: Any = await redis.zrange(f"orderbook:{venue.pair_id}:bids", 0, -1)
    return [(told["price"], told["remainingQuantity"]) for told in map(orjson.loads, members)]


async def shows(redis: Redis, venue: Venue, *expected: tuple[str, str]) -> None:
    async def as_expected() -> bool:
        return await bids(redis, venue) == list(expected)

    await eventually(as_expected, f"the copies show {expected}")


async def written(venue: Venue, copies: BookCopies) -> None:
    """Everything that was told so far. Each is taken up when the one before is written, so one that changes nothing,
    behind the last of them, is."""
    copies._waiting.put_nowait(Change(venue.pair_id, copies._epochs[venue.pair_id]))

    async def nothing_left() -> bool:
        return copies._waiting.empty()

    await eventually(nothing_left, "everything told is written")


async def test_a_writer_that_was_replaced_changes_no_copies(venue: Venue, redis: Redis) -> None:
    buyer, seller = await venue.investor(quote="1000"), await venue.investor(base="1")
    async with writer(venue, redis, "old") as (old, old_copies):
        await venue.place(venue.order(buyer, "BUY", "1", "100"))
        prepared = await old._next()
        assert prepared is not None
        await old._commit(prepared)
        await shows(redis, venue, ("100", "1"))
        async with writer(venue, redis, "new") as (new, new_copies):
            await venue.place(venue.order(seller, "SELL", "0.4", "100"))
            await drain(new)
            await shows(redis, venue, ("100", "0.6"))

            old_copies.tell(prepared.change)
            old_copies._tell_all(venue.spec, old.book, 1)
            await written(venue, old_copies)

            assert await bids(redis, venue) == [("100", "0.6")]
            assert not new_copies.behind(venue.pair_id)


async def test_a_change_that_is_overtaken_while_it_is_written_changes_nothing(
    venue: Venue, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading whose copies these are and changing them, another becomes the writer."""
    buyer = await venue.investor(quote="1000")
    async with writer(venue, redis, "old") as (old, copies):
        await written(venue, copies)
        pipeline = redis.pipeline

        def slow(*args: Any, **more: Any) -> Any:
            pipe = pipeline(*args, **more)
            execute = pipe.execute

            async def after_the_other(raise_on_error: bool = True) -> Any:
                await redis.set(f"orderbook:{venue.pair_id}:writer", 99)
                return await execute(raise_on_error)

            pipe.execute = after_the_other  # type: ignore[method-assign]
            return pipe

        monkeypatch.setattr(redis, "pipeline", slow)
        await venue.place(venue.order(buyer, "BUY", "1", "100"))
        await drain(old)
        await written(venue, copies)

        assert await bids(redis, venue) == []
        assert copies.behind(venue.pair_id)


async def test_a_quiet_pair_finds_out_that_its_copies_are_gone(
    venue: Venue, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book_copies, "LOOK_S", 0.2)
    buyer, seller = await venue.investor(quote="1000"), await venue.investor(base="1")
    async with writer(venue, redis, "a") as (taken, _):
        stopping = asyncio.Event()
        running = asyncio.create_task(taken.run(stopping))
        await venue.place(venue.order(buyer, "BUY", "1", "100"), venue.order(seller, "SELL", "0.4", "100"))
        await shows(redis, venue, ("100", "0.6"))
        (trade,) = await redis.lrange(recent_key(venue.pair_id), 0, -1)

        await redis.flushall()

        await shows(redis, venue, ("100", "0.6"))
        assert await redis.lrange(recent_key(venue.pair_id), 0, -1) == [trade]
        stopping.set()
        await running


async def test_a_pair_that_is_never_quiet_is_told_again_all_the_same(
    venue: Venue, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matcher, "BATCH", 1)
    buyer = await venue.investor(quote="1000")
    async with writer(venue, redis, "a") as (taken, copies):
        await venue.place(venue.order(buyer, "BUY", "1", "100"))
        await drain(taken)
        await shows(redis, venue, ("100", "1"))
        await redis.flushall()
        for _ in range(150):  # each in a commit of its own: what came together is matched together
            await venue.place(venue.order(buyer, "BUY", "0.01", "99"))
        stopping = asyncio.Event()
        running = asyncio.create_task(taken.run(stopping))

        async def best_is_back() -> bool:
            return ("100", "1") in await bids(redis, venue)

        await eventually(best_is_back, "the order of before is shown again")
        assert await venue.rows("SELECT 1 FROM orders WHERE status = 'PENDING_MATCH'"), "it was never quiet"
        stopping.set()
        await running
        assert not copies.behind(venue.pair_id)


async def test_a_large_book_is_laid_ready_in_pieces_and_takes_its_place_at_once(
    venue: Venue, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book_copies, "CHUNK", 2)
    buyer = await venue.investor(quote="1000")
    await venue.place(*(venue.order(buyer, "BUY", "1", str(100 + place)) for place in range(5)))
    async with writer(venue, redis, "first") as (first, _):
        await drain(first)
        expected = [(str(100 + place), "1") for place in reversed(range(5))]
        await shows(redis, venue, *expected)
        await redis.zadd(f"orderbook:{venue.pair_id}:bids", {"not ours": 0})
        await redis.zadd(f"orderbook:{venue.pair_id}:asks", {"not ours": 0})
    async with writer(venue, redis, "second") as (_, copies):
        await written(venue, copies)
        assert await bids(redis, venue) == expected
        assert sorted(await redis.keys(f"orderbook:{venue.pair_id}:*")) == [
            f"orderbook:{venue.pair_id}:bids",
            f"orderbook:{venue.pair_id}:writer",
        ]
        assert await redis.ttl(f"orderbook:{venue.pair_id}:bids") == -1, (
            "it does not end with what was laid ready"
        )


async def test_a_new_writer_tells_the_trades_of_before(venue: Venue, redis: Redis) -> None:
    buyer, seller = await venue.investor(quote="1000"), await venue.investor(base="1")
    async with writer(venue, redis, "a") as (taken, copies):
        for _ in range(3):
            await venue.place(
                venue.order(seller, "SELL", "0.1", "100"), venue.order(buyer, "BUY", "0.1", "100")
            )
            await drain(taken)
        await written(venue, copies)
        before = await redis.lrange(recent_key(venue.pair_id), 0, -1)
    await redis.flushall()

    async with writer(venue, redis, "b") as (_, copies):
        await written(venue, copies)

        assert await redis.lrange(recent_key(venue.pair_id), 0, -1) == before
        assert [orjson.loads(trade)["seq"] for trade in before] == [3, 2, 1]


async def test_a_look_at_nothing_does_not_lose_the_depth_that_was_left_out(
    venue: Venue, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer = await venue.investor(quote="1000")
    async with writer(venue, redis, "a") as (taken, copies):
        await venue.place(venue.order(buyer, "BUY", "1", "100"))
        await drain(taken)  # right after the take-over: its depth is left out
        await asyncio.sleep(0.1)
        assert not await taken.step()
        copies.catch_up(venue.spec, taken.book, taken._keeper.fact_seq)
        await written(venue, copies)

        depth = orjson.loads(str(await redis.get(depth_key(venue.pair_id))))
        assert depth["bids"] == [["100", "1"]]
