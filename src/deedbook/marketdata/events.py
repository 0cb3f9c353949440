"""Facts of this room. Prices in facts are whole numbers of 10^-18 quote tokens, as text."""

from deedbook.kernel.events import Audience, Fact, fact
from deedbook.kernel.ids import PairId, UserId


@fact("price.moved", stream="trading_pair_id")
class PriceMoved(Fact):
    """What sources outside say of a pair has moved significantly since the last time this was told."""

    trading_pair_id: PairId
    symbol: str
    before: str
    after: str
    change_bps: int
    sources: int


@fact("price.disputed", stream="trading_pair_id", audience=Audience.OPERATORS)
class PriceDisputed(Fact):
    """The sources of a pair's price are further apart than they may be."""

    trading_pair_id: PairId
    symbol: str
    spread_bps: int


@fact("price.outdated", stream="trading_pair_id", audience=Audience.OPERATORS)
class PriceOutdated(Fact):
    """No source of a pair's price says anything that counts: too old, out of bounds, or silent."""

    trading_pair_id: PairId
    symbol: str


@fact("price.restored", stream="trading_pair_id", audience=Audience.OPERATORS)
class PriceRestored(Fact):
    """The sources of a pair's price agree again."""

    trading_pair_id: PairId
    symbol: str


@fact("price.source_added", stream="trading_pair_id", audience=Audience.OPERATORS)
class PriceSourceAdded(Fact):
    """A pair's price is asked in one more place."""

    trading_pair_id: PairId
    symbol: str
    kind: str


@fact("price.source_removed", stream="trading_pair_id", audience=Audience.OPERATORS)
class PriceSourceRemoved(Fact):
    """A pair's price is asked in one place less."""

    trading_pair_id: PairId
    symbol: str
    kind: str


@fact("trader.shown", stream="user_id", audience=Audience.USER)
class TraderShown(Fact):
    """A trader wants to be shown among those who trade most, or under another name."""

    user_id: UserId


@fact("trader.hidden", stream="user_id", audience=Audience.USER)
class TraderHidden(Fact):
    """A trader wants to be shown no longer."""

    user_id: UserId
