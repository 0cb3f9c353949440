"""Trades on their way to the contract that delivers them, and what it says of each: values that rooms above and the
chain's adapter share.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any
from uuid import UUID

from deedbook.identity.terms import Address
from deedbook.identity.typed_data import Struct


class FeesFrom(Enum):
    """From what a pair's fees are taken: from what each side receives, or from the quote token on both sides."""

    RECEIVED = "received"
    QUOTE = "quote"


@dataclass(frozen=True)
class SignedText:
    """An order or a swap as it was signed. The signature of a key may be left out once something of it was settled;
    `asks_wallet` says that the trader is a contract, which is asked again each time and gets gas for it."""

    struct: Struct
    values: Mapping[str, Any]
    signature: bytes
    asks_wallet: bool = False


@dataclass(frozen=True)
class Delivery:
    """One trade to settle, in base units. `buy` and `sell` are places among the batch's orders, then its swaps;
    `matched_at` is in Unix seconds."""

    trade_id: UUID
    buy: int
    sell: int
    quantity: int
    quote_amount: int
    buyer_fee: int
    seller_fee: int
    matched_at: int


@dataclass(frozen=True)
class Batch:
    """Trades that settle in one transaction, in this order, each on its own. No text stands in it twice."""

    orders: tuple[SignedText, ...]
    swaps: tuple[SignedText, ...]
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True)
class Cost:
    """What a part of a batch adds to its transaction."""

    gas: int
    size: int

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.gas + other.gas, self.size + other.size)


class DeliveryResult(Enum):
    """What became of a trade. `ALREADY_SETTLED` was settled by an earlier transaction, and not again."""

    SETTLED = "settled"
    ALREADY_SETTLED = "already_settled"
    FAILED = "failed"


class FailureReason(Enum):
    """Why the contract does not settle a trade."""

    UNREADABLE = "text_unreadable"
    NOT_SIGNED = "not_signed"
    NO_SUCH_TEXT = "no_such_text"
    PAIR_NOT_LISTED = "pair_not_listed"
    SIDE_NOT_SIGNED = "side_not_signed"
    PAIRS_DIFFER = "pairs_differ"
    SAME_TRADER = "same_trader"
    AMOUNT_OUT_OF_RANGE = "amount_out_of_range"
    MATCHED_IN_THE_FUTURE = "matched_in_the_future"
    MATCH_TOO_OLD = "match_too_old"
    EXPIRED = "expired"
    CANCELLED = "cancelled_by_trader"
    PRICE_NOT_SIGNED = "price_not_signed"
    RATE_NOT_SIGNED = "rate_not_signed"
    OVERFILLED = "overfilled"
    FEE_ABOVE_CAP = "fee_above_cap"
    INSUFFICIENT_BALANCE = "insufficient_balance"
    PAUSED = "token_paused"
    SENDER_FROZEN = "sender_frozen"
    RECEIVER_FROZEN = "receiver_frozen"
    PART_FROZEN = "balance_not_free"
    KYC_MISSING = "kyc_missing"
    KYC_EXPIRED = "kyc_expired"
    UNKNOWN = "unknown"

    @property
    def may_pass(self) -> bool:
        """Whether the same trade may settle later without anybody's doing over its two texts: a pause ends, a pair
        is being listed, a clock comes round, an earlier trade brings the balance."""
        return self in _PASSING


_PASSING = frozenset(
    {
        FailureReason.PAUSED,
        FailureReason.PAIR_NOT_LISTED,
        FailureReason.MATCHED_IN_THE_FUTURE,
        FailureReason.INSUFFICIENT_BALANCE,
        FailureReason.PART_FROZEN,
    }
)


@dataclass(frozen=True)
class Verdict:
    """What the contract says of one trade: `reason` and `detail` (for people) only where it failed."""

    trade_id: UUID
    result: DeliveryResult
    reason: FailureReason | None = None
    detail: str = ""


@dataclass(frozen=True)
class Delivered:
    """What a settled trade has moved, as the contract tells it. A buyer's fee is in the base token where fees are
    taken from what is received, else in quote; a seller's is always in quote. A fee may be lower than was asked:
    after an earlier trade of the same order has failed, rounding can ask a unit too much of the order as a whole,
    and the contract leaves it with the trader. `trade_id` is `None` for a reference that was not made from one: no
    trade of ours, and yet it moved balances."""

    trade_id: UUID | None
    buy_digest: bytes
    sell_digest: bytes
    base: Address
    quote: Address
    buyer: Address
    seller: Address
    fee_account: Address
    quantity: int
    quote_amount: int
    buyer_fee: int
    seller_fee: int
    fees_from: FeesFrom

    def moves(self) -> list[tuple[Address, Address, int]]:
        """Account, token and change of each balance; they sum to zero for each token."""
        in_base = self.fees_from is FeesFrom.RECEIVED
        base_fee = self.buyer_fee if in_base else 0
        quote_fee = self.seller_fee if in_base else self.seller_fee + self.buyer_fee
        paid = self.quote_amount if in_base else self.quote_amount + self.buyer_fee
        changes = [
            (self.seller, self.base, -self.quantity),
            (self.buyer, self.base, self.quantity - base_fee),
            (self.fee_account, self.base, base_fee),
            (self.buyer, self.quote, -paid),
            (self.seller, self.quote, self.quote_amount - self.seller_fee),
            (self.fee_account, self.quote, quote_fee),
        ]
        return [change for change in changes if change[2]]
