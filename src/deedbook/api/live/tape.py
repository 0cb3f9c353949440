"""The public trades of one pair, each told once and none left out."""

from collections import deque
from typing import Any

import orjson

from deedbook.api.live.connection import Connection, Subscription
from deedbook.kernel.clock import to_wire
from deedbook.trading.order_store import StoredTrade
from deedbook.trading.spec import PairSpec

RECENT = 100
GAP = 1013, "feed_gap"


class Tape:
    """The last trades, and those that are to be told next. `number` is that of the newest trade."""

    def __init__(self, spec: PairSpec) -> None:
        self.listeners: set[Subscription] = set()
        self._spec = spec
        self._recent: deque[dict[str, Any]] = deque(maxlen=RECENT)
        self._untold: list[dict[str, Any]] = []
        self.number: int | None = None

    def begin(self, stored: list[StoredTrade], number: int) -> None:
        """What PostgreSQL says: the last trades, up to this number. Where some since the last one known are missing
        among them, those who hear are closed, so that they know it."""
        before = number - len(stored)
        if self.number is None or self.number < before:
            self.number = before
            self._recent.clear()
            self._untold.clear()
            for listener in list(self.listeners):
                listener.connection.close(*GAP)
        for trade in stored:
            self._note(_of_row(self._spec, trade))

    def take(self, news: list[dict[str, Any]]) -> None:
        """Trades as the pair's matcher has told them, in order."""
        for trade in news:
            self._note({"id": trade.pop("tradeId"), **trade})

    def hear(self, connection: Connection) -> tuple[Subscription, str]:
        """A subscription, and the trades until now."""
        assert self.number is not None
        subscription = Subscription(connection, self.listeners.discard)
        self.listeners.add(subscription)
        seq = self.number - len(self._untold)
        told = [trade for trade in self._recent if trade["seq"] <= seq]
        return subscription, self._text("snapshot", {}, seq, told)

    def follow(self) -> None:
        """Tell those that are new."""
        untold, self._untold = self._untold, []
        if not untold or not self.listeners:
            return
        text = self._text("update", {"prevSeq": untold[0]["seq"] - 1}, untold[-1]["seq"], untold)
        for listener in list(self.listeners):
            listener.connection.send(text)

    @property
    def last_price(self) -> str | None:
        return self._recent[-1]["price"] if self._recent else None

    def _note(self, trade: dict[str, Any]) -> None:
        assert self.number is not None
        if trade["seq"] == self.number + 1:
            self.number += 1
            self._recent.append(trade)
            self._untold.append(trade)

    def _text(self, kind: str, before: dict[str, int], seq: int, trades: list[dict[str, Any]]) -> str:
        told = {"type": kind, "channel": "trades", "market": self._spec.symbol, **before, "seq": seq}
        ts = trades[-1]["executedAt"] if trades else None
        return orjson.dumps({**told, "ts": ts, "trades": trades}).decode()


def _of_row(spec: PairSpec, trade: StoredTrade) -> dict[str, Any]:
    return {
        "id": str(trade.trade_id),
        "seq": trade.number,
        "price": spec.price_text(trade.price),
        "quantity": spec.size_text(trade.size),
        "takerSide": trade.taker_side,
        "executedAt": to_wire(trade.executed_at),
    }
