"""The words of this room: deposits, withdrawals, transfers, and where each can stand."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, NewType
from uuid import UUID

from deedbook.identity.terms import Address
from deedbook.kernel.ids import TokenId, UserId
from deedbook.kernel.jobs import BLOCKCHAIN_SYNC, RECONCILIATION, TRANSFER, WITHDRAWAL, JobKind

DepositId = NewType("DepositId", UUID)
WithdrawalId = NewType("WithdrawalId", UUID)
TransferId = NewType("TransferId", UUID)


class DepositStatus(Enum):
    """A deposit that was announced waits for its event. `CREDITED` is final; so are `FAILED` and `EXPIRED` for the
    request, though money that arrives later is credited all the same, as a deposit of its own."""

    REQUESTED = "REQUESTED"
    SUBMITTED = "SUBMITTED"
    CREDITED = "CREDITED"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"


class WithdrawalStatus(Enum):
    """`UNKNOWN` says that the chain has not answered yet: nothing is given back on a timeout."""

    PENDING_APPROVAL = "PENDING_APPROVAL"
    APPROVED = "APPROVED"
    PROCESSING = "PROCESSING"
    SUBMITTED = "SUBMITTED"
    UNKNOWN = "UNKNOWN"
    COMPLETED = "COMPLETED"
    REJECTED = "REJECTED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class TransferStatus(Enum):
    """As with withdrawals; nobody has to approve a transfer."""

    PENDING = "PENDING"
    SUBMITTED = "SUBMITTED"
    UNKNOWN = "UNKNOWN"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


class Verdict(Enum):
    """What an approver says of a withdrawal."""

    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Deposit:
    """A deposit as stored. Amounts in base units; `credited` is what arrived, which may be less than was asked;
    `relayed` when the platform brings it."""

    deposit_id: DepositId
    user_id: UserId
    account: Address
    token_id: TokenId
    amount: int
    credited: int | None
    status: DepositStatus
    relayed: bool
    expires_at: datetime | None
    error: str | None
    tx_hash: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Signed:
    """What an account signed, as its wallet showed it, for the contract to read again."""

    text: Mapping[str, Any]
    signature: bytes


@dataclass(frozen=True)
class Withdrawal:
    """A withdrawal as stored. `amount` in base units; `version` is what its ETag says."""

    withdrawal_id: WithdrawalId
    user_id: UserId
    account: Address
    token_id: TokenId
    amount: int
    destination: Address
    status: WithdrawalStatus
    approvals_needed: int
    reason: str | None
    expires_at: datetime
    tx_hash: str | None
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Transfer:
    """A transfer between two accounts as stored. `amount` in base units."""

    transfer_id: TransferId
    from_user_id: UserId
    to_user_id: UserId
    token_id: TokenId
    amount: int
    status: TransferStatus
    reason: str | None
    expires_at: datetime
    tx_hash: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Listed:
    """An address on a user's list."""

    address: Address
    label: str
    usable_from: datetime


@dataclass(frozen=True)
class Limits:
    """What a withdrawal of a token is measured by, in base units. Up to `automatic_up_to` the policy approves, above
    `four_eyes_above` two people must, in between one; 0 for the first means always a person."""

    automatic_up_to: int
    four_eyes_above: int
    daily_limit: int


SYNC_VAULT = JobKind("sync-vault", BLOCKCHAIN_SYNC)
RESCAN_VAULT = JobKind("rescan-vault", BLOCKCHAIN_SYNC)
FIND_LATE_TEXT = JobKind("find-late-text", BLOCKCHAIN_SYNC)
RELAY_DEPOSIT = JobKind("relay-deposit", BLOCKCHAIN_SYNC)
RESOLVE_DEPOSITS = JobKind("resolve-deposits", BLOCKCHAIN_SYNC)
EXPIRE_DEPOSITS = JobKind("expire-deposits", BLOCKCHAIN_SYNC)
PROCESS_WITHDRAWAL = JobKind("process-withdrawal", WITHDRAWAL)
RESOLVE_WITHDRAWALS = JobKind("resolve-withdrawals", WITHDRAWAL)
EXPIRE_WITHDRAWALS = JobKind("expire-withdrawals", WITHDRAWAL)
PROCESS_TRANSFER = JobKind("process-transfer", TRANSFER)
RESOLVE_TRANSFERS = JobKind("resolve-transfers", TRANSFER)
RECONCILE = JobKind("reconcile", RECONCILIATION)
RECONCILE_NOW = JobKind("reconcile-now", RECONCILIATION)
