"""Jobs of this room: watch the vault, carry out what users signed, look after what the chain has left open."""

from typing import Any
from uuid import UUID

from deedbook.chain import watcher
from deedbook.custody import consents, deposits, errands, payouts
from deedbook.custody.errands import RELAY, TRANSFER, WITHDRAW, Errand
from deedbook.custody.model import SENT_WITHDRAWALS
from deedbook.custody.ports import CustodyResources, Lookout, ReconciliationResources
from deedbook.custody.reconciliation import Run, reconcile
from deedbook.custody.store import deposits as deposit_store
from deedbook.custody.store import transfers as transfer_store
from deedbook.custody.store import withdrawals as withdrawal_store
from deedbook.custody.terms import (
    EXPIRE_DEPOSITS,
    EXPIRE_WITHDRAWALS,
    FIND_LATE_TEXT,
    PROCESS_TRANSFER,
    PROCESS_WITHDRAWAL,
    RECONCILE,
    RECONCILE_NOW,
    RELAY_DEPOSIT,
    RESCAN_VAULT,
    RESOLVE_DEPOSITS,
    RESOLVE_TRANSFERS,
    RESOLVE_WITHDRAWALS,
    SYNC_VAULT,
    DepositId,
    TransferId,
    TransferStatus,
    WithdrawalId,
    WithdrawalStatus,
)
from deedbook.custody.vault import apply_events
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.infra.failpoints import failpoint
from deedbook.kernel.errors import Kind, Refusal
from deedbook.kernel.ids import parse_uuid
from deedbook.kernel.jobs import Job, every, handles

STALE_AFTER_S = 30
EACH_TIME = 100
MAX_PAGES = 50


async def watch(db: Database, lookout: Lookout) -> bool:
    """Read on, and let what lies deep enough have its effect; `True` when there may be more at once. Any number may
    do this at once."""
    more = await watcher.scan(db, lookout.node, lookout.watch)
    await failpoint("watcher.afterCommit")
    done = await apply_events(db, lookout.watch.chain_id, lookout.depth)
    return more or done > 0


@every(10, SYNC_VAULT, lengthy=True)
async def sync_vault(resources: CustodyResources, job: Job) -> None:
    """What the workers' loops do all the time, for when none of them does."""
    lookout = await resources.lookout()
    for _ in range(MAX_PAGES if lookout is not None else 0):
        assert lookout is not None
        if not await watch(resources.db, lookout):
            return


@handles(RESCAN_VAULT, lengthy=True)
async def rescan_vault(resources: CustodyResources, job: Job) -> None:
    """Read blocks again, for events that a node had left out."""
    lookout = await resources.lookout()
    if lookout is not None:
        first, last = int(job.data["fromBlock"]), int(job.data["toBlock"])
        await watcher.rescan(resources.db, lookout.node, lookout.watch, first, last)
        await apply_events(resources.db, lookout.watch.chain_id, lookout.depth)


@handles(FIND_LATE_TEXT, lengthy=True)
async def find_late_text(resources: CustodyResources, job: Job) -> None:
    """Look once more for what was being taken in while it was cancelled on the chain."""
    account, digest = Address(str(job.data["account"])), bytes.fromhex(str(job.data["digest"]))
    await consents.find_late(resources.db, account, digest)


@handles(PROCESS_WITHDRAWAL, lengthy=True)
async def process_withdrawal(resources: CustodyResources, job: Job) -> None:
    await errands.run(resources.db, resources.desk, WITHDRAW, WithdrawalId(_id(job, "withdrawalId")))


@handles(PROCESS_TRANSFER, lengthy=True)
async def process_transfer(resources: CustodyResources, job: Job) -> None:
    await errands.run(resources.db, resources.desk, TRANSFER, TransferId(_id(job, "transferId")))


@handles(RELAY_DEPOSIT, lengthy=True)
async def relay_deposit(resources: CustodyResources, job: Job) -> None:
    await errands.run(resources.db, resources.desk, RELAY, DepositId(_id(job, "depositId")))


@every(15, RESOLVE_WITHDRAWALS, lengthy=True)
async def resolve_withdrawals(resources: CustodyResources, job: Job) -> None:
    """Withdrawals that nobody waits for: those in doubt, and those whose job was lost or failed."""
    async with resources.db.transaction() as tx:
        sent = await withdrawal_store.stale(tx, SENT_WITHDRAWALS, STALE_AFTER_S, EACH_TIME)
        unsent = await withdrawal_store.stale(tx, [WithdrawalStatus.APPROVED], STALE_AFTER_S, EACH_TIME)
    await _look_after(resources, WITHDRAW, unsent, sent)


@every(15, RESOLVE_TRANSFERS, lengthy=True)
async def resolve_transfers(resources: CustodyResources, job: Job) -> None:
    async with resources.db.transaction() as tx:
        sent = await transfer_store.stale(tx, [TransferStatus.UNKNOWN], STALE_AFTER_S, EACH_TIME)
        unsent = await transfer_store.stale(tx, [TransferStatus.PENDING], STALE_AFTER_S, EACH_TIME)
    await _look_after(resources, TRANSFER, unsent, [*sent, *unsent])


@every(15, RESOLVE_DEPOSITS, lengthy=True)
async def resolve_deposits(resources: CustodyResources, job: Job) -> None:
    async with resources.db.transaction() as tx:
        relayed = await deposit_store.stale_relayed(tx, STALE_AFTER_S, EACH_TIME)
    await _look_after(resources, RELAY, relayed, relayed)


@every(60, EXPIRE_WITHDRAWALS)
async def expire_withdrawals(tx: Any, job: Job) -> None:
    await payouts.expire(tx, EACH_TIME)


@every(60, EXPIRE_DEPOSITS)
async def expire_deposits(tx: Any, job: Job) -> None:
    await deposits.expire(tx, EACH_TIME)


async def compare(resources: ReconciliationResources) -> Run | None:
    """Compare ledger and vault where the watcher stands; `None` while there is nothing to compare."""
    lookout = await resources.lookout()
    if lookout is None:
        return None
    state = resources.vault_state(lookout.watch.contract)
    return await reconcile(resources.db, lookout.node, lookout.watch.chain_id, state)


@every(300, RECONCILE, lengthy=True)
async def reconcile_on_schedule(resources: ReconciliationResources, job: Job) -> None:
    await compare(resources)


@handles(RECONCILE_NOW, lengthy=True)
async def reconcile_now(resources: ReconciliationResources, job: Job) -> None:
    """An operator asked. Run again it compares again, which changes nothing."""
    await compare(resources)


async def _look_after(
    resources: CustodyResources, errand: Errand, unsent: list[Any], sent: list[Any]
) -> None:
    for id_ in unsent:
        await errands.start(resources.db, resources.desk, errand, id_)
    for id_ in sent:
        await errands.resolve(resources.db, errand, id_)


def _id(job: Job, name: str) -> UUID:
    found = parse_uuid(str(job.data.get(name, "")))
    if found is None:
        raise JobNamesNothing(f"the job has no {name}")
    return found


class JobNamesNothing(Refusal):
    code, kind, title = "job_names_nothing", Kind.ABSENT, "The job names nothing of ours"
