"""Jobs of the machinery: old idempotency keys and finished job records are removed, a little at a time."""

from typing import Protocol

from deedbook.infra.database import Database
from deedbook.kernel.jobs import HOUSEKEEPING, Job, JobKind, every

REMOVE_OLD_RECORDS = JobKind("remove-old-records", HOUSEKEEPING)
IDEMPOTENCY_KEPT = "48 hours"
DONE_JOBS_KEPT = "30 days"


class MachineryResources(Protocol):
    """What the wiring hands to these jobs."""

    @property
    def db(self) -> Database: ...


@every(60, REMOVE_OLD_RECORDS, lengthy=True)
async def remove_old_records(resources: MachineryResources, job: Job) -> None:
    async with resources.db.transaction() as tx:
        await tx.execute(
            "DELETE FROM idempotency_keys WHERE ctid IN (SELECT ctid FROM idempotency_keys "
            f"WHERE created_at < now() - interval '{IDEMPOTENCY_KEPT}' LIMIT 5000)"
        )
        await tx.execute(
            "DELETE FROM jobs WHERE ctid IN (SELECT ctid FROM jobs WHERE status = 'done' "
            f"AND finished_at < now() - interval '{DONE_JOBS_KEPT}' LIMIT 5000)"
        )
