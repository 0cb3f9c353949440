"""What is said to sockets that nobody of good will would say, and to clients that do not read (I-07, F-19)."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from deedbook.api.live.connection import QUEUE, Connection
from deedbook.api.live.hub import MARKETS
from deedbook.api.live.session import MESSAGES_PER_S
from deedbook.client.live_book import LiveBook
from deedbook.infra.embedded import EmbeddedValkey
from deedbook.trading.feed_views import feed_channel
from tests.api.live.conftest import Stand
from tests.api.live.support import Listener, listening
from tests.api.live.test_public import follow, same_as_over_http
from tests.api.loopback import serving
from tests.support.waiting import eventually
from tests.support.world import User, open_world

BAD_FRAMES: dict[str, tuple[str, str]] = {
    "no JSON": ("{", "malformed_request"),
    "a list": ("[]", "invalid_request"),
    "nothing": ("", "malformed_request"),
    "no operation": ("{}", "invalid_request"),
    "an unknown operation": ('{"op":"drop"}', "invalid_request"),
    "an operation that is a list": ('{"op":["auth"]}', "invalid_request"),
    "two operations": ('{"op":"ping","op":"auth"}', "malformed_request"),
    "an unknown channel": ('{"op":"subscribe","channel":"secrets"}', "invalid_request"),
    "an unknown field": ('{"op":"ping","admin":true}', "invalid_request"),
    "no market": ('{"op":"subscribe","channel":"book"}', "invalid_request"),
    "a market that is none": ('{"op":"subscribe","channel":"book","market":"X-Y"}', "pair_not_found"),
    "a market that is odd": (
        '{"op":"subscribe","channel":"book","market":"../../etc"}',
        "invalid_request",
    ),
    "a depth of a million": (
        '{"op":"subscribe","channel":"book","market":"A-B","depth":1000000}',
        "invalid_request",
    ),
    "an id of text": ('{"op":"ping","id":"1"}', "invalid_request"),
    "a token that is none": ('{"op":"auth","token":"eyJ.a.b"}', "unauthenticated"),
    "deep nesting": ("[" * 5000 + "]" * 5000, "malformed_request"),
    "NaN": ('{"op":"ping","id":NaN}', "malformed_request"),
}


async def test_odd_frames_are_answered_each_and_the_socket_goes_on(stand: Stand) -> None:
    async with listening(stand.address) as listener:
        for kind, (frame, code) in BAD_FRAMES.items():
            await listener.socket.send(frame)
            told = await listener.wait(lambda told: told["type"] == "error")
            assert told["problem"]["code"] == code, (kind, told)
            await asyncio.sleep(0.06)  # within the rate
        assert (await listener.ask(op="ping"))["type"] == "pong"


async def test_bytes_and_giants_end_the_socket(stand: Stand) -> None:
    async with listening(stand.address) as listener:
        await listener.socket.send(b"\x00\x01")
        assert await listener.until_closed() == (1003, "text_only")
    async with listening(stand.address) as listener:
        await listener.socket.send("x" * 20_000)
        assert (await listener.until_closed())[0] == 1009
    async with listening(stand.address) as listener:

        async def fragments() -> Any:
            for _ in range(100):
                yield "x" * 1000

        await listener.socket.send(fragments())
        assert (await listener.until_closed())[0] == 1009


async def test_a_flood_is_refused_and_then_ended(stand: Stand) -> None:
    async with listening(stand.address) as listener:
        began = time.monotonic()
        for number in range(400):
            await listener.socket.send(json.dumps({"op": "ping", "id": number}))
        assert await listener.until_closed() == (1008, "rate_limited")
        answered = [told for told in listener.heard if told["type"] == "pong"]
        assert len(answered) <= MESSAGES_PER_S * (1 + time.monotonic() - began)
        refused = [told for told in listener.heard if told["type"] == "error"]
        assert {told["problem"]["code"] for told in refused} <= {"rate_limited"}


async def test_a_hundred_subscriptions_are_enough(stand: Stand) -> None:
    async with listening(stand.address) as listener:
        for depth in range(1, 101):
            await listener.subscribe("book", stand.market, depth=depth)
            await asyncio.sleep(0.051)
        refused = await listener.ask(op="subscribe", channel="ticker", market=stand.market)
        assert refused["problem"]["code"] == "too_many_subscriptions"
        await _hears_nothing_of_markets_when_that_is_refused(stand, listener)
        again = await listener.ask(op="subscribe", channel="book", market=stand.market, depth=7)
        assert again["type"] == "subscribed"
        await listener.ask(op="unsubscribe", channel="book", market=stand.market, depth=7)
        assert (await listener.subscribe("ticker", stand.market))["type"] == "snapshot"


async def _hears_nothing_of_markets_when_that_is_refused(stand: Stand, listener: Listener) -> None:
    """What was refused is not there: else each refusal would leave something behind for ever."""
    refused = await listener.ask(op="subscribe", channel="markets")
    assert refused["problem"]["code"] == "too_many_subscriptions"
    envelope = {
        "audience": "public",
        "eventId": "1",
        "eventType": "market.paused",
        "timestamp": "",
        "payload": {},
    }
    async with listening(stand.address) as other:
        await other.subscribe("markets")

        async def somebody_is_reached() -> bool:
            return bool(await stand.floor.world.resources.redis.publish(MARKETS, json.dumps(envelope)))

        await eventually(somebody_is_reached, "the process listens")
        await other.wait(lambda told: told["type"] == "event")
    assert (await listener.ask(op="ping"))["type"] == "pong"
    assert not [told for told in listener.heard if told.get("channel") == "markets"]


@pytest.mark.parametrize("origin", ["https://evil.test", "null", "http://localhost:3001"])
async def test_a_page_from_elsewhere_is_refused(stand: Stand, origin: str) -> None:
    url = f"{stand.address.replace('http', 'ws', 1)}/api/v1/ws"
    with pytest.raises(InvalidStatus) as refused:
        await connect(url, origin=origin)  # type: ignore[arg-type]
    assert refused.value.response.status_code == 403
    assert json.loads(refused.value.response.body or b"")["code"] == "origin_refused"
    async with connect(url, origin="http://localhost:3000"):  # type: ignore[arg-type]
        pass


async def test_a_bad_ticket_is_refused_before_the_socket_opens(stand: Stand) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{stand.address.replace('http', 'ws', 1)}/api/v1/ws?ticket=guessed")
    assert refused.value.response.status_code == 401


async def test_an_address_has_so_many_sockets_and_no_more(
    dsn: str, valkey: EmbeddedValkey, redis: Redis
) -> None:
    limits: dict[str, Any] = {"WS_CONNECTIONS_PER_ADDRESS": 2}
    async with open_world(dsn, valkey.url(), **limits) as world, serving(world) as address:
        url = f"{address.replace('http', 'ws', 1)}/api/v1/ws"
        async with connect(url), connect(url):
            with pytest.raises(InvalidStatus) as refused:
                await connect(url)
            assert refused.value.response.status_code == 429
            assert json.loads(refused.value.response.body or b"")["code"] == "too_many_connections"

        async def there_is_room() -> bool:
            return not world.app.state.hub.connections

        await eventually(there_is_room, "those that have gone count no longer")
        async with connect(url):
            pass


async def test_an_address_that_is_refused_too_often_hears_no_more(
    dsn: str, valkey: EmbeddedValkey, redis: Redis
) -> None:
    """Whoever guesses keys or pairs asks the database each time: on many sockets no more often than over HTTP."""
    async with open_world(dsn, valkey.url(), RATE_LIMIT_READS=10) as world, serving(world) as address:
        async with listening(address) as first, listening(address) as second:
            for _ in range(9):
                for listener in (first, second):
                    if listener.closed is None:
                        with suppress(ConnectionClosed):
                            await listener.send(op="auth", token="dbk_" + "0" * 32 + "_" + "0" * 64)
                            await listener.send(op="subscribe", channel="book", market="NO-SUCH")
            assert {await first.until_closed(), await second.until_closed()} == {(1008, "rate_limited")}
            for listener in (first, second):
                codes = {told["problem"]["code"] for told in listener.heard if told["type"] == "error"}
                assert codes <= {"unauthenticated", "pair_not_found"}
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{address.replace('http', 'ws', 1)}/api/v1/ws")
        assert refused.value.response.status_code == 429


class Stuck:
    """The far end of a client that does not read until it is let."""

    def __init__(self) -> None:
        self.reads = asyncio.Event()
        self.heard: list[str] = []
        self.ended: tuple[int, str] | str | None = None

    async def write(self, text: str) -> None:
        await self.reads.wait()
        self.heard.append(text)

    async def close(self, code: int, reason: str) -> None:
        await self.reads.wait()
        self.ended = (code, reason)

    def abort(self) -> None:
        self.ended = "aborted"


async def test_a_slow_client_hears_the_book_anew_and_never_a_gap(stand: Stand) -> None:
    floor = stand.floor
    hub = floor.world.app.state.hub
    buyer = await floor.investor("100000")
    wire = Stuck()
    connection = Connection(wire)
    hub.join(connection)
    feed = await hub.feed(floor.spec)
    subscription, snapshot = await feed.hear_book(connection, 100)
    connection.subscriptions["book", floor.spec.symbol] = subscription
    connection.send(snapshot)
    writing = asyncio.create_task(connection.write())
    for number in range(QUEUE + 40):
        feed.hear(_news(feed.seq, 9000 + number % 7, number + 1))
        await asyncio.sleep(0.025)
    assert connection.waiting <= QUEUE
    wire.reads.set()
    book = LiveBook(floor.spec.symbol)

    async def caught_up() -> bool:
        for text in wire.heard:
            told = json.loads(text)
            if told.get("channel") == "book":
                book.apply(told)
        wire.heard.clear()
        return bool(book.seq == feed.seq)

    await eventually(caught_up, "the slow client has the book as it is")
    connection.close(1000, "gone")
    await writing
    await connection.finish()
    hub.leave(connection)
    assert buyer and not feed.wanted


def _news(seq: int, price: int, lots: int) -> dict[str, Any]:
    at = "2026-01-01T00:00:00.000000Z"
    return {"prev": seq, "seq": seq + 1, "at": at, "bids": [[price, lots]], "asks": [], "trades": []}


async def test_a_slow_client_is_closed_where_every_message_counts(stand: Stand) -> None:
    wire = Stuck()
    connection = Connection(wire)
    writing = asyncio.create_task(connection.write())
    for number in range(QUEUE + 2):
        connection.send(str(number))
        await asyncio.sleep(0)
    assert connection.over.is_set()
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await connection.finish()
    assert wire.ended == "aborted", "a client that does not even take the end is cut off"


@asynccontextmanager
async def following(stand: Stand) -> AsyncIterator[tuple[LiveBook, User]]:
    """A book that a client keeps by the feed, and a buyer who changes it."""
    book, buyer = LiveBook(stand.market), await stand.floor.investor("100000")
    async with listening(stand.address) as listener:
        follow(listener, book)
        await listener.subscribe("book", stand.market)
        yield book, buyer


async def test_a_message_that_redis_lost_is_noticed_and_mended(stand: Stand) -> None:
    floor, redis = stand.floor, stand.floor.world.resources.redis
    async with following(stand) as (book, buyer):
        feed = await floor.world.app.state.hub.feed(floor.spec)
        lost: list[Any] = []
        feed.hear, hear = lost.append, feed.hear  # what is published now is lost on its way
        await floor.place(buyer, "BUY", price="90", quantity="1")

        async def passed_by() -> bool:
            return bool(lost)

        await eventually(passed_by, "the message was lost")
        feed.hear = hear
        await floor.place(buyer, "BUY", price="91", quantity="1")
        await same_as_over_http(stand, book)
        assert book.levels()[0] == [["91", "1"], ["90", "1"]]
        assert await redis.publish(feed_channel(floor.spec.pair_id), json.dumps(_news(10**9, 1, 1))) >= 1
        await floor.place(buyer, "BUY", price="92", quantity="1")
        await same_as_over_http(stand, book)
        assert book.levels()[0] == [["92", "1"], ["91", "1"], ["90", "1"]]


async def test_the_feed_goes_on_when_redis_loses_its_connections(stand: Stand) -> None:
    floor, redis = stand.floor, stand.floor.world.resources.redis
    async with following(stand) as (book, buyer):
        for price in ("90", "91", "92"):
            await redis.client_kill_filter(_type="pubsub")
            await floor.place(buyer, "BUY", price=price, quantity="1")
            await same_as_over_http(stand, book)
        assert len(book.bids()) == 3


async def test_the_feed_goes_on_when_something_odd_is_published(stand: Stand) -> None:
    floor, redis = stand.floor, stand.floor.world.resources.redis
    async with following(stand) as (book, buyer):
        for price, odd in (("90", b"{"), ("91", b"{}"), ("92", b"\xff")):
            for channel in (MARKETS, feed_channel(floor.spec.pair_id)):
                await redis.publish(channel, odd)
            await floor.place(buyer, "BUY", price=price, quantity="1")
            await same_as_over_http(stand, book)
        assert len(book.bids()) == 3
