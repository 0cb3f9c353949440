"""Jobs of the machinery: the record is sealed; old keys and finished job records are removed, a little at a time."""

from typing import Protocol

from deedbook.infra import audit
from deedbook.infra.database import Database
from deedbook.kernel.jobs import HOUSEKEEPING, Job, JobKind, every

REMOVE_OLD_KEYS = JobKind("remove-old-idempotency-keys", HOUSEKEEPING)
REMOVE_OLD_JOBS = JobKind("remove-old-jobs", HOUSEKEEPING)
SEAL_AUDIT = JobKind("seal-audit", HOUSEKEEPING)
IDEMPOTENCY_KEPT = "48 hours"
DONE_JOBS_KEPT = "30 days"
BATCH = 5000
MAX_BATCHES = 50


class MachineryResources(Protocol):
    """What the wiring hands to these jobs."""

    @property
    def db(self) -> Database: ...


@every(60, REMOVE_OLD_KEYS, lengthy=True)
async def remove_old_keys(resources: MachineryResources, job: Job) -> None:
    await _remove(resources.db, f"idempotency_keys WHERE created_at < now() - interval '{IDEMPOTENCY_KEPT}'")


@every(3600, REMOVE_OLD_JOBS, lengthy=True)
async def remove_old_jobs(resources: MachineryResources, job: Job) -> None:
    await _remove(
        resources.db, f"jobs WHERE status = 'done' AND finished_at < now() - interval '{DONE_JOBS_KEPT}'"
    )


@every(10, SEAL_AUDIT, lengthy=True)
async def seal_audit(resources: MachineryResources, job: Job) -> None:
    """Hash what was written down since onto the chain of seals (rulings: in the background, never inline)."""
    await audit.seal(resources.db)


async def _remove(db: Database, what: str) -> None:
    """Delete in batches, so that no lock is held for long; what is left waits for the next slot."""
    table = what.split(" ", 1)[0]
    for _ in range(MAX_BATCHES):
        async with db.transaction() as tx:
            told = await tx.execute(
                f"DELETE FROM {table} WHERE ctid IN (SELECT ctid FROM {what} LIMIT {BATCH})"
            )
        if told != f"DELETE {BATCH}":
            return
