"""What everybody may see of a pair."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True)
class Book:
    """The aggregated book: price and quantity of each level, the best first."""

    trading_pair_id: UUID
    pair: str
    seq: int
    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]
    checksum: int


@dataclass(frozen=True)
class PublicTrade:
    """A trade as everybody may see it. `seq` counts the pair's trades without a gap."""

    id: UUID
    seq: int
    price: Decimal
    quantity: Decimal
    taker_side: str
    executed_at: datetime


@dataclass(frozen=True)
class Candle:
    """What was traded in one interval."""

    opened_at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal
    trades: int
    seq: int


@dataclass(frozen=True)
class Stats:
    """The 24 hours before `as_of`."""

    trading_pair_id: UUID
    pair: str
    as_of: datetime
    seq: int
    last_price: Decimal | None
    last_trade_at: datetime | None
    open_24h: Decimal | None
    high_24h: Decimal | None
    low_24h: Decimal | None
    change_24h: Decimal | None
    change_bps_24h: int | None
    volume_24h: Decimal
    quote_volume_24h: Decimal
    trades_24h: int


@dataclass(frozen=True)
class Reference:
    """What sources outside say together: `sound`, `disputed` or `stale`."""

    price: Decimal | None
    observed_at: datetime | None
    state: str
    sources: int
    spread_bps: int


@dataclass(frozen=True)
class Price:
    """What a pair is worth: what was paid last, or before anything was, what sources outside say."""

    trading_pair_id: UUID
    pair: str
    price: Decimal | None
    source: str | None
    timestamp: datetime | None
    reference: Reference | None


@dataclass(frozen=True)
class Ticker:
    """The best prices and the last."""

    market: str
    seq: int
    last: Decimal | None
    best_bid: Decimal | None
    best_bid_quantity: Decimal | None
    best_ask: Decimal | None
    best_ask_quantity: Decimal | None
    stats: Stats | None
    reference: Reference | None
