"""What one has, and how it comes and goes."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Token:
    """A token. The vault takes it when its status is `active`."""

    id: UUID
    symbol: str
    name: str
    token_type: str
    decimals: int
    contract_address: str | None
    chain_id: int
    market_id: UUID | None
    status: str
    total_supply: Decimal
    supply_cap: Decimal | None
    created_at: datetime
    metadata: dict[str, Any] | None = None


@dataclass(frozen=True)
class Balance:
    """What one has of a token. What is `locked` is held for orders and withdrawals."""

    token_id: UUID
    symbol: str
    available: Decimal
    locked: Decimal
    total: Decimal


@dataclass(frozen=True)
class WalletCall:
    """A transaction for one's own wallet to send."""

    to: str
    data: str
    gas: int


@dataclass(frozen=True)
class OnChain:
    """A transaction on its way to be final: its blocks so far, and how many it takes."""

    tx_hash: str
    confirmations: int
    needed: int


@dataclass(frozen=True)
class Deposit:
    """A deposit. `credited` is what arrived; `send` is what one's wallet sends, where nobody relays it."""

    id: UUID
    token_id: UUID
    symbol: str
    account: str
    amount: Decimal
    credited: Decimal | None
    status: str
    relayed: bool
    expires_at: datetime | None
    error: str | None
    tx_hash: str | None
    created_at: datetime
    updated_at: datetime
    send: tuple[WalletCall, ...] | None = None
    on_chain: OnChain | None = None


@dataclass(frozen=True)
class Withdrawal:
    """A withdrawal."""

    id: UUID
    user_id: UUID
    token_id: UUID
    symbol: str
    account: str
    destination: str
    amount: Decimal
    status: str
    approvals_needed: int
    reason: str | None
    expires_at: datetime
    tx_hash: str | None
    version: int
    created_at: datetime
    updated_at: datetime
    on_chain: OnChain | None = None


@dataclass(frozen=True)
class Transfer:
    """A transfer between two accounts in the vault."""

    id: UUID
    from_user_id: UUID
    to_user_id: UUID
    token_id: UUID
    symbol: str
    amount: Decimal
    status: str
    reason: str | None
    expires_at: datetime
    tx_hash: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Mint:
    """A mint, from the request to the chain."""

    id: UUID
    token_id: UUID
    symbol: str
    user_id: UUID
    account: str
    amount: Decimal
    status: str
    requested_by: UUID
    decided_by: UUID | None
    reason: str
    decision_reason: str | None
    error: str | None
    tx_hash: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class LineTrade:
    """The trade that made a line, or that a line undoes. `fee` is in the line's token, and taken of its amount already;
    below zero where it was given back; `None` where the fee of this side is taken in the pair's other token."""

    id: UUID
    pair: str
    side: str
    price: Decimal
    price_symbol: str
    fee: Decimal | None


@dataclass(frozen=True)
class LedgerLine:
    """One line of one's ledger, the balance after it, and the trade where one made it."""

    id: int
    posting_id: UUID
    kind: str
    token_id: UUID
    symbol: str
    amount: Decimal
    balance: Decimal
    created_at: datetime
    trade: LineTrade | None = None


@dataclass(frozen=True)
class WithdrawalLimits:
    """What withdrawals of a token are measured by: up to where nobody is asked, beyond what two people are, and how
    much may leave on a day."""

    token_id: UUID
    symbol: str
    automatic_up_to: Decimal
    four_eyes_above: Decimal
    daily_limit: Decimal


@dataclass(frozen=True)
class Destination:
    """An address on my list, and from when it counts."""

    address: str
    label: str
    usable_from: datetime


@dataclass(frozen=True)
class Destinations:
    """Where my withdrawals may go. `open_from` is when the restriction ends, once it was turned off."""

    allow_list_only: bool
    open_from: datetime | None
    addresses: tuple[Destination, ...]
