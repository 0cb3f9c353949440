"""Jobs of this room: see each batch through, and do what the workers' loop does all the time when none of them does."""

from deedbook.infra.database import Database
from deedbook.kernel.ids import parse_uuid
from deedbook.kernel.jobs import Job, every, handles
from deedbook.settlement import batching, carrying, failing, outcomes, pairs
from deedbook.settlement.errors import SettlementNotFound
from deedbook.settlement.ports import Desk, SettlementResources
from deedbook.settlement.store import batches as store
from deedbook.settlement.store.opening import open_new
from deedbook.settlement.terms import ADVANCE_SETTLEMENT, SETTLE_BATCH, BatchId

MAX_ROUNDS = 50


async def advance(db: Database, desk: Desk) -> bool:
    """Take up new trades, take in what the chain has told, and send the next batch; `True` when there may be more at
    once. Any number may do this at once.

    Raises:
        ChainUnavailable · DatabaseUnavailable: what was done stays done; again later.
    """
    opened = await open_trades(db)
    await pairs.bound_backlogs(db)  # Before anything that may fail: what waits is bounded all the same.
    for batch in await store.open_batches(db):
        await carrying.resolve(db, batch.batch_id)
    taken_in = await outcomes.take_in(db, desk)
    collected = await failing.collect(db)
    sent = await batching.send_next(db, desk)
    listed = await pairs.list_new(db, desk)
    return bool(opened or taken_in or collected or listed or sent)


async def open_trades(db: Database) -> int:
    """Take up trades that were executed since; how many."""
    async with db.transaction() as tx:
        return await open_new(tx)


@handles(SETTLE_BATCH, lengthy=True)
async def settle_batch(resources: SettlementResources, job: Job) -> None:
    """Wait for the chain's answer to a batch. Run again it finds what was written down."""
    batch_id = parse_uuid(str(job.data.get("batchId", "")))
    if batch_id is None:
        raise SettlementNotFound("the job has no batchId")
    await carrying.see_through(resources.db, resources.settlement_desk, BatchId(batch_id))


@every(10, ADVANCE_SETTLEMENT, lengthy=True)
async def advance_settlement(resources: SettlementResources, job: Job) -> None:
    for _ in range(MAX_ROUNDS):
        if not await advance(resources.db, resources.settlement_desk):
            return
