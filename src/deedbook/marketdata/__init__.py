"""Market data: candles, the last 24 hours, prices from outside."""

from deedbook.marketdata.model import Candle, Stats
from deedbook.marketdata.service import Folded, count, fold
from deedbook.marketdata.terms import Interval

__all__ = ["Candle", "Folded", "Interval", "Stats", "count", "fold"]
