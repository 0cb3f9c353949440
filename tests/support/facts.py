"""Facts and jobs to carry around where it does not matter what they say."""

from uuid import uuid4

from deedbook.infra.database import Database
from deedbook.infra.events import JobRetriedFact
from deedbook.kernel.ids import UserId
from deedbook.kernel.jobs import HOUSEKEEPING, JobKind

ERRAND = JobKind("errand", HOUSEKEEPING)


def a_fact(label: str = "job") -> JobRetriedFact:
    """A fact that can be recognised by its label."""
    return JobRetriedFact(operator_id=UserId(uuid4()), job_id=label, new_job_id=f"{label}.2")


async def tell(db: Database, *labels: str) -> None:
    """Facts with these labels, in one transaction."""
    async with db.transaction() as tx:
        for label in labels:
            tx.emit(a_fact(label))


async def ask(db: Database, *job_ids: str, kind: JobKind = ERRAND) -> None:
    """Jobs with these ids, in one transaction."""
    async with db.transaction() as tx:
        for job_id in job_ids:
            tx.enqueue(kind, job_id, {"of": job_id})


async def count(db: Database, table: str, where: str = "true", *values: object) -> int:
    """How many rows there are."""
    async with db.reading() as connection:
        return int(await connection.fetchval(f"SELECT count(*) FROM {table} WHERE {where}", *values))
