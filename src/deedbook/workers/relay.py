"""The relay: carries rows out of PostgreSQL, one cursor per sink, at least once.

`fan-out` turns facts into the jobs of their listeners (inside PostgreSQL, so exactly once), `jobs` hands
jobs to BullMQ, `redis` publishes facts to live channels and refreshes copies, `epc` tells the Entity
Permissions Core. No sink waits for another. The sweeper gives BullMQ again what it has lost.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from deedbook.infra import joblog, outbox
from deedbook.infra.bullmq_client import Backoff, JobQueue, JobState, NewJob
from deedbook.infra.database import Database, Tx
from deedbook.infra.failpoints import failpoint
from deedbook.infra.lease import Keeper, Lease
from deedbook.infra.outbox import Cursor, StoredFact, StoredJob
from deedbook.integrations.entity_permissions.client import EntityPermissionsClient, PublicationRefused
from deedbook.kernel.clock import to_wire
from deedbook.kernel.errors import Unavailable
from deedbook.kernel.events import FACTS
from deedbook.kernel.jobs import QUEUES, HandlerSpec
from deedbook.workers.loops import repeat

log = structlog.get_logger(__name__)

BATCH = 200
LEASE_S = 5.0
BUSY_S = 0.005
IDLE_S = 0.05
SWEEP_S = 2.0
SWEEP_AFTER_S = 5.0
SWEEP_BATCH = 1000
_SPECS = {spec.name: spec for spec in QUEUES}


class SinkUnavailable(Unavailable):
    code, title = "sink_unavailable", "The sink does not answer"


class Sink(ABC):
    """One destination with its own cursor. One relay process at a time serves it, by lease."""

    name: str

    def __init__(self, db: Database, holder: str) -> None:
        self._db = db
        self._keeper = Keeper(db, f"relay-{self.name}", holder, LEASE_S)
        self._epoch: int | None = None
        self._cursor: Cursor | None = None

    async def step(self) -> bool:
        """Deliver the next rows; `True` when there were any."""
        held = await self._keeper.hold()
        if held is None:
            return False
        if self._cursor is None or held.epoch != self._epoch:
            self._epoch, self._cursor = held.epoch, await outbox.load_cursor(self._db, self.name)
        return await self.deliver(held, self._cursor)

    async def release(self) -> None:
        """Let a successor begin at once."""
        await self._keeper.release()

    @abstractmethod
    async def deliver(self, held: Lease, cursor: Cursor) -> bool:
        """Deliver rows after the cursor and move it; `False` when there were none."""

    async def _advance(
        self,
        held: Lease,
        cursor: Cursor,
        delivered: int,
        also: Callable[[Tx], Awaitable[None]] | None = None,
    ) -> None:
        """Move the cursor; what is delivered inside PostgreSQL goes along in the same transaction."""
        if also is None:
            await failpoint(f"relay.{self.name}.afterDeliver")
            await self._move(self._db, held, cursor, delivered)
        else:
            async with self._db.transaction() as tx:
                await also(tx)
                await failpoint(f"relay.{self.name}.afterDeliver")
                await self._move(tx, held, cursor, delivered)
        self._cursor = cursor

    async def _move(self, by: Tx | Database, held: Lease, cursor: Cursor, delivered: int) -> None:
        if not await outbox.advance(by, self.name, held, cursor, delivered):
            self._keeper.lost()
            raise SinkUnavailable("another relay has taken over")


class FanOutSink(Sink):
    """Facts to the jobs of their listeners."""

    name = "fan-out"

    def __init__(self, db: Database, holder: str, handlers: Sequence[HandlerSpec]) -> None:
        super().__init__(db, holder)
        self._listeners: dict[str, list[HandlerSpec]] = defaultdict(list)
        for handler in handlers:
            if handler.fact is not None:
                self._listeners[handler.fact.spec.event_type].append(handler)

    async def deliver(self, held: Lease, cursor: Cursor) -> bool:
        facts = await outbox.facts_after(self._db, cursor, limit=BATCH)
        if not facts:
            return False
        jobs = [self._job(listener, fact) for fact in facts for listener in self._of(fact)]

        async def write(tx: Tx) -> None:
            if jobs:
                await joblog.add_fan_out(tx, jobs)

        await self._advance(held, facts[-1].cursor, len(facts), write)
        return True

    def _of(self, fact: StoredFact) -> Sequence[HandlerSpec]:
        return self._listeners.get(fact.event_type, ())

    def _job(self, listener: HandlerSpec, fact: StoredFact) -> joblog.FanOut:
        return joblog.FanOut(
            job_id=f"{listener.kind.name}-{fact.event_id}",
            queue=listener.kind.queue.name,
            name=listener.kind.name,
            data={**fact.payload, "eventId": str(fact.event_id)},
            correlation_id=fact.correlation_id,
        )


class JobSink(Sink):
    """Jobs to BullMQ, under their own ids, so that a second delivery adds nothing."""

    name = "jobs"

    def __init__(self, db: Database, holder: str, queues: dict[str, JobQueue], default_attempts: int) -> None:
        super().__init__(db, holder)
        self._queues = queues
        self._default_attempts = default_attempts

    async def deliver(self, held: Lease, cursor: Cursor) -> bool:
        jobs = await outbox.jobs_after(self._db, cursor, limit=BATCH)
        if not jobs:
            return False
        await self.hand_over(jobs)
        await self._advance(held, jobs[-1].cursor, len(jobs))
        return True

    async def hand_over(self, jobs: Sequence[StoredJob]) -> None:
        """Add the jobs to their queues.

        Raises:
            SinkUnavailable: Redis does not answer.
        """
        by_queue: dict[str, list[NewJob]] = defaultdict(list)
        for job in jobs:
            by_queue[job.queue].append(self._new_job(job))
        try:
            for name, batch in by_queue.items():
                if name in self._queues:
                    await self._queues[name].add_bulk(batch)
                else:
                    log.error("unknown_queue", queue=name, jobs=[job.job_id for job in batch])
        except (RedisError, OSError, TimeoutError) as error:
            raise SinkUnavailable(f"Redis does not answer: {type(error).__name__}") from error

    def _new_job(self, job: StoredJob) -> NewJob:
        spec = _SPECS.get(job.queue)
        return NewJob(
            name=job.name,
            data=job.data,
            job_id=job.job_id,
            priority=job.priority,
            attempts=(spec.attempts if spec else None) or self._default_attempts,
            backoff=Backoff(int(spec.backoff_s * 1000), int(spec.backoff_cap_s * 1000))
            if spec
            else Backoff(),
            trace={"correlationId": job.correlation_id} if job.correlation_id else {},
        )


class Copies(Protocol):
    """Copies that a room keeps in Redis of what is its own."""

    async def follow(self, facts: Sequence[StoredFact]) -> None:
        """Bring up to date what these facts have changed; a repeated or late fact changes nothing."""
        ...


class RedisSink(Sink):
    """Facts to Redis channels, and the copies that Redis keeps of what they changed."""

    name = "redis"

    def __init__(self, db: Database, holder: str, redis: Redis, copies: Sequence[Copies]) -> None:
        super().__init__(db, holder)
        self._redis = redis
        self._copies = copies

    async def deliver(self, held: Lease, cursor: Cursor) -> bool:
        facts = await outbox.facts_after(self._db, cursor, limit=BATCH)
        if not facts:
            return False
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for fact in facts:
                    message = orjson.dumps(envelope(fact))
                    pipe.publish(f"events:{fact.stream_type}", message)
                    pipe.publish(f"events:{fact.stream_type}:{fact.stream_id}", message)
                await pipe.execute()
            for copies in self._copies:
                await copies.follow(facts)
        except (RedisError, OSError, TimeoutError) as error:
            raise SinkUnavailable(f"Redis does not answer: {type(error).__name__}") from error
        await self._advance(held, facts[-1].cursor, len(facts))
        return True


class PermissionsSink(Sink):
    """Exported facts to the Entity Permissions Core, one by one and in order."""

    name = "epc"

    def __init__(self, db: Database, holder: str, client: EntityPermissionsClient) -> None:
        super().__init__(db, holder)
        self._client = client
        self._exported = {name for name, fact in FACTS.items() if fact.spec.exported}

    async def deliver(self, held: Lease, cursor: Cursor) -> bool:
        """Tell one after the other, for as long as the lease is surely ours. What was told stays told when
        the next one fails."""
        facts = await outbox.facts_after(self._db, cursor, limit=BATCH)
        if not facts:
            return False
        until = time.monotonic() + LEASE_S / 2
        delivered, trouble = 0, None
        for fact in facts:
            try:
                await self._tell(fact)
            except Unavailable as error:
                trouble = error
                break
            delivered += 1
            if time.monotonic() > until:
                break
        if delivered:
            await self._advance(held, facts[delivered - 1].cursor, delivered)
        if trouble is not None:
            raise trouble
        return True

    async def _tell(self, fact: StoredFact) -> None:
        if fact.event_type not in self._exported:
            return
        try:
            await self._client.publish(fact)
        except PublicationRefused as refusal:
            # It will never take this one; the others must not wait for it.
            log.error("publication_refused", event_id=str(fact.event_id), error=str(refusal))


class Sweeper:
    """Finds jobs that are not done and that BullMQ has lost or given up, and hands them over again."""

    def __init__(self, db: Database, holder: str, jobs: JobSink, queues: dict[str, JobQueue]) -> None:
        self._db = db
        self._keeper = Keeper(db, "relay-sweeper", holder, LEASE_S)
        self._jobs = jobs
        self._queues = queues
        self._after = 0

    async def release(self) -> None:
        """Let a successor begin at once."""
        await self._keeper.release()

    async def step(self) -> bool:
        """Look at the next page of unfinished jobs; `True` while there are more, then from the start again."""
        if await self._keeper.hold() is None:
            return False
        stale = await outbox.unfinished_jobs(
            self._db, older_than_s=SWEEP_AFTER_S, after=self._after, limit=SWEEP_BATCH
        )
        self._after = stale[-1].cursor.position if len(stale) == SWEEP_BATCH else 0
        by_queue: dict[str, list[StoredJob]] = defaultdict(list)
        for job in stale:
            by_queue[job.queue].append(job)
        try:
            for name, jobs in by_queue.items():
                if (queue := self._queues.get(name)) is not None:
                    await self._sweep(queue, jobs)
        except (RedisError, OSError, TimeoutError) as error:
            raise SinkUnavailable(f"Redis does not answer: {type(error).__name__}") from error
        return self._after > 0

    async def _sweep(self, queue: JobQueue, jobs: list[StoredJob]) -> None:
        known = await queue.which_exist(job.job_id for job in jobs)
        lost = [job for job in jobs if job.job_id not in known]
        if lost:
            log.warning(
                "jobs_swept", queue=queue.name, jobs=[job.job_id for job in lost[:20]], count=len(lost)
            )
            await self._jobs.hand_over(lost)
        for job in jobs:
            if job.job_id in known and await queue.job_state(job.job_id) is JobState.FAILED:
                # BullMQ gave it up (its worker died too often) before our record said so.
                log.warning("job_retried", queue=queue.name, job_id=job.job_id)
                await queue.retry(job.job_id)


def envelope(fact: StoredFact) -> dict[str, object]:
    """A fact as it travels on the live channels."""
    return {
        "eventId": str(fact.event_id),
        "eventType": fact.event_type,
        "version": fact.version,
        "audience": FACTS[fact.event_type].spec.audience.value if fact.event_type in FACTS else "operators",
        "timestamp": to_wire(fact.occurred_at),
        "streamId": str(fact.stream_id),
        "seq": fact.seq,
        "actorId": str(fact.actor_id) if fact.actor_id else None,
        "actorType": fact.actor_type,
        "correlationId": fact.correlation_id,
        "payload": fact.payload,
    }


async def run(sinks: Sequence[Sink], sweeper: Sweeper, stopping: asyncio.Event) -> None:
    """Serve all sinks until stopped."""
    async with asyncio.TaskGroup() as group:
        for sink in sinks:
            group.create_task(repeat(f"relay-{sink.name}", stopping, sink.step, busy_s=BUSY_S, idle_s=IDLE_S))
        group.create_task(repeat("sweeper", stopping, sweeper.step, busy_s=IDLE_S, idle_s=SWEEP_S))
