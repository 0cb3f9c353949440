"""The words of this room: intervals of candles, prices from outside, and its jobs."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import NewType
from uuid import UUID

from deedbook.kernel.ids import PairId
from deedbook.kernel.jobs import (
    CANDLES,
    EXTERNAL_PRICES,
    HOUSEKEEPING,
    MARKET_STATS,
    TOKEN_METADATA,
    JobKind,
)

SourceId = NewType("SourceId", UUID)


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
FETCH_PRICES = JobKind("fetch-external-prices", EXTERNAL_PRICES)
NOTE_VALUES = JobKind("note-market-values", TOKEN_METADATA)
NOTE_MOVED_VALUE = JobKind("note-moved-market-value", TOKEN_METADATA)
REMOVE_OLD_PRICES = JobKind("remove-old-prices", HOUSEKEEPING)


AHEAD = timedelta(minutes=2)
"""How far another's clock may be ahead of ours."""


class FeedKind(Enum):
    """Who is asked: a contract of Chainlink's on the chain, CoinGecko, or an issuer's feed of net asset values."""

    CHAINLINK = "chainlink"
    COINGECKO = "coingecko"
    NAV = "nav"


@dataclass(frozen=True)
class PriceSource:
    """Where a pair's price is asked. `locator` is a contract, a coin, or an https address; `base` and `quote` the
    pair's symbols. Prices beyond `least` and `most` do not count, nor what is older than `max_age_s`."""

    source_id: SourceId
    pair_id: PairId
    kind: FeedKind
    locator: str
    base: str
    quote: str
    max_age_s: int
    least: int
    most: int


@dataclass(frozen=True)
class Quote:
    """What a source says one base token is worth, in 10^-18 quote tokens, and since when."""

    price: int
    observed_at: datetime


@dataclass(frozen=True)
class Silence:
    """There is no usable answer, and why, for operators; it repeats nothing that the far side said."""

    why: str


Told = Quote | Silence


class ReferenceState(Enum):
    """Of what the sources say together: agreed, at odds, or too old to count. `NEW` has never been judged."""

    NEW = "new"
    SOUND = "sound"
    DISPUTED = "disputed"
    STALE = "stale"


@dataclass(frozen=True)
class Reference:
    """What the sources of a pair say together. `price` is the last that was sound; `told` that of the last alert."""

    pair_id: PairId
    price: int | None
    observed_at: datetime | None
    sources: int
    spread_bps: int
    state: ReferenceState
    told: int | None


@dataclass(frozen=True)
class PricePolicy:
    """From which move on people are told, and how far apart sources may be."""

    alert_bps: int
    max_spread_bps: int
