"""Steps of a batch that was sent. The chain alone decides what became of it; no timeout does."""

from deedbook import chain, trading
from deedbook.chain.errors import TransactionReverted
from deedbook.chain.terms import ChainTransaction, TxStatus
from deedbook.infra.database import Database, Tx
from deedbook.infra.failpoints import failpoint
from deedbook.infra.tracing import Attributes, tracer
from deedbook.settlement import views
from deedbook.settlement.batching import key_of
from deedbook.settlement.events import (
    SettlementCarried,
    SettlementInDoubt,
    SettlementReverted,
    SettlementUndone,
)
from deedbook.settlement.ports import Desk
from deedbook.settlement.store import batches as store
from deedbook.settlement.terms import Batch, BatchId, BatchStatus, SettlementStatus

S = SettlementStatus


async def see_through(db: Database, desk: Desk, batch_id: BatchId) -> None:
    """Wait for the chain's answer and write it down. One that does not come in time leaves the batch in doubt.

    Raises:
        Unavailable: again later.
    """
    try:
        await chain.wait_final(db, key_of(batch_id), desk.wait_s)
    except TimeoutError:
        async with db.transaction() as tx:
            await doubt(tx, batch_id)
        return
    except TransactionReverted:
        pass  # it says so again, with all that there is to know
    await resolve(db, batch_id)


async def resolve(db: Database, batch_id: BatchId) -> bool:
    """Write down, without waiting, what the chain has said for good; `False` while it has not."""
    entry = await chain.find(db, key_of(batch_id))
    if entry is None or entry.status not in (TxStatus.CONFIRMED, TxStatus.REVERTED):
        return False
    await failpoint("settle.afterFinal")
    async with db.transaction() as tx:
        batch = await store.lock_open(tx, batch_id)
        if batch is not None:
            await (_carried if entry.status is TxStatus.CONFIRMED else _reverted)(tx, batch, entry)
            await failpoint("settle.beforeCommit")
    if batch is not None and tracer().on:
        await trace(db, batch, entry)
    return True


async def doubt(tx: Tx, batch_id: BatchId) -> None:
    """The chain has not answered in time. Nothing is given back: it may answer yet."""
    batch = await store.lock_open(tx, batch_id)
    if batch is None or batch.status is not BatchStatus.SUBMITTED:
        return
    await trading.settled.mark(tx, await store.doubt(tx, batch_id), S.UNKNOWN.value)
    told = SettlementInDoubt(batch_id=batch_id)
    tx.emit(told, before={"status": batch.status}, after={"status": BatchStatus.UNKNOWN})


async def _carried(tx: Tx, batch: Batch, entry: ChainTransaction) -> None:
    """The contract's events, not this, settle its trades."""
    assert entry.tx_hash is not None, "a final transaction has a hash"
    await _finish(tx, batch, entry, BatchStatus.CARRIED, None)
    told = SettlementCarried(batch_id=batch.batch_id, tx_hash=entry.tx_hash)
    tx.emit(told, before={"status": batch.status}, after={"status": BatchStatus.CARRIED})


async def _reverted(tx: Tx, batch: Batch, entry: ChainTransaction) -> None:
    """It was undone as a whole, so that no trade was judged: they go again, half as many at once."""
    reason = entry.error or "undone by the contract"
    await _finish(tx, batch, entry, BatchStatus.REVERTED, reason)
    told = SettlementReverted(batch_id=batch.batch_id, reason=reason)
    tx.emit(told, before={"status": batch.status}, after={"status": BatchStatus.REVERTED})
    await give_back(tx, batch, f"reverted: {reason}", batch_limit=max(1, batch.trades // 2))


async def give_back(tx: Tx, batch: Batch, reason: str, *, batch_limit: int | None = None) -> None:
    """Let the trades that a batch has not settled wait again, and tell so."""
    returned = await store.back_to_waiting(tx, batch.batch_id, reason[:500], batch_limit=batch_limit)
    await trading.settled.mark(tx, returned, S.PENDING.value)
    for trade_id in returned:
        told = SettlementUndone(trade_id=trade_id, batch_id=batch.batch_id, reason=reason[:500])
        tx.emit(told, before={"status": S.SUBMITTED}, after={"status": S.PENDING})


async def _finish(
    tx: Tx, batch: Batch, entry: ChainTransaction, status: BatchStatus, reason: str | None
) -> None:
    await store.finish(
        tx,
        batch.batch_id,
        status,
        tx_hash=entry.tx_hash,
        block_number=entry.block_number,
        gas_used=entry.gas_used,
        reason=reason,
    )


async def trace(db: Database, batch: Batch, entry: ChainTransaction) -> None:
    """Tell in the traces of its orders what became of a batch, and in which transaction."""
    order_ids, sent, ended = await views.orders_of_batch(db, batch.batch_id)
    told: Attributes = {"deedbook.trades": batch.trades, "deedbook.status": entry.status.value}
    tracer().step("settlement", order_ids, sent, ended, told)
    on_chain: Attributes = {
        "deedbook.tx_hash": entry.tx_hash or "",
        "deedbook.block": entry.block_number or 0,
    }
    tracer().step("chain.transaction", order_ids, sent, ended, on_chain)
