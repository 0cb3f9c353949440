"""Rules of this room, pure: which move leads where, who has to approve, what may leave, and where to."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID, uuid5

from deedbook.custody.terms import Limits, TransferStatus, WithdrawalStatus
from deedbook.identity.terms import Address

VAULT_EVENTS = UUID("6f0f2c1c-7f7e-5b0a-9d3e-5a4b7a1e8c20")
"""The name space of postings that vault events make."""
MAX_APPROVALS = 2
RESERVED_BELOW = 0x10000
"""Chains keep their precompiled contracts among the lowest addresses, Sapphire's included; nobody has the keys."""

W, T = WithdrawalStatus, TransferStatus
SENT_WITHDRAWALS = (W.PROCESSING, W.SUBMITTED, W.UNKNOWN)
OPEN_TRANSFERS = (T.PENDING, T.SUBMITTED, T.UNKNOWN)

WITHDRAWAL_MOVES: dict[WithdrawalStatus, frozenset[WithdrawalStatus]] = {
    W.PENDING_APPROVAL: frozenset({W.APPROVED, W.REJECTED, W.CANCELLED, W.FAILED}),
    W.APPROVED: frozenset({W.PROCESSING, W.FAILED}),
    W.PROCESSING: frozenset({W.SUBMITTED, W.UNKNOWN, W.FAILED, W.COMPLETED}),
    W.UNKNOWN: frozenset({W.SUBMITTED, W.FAILED, W.COMPLETED}),
    W.SUBMITTED: frozenset({W.COMPLETED}),
    W.COMPLETED: frozenset(),
    W.REJECTED: frozenset(),
    W.FAILED: frozenset(),
    W.CANCELLED: frozenset(),
}
TRANSFER_MOVES: dict[TransferStatus, frozenset[TransferStatus]] = {
    T.PENDING: frozenset({T.SUBMITTED, T.UNKNOWN, T.FAILED, T.COMPLETED}),
    T.UNKNOWN: frozenset({T.SUBMITTED, T.FAILED, T.COMPLETED}),
    T.SUBMITTED: frozenset({T.COMPLETED}),
    T.COMPLETED: frozenset(),
    T.FAILED: frozenset(),
}


def posting_id(chain_id: int, tx_hash: str, ordinal: int) -> UUID:
    """The one posting that an event of the vault can ever make."""
    return uuid5(VAULT_EVENTS, f"{chain_id}:{tx_hash}:{ordinal}")


def approvals_needed(amount: int, left_lately: int, limits: Limits) -> int:
    """How many people have to approve, by what the day comes to: in parts nothing passes that would not at once. The
    larger rule wins where limits overlap."""
    if left_lately + amount > limits.four_eyes_above:
        return MAX_APPROVALS
    return 0 if left_lately + amount <= limits.automatic_up_to else 1


def exceeds_daily_limit(amount: int, left_lately: int, limits: Limits) -> bool:
    """Whether this, on top of what left or is about to leave since yesterday, is too much."""
    return left_lately + amount > limits.daily_limit


def is_impossible_destination(destination: Address, ours: Collection[Address]) -> bool:
    """Whether what is sent there is lost: nobody's address, or a contract of ours."""
    return int(destination, 16) < RESERVED_BELOW or destination in ours


def is_restricted(allow_list_only: bool, open_from: datetime | None, now: datetime) -> bool:
    """Whether a user's withdrawals go to listed addresses only. Turning that off takes effect late, so that who
    stole a session cannot."""
    return allow_list_only and (open_from is None or open_from > now)
