"""How deep in the chain lies what is on its way in or out, for its owner to see it come."""

from collections.abc import Sequence
from uuid import UUID

from deedbook.chain.views import Depth, depths
from deedbook.custody import deposits, payouts, views
from deedbook.custody.terms import Deposit, DepositStatus, Withdrawal, WithdrawalStatus
from deedbook.infra.database import Database

_COMING = (DepositStatus.REQUESTED, DepositStatus.SUBMITTED)
_GOING = (WithdrawalStatus.PROCESSING, WithdrawalStatus.SUBMITTED, WithdrawalStatus.UNKNOWN)


async def of_deposits(db: Database, chain_id: int, shown: Sequence[Deposit]) -> dict[UUID, Depth]:
    """Of one user's deposits, those that are in a block and not credited yet: what we have brought, and what their own
    wallet has sent."""
    coming = [deposit for deposit in shown if deposit.status in _COMING]
    if not coming:
        return {}
    own = await views.arriving(db, chain_id, coming[0].user_id, coming[0].account)
    return own | await _found(db, chain_id, {deposits.key_of(d.deposit_id): d.deposit_id for d in coming})


async def of_withdrawals(db: Database, chain_id: int, shown: Sequence[Withdrawal]) -> dict[UUID, Depth]:
    """Of these withdrawals, those that are in a block and not over yet."""
    going = [withdrawal for withdrawal in shown if withdrawal.status in _GOING]
    return await _found(db, chain_id, {payouts.key_of(w.withdrawal_id): w.withdrawal_id for w in going})


async def _found(db: Database, chain_id: int, by_key: dict[str, UUID]) -> dict[UUID, Depth]:
    found = await depths(db, chain_id, list(by_key)) if by_key else {}
    return {by_key[key]: depth for key, depth in found.items()}
