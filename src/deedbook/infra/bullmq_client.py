"""The producing half of our BullMQ wall: one Redis client, and queues with types.

The library is untyped and its own clients hang while the server is away; nothing outside `infra.bullmq` and
this file speaks its words. The working half is `infra.bullmq`. This file knows no queue of the house.
"""

import json
import random
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import hiredis
from bullmq import Job as BullJob
from bullmq import Queue, UnrecoverableError
from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff

from deedbook.kernel.jobs import Job

# A worker blocks in BZPOPMIN for up to 10 s. redis-py 8 gives up after 5 s unless told otherwise, and then
# retries for minutes inside one call: idle workers go deaf.
BLOCKING_TIMEOUT_S = 15.0
CONNECT_TIMEOUT_S = 1.0
POOL_TIMEOUT_S = 5.0
MAX_CONNECTIONS = 50
KEYS_PER_ROUND_TRIP = 1000

FULL_JITTER = "full-jitter"
"""The name of our backoff on the wire. BullMQ's own `exponential` ignores jitter in Python."""

LOWEST_PRIORITY = 2_097_152


def connect(
    url: str,
    *,
    password: str | None = None,
    tls: bool = False,
    timeout_s: float = BLOCKING_TIMEOUT_S,
    max_connections: int = MAX_CONNECTIONS,
) -> Redis:
    """A client for `redis[s]://` and `valkey[s]://` URLs that fails soon when the server is down.

    `password` and `tls` win over the URL. Commands are tried four times within about half a second (2 s for
    one in flight when the server dies), so one may reach the server twice: give every job an id. A worker
    needs `timeout_s` above 10; a producer may ask for less, which bounds each try at a frozen (not dead)
    server. When all connections are busy a caller waits for one instead of being refused. Nothing is opened
    until the first command.
    """
    options: dict[str, Any] = {"connection_class": _Plain, **parse_url(_redis_scheme(url))}
    if password:
        options["password"] = password
    if tls or options["connection_class"] is SSLConnection:
        options["connection_class"] = _Encrypted
    pool = BlockingConnectionPool(
        **options,
        decode_responses=True,
        max_connections=max_connections,
        timeout=POOL_TIMEOUT_S,
        socket_timeout=timeout_s,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        socket_keepalive=True,
        retry=Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.2), 3),
    )
    return Redis.from_pool(pool)


class _PackedInC:
    """What is sent is put together by hiredis; redis-py's own loop over every word costs ten times as much."""

    def pack_command(self, *words: Any) -> list[bytes]:
        # A command of two words, such as CONFIG GET, comes as one.
        return [hiredis.pack_command((*words[0].split(), *words[1:]))]

    def pack_commands(self, commands: Iterable[Iterable[Any]]) -> list[bytes]:
        return [b"".join([self.pack_command(*words)[0] for words in commands])]


class _Plain(_PackedInC, Connection):
    pass


class _Encrypted(_PackedInC, SSLConnection):
    pass


def _redis_scheme(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return {"valkey": "redis", "valkeys": "rediss"}.get(scheme, scheme) + separator + rest


class JobState(StrEnum):
    """Where BullMQ keeps a job."""

    WAITING = "waiting"
    PRIORITIZED = "prioritized"
    DELAYED = "delayed"
    ACTIVE = "active"
    COMPLETED = "completed"
    FAILED = "failed"
    WAITING_CHILDREN = "waiting-children"


@dataclass(frozen=True, slots=True)
class Backoff:
    """Wait a random time up to `base_ms`, then up to twice that, four times that … never above `cap_ms`."""

    base_ms: int = 1000
    cap_ms: int = 60_000

    def ceiling_ms(self, attempts_made: int) -> int:
        """The longest wait after this many attempts."""
        doublings = min(max(attempts_made - 1, 0), 32)  # keeps the number small; no cap is beyond 2**32 bases
        return min(self.cap_ms, self.base_ms << doublings)

    def delay_ms(self, attempts_made: int, draw: float) -> int:
        """The wait for a draw from [0, 1). Not 0, which BullMQ takes for "at once"."""
        return max(1, int(self.ceiling_ms(attempts_made) * draw))

    def as_option(self) -> dict[str, object]:
        """How it travels with the job."""
        return {"type": FULL_JITTER, "delay": self.base_ms, "cap": self.cap_ms}


def backoff_strategy(attempts_made: int, _kind: str, _error: Exception, job: Any) -> int:
    """BullMQ's hook for every backoff it does not know by name, ours among them."""
    told = job.opts.get("backoff") or {}
    ours = Backoff()
    backoff = Backoff(int(told.get("delay") or ours.base_ms), int(told.get("cap") or ours.cap_ms))
    return backoff.delay_ms(attempts_made, random.random())  # noqa: S311 - spreads load, hides nothing


@dataclass(frozen=True, slots=True)
class Deduplication:
    """One waiting job for each `key`.

    `keep_last_if_active` runs once more when a job arrives while its twin runs; without it that arrival is
    lost, which for a doorbell is a lost wake-up. A waiting job keeps its first priority.
    """

    key: str
    keep_last_if_active: bool = False
    ttl_ms: int | None = None

    def as_option(self) -> dict[str, object]:
        """How BullMQ wants to hear it."""
        option: dict[str, object] = {"id": self.key}
        if self.keep_last_if_active:
            option["keepLastIfActive"] = True
        if self.ttl_ms is not None:
            option["ttl"] = self.ttl_ms
        return option


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be added. The id makes a second arrival harmless for as long as BullMQ keeps the first.

    Jobs without a priority (0) overtake all jobs that have one: in a queue give it to all or to none.
    `trace` is the carrier of correlation id and traceparent; `keep` says how many completed ones to keep.
    """

    name: str
    data: Mapping[str, object]
    job_id: str | None = None
    priority: int = 0
    delay_ms: int = 0
    attempts: int = 1
    backoff: Backoff = field(default_factory=Backoff)
    deduplication: Deduplication | None = None
    trace: Mapping[str, str] = field(default_factory=dict)
    keep: int | None = None

    def __post_init__(self) -> None:
        # Python takes such ids; the Node half of BullMQ (and its dashboard) does not.
        assert self.job_id is None or (":" not in self.job_id and not self.job_id.isdecimal()), self.job_id
        assert 0 <= self.priority <= LOWEST_PRIORITY, self.priority
        assert self.delay_ms >= 0, self.delay_ms
        assert self.attempts >= 1, self.attempts

    def options(self) -> dict[str, object]:
        """BullMQ's options, only those that say something."""
        options: dict[str, object] = {"attempts": self.attempts, "backoff": self.backoff.as_option()}
        said = {
            "jobId": self.job_id,
            "priority": self.priority,
            "delay": self.delay_ms,
            "deduplication": self.deduplication and self.deduplication.as_option(),
            "tm": json.dumps(dict(self.trace)) if self.trace else None,
        }
        options.update({name: value for name, value in said.items() if value})
        if self.keep is not None:
            options["removeOnComplete"] = {"count": self.keep}
        return options


@dataclass(frozen=True)
class Delivery(Job):
    """A job as BullMQ hands it over. `trace` is what the producer sent: traceparent and the like."""

    trace: Mapping[str, str] = field(default_factory=dict)
    priority: int = 0
    added_at_ms: int = 0


def is_final_attempt(job: Job, error: BaseException | None = None) -> bool:
    """Whether the job is done with when this attempt fails (by this error)."""
    return job.attempt >= job.attempts or isinstance(error, UnrecoverableError)


def delivery_of(job: Any) -> Delivery:
    """What the house sees of the library's job."""
    trace = _trace(job.opts.get("tm"))
    data = job.data if isinstance(job.data, dict) else {}
    return Delivery(
        job_id=str(job.id),
        name=str(job.name),
        data=data,
        attempt=job.attemptsMade + 1,
        attempts=max(1, int(job.opts.get("attempts") or 1)),
        correlation_id=trace.get("correlationId") or str(data.get("correlationId", "")),
        trace=trace,
        priority=job.priority,
        added_at_ms=job.timestamp,
    )


def _trace(carrier: object) -> dict[str, str]:
    """The carrier of a producer, which may be another program: what is not ours to read is no trace."""
    try:
        read = json.loads(carrier) if isinstance(carrier, str) else None
    except ValueError:
        read = None
    return {str(name): str(value) for name, value in read.items()} if isinstance(read, dict) else {}


class JobQueue:
    """A BullMQ queue as the house sees it: jobs in, counts and states out. Workers are elsewhere."""

    def __init__(self, name: str, client: Redis) -> None:
        self.name = name
        self._client = client
        self._queue = Queue(name, {"connection": client})

    async def add(
        self,
        name: str,
        data: Mapping[str, object],
        *,
        job_id: str | None = None,
        priority: int = 0,
        delay_ms: int = 0,
        attempts: int = 1,
        backoff: Backoff | None = None,
        deduplication: Deduplication | None = None,
        trace: Mapping[str, str] | None = None,
        keep: int | None = None,
    ) -> str:
        """Add one job and return its id; for one that was deduplicated, the id of the job in its place."""
        job = NewJob(
            name,
            data,
            job_id,
            priority,
            delay_ms,
            attempts,
            backoff or Backoff(),
            deduplication,
            trace or {},
            keep,
        )
        added = await self._queue.add(job.name, dict(job.data), job.options())
        return str(added.id)

    async def add_bulk(self, jobs: Sequence[NewJob]) -> list[str]:
        """Add many in one round trip, a third of the cost each. All or none: it is one MULTI."""
        if not jobs:
            return []
        bulk = [{"name": job.name, "data": dict(job.data), "opts": job.options()} for job in jobs]
        return [str(added.id) for added in await self._queue.addBulk(bulk)]

    async def job_state(self, job_id: str) -> JobState | None:
        """Where the job is, or `None` when Redis does not know it (never added, removed, or lost)."""
        state = await self._queue.getJobState(job_id)
        return None if state == "unknown" else JobState(state)

    async def which_exist(self, job_ids: Iterable[str]) -> set[str]:
        """Those of the jobs that Redis knows in any state, completed and failed included. For the sweeper."""
        wanted = list(dict.fromkeys(job_ids))
        found: set[str] = set()
        for start in range(0, len(wanted), KEYS_PER_ROUND_TRIP):
            part = wanted[start : start + KEYS_PER_ROUND_TRIP]
            async with self._client.pipeline(transaction=False) as pipe:
                for job_id in part:
                    pipe.exists(self._queue.toKey(job_id))
                answers = await pipe.execute()
            found.update(job_id for job_id, known in zip(part, answers, strict=True) if known)
        return found

    async def counts(self) -> dict[JobState, int]:
        """How many jobs are in each state."""
        counted = await self._queue.getJobCounts()
        return {JobState(state): int(count) for state, count in counted.items()}

    async def oldest_waiting_s(self) -> float:
        """How long the oldest waiting job has waited since it was added; 0 when none waits."""
        waiting = await self._queue.getJobs(["waiting", "prioritized"], 0, 0, True)
        now_ms = time.time() * 1000
        return max([0.0, *((now_ms - float(job.timestamp)) / 1000 for job in waiting)])

    async def upsert_scheduler(
        self,
        scheduler_id: str,
        every_ms: int,
        job_name: str,
        data: Mapping[str, object],
        *,
        attempts: int = 1,
        backoff: Backoff | None = None,
        keep: int | None = None,
    ) -> None:
        """Run a job at each multiple of `every_ms` on the clock, once however many workers there are.

        Safe to repeat, and it must be repeated now and then: the schedule lives in Redis only. Each job plans
        the next when a worker takes it, so while no worker runs there are no jobs to catch up with.
        """
        template = NewJob(job_name, data, attempts=attempts, backoff=backoff or Backoff(), keep=keep)
        # Without a start the slots count from the first call. Where the schedule exists, its slots stay.
        start_ms = (int(time.time() * 1000) // every_ms + 1) * every_ms
        slots = {"every": every_ms, "startDate": start_ms}
        await self._queue.upsertJobScheduler(scheduler_id, slots, job_name, dict(data), template.options())

    async def remove_scheduler(self, scheduler_id: str) -> bool:
        """Stop a schedule; false when there was none."""
        return bool(await self._queue.removeJobScheduler(scheduler_id) == 0)

    async def scheduler_ids(self) -> set[str]:
        """The schedules that Redis knows."""
        return {str(scheduler["key"]) for scheduler in await self._queue.getJobSchedulers()}

    async def retry(self, job_id: str) -> bool:
        """Give a failed job all its attempts again; false when it is not a failed job (any more)."""
        job = await BullJob.fromId(self._queue, job_id)
        if job is None:
            return False
        try:
            await job.retry("failed", {"resetAttemptsMade": True, "resetAttemptsStarted": True})
        except TypeError:  # how the library says that the job is gone or in another state
            return False
        return True

    async def limit_active(self, jobs: int | None) -> None:
        """At most this many jobs at once over all workers of the queue; `None` lifts the limit."""
        if jobs is None:
            await self._queue.removeGlobalConcurrency()
        else:
            await self._queue.setGlobalConcurrency(jobs)

    async def pause(self) -> None:
        """Let no worker take another job of this queue. Running jobs finish."""
        await self._queue.pause()

    async def resume(self) -> None:
        """Undo `pause`."""
        await self._queue.resume()

    async def close(self) -> None:
        """Close the client. Where queues share one, close only the last of them."""
        await self._queue.close()


def open_queue(name: str, client: Redis) -> JobQueue:
    """A queue over a client from `connect`. Queues may share a client; a worker wants its own."""
    return JobQueue(name, client)
