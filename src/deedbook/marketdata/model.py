"""Candles and statistics as values, and as everybody may read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deedbook.kernel.clock import to_wire
from deedbook.kernel.ids import PairId
from deedbook.marketdata.terms import Interval
from deedbook.trading.spec import BPS, PLACES, PairSpec

LEADERS = 10


@dataclass(frozen=True)
class Candle:
    """What was traded in one interval. `first_trade` and `last_trade` are the pair's own numbers."""

    interval: Interval
    opened_at: datetime
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: int
    quote_volume: int
    trades: int
    first_trade: int
    last_trade: int

    def told(self, spec: PairSpec) -> str:
        """As JSON. It begins with when it opened: copies are compared by that."""
        return (
            f'{{"openedAt":"{to_wire(self.opened_at)}","open":"{spec.price_text(self.open_ticks)}",'
            f'"high":"{spec.price_text(self.high_ticks)}","low":"{spec.price_text(self.low_ticks)}",'
            f'"close":"{spec.price_text(self.close_ticks)}","volume":"{spec.size_text(self.volume_lots)}",'
            f'"quoteVolume":"{spec.quote_text(self.quote_volume)}","trades":{self.trades},"seq":{self.last_trade}}}'
        )


@dataclass(frozen=True)
class Stats:
    """A pair's last 24 hours as of a moment; what nobody traded has no price. `last_ticks` is of whatever time."""

    pair_id: PairId
    as_of: datetime
    open_ticks: int | None
    high_ticks: int | None
    low_ticks: int | None
    last_ticks: int | None
    last_at: datetime | None
    volume_lots: int
    quote_volume: int
    trades: int
    trade_number: int
    revision: int
    leaves_at: datetime | None

    @classmethod
    def nothing(cls, pair_id: PairId, as_of: datetime) -> "Stats":
        """Of a pair on which nobody has traded."""
        return cls(pair_id, as_of, None, None, None, None, None, 0, 0, 0, 0, 0, None)

    @property
    def change_ticks(self) -> int | None:
        """From the first price in the window to the last."""
        if self.open_ticks is None or self.last_ticks is None:
            return None
        return self.last_ticks - self.open_ticks

    @property
    def change_bps(self) -> int | None:
        """The same in basis points of the first price, rounded towards zero."""
        if self.change_ticks is None or not self.open_ticks:
            return None
        whole = abs(self.change_ticks) * BPS // self.open_ticks
        return whole if self.change_ticks >= 0 else -whole

    def told(self, spec: PairSpec) -> dict[str, Any]:
        """As JSON-ready values."""

        def price(ticks: int | None) -> str | None:
            return spec.price_text(ticks) if ticks is not None else None

        return {
            "tradingPairId": str(spec.pair_id),
            "pair": spec.symbol,
            "asOf": to_wire(self.as_of),
            "seq": self.trade_number,
            "lastPrice": price(self.last_ticks),
            "lastTradeAt": to_wire(self.last_at) if self.last_at is not None else None,
            "open24h": price(self.open_ticks),
            "high24h": price(self.high_ticks),
            "low24h": price(self.low_ticks),
            "change24h": price(self.change_ticks),
            "changeBps24h": self.change_bps,
            "volume24h": spec.size_text(self.volume_lots),
            "quoteVolume24h": spec.quote_text(self.quote_volume),
            "trades24h": self.trades,
        }


def ranking(stats: Sequence[tuple[PairSpec, Stats]]) -> dict[str, Any]:
    """Pairs by what was traded on them, and those that gained and lost most, as JSON-ready values."""

    def traded(entry: tuple[PairSpec, Stats]) -> int:
        spec, of_pair = entry
        scale: int = 10 ** (PLACES - spec.quote_decimals)
        return of_pair.quote_volume * scale

    moved = [(spec.symbol, of_pair.change_bps) for spec, of_pair in stats if of_pair.change_bps]
    up = sorted((entry for entry in moved if entry[1] > 0), key=lambda entry: -entry[1])
    down = sorted((entry for entry in moved if entry[1] < 0), key=lambda entry: entry[1])
    return {
        "pairs": [of_pair.told(spec) for spec, of_pair in sorted(stats, key=traded, reverse=True)],
        "gainers": [symbol for symbol, _ in up[:LEADERS]],
        "losers": [symbol for symbol, _ in down[:LEADERS]],
    }
