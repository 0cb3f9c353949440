"""For operators: queues, failed jobs and events."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from redis.exceptions import RedisError

from deedbook import markets
from deedbook.api.deps import CallerDep, DatabaseDep, ResourcesDep, UnitDep, access
from deedbook.api.paging import Cursor, Limit, decode_position, encode_cursor
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.common import Page
from deedbook.api.v1.schemas.operations import (
    JobAnswer,
    JobRetried,
    ParkedAnswer,
    ParkJob,
    ProcessedEventAnswer,
    QueueAnswer,
    RetryJob,
    WebhookAnswer,
)
from deedbook.identity import Role
from deedbook.infra import inbox, joblog
from deedbook.infra.database import Tx
from deedbook.infra.events import JobParked, JobRetriedFact
from deedbook.kernel.errors import Kind, Refusal
from deedbook.kernel.jobs import QUEUES, handlers_of
from deedbook.wiring import JOB_MODULES, Resources, open_queues

router = APIRouter(prefix="/admin", tags=["operations"], route_class=StrictRoute)

REDIS_TIMEOUT_S = 2.0
_KINDS = {handler.kind.name: handler.kind for module in JOB_MODULES for handler in handlers_of(module)}
_NO_REASON = RetryJob()
QueuePath = Annotated[str, Path(max_length=64)]
JobPath = Annotated[str, Path(alias="id", max_length=200, pattern=r"^[A-Za-z0-9._-]+$")]
_OPERATORS = access(Role.OPERATOR, Role.ADMIN, bucket="reads")
_OPERATORS_WRITE = access(Role.OPERATOR, Role.ADMIN, bucket="writes", keyed=True)


class QueueNotFound(Refusal):
    code, kind, title = "queue_not_found", Kind.ABSENT, "There is no such queue"


class JobNotFailed(Refusal):
    code, kind, title = "job_not_failed", Kind.CONFLICT, "There is no such failed job"


class JobNotOpen(Refusal):
    code, kind, title = "job_not_open", Kind.CONFLICT, "There is no such job that waits or failed"


class JobRepeatedOtherwise(Refusal):
    """Retrying this job would do nothing, since its failure was taken back; the detail says what to do."""

    code, kind, title = "job_repeated_otherwise", Kind.CONFLICT, "This job is not repeated by a retry"


class EventNotFailed(Refusal):
    code, kind, title = "event_not_failed", Kind.CONFLICT, "There is no such failed event"


@router.get("/queues", openapi_extra=_OPERATORS)
async def queues(resources: ResourcesDep) -> Page[QueueAnswer]:
    """All queues, with what waits and what failed."""
    counts, known = await _counts(resources), await joblog.records(resources.db)
    entries = []
    for spec in QUEUES:
        record = known.get(spec.name)
        entries.append(
            QueueAnswer(
                name=spec.name,
                concurrency=spec.concurrency or resources.settings.QUEUE_WORKER_CONCURRENCY,
                attempts=spec.attempts or resources.settings.QUEUE_MAX_RETRY_ATTEMPTS,
                counts=counts.get(spec.name),
                pending=record.pending if record else 0,
                failed=record.failed if record else 0,
                oldest_pending_at=record.oldest_pending if record else None,
            )
        )
    return Page(data=entries, next_cursor=None)


async def _counts(resources: Resources) -> dict[str, dict[str, int]]:
    """What BullMQ holds, by queue; nothing where Redis does not answer soon."""
    try:
        async with asyncio.timeout(REDIS_TIMEOUT_S):
            return {
                name: {state.value: count for state, count in (await queue.counts()).items()}
                for name, queue in open_queues(resources.redis).items()
            }
    except (RedisError, OSError, TimeoutError):
        return {}


@router.get("/queues/{name}/jobs", openapi_extra=_OPERATORS)
async def jobs(
    name: Annotated[str, Path(max_length=64)],
    db: DatabaseDep,
    status: Literal["pending", "done", "failed", "retried", "parked"] | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[JobAnswer]:
    """Jobs of a queue, newest first."""
    if name not in {spec.name for spec in QUEUES}:
        raise QueueNotFound
    found = await joblog.listing(db, name, status, decode_position("jobs", cursor), limit + 1)
    page, more = found[:limit], len(found) > limit
    following = encode_cursor("jobs", page[-1]["position"]) if more else None
    return Page(data=[JobAnswer(**row) for row in page], next_cursor=following)


@router.post("/jobs/{queue}/{id}/retry", openapi_extra=_OPERATORS_WRITE, response_model=JobRetried)
async def retry_job(
    queue: QueuePath, job_id: JobPath, caller: CallerDep, unit: UnitDep, body: RetryJob = _NO_REASON
) -> Response:
    """Ask for a job again that failed or was put aside, as a new job."""
    _require_queue(queue)

    async def work(tx: Tx) -> JobRetried:
        await _require_repeatable(tx, queue, job_id)
        again = await joblog.retry(tx, queue, job_id)
        if again is None:
            raise JobNotFailed
        told = JobRetriedFact(operator_id=caller.user_id, job_id=job_id, new_job_id=again.job_id)
        after = {"status": "retried"} | ({"reason": body.reason} if body.reason else {})
        tx.emit(told, caller.actor, before={"status": again.status_before}, after=after)
        return JobRetried(job_id=again.job_id)

    return await unit.run(work, lambda answer: answer)


@router.post("/jobs/{queue}/{id}/park", openapi_extra=_OPERATORS_WRITE, response_model=ParkedAnswer)
async def park_job(
    queue: QueuePath, job_id: JobPath, body: ParkJob, caller: CallerDep, unit: UnitDep
) -> Response:
    """Put a job aside that waits or failed: it is not run any more, and counts as no failure, until it is retried."""
    _require_queue(queue)

    async def work(tx: Tx) -> ParkedAnswer:
        # Whoever waits for its end would wait for ever, since no retry brings it back.
        await _require_repeatable(tx, queue, job_id)
        before = await joblog.park(tx, queue, job_id, body.reason)
        if before is None:
            raise JobNotOpen
        told = JobParked(operator_id=caller.user_id, job_id=job_id, reason=body.reason)
        after = {"status": "parked", "reason": body.reason}
        tx.emit(told, caller.actor, before={"status": before}, after=after)
        return ParkedAnswer(job_id=job_id, status="parked")

    return await unit.run(work, lambda answer: answer)


def _require_queue(queue: str) -> None:
    if queue not in {spec.name for spec in QUEUES}:
        raise QueueNotFound


async def _require_repeatable(tx: Tx, queue: str, job_id: str) -> None:
    """Raises JobRepeatedOtherwise: something else than a retry repeats it."""
    kind = _KINDS.get(await joblog.name_of(tx, queue, job_id) or "")
    if kind is not None and kind.repeat_by:
        raise JobRepeatedOtherwise(kind.repeat_by)


@router.get("/processed-events", openapi_extra=_OPERATORS)
async def processed_events(
    db: DatabaseDep,
    status: Literal["success", "failed", "skipped"] | None = None,
    limit: Limit = 100,
) -> Page[ProcessedEventAnswer]:
    """The newest events from outside and what became of them."""
    rows = await inbox.listing(db, status, limit)
    return Page(data=[ProcessedEventAnswer(**row) for row in rows], next_cursor=None)


@router.post("/processed-events/{id}/retry", openapi_extra=access(Role.OPERATOR, Role.ADMIN, bucket="writes"))
async def retry_event(
    event_id: Annotated[str, Path(alias="id", max_length=200)],
    caller: CallerDep,
    resources: ResourcesDep,
) -> WebhookAnswer:
    """Take up a failed event again. What it does and who asked for it are written in one transaction."""
    if "\x00" in event_id:  # PostgreSQL holds no such text
        raise EventNotFailed
    outcome = await markets.retry(
        resources.db, resources.permissions, resources.decision_sources, event_id, caller
    )
    if outcome is None:
        raise EventNotFailed
    return WebhookAnswer(event_id=event_id, status=outcome.value)
