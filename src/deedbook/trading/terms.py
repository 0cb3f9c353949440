"""The words of this room: pairs, orders and their states."""

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import NewType
from uuid import UUID

from deedbook.kernel.ids import MarketId, PairId, TokenId
from deedbook.kernel.jobs import LIFECYCLE, ORDER_MATCHING, JobKind

OrderId = NewType("OrderId", UUID)
TradeId = NewType("TradeId", UUID)

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
BAR_FROZEN = JobKind("bar-frozen-trader", LIFECYCLE)
BAR_RECORD = JobKind("bar-changed-trader", LIFECYCLE)
BAR_EXPIRED = JobKind("bar-expired-trader", LIFECYCLE)
BAR_SANCTIONED = JobKind("bar-screened-trader", LIFECYCLE)
END_WITHDRAWN = JobKind("end-withdrawn-order", LIFECYCLE)
MATCH_ORDER = JobKind("match-order", ORDER_MATCHING)
"""A bell. Its worker is the matcher process, which needs no record of it."""


class Side(StrEnum):
    """Which way an order trades the base token."""

    BUY = "BUY"
    SELL = "SELL"


class OrderType(StrEnum):
    """A stop waits for its trigger price and then is what stands behind the underscore."""

    LIMIT = "LIMIT"
    MARKET = "MARKET"
    STOP_LIMIT = "STOP_LIMIT"
    STOP_MARKET = "STOP_MARKET"

    @property
    def is_market(self) -> bool:
        return self in (OrderType.MARKET, OrderType.STOP_MARKET)

    @property
    def is_stop(self) -> bool:
        return self in (OrderType.STOP_LIMIT, OrderType.STOP_MARKET)


class TimeInForce(StrEnum):
    """Every order ends at its signed expiry; `GTD` says so expressly. Market orders are immediate anyway."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTD = "GTD"


class OrderStatus(StrEnum):
    """Where an order is. The last three are final."""

    PENDING_MATCH = "PENDING_MATCH"
    OPEN = "OPEN"
    PARTIAL = "PARTIAL"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"


FINAL = frozenset({OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED})


class FeeMode(Enum):
    """From what fees are taken: from what each side receives, or from the quote token on both sides."""

    RECEIVED = "received"
    QUOTE = "quote"


class CommandKind(Enum):
    """What reaches a book besides new orders. Each only lessens exposure, or concerns the whole pair."""

    CANCEL = "CANCEL"
    REDUCE = "REDUCE"
    PAUSE = "PAUSE"
    RESUME = "RESUME"
    CLOSE = "CLOSE"


COMMAND_FOR = {
    PairStatus.ACTIVE: CommandKind.RESUME,
    PairStatus.PAUSED: CommandKind.PAUSE,
    PairStatus.CLOSED: CommandKind.CLOSE,
}
"""What the book of a pair is told when its status becomes this."""
