"""The words of this room: intervals of candles, and its jobs."""

from datetime import timedelta
from enum import Enum

from deedbook.kernel.jobs import CANDLES, MARKET_STATS, JobKind


class Interval(Enum):
    """How long a candle burns. Each begins at a whole multiple of itself in UTC, and is whole minutes."""

    ONE_MINUTE = "1m"
    FIVE_MINUTES = "5m"
    QUARTER_HOUR = "15m"
    HOUR = "1h"
    FOUR_HOURS = "4h"
    DAY = "1d"

    @property
    def width(self) -> timedelta:
        return _WIDTHS[self]


_WIDTHS = {
    Interval.ONE_MINUTE: timedelta(minutes=1),
    Interval.FIVE_MINUTES: timedelta(minutes=5),
    Interval.QUARTER_HOUR: timedelta(minutes=15),
    Interval.HOUR: timedelta(hours=1),
    Interval.FOUR_HOURS: timedelta(hours=4),
    Interval.DAY: timedelta(days=1),
}

AGGREGATE_CANDLES = JobKind("aggregate-candles", CANDLES)
UPDATE_STATS = JobKind("update-market-stats", MARKET_STATS)
