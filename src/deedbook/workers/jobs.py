"""The job worker: one pool per queue; each job's effect and the mark that it is done commit together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from redis.exceptions import RedisError

from deedbook.infra import joblog
from deedbook.infra.bullmq import (
    Delivery,
    HardenedWorker,
    RateLimit,
    UnrecoverableError,
    WorkerSettings,
    is_final_attempt,
)
from deedbook.infra.database import CORRELATION_ID, Database
from deedbook.infra.redis import connect_redis
from deedbook.infra.settings import Settings
from deedbook.infra.telemetry import scrub
from deedbook.kernel.errors import Kind, Refusal, Unavailable
from deedbook.kernel.jobs import ORDER_MATCHING, QUEUES, HandlerSpec, QueueSpec

log = structlog.get_logger(__name__)

CLOSE_S = 15.0
OUTCOMES_KEY = "deedbook:job-outcomes"
_STOPS = frozenset({Kind.MALFORMED, Kind.INVALID, Kind.ABSENT, Kind.FORBIDDEN, Kind.UNAUTHENTICATED})
"""Refusals that another attempt would only repeat."""


class JobRunner:
    """Runs the handlers of all queues. `resources` is what lengthy handlers receive."""

    def __init__(self, db: Database, resources: Any, handlers: Sequence[HandlerSpec]) -> None:
        self._db = db
        self._resources = resources
        self._handlers = {handler.kind.name: handler for handler in handlers}

    async def __call__(self, job: Delivery) -> None:
        """Run one job.

        Raises:
            UnrecoverableError: there is no use in trying again; it has been recorded as failed.
            Exception: whatever the handler raised; BullMQ tries again.
        """
        token = CORRELATION_ID.set(job.correlation_id or job.job_id)
        try:
            with structlog.contextvars.bound_contextvars(
                job_id=job.job_id, job=job.name, attempt=job.attempt
            ):
                await self._run(job)
        finally:
            CORRELATION_ID.reset(token)

    async def _run(self, job: Delivery) -> None:
        handler = self._handlers.get(job.name)
        if handler is None:
            text = f"no handler knows {job.name}"
            if not is_final_attempt(job):
                raise LookupError(text)  # a newer worker may know it: an upgrade is rolling
            await self._fail(None, job, text, text)
            raise UnrecoverableError(text)
        try:
            if handler.lengthy:
                await self._run_lengthy(handler, job)
            else:
                await self._run_in_transaction(handler, job)
        except Exception as error:
            await self._after_error(handler, job, error)

    async def _run_in_transaction(self, handler: HandlerSpec, job: Delivery) -> None:
        async with self._db.transaction() as tx:
            if await joblog.claim(tx, job.job_id):
                await handler.run(tx, job)
                await joblog.mark_done(tx, job)

    async def _run_lengthy(self, handler: HandlerSpec, job: Delivery) -> None:
        if not await joblog.is_open(self._db, job.job_id):
            return
        await handler.run(self._resources, job)
        async with self._db.transaction() as tx:
            await joblog.mark_done(tx, job)

    async def _after_error(self, handler: HandlerSpec, job: Delivery, error: Exception) -> None:
        """Try again, or write down that it failed for good together with what follows from that."""
        text = error.detail if isinstance(error, Refusal) else scrub(repr(error))
        hopeless = isinstance(error, Refusal) and error.kind in _STOPS
        if not (hopeless or is_final_attempt(job, error)):
            log.warning("job_will_retry", error=text, of=job.attempts)
            await joblog.note_attempt(self._db, job, text)
            raise error
        log.error("job_failed", error=text, exc_info=not isinstance(error, Refusal))
        await self._fail(handler, job, text, _for_everybody(error))
        raise UnrecoverableError(text) from error

    async def _fail(self, handler: HandlerSpec | None, job: Delivery, text: str, told: str) -> None:
        """Write down that it failed for good, together with what follows from that; and where that fails too,
        at least the former, or the sweeper would bring the job back for ever."""
        try:
            async with self._db.transaction() as tx:
                if await joblog.claim(tx, job.job_id):
                    if handler is not None and handler.on_failure is not None:
                        await handler.on_failure(tx, job, told)
                    await joblog.mark_failed(tx, job, text)
        except Unavailable:
            raise
        except Exception:
            log.exception("failure_not_followed_up")
            async with self._db.transaction() as tx:
                await joblog.mark_failed(tx, job, text)


def _for_everybody(error: Exception) -> str:
    """What may be told in public: our own words, or where to look for them."""
    if isinstance(error, Refusal | TimeoutError):
        return scrub(str(error))
    return f"internal error; the log has it under correlation id {CORRELATION_ID.get()}"


def pick_queues(names: str | None) -> list[QueueSpec]:
    """The queues to serve: all, or those named in a comma-separated list. Bells are for matchers.

    Raises:
        ValueError: a name is not one of ours; says which are.
    """
    known = {spec.name: spec for spec in QUEUES if spec != ORDER_MATCHING}
    if not names:
        return list(known.values())
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise ValueError(f"unknown queue {', '.join(unknown)}; the queues are {', '.join(known)}")
    return [known[name] for name in wanted]


async def serve(
    settings: Settings, runner: JobRunner, queues: Sequence[QueueSpec], stopping: asyncio.Event
) -> None:
    """Serve the queues until stopped, then finish what was begun.

    Raises:
        Exception: the loop of a queue has ended by itself; the process should end too and be started again,
            rather than be deaf to that queue.
    """
    counters = connect_redis(settings, max_connections=4)
    workers = []
    for spec in queues:
        worker = HardenedWorker(
            spec.name,
            runner,
            connect_redis(settings, blocking=True, max_connections=64),
            WorkerSettings(
                concurrency=spec.concurrency or settings.QUEUE_WORKER_CONCURRENCY,
                limit=RateLimit(spec.jobs_per_s) if spec.jobs_per_s else None,
            ),
        )
        tally = _Tally(counters, spec.name)
        worker.on("completed", tally.completed)
        worker.on_failure(tally.failed)
        workers.append(worker)
    try:
        await _stopped_or_broken(stopping, [worker.run_task for worker in workers if worker.run_task])
    finally:
        await asyncio.gather(*(worker.close(grace_s=CLOSE_S) for worker in workers), return_exceptions=True)
        await counters.aclose()


def listen(
    settings: Settings, spec: QueueSpec, answer: Callable[[Delivery], Awaitable[None]]
) -> HardenedWorker:
    """Serve a queue of bells: jobs of which PostgreSQL keeps no record, since they carry nothing."""
    return HardenedWorker(
        spec.name,
        answer,
        connect_redis(settings, blocking=True, max_connections=64),
        WorkerSettings(
            concurrency=spec.concurrency or settings.QUEUE_WORKER_CONCURRENCY,
            limit=RateLimit(spec.jobs_per_s) if spec.jobs_per_s else None,
        ),
    )


async def _stopped_or_broken(stopping: asyncio.Event, loops: Sequence[asyncio.Task[None]]) -> None:
    told = asyncio.create_task(stopping.wait())
    done, _ = await asyncio.wait({told, *loops}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    for ended in done - {told}:
        ended.result()
        raise RuntimeError("the loop of a queue has ended")


class _Tally:
    """Counts outcomes in Redis, where every API process can read them for `/metrics`."""

    def __init__(self, redis: Any, queue: str) -> None:
        self._redis = redis
        self._queue = queue
        self._tasks: set[asyncio.Task[None]] = set()

    def completed(self, *_: object) -> None:
        self._count("completed")

    def failed(self, job: Delivery, error: Exception) -> None:
        self._count("failed" if is_final_attempt(job, error) else "retried")

    def _count(self, outcome: str) -> None:
        task = asyncio.create_task(self._write(outcome))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write(self, outcome: str) -> None:
        try:
            await self._redis.hincrby(OUTCOMES_KEY, f"{self._queue}|{outcome}", 1)
        except (RedisError, OSError, TimeoutError):
            log.debug("outcome_not_counted")
