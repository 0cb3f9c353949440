"""Public channels: the book with one sequence and one checksum, the tape, the ticker."""

from typing import Any

import orjson

from deedbook.client.live_book import LiveBook
from deedbook.marketdata import copies, service
from tests.api.live.conftest import Stand
from tests.api.live.support import Listener, listening
from tests.support.waiting import eventually


async def same_as_over_http(stand: Stand, book: LiveBook, depth: int = 100) -> None:
    """After all that was sent, the copy has the levels and the checksum that HTTP tells at the same event."""

    async def same() -> bool:
        if await stand.floor.rows("SELECT 1 FROM orders WHERE status = 'PENDING_MATCH'"):
            return False
        [writer] = await stand.floor.rows("SELECT fact_seq FROM pair_writer")
        told = await stand.floor.get(f"/trading/pairs/{stand.market}/orderbook", depth=depth)
        # What HTTP tells is a copy as well, and both may lie behind what was matched.
        if not told["seq"] == book.seq == writer["fact_seq"]:
            return False
        assert book.levels(depth) == (told["bids"], told["asks"])
        assert depth < 10 or book.checksum() == told["checksum"]
        return True

    await eventually(same, "the copy has come to the event that HTTP tells")


def follow(listener: Listener, book: LiveBook) -> None:
    def take(message: dict[str, Any]) -> None:
        if message.get("channel") == "book" and message["type"] in ("snapshot", "update"):
            book.apply(message)

    listener.on_message = take


async def test_a_book_is_the_one_that_http_tells_when_orders_come_and_go(stand: Stand) -> None:
    floor, book = stand.floor, LiveBook(stand.market)
    buyer, seller = await floor.investor("100000"), await floor.investor(deeds="1000")
    await floor.place(buyer, "BUY", price="99", quantity="3")
    async with listening(stand.address) as listener:
        follow(listener, book)
        await listener.subscribe("book", stand.market)
        mine = await floor.place(seller, "SELL", price="101.5", quantity="2")
        await floor.place(buyer, "BUY", price="101.5", quantity="0.5")
        await floor.place(seller, "SELL", price="99", quantity="1.25")
        await floor.place(buyer, "BUY", price="98.01", quantity="7")
        await same_as_over_http(stand, book)
        answer = await floor.world.http.delete(f"/trading/orders/{mine['id']}", headers=seller.headers)
        assert answer.status_code == 202

        async def gone() -> bool:
            return not book.asks()

        await eventually(gone, "the cancelled order has left the book")
        await same_as_over_http(stand, book)
        assert book.levels() == ([["99", "1.75"], ["98.01", "7"]], [])


async def test_a_reduced_order_is_an_event_of_its_own(stand: Stand) -> None:
    floor, book = stand.floor, LiveBook(stand.market)
    buyer = await floor.investor("1000")
    mine = await floor.place(buyer, "BUY", price="99", quantity="3")
    async with listening(stand.address) as listener:
        follow(listener, book)
        await listener.subscribe("book", stand.market)
        path = f"/trading/orders/{mine['id']}/reduce"
        assert (await floor.world.post(path, buyer, {"remainingQuantity": "1"})).status_code == 202

        async def less() -> bool:
            return book.levels()[0] == [["99", "1"]]

        await eventually(less, "the book shows what is left")
        await same_as_over_http(stand, book)


async def test_a_shallow_book_has_its_best_levels_and_no_others(stand: Stand) -> None:
    floor, book = stand.floor, LiveBook(stand.market)
    buyer = await floor.investor("100000")
    orders = [await floor.place(buyer, "BUY", price=str(price), quantity="1") for price in range(90, 96)]
    async with listening(stand.address) as listener:
        follow(listener, book)
        await listener.subscribe("book", stand.market, depth=3)
        for order in orders[3:5]:
            await floor.world.http.delete(f"/trading/orders/{order['id']}", headers=buyer.headers)

        async def moved_up() -> bool:
            return [price for price, _ in book.levels()[0]] == ["95", "92", "91"]

        await eventually(moved_up, "levels from below have moved up")
        await same_as_over_http(stand, book, 3)


async def test_every_trade_is_told_once_and_in_order(stand: Stand) -> None:
    floor = stand.floor
    buyer, seller = await floor.investor("100000"), await floor.investor(deeds="1000")
    await floor.place(seller, "SELL", price="100", quantity="500")
    await floor.place(buyer, "BUY", price="100", quantity="1")
    async with listening(stand.address) as early:
        first = await early.subscribe("trades", stand.market)
        for number in range(2, 12):
            await floor.place(buyer, "BUY", price="100", quantity=f"0.{number:04d}")
        numbers = [trade["seq"] for trade in first["trades"]]
        seq = first["seq"]
        while seq < 11:
            told = await early.wait(lambda told: told.get("channel") == "trades")
            assert told["prevSeq"] == seq
            seq = told["seq"]
            numbers += [trade["seq"] for trade in told["trades"]]
        async with listening(stand.address) as late:
            last = await late.subscribe("trades", stand.market)
    assert numbers == list(range(1, 12))
    taped = (await floor.get(f"/trading/pairs/{stand.market}/trades"))["data"]
    assert last["trades"] == list(reversed(taped))


async def test_a_ticker_has_the_best_prices_and_the_last(stand: Stand) -> None:
    floor = stand.floor
    buyer, seller = await floor.investor("100000"), await floor.investor(deeds="1000")
    async with listening(stand.address) as listener:
        first = await listener.subscribe("ticker", stand.market)
        assert (first["last"], first["bestBid"], first["bestAsk"]) == (None, None, None)
        await floor.place(seller, "SELL", price="100", quantity="2")
        await floor.place(buyer, "BUY", price="100", quantity="0.5")
        await floor.place(buyer, "BUY", price="99", quantity="3")

        def complete(told: dict[str, Any]) -> bool:
            best = (told.get("bestBid"), told.get("bestBidQuantity"), told.get("bestAsk"))
            return (told.get("last"), *best, told.get("bestAskQuantity")) == ("100", "99", "3", "100", "1.5")

        await listener.wait(complete)


async def test_a_heart_beats_every_second(stand: Stand) -> None:
    async with listening(stand.address) as listener:
        first = await listener.wait(lambda told: told["type"] == "heartbeat")
        second = await listener.wait(lambda told: told["type"] == "heartbeat")
        assert second["n"] == first["n"] + 1


async def test_two_who_hear_the_same_are_told_the_same(stand: Stand) -> None:
    floor = stand.floor
    buyer = await floor.investor("100000")
    async with listening(stand.address) as one, listening(stand.address) as other:
        for listener in (one, other):
            await listener.subscribe("book", stand.market)
        for price in range(90, 95):
            await floor.place(buyer, "BUY", price=str(price), quantity="1")
        seen = []
        for listener in (one, other):
            book = LiveBook(stand.market)
            while book.levels(1)[0] != [["94", "1"]]:
                told = await listener.wait(lambda told: told.get("channel") == "book")
                book.seq = told["prevSeq"] if book.seq is None else book.seq
                book.apply(told)
            seen.append([told for told in listener.heard if told.get("channel") == "book"])
        assert seen[0] == seen[1]


async def test_candles_and_statistics_follow_the_trades(stand: Stand) -> None:
    floor = stand.floor
    buyer, seller = await floor.investor("100000"), await floor.investor(deeds="1000")
    async with listening(stand.address) as listener:
        empty = await listener.subscribe("candles", stand.market, interval="1m")
        await listener.subscribe("ticker", stand.market)
        assert empty["candles"] == []
        refused = await listener.ask(op="subscribe", channel="candles", market=stand.market, interval="7m")
        assert refused["problem"]["errors"][0]["pointer"] == "/interval"
        await floor.place(seller, "SELL", price="100", quantity="2")
        await floor.place(buyer, "BUY", price="100", quantity="0.5")
        await listener.wait(lambda told: told.get("channel") == "ticker" and told.get("last") == "100")
        redis = floor.world.resources.redis
        folded = await service.fold(floor.world.db, floor.spec.pair_id)
        assert folded is not None
        await copies.tell_candles(redis, floor.spec, folded)
        told = await listener.wait(lambda told: told.get("channel") == "candles" and "candles" in told)
        over_http = (await floor.get(f"/trading/pairs/{stand.market}/candles", interval="1m"))["data"]
        assert told["candles"] == over_http and over_http[0]["close"] == "100"
        await floor.world.db.statement("UPDATE trades SET settlement_status = 'FAILED'")
        taken_out = await service.fold(floor.world.db, floor.spec.pair_id)
        assert taken_out is not None
        await copies.tell_candles(redis, floor.spec, taken_out)
        whole = await listener.wait(lambda told: told.get("channel") == "candles" and "candles" in told)
        assert (whole["type"], whole["candles"]) == ("snapshot", [])


async def test_the_life_of_a_market_is_told_when_it_is_published(stand: Stand) -> None:
    redis = stand.floor.world.resources.redis
    envelope = {
        "eventId": "1",
        "eventType": "market.activated",
        "timestamp": "t",
        "payload": {"marketId": "m"},
    }
    async with listening(stand.address) as listener:
        await listener.subscribe("markets")

        async def heard_by_somebody() -> bool:
            for audience in ("operators", "public"):
                told = orjson.dumps({**envelope, "audience": audience, "eventId": audience})
                reached = await redis.publish("events:market", told)
            return bool(reached)

        await eventually(heard_by_somebody, "the process has subscribed")
        told = await listener.wait(lambda told: told.get("channel") == "markets" and told["type"] == "event")
        assert (told["eventId"], told["eventType"], told["data"]) == (
            "public",
            "market.activated",
            {"marketId": "m"},
        )
