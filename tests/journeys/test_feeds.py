"""A program follows the feeds of the whole running platform while orders come in, and processes end and die under it:
its book is the one that HTTP tells, and it has every fill once (INV-7, F-19)."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from deedbook.client.live_book import BookOutOfStep, LiveBook
from deedbook.stack.sign import order_body
from tests.api.live.support import Message, listening
from tests.journeys.test_order_crashes import Floor
from tests.support.counter import Counter
from tests.support.stack import Stack
from tests.support.waiting import eventually, under_way

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


class Program:
    """What an integrator writes: connect, subscribe, apply, and come back whenever the connection ends."""

    def __init__(self, address: str, symbol: str, token: str) -> None:
        self._address, self._token = address, token
        self.book = LiveBook(symbol)
        self.fills: list[Message] = []
        self.farewells: list[Message] = []
        self.wrong = 0
        self.endings: list[tuple[int, str]] = []

    async def run(self) -> None:
        while True:
            with suppress(OSError, AssertionError, TimeoutError):
                await self._once()
            await asyncio.sleep(0.1)

    async def _once(self) -> None:
        async with listening(self._address) as listener:
            listener.on_message = self._hear
            await listener.send(op="auth", token=self._token)
            await listener.send(op="subscribe", channel="book", market=self.book.market)
            place = {"fromSeq": self.fills[-1]["seq"]} if self.fills else {"fromSeq": 0}
            await listener.send(op="subscribe", channel="fills", **place)
            self.endings.append(await listener.until_closed(within_s=120))

    def _hear(self, message: Message) -> None:
        if message["type"] == "serverShutdown":
            self.farewells.append(message)
        elif message.get("channel") == "book" and message["type"] in ("snapshot", "update"):
            try:
                self.book.apply(message)
            except BookOutOfStep:
                self.wrong += 1
        elif message.get("channel") == "fills" and message["type"] == "event":
            self.fills.append(message)


async def test_a_program_that_follows_has_the_book_and_every_fill_whatever_ends_under_it(
    stack: Stack, counter: Counter
) -> None:
    floor = await Floor.open(counter)
    issuer, buyer, symbol = counter.issuer, floor.buyer, f"{counter.listing.symbol}-USDC"
    program = Program(f"http://127.0.0.1:{stack.settings.PORT}", symbol, stack.tokens[buyer.wallet])

    def order(side: str, price: str) -> dict[str, Any]:
        who = issuer if side == "SELL" else buyer
        return order_body(who.wallet, counter.domain, floor.pair, side, "1", price)

    async def trade(count: int) -> None:
        for number in range(count):
            await floor.place(issuer, order("SELL", str(11 + number)))
            await floor.place(issuer, order("SELL", "10"))
            await floor.place(buyer, order("BUY", "10"))

    async def same(fills: int) -> None:
        async def is_same() -> bool:
            if len(program.fills) != fills or not program.book.ready:
                return False
            told = await stack.call("GET", f"/trading/pairs/{symbol}/orderbook")
            levels = program.book.levels()
            return bool(
                told["seq"] == program.book.seq
                and levels == (told["bids"], told["asks"])
                and told["checksum"] == program.book.checksum()
            )

        await eventually(is_same, "the program has the book and the fills that HTTP tells", within_s=60)

    async with under_way(program.run()):
        await trade(3)
        await same(3)

        await stack.run("api")  # which ends the one that runs by SIGTERM, as an operator would
        await trade(2)
        await same(5)
        assert program.endings[-1] == (1012, "server_shutdown")
        assert 0 < program.farewells[-1]["reconnectAfterMs"] <= 3000

        for name in ("matcher", "relay", "api"):
            stack.kill(name)
            await stack.dies(name)
            await stack.run(name)
            await trade(1)
        await same(8)
    mine = await stack.call("GET", f"/trading/users/{buyer.user_id}/trades", who=buyer.wallet)
    told = [fill["data"]["id"] for fill in reversed(program.fills)]
    assert told == [trade["id"] for trade in mine["data"]]
    assert program.wrong == 0, "no message was missing, and no sum was another"
    await stack.prove()
