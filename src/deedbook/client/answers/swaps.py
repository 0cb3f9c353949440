"""Swaps: what one would give, and what it gave."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from deedbook.client.answers.trading import OVER


@dataclass(frozen=True)
class SwapQuote:
    """What a swap would give with the book as it is: no promise. `amount_used` is what of `amount_in` the book takes;
    `suggested_min_amount_out` and `suggested_expiry` are what to sign for a book that may move by the tolerance."""

    trading_pair_id: UUID
    pair: str
    side: str
    token_in_id: UUID
    token_out_id: UUID
    amount_in: Decimal
    amount_used: Decimal
    amount_out: Decimal
    average_price: Decimal
    best_price: Decimal
    worst_price: Decimal
    slippage_bps: int
    fee: Decimal
    fee_token_id: UUID
    fee_bps: int
    tolerance_bps: int
    suggested_min_amount_out: Decimal
    suggested_expiry: int
    seq: int


@dataclass(frozen=True)
class SwapFill:
    """A trade that carried a part of a swap out."""

    trade_id: UUID
    price: Decimal
    quantity: Decimal
    value: Decimal
    fee: Decimal
    settlement_status: str
    tx_hash: str | None
    executed_at: datetime


@dataclass(frozen=True)
class Swap:
    """A swap of mine. `amount_used` is what it gave, `amount_out` what it received after the `fee`.
    `settlement_status` is that of its trades taken together, `None` while there is none."""

    id: UUID
    trading_pair_id: UUID
    pair: str
    user_id: UUID
    user_address: str
    side: str
    token_in_id: UUID
    token_out_id: UUID
    amount_in: Decimal
    min_amount_out: Decimal
    max_fee_bps: int
    nonce: str
    expiry: int
    status: str
    reason: str | None
    amount_used: Decimal
    amount_out: Decimal
    average_price: Decimal | None
    fee: Decimal
    fee_token_id: UUID
    settlement_status: str | None
    fills: tuple[SwapFill, ...]
    hash: str | None
    created_at: datetime
    updated_at: datetime

    @property
    def is_over(self) -> bool:
        """Whether it has traded, or never will."""
        return self.status in OVER
