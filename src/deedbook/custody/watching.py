"""Use cases of operators: have blocks read again."""

from deedbook.chain.watcher import MAX_RESCAN_BLOCKS
from deedbook.custody.events import RescanRequested
from deedbook.custody.terms import RESCAN_VAULT
from deedbook.identity import Caller
from deedbook.infra.database import Tx
from deedbook.kernel.errors import FieldError, Invalid
from deedbook.kernel.ids import new_uuid


def request_rescan(tx: Tx, caller: Caller, first: int, last: int) -> str:
    """Ask for blocks to be read again; the id of the job.

    Raises:
        Invalid: no blocks, or too many at once.
    """
    if not 0 <= last - first < MAX_RESCAN_BLOCKS:
        detail = f"from the first to the last, at most {MAX_RESCAN_BLOCKS} blocks"
        raise Invalid(detail, errors=(FieldError("/toBlock", "bad_range", detail),))
    rescan_id = new_uuid()
    job_id = f"{RESCAN_VAULT.name}-{rescan_id}"
    tx.enqueue(RESCAN_VAULT, job_id, {"fromBlock": first, "toBlock": last})
    told = RescanRequested(rescan_id=rescan_id, operator_id=caller.user_id, from_block=first, to_block=last)
    tx.emit(told, caller.actor, before={"jobId": None}, after={"jobId": job_id})
    return job_id
