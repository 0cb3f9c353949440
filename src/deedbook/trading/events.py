"""Facts of this room."""

from deedbook.kernel.events import Fact, fact
from deedbook.kernel.ids import PairId


@fact("pair.opened", stream="trading_pair_id")
class PairOpened(Fact):
    """A pair exists. Sizes as decimal text."""

    trading_pair_id: PairId
    symbol: str
    tick_size: str
    lot_size: str
    fee_bps: int


@fact("pair.status_changed", stream="trading_pair_id")
class PairStatusChanged(Fact):
    """A pair was paused, resumed or closed."""

    trading_pair_id: PairId
    symbol: str
    status: str


@fact("pair.changed", stream="trading_pair_id")
class PairChanged(Fact):
    """Filters or the fee of a pair were changed; the record says from what to what."""

    trading_pair_id: PairId
    symbol: str
