"""Matcher processes on real PostgreSQL and Valkey: bells, copies, and pairs that change hands."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID

import orjson
import pytest
from redis.asyncio import Redis

from deedbook.infra.bullmq_client import Delivery, JobQueue, NewJob, open_queue
from deedbook.infra.database import Database
from deedbook.infra.embedded import EmbeddedValkey
from deedbook.kernel.amounts import to_units
from deedbook.kernel.ids import new_uuid
from deedbook.kernel.jobs import ORDER_MATCHING
from deedbook.trading import bells as ringing
from deedbook.trading import matcher, orders
from deedbook.trading.bells import APART_S, Bells
from deedbook.trading.matching import OpenOrderCopies, share
from deedbook.workers import jobs
from deedbook.workers import matching as matching_workers
from deedbook.workers.matching import BELLS_CHANNEL, MatcherPool
from deedbook.workers.trading_sinks import TradingEventsSink
from tests.support.waiting import eventually
from tests.support.world import test_settings
from tests.trading.venue import Venue, open_venue


@pytest.fixture
async def venue(db: Database) -> Venue:
    return await open_venue(db)


@asynccontextmanager
async def matching(db: Database, redis: Redis, name: str) -> AsyncIterator[MatcherPool]:
    """A matcher process's pool, stopped in order at the end."""
    stopping = asyncio.Event()
    pool = MatcherPool(db, redis, f"matcher-{name}")
    running = asyncio.create_task(pool.run(stopping))
    try:
        yield pool
    finally:
        stopping.set()
        await running


async def status_is(venue: Venue, order: Any, status: str) -> bool:
    return bool((await venue.row(order))["status"] == status)


async def settled(venue: Venue, order: Any, status: str = "FILLED", within_s: float = 15) -> None:
    await eventually(lambda: status_is(venue, order, status), f"the order is {status}", within_s=within_s)


async def book(redis: Redis, venue: Venue, side: str) -> list[tuple[str, str, float]]:
    members: Any = await redis.zrange(f"orderbook:{venue.pair_id}:{side}", 0, -1, withscores=True)
    read = [(orjson.loads(member), float(score)) for member, score in members]
    return [(entry["price"], entry["remainingQuantity"], score) for entry, score in read]


async def test_orders_are_matched_without_any_bell(db: Database, redis: Redis, venue: Venue) -> None:
    seller, buyer = await venue.investor(base="5"), await venue.investor(quote="5000")
    async with matching(db, redis, "a"):
        buy = venue.order(buyer, "BUY", "5", "1000")
        await venue.place(venue.order(seller, "SELL", "5", "1000"), buy)
        await settled(venue, buy)


async def test_a_pair_that_ended_while_nobody_matched_hears_of_it(
    db: Database, redis: Redis, venue: Venue
) -> None:
    async with db.transaction() as tx:
        await tx.execute("UPDATE trading_pairs SET status = 'closed' WHERE pair_id = $1", venue.pair_id)
        await tx.execute("INSERT INTO order_commands (pair_id, kind) VALUES ($1, 'CLOSE')", venue.pair_id)

    async def heard() -> bool:
        return not await venue.rows("SELECT 1 FROM order_commands WHERE match_seq IS NULL")

    async with matching(db, redis, "a"):
        await eventually(heard, "its book is closed")


async def test_orders_of_somebody_silent_end_without_any_queue(
    db: Database, redis: Redis, venue: Venue
) -> None:
    """The dead man's switch of market makers: nothing but PostgreSQL and a matcher is needed."""
    silent, other = await venue.investor(quote="100"), await venue.investor(quote="100")
    order, stays = venue.order(silent, "BUY", "0.1", "100"), venue.order(other, "BUY", "0.1", "100")
    async with matching(db, redis, "a"):
        await venue.place(order, stays)
        await settled(venue, order, "OPEN")
        async with db.transaction() as tx:
            await tx.execute("INSERT INTO cancel_all_after (user_id, deadline) VALUES ($1, now())", silent)
        await settled(venue, order, "CANCELLED")
        assert await status_is(venue, stays, "OPEN")


async def test_a_bell_reaches_the_pairs_matcher_whoever_answers_it(
    db: Database, redis: Redis, venue: Venue, valkey: EmbeddedValkey, dsn: str
) -> None:
    settings = test_settings(dsn, valkey.url())
    buyer = await venue.investor(quote="100")
    bells = Bells(open_queue(ORDER_MATCHING.name, redis))
    async with matching(db, redis, "owner") as owner:

        async def owns() -> bool:
            return owner.pairs == 1

        await eventually(owns, "the pair has its matcher")
        other = MatcherPool(db, redis, "matcher-other")
        heard = asyncio.Event()
        owner._matchers[venue.pair_id].ring = heard.set  # type: ignore[method-assign]
        worker = jobs.listen(settings, ORDER_MATCHING, other.answer)
        order = venue.order(buyer, "BUY", "0.1", "100")
        await venue.place(order)
        bells.ring([order])
        await asyncio.wait_for(heard.wait(), 10)
        await worker.close(grace_s=2)
    await bells.close()


async def test_bells_of_a_pair_are_one_job_with_its_name_data_and_priority(
    redis: Redis, venue: Venue
) -> None:
    buyer = await venue.investor(quote="100")
    queue = open_queue(ORDER_MATCHING.name, redis)
    bells = Bells(queue)
    first = venue.order(buyer, "BUY", "0.1", "100", kind="MARKET")
    bells.ring([first, venue.order(buyer, "BUY", "0.1", "100")])
    bells.ring([venue.order(buyer, "BUY", "0.1", "100")])
    await bells.close()

    kept = await redis.hgetall(f"bull:order-matching:match-{first.order_id}")
    assert orjson.loads(kept["data"]) == {
        "orderId": str(first.order_id),
        "tradingPairId": str(venue.pair_id),
    }
    assert kept["priority"] == "1" and orjson.loads(kept["opts"])["attempts"] == 5
    assert sum((await queue.counts()).values()) == 1


class Rung:
    """A queue that remembers of which pairs bells came, and when."""

    def __init__(self) -> None:
        self.at: list[tuple[UUID, float]] = []

    async def add_bulk(self, bells: Sequence[NewJob]) -> None:
        self.at += [(UUID(str(bell.data["tradingPairId"])), time.monotonic()) for bell in bells]


async def test_second_bell_of_a_pair_waits_and_holds_no_other_pair_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ringing, "APART_S", 1.0)
    rung, busy, other = Rung(), new_uuid(), new_uuid()
    bells, began = Bells(cast("JobQueue", rung)), time.monotonic()
    bells.ring_for(new_uuid(), busy)
    await asyncio.sleep(0)
    assert [pair for pair, _ in rung.at] == [busy]
    bells.ring_for(new_uuid(), busy)
    bells.ring_for(new_uuid(), busy)
    bells.ring_for(new_uuid(), other)

    async def all_have_rung() -> bool:
        return len(rung.at) == 3

    await eventually(all_have_rung, "the second bell comes by itself")
    await bells.close()
    assert [pair for pair, _ in rung.at] == [busy, other, busy]
    assert rung.at[2][1] - began > 0.9


async def test_bell_that_waits_rings_when_its_process_ends() -> None:
    rung, pair_id = Rung(), new_uuid()
    bells = Bells(cast("JobQueue", rung))
    bells.ring_for(new_uuid(), pair_id)
    await asyncio.sleep(0)
    bells.ring_for(new_uuid(), pair_id)
    await bells.close()
    assert len(rung.at) == 2


def test_writer_looks_by_itself_for_longer_than_a_bell_may_wait() -> None:
    assert matcher.BUSY_FOR_S > APART_S


async def test_a_command_about_an_order_is_heard_however_lately_the_order_itself_was(
    redis: Redis, venue: Venue, valkey: EmbeddedValkey, dsn: str
) -> None:
    order, heard = venue.order(await venue.investor(quote="100"), "BUY", "0.1", "100"), asyncio.Event()

    async def answer(_: Delivery) -> None:
        heard.set()

    bells = Bells(open_queue(ORDER_MATCHING.name, redis))
    worker = jobs.listen(test_settings(dsn, valkey.url()), ORDER_MATCHING, answer)
    bells.ring([order])
    await asyncio.wait_for(heard.wait(), 10)
    for _ in range(2):
        await bells.close()
        heard.clear()
        bells.ring_for(order.order_id, venue.pair_id)
        await asyncio.wait_for(heard.wait(), 10)
    await worker.close(grace_s=2)
    await bells.close()


async def test_the_copies_are_the_book_with_the_best_first(db: Database, redis: Redis, venue: Venue) -> None:
    buyer, seller = await venue.investor(quote="1000"), await venue.investor(base="10")
    async with matching(db, redis, "a"):
        placed = [
            venue.order(buyer, "BUY", "1", "99"),
            venue.order(buyer, "BUY", "2", "100"),
            venue.order(buyer, "BUY", "3", "100"),
            venue.order(seller, "SELL", "1", "101"),
            venue.order(seller, "SELL", "0.5", "100"),
        ]
        await venue.place(*placed)
        await settled(venue, placed[-1])

        async def told() -> bool:
            return await book(redis, venue, "bids") == [
                ("100", "1.5", -10_000),
                ("100", "3", -10_000),
                ("99", "1", -9900),
            ]

        await eventually(told, "the copies are the book")
        assert await book(redis, venue, "asks") == [("101", "1", 10_100)]

        async def shown() -> bool:
            depth = orjson.loads(str(await redis.get(f"market:{venue.pair_id}:depth")))
            return (depth["bids"], depth["asks"]) == ([["100", "4.5"], ["99", "1"]], [["101", "1"]])

        await eventually(shown, "the depth is the book's")
        assert 0 < await redis.ttl(f"market:{venue.pair_id}:depth") <= 10
        (trade,) = await redis.lrange(f"trades:recent:{venue.pair_id}", 0, -1)
        assert orjson.loads(trade)["quantity"] == "0.5"


async def test_copies_come_back_when_redis_forgets_everything(
    db: Database, redis: Redis, venue: Venue
) -> None:
    buyer = await venue.investor(quote="1000")
    async with matching(db, redis, "a"):
        first, second = venue.order(buyer, "BUY", "1", "99"), venue.order(buyer, "BUY", "2", "100")
        await venue.place(first)
        await settled(venue, first, "OPEN")
        await redis.flushall()
        await venue.place(second)
        await settled(venue, second, "OPEN")

        async def whole() -> bool:
            return await book(redis, venue, "bids") == [("100", "2", -10_000), ("99", "1", -9900)]

        await eventually(whole, "the whole book is there again")


async def test_open_orders_of_a_user_are_listed_for_five_minutes_whatever_their_pair(
    db: Database, redis: Redis, venue: Venue
) -> None:
    other = await open_venue(db, "OTHER")
    buyer = await venue.investor(quote="1000")
    async with db.transaction() as tx:
        await tx.execute(
            "INSERT INTO compliance_records (user_id, token_id, kyc_status, whitelisted) "
            "VALUES ($1, $2, 'APPROVED', true)",
            buyer,
            other.base,
        )
    first, second = venue.order(buyer, "BUY", "1", "99"), other.order(buyer, "BUY", "1", "98", nonce="other")
    key = f"user:open-orders:{buyer}"

    async def listed(*placed: Any) -> None:
        async def are_listed() -> bool:
            return await redis.lrange(key, 0, -1) == [str(order.order_id) for order in placed]

        await eventually(are_listed, f"{len(placed)} orders are listed")

    async with matching(db, redis, "a"):
        await venue.place(first)
        await listed(first)
        assert 0 < await redis.ttl(key) <= 300
        await other.place(second)
        await listed(second, first)
        async with db.transaction() as tx:
            await orders.cancel(tx, buyer, first.order_id)
        await listed(second)
        async with db.transaction() as tx:
            await orders.cancel_all(tx, buyer, None)
        await listed()


async def test_a_list_of_open_orders_that_could_not_be_written_is_written_later(
    db: Database, redis: Redis, venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer = await venue.investor(quote="1000")
    first, second = venue.order(buyer, "BUY", "1", "99"), venue.order(buyer, "BUY", "1", "98")
    key = f"user:open-orders:{buyer}"
    matched, copies = await venue.matcher(), OpenOrderCopies(db, redis)
    for order in (first, second):
        await venue.place(order)
        await matched.step()
        copies.changed([str(buyer)])
        with monkeypatch.context() as trouble:
            trouble.setattr(redis, "pipeline", _away)
            with pytest.raises(ConnectionError):
                await copies.step()
        await copies.step()
    assert await redis.lrange(key, 0, -1) == [str(second.order_id), str(first.order_id)]


def _away(**_: Any) -> Any:
    raise ConnectionError("Redis is away")


async def test_a_dead_matchers_pairs_are_taken_over_within_five_seconds(
    db: Database, redis: Redis, venue: Venue
) -> None:
    buyer = await venue.investor(quote="100")
    await venue.matcher("matcher-dead")  # took the pair over, and is never heard of again
    async with matching(db, redis, "heir"):
        order = venue.order(buyer, "BUY", "0.1", "100")
        await venue.place(order)
        await settled(venue, order, "OPEN")


async def test_a_dead_matchers_pairs_are_taken_over_by_one_that_had_its_share_already(
    db: Database, redis: Redis, venue: Venue
) -> None:
    other = await open_venue(db, "OTHER")
    buyer = await venue.investor(quote="100")
    order = venue.order(buyer, "BUY", "0.1", "100")
    await share(db, "matcher-dead", matching_workers.PRESENCE_S, 0)
    await venue.matcher("matcher-dead")  # a sign of life with its pair, and then none
    async with matching(db, redis, "heir") as heir:

        async def has_its_share() -> bool:
            return heir.ring(other.pair_id)

        await eventually(has_its_share, "the heir has the pair that nobody had")
        assert heir.pairs == 1
        await venue.place(order)
        await settled(venue, order, "OPEN")


def test_nothing_of_a_dead_matcher_is_waited_for_longer_than_five_seconds() -> None:
    """Its pairs are free, and it is counted no more, when the others look for the last time within them."""
    assert matcher.TTL_S + matching_workers.LOOK_S < 5  # beyond that, it is the machine that takes its time
    assert matching_workers.PRESENCE_S < matcher.TTL_S


async def test_a_pair_waits_for_no_other_whose_takeover_lasts(
    db: Database, redis: Redis, venue: Venue
) -> None:
    other = await open_venue(db, "OTHER")
    buyer = await other.investor(quote="100")
    order = other.order(buyer, "BUY", "0.1", "100")
    await other.place(order)

    async def both() -> bool:
        return heir.pairs == 2

    async with db.reading() as connection:
        held = connection.transaction()
        await held.start()
        # As long as this lasts, nobody becomes the writer of the first pair.
        await connection.execute("SELECT 1 FROM pair_writer WHERE pair_id = $1 FOR UPDATE", venue.pair_id)
        async with matching(db, redis, "heir") as heir:
            await settled(other, order, "OPEN")
            assert heir.pairs == 1
            await held.rollback()
            await eventually(both, "the first pair has its matcher too")


async def test_a_bell_that_comes_while_a_matcher_leaves_is_passed_on(
    db: Database, redis: Redis, venue: Venue
) -> None:
    stopping = asyncio.Event()
    stopping.set()
    leaver = MatcherPool(db, redis, "matcher-leaver")
    await leaver.run(stopping)
    assert await venue.rows("SELECT 1 FROM pair_writer WHERE expires_at > now()") == []
    async with redis.pubsub(ignore_subscribe_messages=True) as channel:
        await channel.subscribe(BELLS_CHANNEL)
        await leaver.answer(Delivery("a-bell", "a-bell", {"tradingPairId": str(venue.pair_id)}))

        async def passed_on() -> Any:
            return await channel.get_message(timeout=1.0)

        told = await eventually(passed_on, "the bell is passed on")
    assert (str(told["data"]), leaver.pairs) == (str(venue.pair_id), 0)


async def test_matchers_share_the_pairs(db: Database, redis: Redis) -> None:
    for number in range(4):
        await open_venue(db, f"P{number}")
    async with matching(db, redis, "one") as one:

        async def all_four() -> bool:
            return one.pairs == 4

        await eventually(all_four, "one has all pairs")
        async with matching(db, redis, "two") as two:

            async def two_each() -> bool:
                return (one.pairs, two.pairs) == (2, 2)

            await eventually(two_each, "each has its share", within_s=20)
        await eventually(all_four, "the other's pairs come back", within_s=20)


async def test_every_live_event_is_published_to_its_channel(db: Database, redis: Redis, venue: Venue) -> None:
    seller, buyer = await venue.investor(base="5"), await venue.investor(quote="5000")
    buy = venue.order(buyer, "BUY", "5", "1000")
    async with redis.pubsub(ignore_subscribe_messages=True) as channel:
        await channel.subscribe("events:order", "events:trade")
        await venue.place(venue.order(seller, "SELL", "5", "1000"), buy)
        matcher = await venue.matcher()
        while await matcher.step():
            continue
        sink = TradingEventsSink(db, "relay", redis)
        while await sink.step():
            continue
        stored = [row["event_type"] for row in await venue.rows("SELECT event_type FROM trading_events")]
        heard: list[tuple[str, str]] = []

        async def all_heard() -> bool:
            if (message := await channel.get_message(timeout=0.2)) is not None:
                heard.append((message["channel"], orjson.loads(message["data"])["eventType"]))
            return len(heard) == len(stored)

        await eventually(all_heard, "every event is heard")

    assert sorted(kind for _, kind in heard) == sorted(stored)
    assert {name for name, kind in heard if kind.startswith("trade.")} == {"events:trade"}
    assert (await venue.balances(buyer))[0] == to_units("4.9875", 18)
