"""Bodies of market data. Everything is text in the pair's own units, and nobody is named."""

from uuid import UUID

from pydantic import Field

from deedbook.api.v1.schemas.common import Answer, Moment


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


class PriceAnswer(Answer):
    """What a pair is worth: what was paid last."""

    trading_pair_id: UUID
    pair: str
    price: str | None
    source: str | None
    timestamp: Moment | None


class AllStatsAnswer(Answer):
    """Every pair's last 24 hours, those with the most traded first, and who leads: symbols of pairs."""

    as_of: Moment
    pairs: list[StatsAnswer]
    gainers: list[str]
    losers: list[str]
