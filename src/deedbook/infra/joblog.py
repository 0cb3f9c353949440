"""The record of jobs: PostgreSQL knows which are done, so that BullMQ may forget or repeat them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from deedbook.infra.database import Database, Tx
from deedbook.kernel.jobs import Job, first_id

MAX_ERROR = 2000


@dataclass(frozen=True)
class FanOut:
    """A job that follows from a fact."""

    job_id: str
    queue: str
    name: str
    data: dict[str, Any]
    correlation_id: str


async def is_open(db: Database, job_id: str) -> bool:
    """Whether the job still has to be done. Jobs of the clock have no record and are always open."""
    async with db.reading() as connection:
        status = await connection.fetchval("SELECT status FROM jobs WHERE job_id = $1", job_id)
    return status in (None, "pending")


async def claim(tx: Tx, job_id: str) -> bool:
    """Hold the job's record until the commit; `False` when it is done already."""
    status = await tx.fetchval("SELECT status FROM jobs WHERE job_id = $1 FOR UPDATE", job_id)
    return status in (None, "pending")


async def mark_done(tx: Tx, job: Job) -> None:
    await tx.execute(
        "UPDATE jobs SET status = 'done', attempts_made = $2, finished_at = now() "
        "WHERE job_id = $1 AND status = 'pending'",
        job.job_id,
        job.attempt,
    )


async def mark_failed(tx: Tx, job: Job, error: str) -> None:
    await tx.execute(
        "UPDATE jobs SET status = 'failed', attempts_made = $2, last_error = $3, finished_at = now() "
        "WHERE job_id = $1 AND status = 'pending'",
        job.job_id,
        job.attempt,
        error[:MAX_ERROR],
    )


async def note_attempt(db: Database, job: Job, error: str) -> None:
    """Keep the last error of a job that will be tried again."""
    async with db.transaction() as tx:
        await tx.execute(
            "UPDATE jobs SET attempts_made = $2, last_error = $3 WHERE job_id = $1 AND status = 'pending'",
            job.job_id,
            job.attempt,
            error[:MAX_ERROR],
        )


async def add_fan_out(tx: Tx, jobs: list[FanOut]) -> None:
    """Write the jobs that follow from facts; those that are there already stay as they are."""
    await tx.execute(
        """
        INSERT INTO jobs (job_id, queue, name, data, correlation_id)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::text[])
        ON CONFLICT (job_id) DO NOTHING
        """,
        [job.job_id for job in jobs],
        [job.queue for job in jobs],
        [job.name for job in jobs],
        [orjson.dumps(job.data).decode() for job in jobs],
        [job.correlation_id for job in jobs],
    )


async def name_of(tx: Tx, queue: str, job_id: str) -> str | None:
    """The name of a job, such as `deploy-market-token`."""
    name = await tx.fetchval("SELECT name FROM jobs WHERE job_id = $1 AND queue = $2", job_id, queue)
    return str(name) if name is not None else None


async def park(tx: Tx, queue: str, job_id: str, reason: str) -> str | None:
    """Put a job aside that waits or failed: it is not run any more until it is retried, and is nobody's alarm.

    Its status before; `None` when it neither waits nor failed.
    """
    status = await _status_of(tx, queue, job_id)
    if status not in ("pending", "failed"):
        return None
    await tx.execute(
        "UPDATE jobs SET status = 'parked', parked_reason = $2, finished_at = now() WHERE job_id = $1",
        job_id,
        reason,
    )
    return status


async def _status_of(tx: Tx, queue: str, job_id: str) -> str | None:
    """How a job stands, held until the commit: whoever runs it at the moment is waited for."""
    status = await tx.fetchval(
        "SELECT status FROM jobs WHERE job_id = $1 AND queue = $2 FOR UPDATE", job_id, queue
    )
    return str(status) if status is not None else None


@dataclass(frozen=True)
class Retried:
    """The job that repeats another, and how that one stood."""

    job_id: str
    status_before: str


async def retry(tx: Tx, queue: str, job_id: str) -> Retried | None:
    """Ask for a failed or parked job again, under the next generation of its id; `None` when it is neither."""
    status = await _status_of(tx, queue, job_id)
    if status not in ("failed", "parked"):
        return None
    row = await tx.fetchrow(
        "UPDATE jobs SET status = 'retried' WHERE job_id = $1 RETURNING name, data, priority, correlation_id",
        job_id,
    )
    assert row is not None, "it has just been locked"
    stem = first_id(job_id)
    generation = 1 + await tx.fetchval(
        "SELECT count(*) FROM jobs WHERE job_id = $1 OR starts_with(job_id, $1 || '.')", stem
    )
    new_id = f"{stem}.{generation}"
    await tx.execute(
        "INSERT INTO jobs (job_id, queue, name, data, priority, correlation_id, retry_of) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)",
        new_id,
        queue,
        row["name"],
        orjson.dumps(row["data"]).decode(),
        row["priority"],
        row["correlation_id"],
        job_id,
    )
    return Retried(new_id, status)


async def listing(
    db: Database, queue: str, status: str | None, before: int | None, limit: int
) -> list[dict[str, Any]]:
    """Jobs of a queue for operators, newest first."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            SELECT position, job_id, name, data, status, attempts_made, last_error, retry_of, parked_reason,
                   correlation_id, created_at, finished_at
            FROM jobs WHERE queue = $1 AND ($2::text IS NULL OR status = $2) AND ($3::bigint IS NULL OR position < $3)
            ORDER BY position DESC LIMIT $4
            """,
            queue,
            status,
            before,
            limit,
        )
    return [dict(row) for row in rows]


@dataclass(frozen=True)
class QueueRecord:
    """Of one queue, what PostgreSQL knows."""

    pending: int
    failed: int
    oldest_pending: datetime | None


async def records(db: Database) -> dict[str, QueueRecord]:
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            SELECT queue, count(*) FILTER (WHERE status = 'pending') AS pending,
                   count(*) FILTER (WHERE status = 'failed') AS failed,
                   min(created_at) FILTER (WHERE status = 'pending') AS oldest_pending
            FROM jobs WHERE status IN ('pending', 'failed') GROUP BY queue
            """
        )
    return {row["queue"]: QueueRecord(row["pending"], row["failed"], row["oldest_pending"]) for row in rows}
