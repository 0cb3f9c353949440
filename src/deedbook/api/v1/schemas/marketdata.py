"""Bodies of market data. Everything is text in the pair's own units, and nobody is named."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from deedbook.api.v1.schemas.common import Answer, Body, Line, Moment, PositiveAmount
from deedbook.kernel.amounts import to_text, to_units
from deedbook.marketdata import FeedKind, PriceSource
from deedbook.marketdata.prices import new_source
from deedbook.trading.spec import PLACES, PairSpec


class CandleAnswer(Answer):
    """What was traded in one interval. An interval in which nothing was traded has no candle. `volume` is in base
    tokens, `quoteVolume` in quote tokens; `seq` is the number of the last trade in it."""

    opened_at: Moment
    open: str
    high: str
    low: str
    close: str
    volume: str
    quote_volume: str
    trades: int
    seq: int


class StatsAnswer(Answer):
    """The 24 hours before `asOf`, to the microsecond. Prices are null where nothing was traded; `lastPrice` is of
    whatever time. `seq` is the number of the last trade that is in here. `change24h` is from the first price in the
    window to the last, `changeBps24h` the same in basis points, rounded towards zero."""

    trading_pair_id: UUID
    pair: str
    as_of: Moment
    seq: int
    last_price: str | None
    last_trade_at: Moment | None
    open_24h: str | None = Field(alias="open24h")
    high_24h: str | None = Field(alias="high24h")
    low_24h: str | None = Field(alias="low24h")
    change_24h: str | None = Field(alias="change24h")
    change_bps_24h: int | None = Field(alias="changeBps24h")
    volume_24h: str = Field(alias="volume24h")
    quote_volume_24h: str = Field(alias="quoteVolume24h")
    trades_24h: int = Field(alias="trades24h")


class ReferenceAnswer(Answer):
    """What sources outside say together: `sound`, `disputed` where they are too far apart, `stale` where none of them
    counts. `price` is the last that was sound, of `observedAt`."""

    price: str | None
    observed_at: Moment | None
    state: str
    sources: int
    spread_bps: int


class PriceAnswer(Answer):
    """What a pair is worth: what was paid last (`source` is `trade`), and before anything was, what sources outside
    say (`reference`)."""

    trading_pair_id: UUID
    pair: str
    price: str | None
    source: str | None
    timestamp: Moment | None
    reference: ReferenceAnswer | None


class LeaderAnswer(Answer):
    """A trader who asked to be shown: what they traded since the beginning of the hour a day ago, in quote tokens."""

    name: str
    quote: str
    volume_24h: str = Field(alias="volume24h")
    trades_24h: int = Field(alias="trades24h")


class ShowMe(Body):
    """The name under which I want to be shown among those who trade most."""

    name: Annotated[Line, Field(min_length=1, max_length=40, examples=["Ada"])]


class ShownAnswer(Answer):
    """The name under which I am shown; null where I am not."""

    name: str | None


class AllStatsAnswer(Answer):
    """Every pair's last 24 hours, those with the most traded first, and who leads: symbols of pairs, and traders who
    asked to be shown."""

    as_of: Moment
    pairs: list[StatsAnswer]
    gainers: list[str]
    losers: list[str]
    traders: list[LeaderAnswer]


class AddPriceSource(Body):
    """Where a pair's price is asked: a Chainlink contract's address, a CoinGecko coin, or the https address of an
    issuer's feed. What is older than `maxAgeSeconds`, or not between `least` and `most`, does not count."""

    trading_pair_id: Annotated[str, Field(strict=True, max_length=80, examples=["LUXAPT-USDC"])]
    kind: Annotated[Literal["chainlink", "coingecko", "nav"], Field(examples=["coingecko"])]
    locator: Annotated[str, Field(strict=True, min_length=1, max_length=500, examples=["bitcoin"])]
    max_age_seconds: Annotated[int, Field(strict=True, ge=10, le=31_622_400, examples=[3600])]
    least: Annotated[PositiveAmount, Field(examples=["1000"])]
    most: Annotated[PositiveAmount, Field(examples=["1000000"])]

    def source(self, spec: PairSpec) -> PriceSource:
        bounds = to_units(self.least, PLACES), to_units(self.most, PLACES)
        return new_source(spec, FeedKind(self.kind), self.locator, self.max_age_seconds, bounds)


class PriceSourceAnswer(Answer):
    """A source, what it said last, and what is wrong with it now."""

    id: UUID
    trading_pair_id: UUID
    pair: str
    kind: str
    locator: str
    max_age_seconds: int
    least: str
    most: str
    price: str | None
    observed_at: Moment | None
    asked_at: Moment | None
    problem: str | None
    created_at: Moment

    @classmethod
    def of(cls, row: dict[str, Any]) -> "PriceSourceAnswer":
        prices = {
            name: to_text(int(row[name]), PLACES) if row[name] is not None else None
            for name in ("least", "most", "price")
        }
        ids = {"id": row["source_id"], "trading_pair_id": row["pair_id"]}
        return cls.model_validate({**row, **prices, **ids, "max_age_seconds": row["max_age_s"]})


class PriceSourceAdded(Answer):
    """It is asked from now on."""

    id: UUID


class PriceSourceRemoved(Answer):
    """It is asked no longer."""

    removed: bool = True
