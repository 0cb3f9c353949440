"""Public channels of one pair that may be told anew to whoever was too slow: the book and the ticker.

Each message is written once, whatever the number of those who hear it.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import orjson
from redis.asyncio import Redis

from deedbook.api.live.board import Board, Levels, difference
from deedbook.api.live.connection import Connection, Subscription
from deedbook.infra.database import Database
from deedbook.kernel.checksum import book_checksum
from deedbook.marketdata import views
from deedbook.marketdata.terms import Interval
from deedbook.trading.spec import PairSpec

SHOWN = 100
"""How many candles a snapshot has."""
OPENED = 40
"""So many letters of a candle say when it opened."""


class Channel(Protocol):
    """What can be told as a whole at any time."""

    listeners: "set[Subscription]"

    def snapshot(self) -> str: ...


class Told(Subscription):
    """Somebody who hears such a channel."""

    def __init__(self, connection: Connection, channel: Channel) -> None:
        super().__init__(connection, channel.listeners.discard)
        self._channel = channel
        channel.listeners.add(self)

    def fresh(self) -> Sequence[str]:
        return (self._channel.snapshot(),)


class BookChannel:
    """The best levels of the book, so many of each side."""

    def __init__(self, spec: PairSpec, depth: int, board: Board, at: str) -> None:
        self.listeners: set[Subscription] = set()
        self._spec = spec
        self._depth = depth
        self._seq, self._at = board.seq, at
        self._bids, self._asks = board.bids.top(depth), board.asks.top(depth)
        self._snapshot = ""

    def snapshot(self) -> str:
        """Everything, as of the last update that was told."""
        if not self._snapshot:
            self._snapshot = self._text("snapshot", {}, self._bids, self._asks)
        return self._snapshot

    def follow(self, board: Board, at: str) -> None:
        """Tell what has changed since the last time."""
        if board.seq == self._seq:
            return
        bids, asks = board.bids.top(self._depth), board.asks.top(self._depth)
        changed = difference(self._bids, bids), difference(self._asks, asks)
        before = {"prevSeq": self._seq}
        self._seq, self._at, self._bids, self._asks, self._snapshot = board.seq, at, bids, asks, ""
        text = self._text("update", before, *changed)
        for listener in self.listeners:
            listener.offer(text)

    def _text(self, kind: str, before: dict[str, int], bids: Levels, asks: Levels) -> str:
        told = {
            "type": kind,
            "channel": "book",
            "market": self._spec.symbol,
            **before,
            "seq": self._seq,
            "ts": self._at,
            "bids": levels_text(self._spec, bids),
            "asks": levels_text(self._spec, asks),
            "checksum": book_checksum(
                levels_text(self._spec, self._bids), levels_text(self._spec, self._asks)
            ),
        }
        return orjson.dumps(told).decode()


class TickerChannel:
    """The best prices, the last one, and what others know of the pair: whole each time."""

    def __init__(self) -> None:
        self.listeners: set[Subscription] = set()
        self._told: dict[str, Any] = {}

    def snapshot(self) -> str:
        return orjson.dumps({"type": "snapshot", **self._told}).decode()

    def follow(self, told: dict[str, Any]) -> None:
        """Tell it, where it says anything new."""
        was, self._told = self._told, told
        if {**was, "seq": 0, "ts": ""} == {**told, "seq": 0, "ts": ""}:
            return
        text = orjson.dumps({"type": "update", **told}).decode()
        for listener in self.listeners:
            listener.offer(text)


class CandleChannel:
    """The newest candles of one interval. An update has those that have changed, the oldest first; where one is no
    more, all are told anew."""

    def __init__(self, spec: PairSpec, interval: Interval) -> None:
        self.listeners: set[Subscription] = set()
        self._spec = spec
        self._interval = interval
        self._candles: list[str] = []

    async def ask(self, db: Database, redis: Redis) -> None:
        """Read them, and tell what is new.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        found = await views.candles(db, redis, self._spec, self._interval, None, SHOWN)
        before, self._candles = self._candles, found[SHOWN - 1 :: -1]
        known = set(before)
        changed = [candle for candle in self._candles if candle not in known]
        if _is_taken_out(before, self._candles):
            self._tell(self.snapshot())
        elif changed:
            self._tell(self._text("update", changed))

    def _tell(self, text: str) -> None:
        for listener in self.listeners:
            listener.offer(text)

    def snapshot(self) -> str:
        return self._text("snapshot", self._candles)

    def _text(self, kind: str, candles: Sequence[str]) -> str:
        told = {
            "type": kind,
            "channel": "candles",
            "market": self._spec.symbol,
            "interval": self._interval.value,
            "candles": [orjson.Fragment(candle) for candle in candles],
        }
        return orjson.dumps(told).decode()


def _is_taken_out(before: Sequence[str], now: Sequence[str]) -> bool:
    """Whether a candle is gone that has not merely become too old to be shown: all its trades were undone."""
    since = now[0][:OPENED] if len(now) == SHOWN else ""
    gone = {candle[:OPENED] for candle in before} - {candle[:OPENED] for candle in now}
    return any(opened >= since for opened in gone)


def levels_text(spec: PairSpec, levels: Levels) -> list[list[str]]:
    """Levels as they are told."""
    return [[spec.price_text(price), spec.size_text(lots)] for price, lots in levels]
