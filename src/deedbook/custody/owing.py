"""Use case of settlement: end what an account has asked for and does not own any more."""

from deedbook import chain
from deedbook.custody import payouts, transfers
from deedbook.custody.store import coverage
from deedbook.custody.store import transfers as transfer_store
from deedbook.custody.terms import TransferId, TransferStatus, WithdrawalId
from deedbook.infra.database import Tx
from deedbook.kernel.ids import TokenId, UserId

REASON = "a trade that brought it has failed to settle"


async def free_newest(tx: Tx, user_id: UserId, token_id: TokenId) -> bool:
    """End the newest withdrawal or transfer that nothing was asked of the chain for: what it holds is available then.
    `False` when there is none."""
    for kind, id_ in await coverage.not_sent(tx, user_id, token_id):
        if kind == "withdrawal":
            await payouts.fail_unsent(tx, WithdrawalId(id_), REASON)
            return True
        transfer = await transfer_store.lock(tx, TransferId(id_))
        if transfer is None or transfer.status is not TransferStatus.PENDING:
            continue
        if await chain.is_requested(tx, transfers.key_of(TransferId(id_))):
            continue
        await transfers.fail(tx, TransferId(id_), REASON)
        return True
    return False
