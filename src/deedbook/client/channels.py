"""What a stream hears, one class for each way of being told: the newest state, or every entry once."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from deedbook.client.answers import Balance, PublicTrade
from deedbook.client.answers.marketdata import Candle, Ticker
from deedbook.client.live_book import LiveBook
from deedbook.client.reading import read

T = TypeVar("T")
MAX_WAITING = 10_000
Message = Mapping[str, Any]


@dataclass(frozen=True)
class Event:
    """Something of mine. `seq` grows; a later subscription may begin after it."""

    seq: int
    event_id: str
    event_type: str
    ts: datetime
    data: dict[str, Any]


class Channel(ABC, Generic[T]):
    """One subscription, heard by `async for`, over as many connections as it takes."""

    private = False

    def __init__(self, name: str, market: str | None = None, **options: Any) -> None:
        self.name, self.market, self._options = name, market, options
        self._ended: Exception | None = None

    @property
    def key(self) -> tuple[str, str | None, str | None]:
        """By which messages find it."""
        return self.name, self.market, self._options.get("interval")

    def wish(self) -> dict[str, Any]:
        """The message that subscribes, on a new connection too."""
        named = {"market": self.market} if self.market else {}
        return {"op": "subscribe", "channel": self.name, **named, **self._options}

    @abstractmethod
    async def hear(self, message: Message) -> None:
        """Take in a message of this channel."""

    @abstractmethod
    def end(self, error: Exception) -> None:
        """Let whoever listens hear this, and nothing after it."""

    @abstractmethod
    async def _next(self) -> T: ...

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        return await self._next()


class Newest(Channel[T]):
    """Tells how it is now. Whoever is slow misses what was between, and never waits for it."""

    def __init__(self, name: str, market: str | None = None, **options: Any) -> None:
        super().__init__(name, market, **options)
        self._news = asyncio.Event()
        self._state: T | None = None

    def _put(self, state: T) -> None:
        self._state = state
        self._news.set()

    def end(self, error: Exception) -> None:
        self._ended = error
        self._news.set()

    async def _next(self) -> T:
        await self._news.wait()
        if self._ended is not None:
            raise self._ended
        self._news.clear()
        assert self._state is not None, "news are of something"
        return self._state


class Every(Channel[T]):
    """Tells every entry once, in order. Whoever is slow holds up what follows."""

    def __init__(self, name: str, market: str | None = None, **options: Any) -> None:
        super().__init__(name, market, **options)
        self._waiting: asyncio.Queue[T | None] = asyncio.Queue(MAX_WAITING)

    async def _put(self, entry: T) -> None:
        await self._waiting.put(entry)

    def end(self, error: Exception) -> None:
        self._ended = error
        if not self._waiting.full():
            self._waiting.put_nowait(None)

    async def _next(self) -> T:
        if self._ended is not None and self._waiting.empty():
            raise self._ended
        entry = await self._waiting.get()
        if entry is None:
            assert self._ended is not None, "only the end has no entry"
            raise self._ended
        return entry


class BookChannel(Newest[LiveBook]):
    """A pair's book, proven by its checksum at each message."""

    def __init__(self, market: str, depth: int) -> None:
        super().__init__("book", market, depth=depth)
        self.book = LiveBook(market)

    async def hear(self, message: Message) -> None:
        """Raises BookOutOfStep: subscribe again."""
        self.book.apply(message)
        if self.book.ready:
            self._put(self.book)


class TickerChannel(Newest[Ticker]):
    """A pair's best prices and last price."""

    async def hear(self, message: Message) -> None:
        self._put(read(Ticker, message))


class BalancesChannel(Newest[Mapping[str, Balance]]):
    """All that I have, by symbol."""

    private = True

    async def hear(self, message: Message) -> None:
        known = {} if message["type"] == "snapshot" or self._state is None else dict(self._state)
        told = [read(Balance, balance) for balance in message["balances"]]
        self._put({**known, **{balance.symbol: balance for balance in told}})


class TradesChannel(Every[PublicTrade]):
    """A pair's trades. Their `seq` has no gap: one that is there was more than a hundred trades, while cut off."""

    seq = 0

    async def hear(self, message: Message) -> None:
        for told in message["trades"]:
            trade = read(PublicTrade, told)
            if trade.seq > self.seq:
                self.seq = trade.seq
                await self._put(trade)


class CandlesChannel(Every[Candle]):
    """A pair's candles, each again when it has changed."""

    async def hear(self, message: Message) -> None:
        for told in message["candles"]:
            await self._put(read(Candle, told))


class EventsChannel(Every[Event]):
    """What happens to my orders, fills or settlements: on a new connection from where the old one ended."""

    private = True

    def __init__(self, name: str, from_seq: int | None) -> None:
        super().__init__(name)
        self.seq = from_seq

    def wish(self) -> dict[str, Any]:
        place = {} if self.seq is None else {"fromSeq": self.seq}
        return {**super().wish(), **place}

    async def hear(self, message: Message) -> None:
        if message["type"] == "event":
            self.seq = message["seq"]
            await self._put(read(Event, message))
        elif self.seq is None:
            self.seq = message.get("seq")
