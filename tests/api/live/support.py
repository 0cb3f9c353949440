"""A client of the socket as tests use it: everything heard is kept, and waited for by what it says."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from deedbook.trading.book_copies import BookCopies
from deedbook.trading.matcher import PairMatcher, take_over
from tests.support.floor import Floor

Message = dict[str, Any]


class Listener:
    """One open socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.heard: list[Message] = []
        self.closed: tuple[int, str] | None = None
        self._news = asyncio.Event()
        self._ids = 0
        self._looked = 0
        self.on_message: Callable[[Message], None] = lambda message: None

    async def send(self, **message: Any) -> int:
        self._ids += 1
        await self.socket.send(orjson.dumps({"id": self._ids, **message}).decode())
        return self._ids

    async def ask(self, **message: Any) -> Message:
        """Send, and the answer to it."""
        number = await self.send(**message)
        return await self.wait(lambda told: told.get("id") == number)

    async def subscribe(self, channel: str, market: str | None = None, **more: Any) -> Message:
        """The snapshot, or the confirmation of a channel that has none."""
        named = {"market": market} if market else {}
        told = await self.ask(op="subscribe", channel=channel, **named, **more)
        assert told["type"] == "subscribed", told
        if channel in ("markets", "orders", "fills", "settlements"):
            return told
        return await self.wait(lambda told: told["type"] == "snapshot" and told["channel"] == channel)

    async def wait(self, fits: Callable[[Message], bool], within_s: float = 10.0) -> Message:
        """The first message heard since the last one waited for that fits."""
        async with asyncio.timeout(within_s):
            while True:
                while self._looked < len(self.heard):
                    message = self.heard[self._looked]
                    self._looked += 1
                    if fits(message):
                        return message
                assert self.closed is None, f"closed: {self.closed}"
                self._news.clear()
                await self._news.wait()

    async def until_closed(self, within_s: float = 10.0) -> tuple[int, str]:
        async with asyncio.timeout(within_s):
            while self.closed is None:
                self._news.clear()
                await self._news.wait()
        return self.closed

    async def read(self) -> None:
        try:
            async for text in self.socket:
                message = orjson.loads(text)
                self.heard.append(message)
                self.on_message(message)
                self._news.set()
        except ConnectionClosed:
            pass
        self.closed = (self.socket.close_code or 1006, self.socket.close_reason or "")
        self._news.set()


@asynccontextmanager
async def listening(address: str, query: str = "", **headers: str) -> AsyncIterator[Listener]:
    """A socket at this server."""
    url = f"{address.replace('http', 'ws', 1)}/api/v1/ws{query}"
    async with connect(url, additional_headers=headers, compression=None, max_queue=None) as socket:
        listener = Listener(socket)
        reading = asyncio.create_task(listener.read())
        try:
            yield listener
        finally:
            with suppress(ConnectionClosed):
                await socket.close()
            await reading


@asynccontextmanager
async def matching(floor: Floor) -> AsyncIterator[PairMatcher]:
    """The pair's matcher at work, with its copies in Redis."""
    copies, stopping = BookCopies(floor.world.resources.redis), asyncio.Event()
    matcher = await take_over(floor.world.db, floor.spec.pair_id, "feeds", copies)
    assert matcher is not None, "another matches"
    tasks = [asyncio.create_task(copies.run(stopping)), asyncio.create_task(matcher.run(stopping))]
    try:
        yield matcher
    finally:
        stopping.set()
        await asyncio.gather(*tasks)
        await matcher.give_up()
