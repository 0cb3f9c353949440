"""Use cases of operators: have a trade that waits looked at again at once."""

from deedbook.identity import Caller
from deedbook.infra.database import Tx
from deedbook.settlement.errors import SettlementNotFound, SettlementNotWaiting
from deedbook.settlement.events import SettlementRetried
from deedbook.settlement.store import outcomes, waits
from deedbook.settlement.terms import SettlementStatus
from deedbook.trading.terms import TradeId


async def retry(tx: Tx, caller: Caller, trade_id: TradeId) -> None:
    """Have a trade that the contract has refused looked at with the next batch. What has failed for good was given back
    and stays so; what is on its way is the chain's to answer.

    Raises:
        SettlementNotFound · SettlementNotWaiting: what they say.
    """
    settled = await outcomes.lock_one(tx, trade_id)
    if settled is None:
        raise SettlementNotFound
    if settled.status is not SettlementStatus.PENDING:
        raise SettlementNotWaiting(f"it is {settled.status.value}")
    reason = await waits.look_at_once(tx, trade_id)
    told = SettlementRetried(trade_id=trade_id, operator_id=caller.user_id)
    tx.emit(told, caller.actor, before={"reason": reason}, after={"reason": None})
