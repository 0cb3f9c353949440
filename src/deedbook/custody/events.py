"""Facts of this room: money that enters, leaves and moves. Amounts in whole tokens, as text."""

from uuid import UUID

from deedbook.custody.terms import DepositId, TransferId, WithdrawalId
from deedbook.kernel.events import Audience, Fact, fact
from deedbook.kernel.ids import TokenId, UserId


@fact("deposit.requested", stream="deposit_id", audience=Audience.USER)
class DepositRequested(Fact):
    """A user announced a deposit; `relayed` when the platform sends it for them."""

    deposit_id: DepositId
    user_id: UserId
    token_id: TokenId
    amount: str
    relayed: bool


@fact("deposit.submitted", stream="deposit_id", audience=Audience.USER)
class DepositSubmitted(Fact):
    """The platform's transaction that carries the deposit is final; its event will credit it."""

    deposit_id: DepositId
    user_id: UserId
    token_id: TokenId
    tx_hash: str


@fact("deposit.credited", stream="deposit_id", audience=Audience.USER, exported=True)
class DepositCredited(Fact):
    """The vault has it, and so has the account."""

    deposit_id: DepositId
    user_id: UserId
    token_id: TokenId
    amount: str
    tx_hash: str


@fact("deposit.failed", stream="deposit_id", audience=Audience.USER)
class DepositFailed(Fact):
    """The relayed deposit was undone by the contract; nothing was taken."""

    deposit_id: DepositId
    user_id: UserId
    token_id: TokenId
    reason: str


@fact("deposit.expired", stream="deposit_id", audience=Audience.USER)
class DepositExpired(Fact):
    """What was signed has expired, and nothing had arrived."""

    deposit_id: DepositId
    user_id: UserId
    token_id: TokenId


@fact("withdrawal.requested", stream="withdrawal_id", audience=Audience.USER, exported=True)
class WithdrawalRequested(Fact):
    """A user asked for their money; it is held."""

    withdrawal_id: WithdrawalId
    user_id: UserId
    token_id: TokenId
    amount: str
    destination: str
    approvals_needed: int


@fact("withdrawal.approval_given", stream="withdrawal_id", audience=Audience.OPERATORS)
class WithdrawalApprovalGiven(Fact):
    """One of several people has approved."""

    withdrawal_id: WithdrawalId
    user_id: UserId
    token_id: TokenId
    approver: str


@fact("withdrawal.approved", stream="withdrawal_id", audience=Audience.USER, exported=True)
class WithdrawalApproved(Fact):
    """All approvals are there; `approver` is the last one, `policy` where no person was needed."""

    withdrawal_id: WithdrawalId
    user_id: UserId
    token_id: TokenId
    approver: str


@fact("withdrawal.rejected", stream="withdrawal_id", audience=Audience.USER, exported=True)
class WithdrawalRejected(Fact):
    """Somebody said no; what was held is available again."""

    withdrawal_id: WithdrawalId
    user_id: UserId
    token_id: TokenId
    reason: str


@fact("withdrawal.cancelled", stream="withdrawal_id", audience=Audience.USER)
class WithdrawalCancelled(Fact):
    """The owner took it back before it was approved."""

    withdrawal_id: WithdrawalId
    user_id: UserId
    token_id: TokenId


@fact("withdrawal.processing", stream="withdrawal_id", audience=Audience.USER)
class WithdrawalProcessing(Fact):
    """Its transaction was asked for: from here on the chain alone decides."""

    withdrawal_id: WithdrawalId
    user_id: UserId
    token_id: TokenId


@fact("withdrawal.submitted", stream="withdrawal_id", audience=Audience.USER)
class WithdrawalSubmitted(Fact):
    """Its transaction is final on the chain; its event will complete it."""

    withdrawal_id: WithdrawalId
    user_id: UserId
    token_id: TokenId
    tx_hash: str


@fact("withdrawal.in_doubt", stream="withdrawal_id", audience=Audience.USER)
class WithdrawalInDoubt(Fact):
    """The chain has not answered in time. What is held stays held until it does."""

    withdrawal_id: WithdrawalId
    user_id: UserId
    token_id: TokenId


@fact("withdrawal.completed", stream="withdrawal_id", audience=Audience.USER, exported=True)
class WithdrawalCompleted(Fact):
    """The vault has paid it out."""

    withdrawal_id: WithdrawalId
    user_id: UserId
    token_id: TokenId
    amount: str
    tx_hash: str


@fact("withdrawal.failed", stream="withdrawal_id", audience=Audience.USER, exported=True)
class WithdrawalFailed(Fact):
    """It was not paid out and never will be; what was held is available again."""

    withdrawal_id: WithdrawalId
    user_id: UserId
    token_id: TokenId
    reason: str


@fact("withdrawal.limits_changed", stream="token_id", audience=Audience.OPERATORS, exported=True)
class WithdrawalLimitsChanged(Fact):
    """An admin set a token's limits."""

    token_id: TokenId
    automatic_up_to: str
    four_eyes_above: str
    daily_limit: str


@fact("withdrawal.address_added", stream="user_id", audience=Audience.USER)
class WithdrawalAddressAdded(Fact):
    """An address stands on a user's list, and counts after the delay."""

    user_id: UserId
    address: str
    usable_from: str


@fact("withdrawal.address_removed", stream="user_id", audience=Audience.USER)
class WithdrawalAddressRemoved(Fact):
    """An address is off a user's list, at once."""

    user_id: UserId
    address: str


@fact("withdrawal.allow_list_changed", stream="user_id", audience=Audience.USER)
class AllowListChanged(Fact):
    """A user restricts withdrawals to their list, at once, or no longer, after the delay (`open_from`)."""

    user_id: UserId
    allow_list_only: bool
    open_from: str | None


@fact("transfer.requested", stream="transfer_id", audience=Audience.USER, exported=True)
class TransferRequested(Fact):
    """A user gives some of a token to another; it is held."""

    transfer_id: TransferId
    user_id: UserId
    to_user_id: UserId
    token_id: TokenId
    amount: str


@fact("transfer.submitted", stream="transfer_id", audience=Audience.USER)
class TransferSubmitted(Fact):
    """Its transaction is final on the chain; its event will complete it."""

    transfer_id: TransferId
    user_id: UserId
    token_id: TokenId
    tx_hash: str


@fact("transfer.in_doubt", stream="transfer_id", audience=Audience.USER)
class TransferInDoubt(Fact):
    """The chain has not answered in time. What is held stays held until it does."""

    transfer_id: TransferId
    user_id: UserId
    token_id: TokenId


@fact("transfer.completed", stream="transfer_id", audience=Audience.USER, exported=True)
class TransferCompleted(Fact):
    """The receiver has it."""

    transfer_id: TransferId
    user_id: UserId
    to_user_id: UserId
    token_id: TokenId
    amount: str
    tx_hash: str


@fact("transfer.failed", stream="transfer_id", audience=Audience.USER, exported=True)
class TransferFailed(Fact):
    """It did not happen and never will; what was held is available again."""

    transfer_id: TransferId
    user_id: UserId
    token_id: TokenId
    reason: str


@fact("custody.moved_by_force", stream="user_id", audience=Audience.USER, exported=True)
class MovedByForce(Fact):
    """The enforcer moved a balance without its owner's consent; `how` is `forced_transfer` or `recovery`."""

    user_id: UserId
    to_user_id: UserId
    token_id: TokenId
    amount: str
    how: str
    tx_hash: str


@fact("custody.burned", stream="user_id", audience=Audience.USER, exported=True)
class Burned(Fact):
    """Tokens that the vault kept for a user were destroyed."""

    user_id: UserId
    token_id: TokenId
    amount: str
    tx_hash: str


@fact("custody.claim_raised", stream="posting_id", audience=Audience.OPERATORS, exported=True)
class ClaimRaised(Fact):
    """The chain moved what the ledger could not follow: the difference stands in suspense until people resolve it."""

    posting_id: UUID
    token_id: TokenId
    account: str
    amount: str
    reason: str
    tx_hash: str


@fact("custody.rescan_requested", stream="rescan_id", audience=Audience.OPERATORS)
class RescanRequested(Fact):
    """An operator asked for blocks to be read again."""

    rescan_id: UUID
    operator_id: UserId
    from_block: int
    to_block: int


@fact("reconciliation.requested", stream="request_id", audience=Audience.OPERATORS)
class ReconciliationRequested(Fact):
    """An operator asked for ledger and vault to be compared now."""

    request_id: UUID
    operator_id: UserId


@fact("reconciliation.broken", stream="run_id", audience=Audience.OPERATORS, exported=True)
class ReconciliationBroken(Fact):
    """Ledger and vault differ, and nothing explains it; the run says where."""

    run_id: UUID
    block_number: int
    breaks: int


@fact("reconciliation.restored", stream="run_id", audience=Audience.OPERATORS, exported=True)
class ReconciliationRestored(Fact):
    """Ledger and vault are equal again, to the last unit."""

    run_id: UUID
    block_number: int


@fact("consent.withdrawn", stream="action_id", audience=Audience.USER)
class ConsentWithdrawn(Fact):
    """An account has cancelled on the chain what it signed: an order or a swap. A day later nothing of it can be
    settled any more."""

    action_id: UUID
    user_id: UserId
