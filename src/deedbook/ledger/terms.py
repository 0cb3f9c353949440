"""The words of this room: accounts, lines and the owners of holds."""

from enum import Enum
from typing import NewType
from uuid import UUID

AccountId = NewType("AccountId", UUID)
"""A ledger account. A user's account has the user's own id."""

CHAIN = AccountId(UUID("00000000-0000-7000-8000-000000000001"))
"""The other side of everything that enters or leaves the vault: its balance is minus what the vault owes."""
SUSPENSE = AccountId(UUID("00000000-0000-7000-8000-000000000002"))
"""What nobody can be charged with, or nobody can be given: each entry is a claim that operators resolve."""
TREASURY = AccountId(UUID("00000000-0000-7000-8000-000000000003"))
"""The platform's own money: swept fees."""


class AccountKind(Enum):
    """Whose an account is. `CHAIN` and `SUSPENSE` keep no running balance and may be negative."""

    USER = "user"
    FEE = "fee"
    TREASURY = "treasury"
    CHAIN = "chain"
    SUSPENSE = "suspense"


class LineKind(Enum):
    """Why a balance changed."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    MINT = "mint"
    BURN = "burn"
    TRANSFER = "transfer"
    FORCED_TRANSFER = "forced_transfer"
    RECOVERY = "recovery"
    TRADE = "trade"
    FEE_SWEEP = "fee_sweep"
    COMPENSATION = "compensation"


class HoldOwner(Enum):
    """What money is held for."""

    ORDER = "order"
    SWAP = "swap"
    WITHDRAWAL = "withdrawal"
    TRANSFER = "transfer"
