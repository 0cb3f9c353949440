"""Market data: candles, the last 24 hours, prices from outside."""

from deedbook.marketdata import errors, events, prices, traders
from deedbook.marketdata.model import Candle, Stats
from deedbook.marketdata.ports import PriceFeeds
from deedbook.marketdata.service import Folded, count, fold
from deedbook.marketdata.terms import (
    FeedKind,
    Interval,
    PricePolicy,
    PriceSource,
    Quote,
    Reference,
    ReferenceState,
    Silence,
    SourceId,
)

__all__ = [
    "Candle",
    "FeedKind",
    "Folded",
    "Interval",
    "PriceFeeds",
    "PricePolicy",
    "PriceSource",
    "Quote",
    "Reference",
    "ReferenceState",
    "Silence",
    "SourceId",
    "Stats",
    "count",
    "errors",
    "events",
    "fold",
    "prices",
    "traders",
]
