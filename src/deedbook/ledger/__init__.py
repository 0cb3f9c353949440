"""Ledger: what each one holds. Accounts, postings that sum to zero, holds, balances."""

from deedbook.ledger import errors
from deedbook.ledger.model import Hold, Move, Posting, between, into_the_vault, out_of_the_vault
from deedbook.ledger.service import (
    consume,
    hold,
    keep_house_at,
    open_fee_account,
    post,
    release,
    require_available,
    take_or_claim,
)
from deedbook.ledger.store import (
    balance,
    holders,
    house_address,
    leaving,
    lock_available,
    posted,
    received_since,
)
from deedbook.ledger.terms import CHAIN, SUSPENSE, TREASURY, AccountId, AccountKind, HoldOwner, LineKind

__all__ = [
    "CHAIN",
    "SUSPENSE",
    "TREASURY",
    "AccountId",
    "AccountKind",
    "Hold",
    "HoldOwner",
    "LineKind",
    "Move",
    "Posting",
    "balance",
    "between",
    "consume",
    "errors",
    "hold",
    "holders",
    "house_address",
    "into_the_vault",
    "keep_house_at",
    "leaving",
    "lock_available",
    "open_fee_account",
    "out_of_the_vault",
    "post",
    "posted",
    "received_since",
    "release",
    "require_available",
    "take_or_claim",
]
