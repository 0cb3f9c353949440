"""Custody: money that enters, leaves and moves in the vault, and the ledger that follows it."""

from deedbook.custody import (
    deposits,
    destinations,
    errors,
    events,
    limits,
    owing,
    purses,
    transfers,
    watching,
    withdrawals,
)
from deedbook.custody.reconciliation import reconcile, reconcile_all, request_reconciliation
from deedbook.custody.requests import Checked, check
from deedbook.custody.store.events import Standing, standing
from deedbook.custody.store.reconciliation import runs as reconciliation_runs
from deedbook.custody.store.withdrawals import Destinations
from deedbook.custody.terms import (
    Deposit,
    DepositId,
    DepositStatus,
    Limits,
    Transfer,
    TransferId,
    TransferStatus,
    Verdict,
    Withdrawal,
    WithdrawalId,
    WithdrawalStatus,
)

__all__ = [
    "Checked",
    "Deposit",
    "DepositId",
    "DepositStatus",
    "Destinations",
    "Limits",
    "Standing",
    "Transfer",
    "TransferId",
    "TransferStatus",
    "Verdict",
    "Withdrawal",
    "WithdrawalId",
    "WithdrawalStatus",
    "check",
    "deposits",
    "destinations",
    "errors",
    "events",
    "limits",
    "owing",
    "purses",
    "reconcile",
    "reconcile_all",
    "reconciliation_runs",
    "request_reconciliation",
    "standing",
    "transfers",
    "watching",
    "withdrawals",
]
