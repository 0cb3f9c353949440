"""Orders, and what became of them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from deedbook.client.answers.custody import OnChain

OVER = frozenset({"FILLED", "CANCELLED", "REJECTED"})


@dataclass(frozen=True)
class Order:
    """An order of mine. `worst_price` is the price beyond which it never trades."""

    id: UUID
    trading_pair_id: UUID
    pair: str
    user_id: UUID
    user_address: str
    side: str
    order_type: str
    time_in_force: str
    post_only: bool
    self_trade: str
    quantity: Decimal
    price: Decimal | None
    worst_price: Decimal
    stop_price: str | None
    max_fee_bps: int
    client_order_id: str | None
    nonce: str
    expiry: int
    status: str
    reason: str | None
    triggered: bool
    filled_quantity: Decimal
    remaining_quantity: Decimal
    average_fill_price: Decimal | None
    fee: Decimal
    hash: str | None
    created_at: datetime
    updated_at: datetime

    @property
    def is_over(self) -> bool:
        """Whether nothing of it can trade any more."""
        return self.status in OVER


@dataclass(frozen=True)
class OrderPreview:
    """What an order would meet now. `reason` is compliance's number, 0 where it has nothing against it."""

    allowed: bool
    reason: int
    trading_pair_id: UUID
    pair: str
    worst_price: Decimal
    hold_token_id: UUID
    hold: Decimal
    available: Decimal
    enough_available: bool
    fee_token_id: UUID
    fee_at_most: Decimal


@dataclass(frozen=True)
class Trade:
    """A trade of mine. `value` is price times quantity."""

    id: UUID
    seq: int
    price: Decimal
    quantity: Decimal
    taker_side: str
    executed_at: datetime
    trading_pair_id: UUID
    pair: str
    order_id: UUID
    side: str
    role: str
    value: Decimal
    fee: Decimal
    fee_token_id: UUID
    settlement_status: str
    tx_hash: str | None


@dataclass(frozen=True)
class Settlement:
    """The way of a trade to the chain."""

    trade_id: UUID
    trading_pair_id: UUID
    pair: str
    status: str
    reason: str | None
    tx_hash: str | None
    executed_at: datetime
    submitted_at: datetime | None
    finished_at: datetime | None
    on_chain: OnChain | None = None
