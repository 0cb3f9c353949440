"""The words of this room: pairs and their states."""

from dataclasses import dataclass
from enum import Enum

from deedbook.kernel.ids import MarketId, PairId, TokenId
from deedbook.kernel.jobs import LIFECYCLE, JobKind

QUOTE_SYMBOL = "USDC"


class PairStatus(Enum):
    """`paused` refuses new orders and keeps cancels; `closed` is final."""

    ACTIVE = "active"
    PAUSED = "paused"
    CLOSED = "closed"


@dataclass(frozen=True)
class PairTerms:
    """What a pair trades by. `tick_size` in quote tokens and `lot_size` in base tokens, as decimal text."""

    symbol: str
    tick_size: str
    lot_size: str
    fee_bps: int


@dataclass(frozen=True)
class Pair:
    """A pair as stored."""

    pair_id: PairId
    market_id: MarketId | None
    base_token_id: TokenId
    quote_token_id: TokenId
    terms: PairTerms
    status: PairStatus


OPEN_PAIR = JobKind("open-pair", LIFECYCLE)
PAUSE_PAIR = JobKind("pause-pair", LIFECYCLE)
RESUME_PAIR = JobKind("resume-pair", LIFECYCLE)
CLOSE_PAIR = JobKind("close-pair", LIFECYCLE)
