"""BullMQ for the house: a worker without the defects of the stock one, and the front door to queues.

`HardenedWorker` replaces the loop of bullmq 3.4.4, a version that is pinned exactly. Comments number the
defects they repair (2.1 to 2.8) as `tests/infra/bullmq` does, which has a test for each. Redis may lose
everything at any moment and a job may run twice: outbox, sweeper and idempotent handlers are the business
of others, not of this file.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

import structlog
from bullmq import UnrecoverableError, Worker
from bullmq.timer import Timer
from redis.asyncio import Redis

from deedbook.infra.bullmq_client import (
    Backoff,
    Deduplication,
    Delivery,
    JobQueue,
    JobState,
    NewJob,
    backoff_strategy,
    connect,
    delivery_of,
    is_final_attempt,
    open_queue,
)

__all__ = [
    "Backoff",
    "Deduplication",
    "Delivery",
    "HardenedWorker",
    "JobQueue",
    "JobState",
    "NewJob",
    "RateLimit",
    "UnrecoverableError",
    "WorkerSettings",
    "connect",
    "is_final_attempt",
    "open_queue",
]

T = TypeVar("T")
log = structlog.get_logger(__name__)

# How long handlers that were cancelled may take to clean up before a worker ends without them.
ABANDON_S = 5.0


Handler = Callable[[Delivery], Awaitable[object]]
FailureListener = Callable[[Delivery, Exception], None]


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `jobs` started in each `window_ms`, over all workers of the queue."""

    jobs: int
    window_ms: int = 1000


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """How a worker works. The defaults bring a killed worker's job back within about 20 s.

    `max_stalled` is how often a job may lose its worker before it fails for good; BullMQ's 1 turns two
    crashes into a lost job. `idle_poll_s` is how long a worker sleeps when no wake-up comes.
    """

    concurrency: int = 1
    limit: RateLimit | None = None
    lock_ms: int = 10_000
    stalled_check_ms: int = 5_000
    max_stalled: int = 20
    idle_poll_s: float = 5.0
    reconnect_ms: int = 300
    keep_completed: int = 1000
    keep_failed: int = 5000
    metric_points: int = 120

    def __post_init__(self) -> None:
        assert self.concurrency >= 1
        assert self.idle_poll_s <= 10, "the client's socket timeout only allows for 10 s"

    def as_options(self, client: Redis) -> dict[str, Any]:
        """The options of the stock worker."""
        return {
            "connection": client,
            "autorun": False,
            "concurrency": self.concurrency,
            "limiter": self.limit and {"max": self.limit.jobs, "duration": self.limit.window_ms},
            "lockDuration": self.lock_ms,
            "stalledInterval": self.stalled_check_ms,
            "maxStalledCount": self.max_stalled,
            "drainDelay": self.idle_poll_s,
            "runRetryDelay": self.reconnect_ms,
            "removeOnComplete": {"count": self.keep_completed},
            "removeOnFail": {"count": self.keep_failed},
            "metrics": {"maxDataPoints": self.metric_points},
            "settings": {"backoffStrategy": backoff_strategy},
        }


class HardenedWorker(Worker):  # type: ignore[misc]  # the library has no types
    """Runs a handler for the jobs of a queue: one fetcher, up to `concurrency` jobs, an orderly end.

    It starts at once and outlives its server: while that is down it asks again a few times a second. Await
    `run_task` to learn of its end; it ends early only by a bug or a misconfigured server.
    """

    running: bool
    closing: bool
    paused: bool
    waiting: asyncio.Future[Any] | None
    processing: set[asyncio.Task[None]]

    def __init__(
        self,
        name: str,
        handler: Handler,
        client: Redis,
        settings: WorkerSettings | None = None,
        *,
        autorun: bool = True,
    ) -> None:
        timeout_s = client.connection_pool.connection_kwargs.get("socket_timeout")
        assert timeout_s is None or timeout_s > 10, "a worker's client must outlast its longest wait (2.1)"
        self._settings = settings or WorkerSettings()
        super().__init__(name, None, self._settings.as_options(client))
        self._handler = handler
        self._failure_listeners: list[FailureListener] = []
        self._slots = asyncio.Semaphore(self._settings.concurrency)
        self._tokens = count(1)
        self._fetching = asyncio.Lock()
        self._limited_until_s = 0.0
        self._server_away = False
        self._dispatcher: asyncio.Task[None] | None = None
        self._stopped = asyncio.Event()
        self.on("error", self._log_error)
        self.run_task = asyncio.create_task(self.run(), name=f"worker:{name}") if autorun else None

    # --- The loop. Stock starts `concurrency` fetchers that all wake for each job (2.5), gives them one lock
    # --- token through a closure over the loop variable (2.7), and stops renewing locks when it closes (2.6).

    async def run(self) -> None:
        """Work until `close`. Returns when every job that was taken is finished and reported."""
        assert not self.running, "this worker runs already"
        if self.closing:
            return
        self.running = True
        self._dispatcher = asyncio.create_task(self._dispatch())
        try:
            await asyncio.wait({self._dispatcher})
        finally:
            await self._end()
        if not self._dispatcher.cancelled() and (error := self._dispatcher.exception()):
            self.emit("error", error)
            raise error

    async def _dispatch(self) -> None:
        await self._until_ready()
        self.lockManager.start()
        self.stalledCheckTimer = Timer(
            self._settings.stalled_check_ms / 1000, self.runStalledJobsCheck, self.emit
        )
        while not self.closing:
            await self.resume_event.wait()
            await self._slots.acquire()
            job = await self._fetch()
            if job is None:
                self._slots.release()
            else:
                self._start(job)
        while self.processing and not self.forceClosing:
            await asyncio.wait(self.processing)

    def _start(self, job: Any) -> None:
        task = asyncio.create_task(self._work(job))
        self.processing.add(task)
        task.add_done_callback(self._finished)

    async def _work(self, job: Any) -> None:
        """One job, and then the jobs that came back with the report of the one before."""
        following = await self.processJob(job, job.token)
        while following is not None:
            self.emit("active", following, "waiting")
            following = await self.processJob(following, following.token)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self.processing.discard(task)
        self._slots.release()
        if not task.cancelled() and (error := task.exception()):
            self.emit("error", error)

    async def _end(self) -> None:
        await self._abandon()
        if timer := getattr(self, "stalledCheckTimer", None):
            timer.stop()
        await self.lockManager.close()
        self.running = False
        self._stopped.set()

    async def _abandon(self) -> None:
        """Cancel what still runs; its locks expire and another worker does it again."""
        give_up_at = time.monotonic() + ABANDON_S
        while time.monotonic() < give_up_at:
            rest = {task for task in (self._dispatcher, *self.processing) if task and not task.done()}
            if not rest:
                return
            for task in rest:
                task.cancel()
            await asyncio.wait(rest, timeout=1.0)
        log.error("worker_left_handlers_behind", queue=self.name, handlers=len(self.processing))

    async def _until_ready(self) -> None:
        # Stock never asks for the server's version and then rounds every wait up to whole seconds (2.4).
        while not self.closing:
            try:
                await self.redisConnection.getRedisVersion()
                await self.blockingRedisConnection.getRedisVersion()
                await self._ensure_client_names()
                return
            except Exception as error:
                if not self.isConnectionError(error):
                    raise
                await self._sit_out(error)

    # --- Taking jobs

    async def _fetch(self) -> Any:
        async with self._fetching:
            try:
                job = await self.getNextJob(f"{self.id}:{next(self._tokens)}")
            except asyncio.CancelledError:
                if self._is_cancelled():
                    raise
                return None  # only the sleep was cancelled, by a `pause` that is over already
            except Exception as error:
                await self._sit_out(error)
                return None
            self._server_away = False
            return job

    async def getNextJob(self, token: str) -> Any:  # noqa: N802 - overrides the library
        """The next job, or `None` when there is nothing to take yet or any more."""
        await self._await_limit()
        if self.closing or self.paused:
            return None
        try:
            return await super().getNextJob(token)
        except BaseException:
            # The wake-up may have been consumed by the call that failed: ask next time, do not wait for it.
            self.drained = False
            raise

    async def _await_limit(self) -> None:
        # Stock is told when the limit ends, forgets it, and sleeps for drainDelay: 4 jobs/s under a limit
        # of 20 (2.2).
        wait_s = self._limited_until_s - time.monotonic()
        if wait_s > 0:
            await self._nap(wait_s)
            self.drained = False

    async def _nap(self, seconds: float) -> None:
        """Sleep in the place that `close` and `pause` cancel."""
        self.waiting = asyncio.ensure_future(asyncio.sleep(seconds))
        try:
            await asyncio.wait({self.waiting})
        finally:
            self.waiting.cancel()
            self.waiting = None

    def _tell_trouble(self, error: Exception) -> None:
        # An outage is told once, not at every try; anything else is told every time.
        away = self.isConnectionError(error)
        if not (away and self._server_away):
            self.emit("error", error)
        self._server_away = away

    async def _sit_out(self, error: Exception) -> None:
        self._tell_trouble(error)
        if not self.closing:
            await self._nap(self._settings.reconnect_ms / 1000)

    async def nextJobFromJobData(  # noqa: N802 - overrides the library
        self,
        job_data: dict[str, str] | None = None,
        job_id: str | None = None,
        limit_until: int | None = 0,
        delay_until: int | None = 0,
        token: str | None = None,
    ) -> Any:
        """Make a job of the server's answer and remember what it says about waiting."""
        limit_ms, delay_until_ms = int(limit_until or 0), int(delay_until or 0)
        if not job_data and limit_ms > 0:
            self._limited_until_s = time.monotonic() + (limit_ms + 1) / 1000
        return await super().nextJobFromJobData(job_data, job_id, limit_ms, delay_until_ms, token)

    # --- Running and reporting one job

    async def processJob(self, job: Any, token: str) -> Any:  # noqa: N802 - overrides the library
        """Run the handler, report, and return the job that the report brought back, if any."""
        for option in ("removeOnComplete", "removeOnFail"):
            job.opts.setdefault(option, self.opts[option])
        self.jobs.add((job, token))
        self.lockManager.track_job(job.id, token, int(time.time() * 1000))
        try:
            return await self._attempt(job, token)
        except Exception as error:
            # The outcome could not be reported: lock lost, job gone, server away. It stays as it is, and if
            # it is still ours in Redis the stalled check gives it to somebody.
            self.emit("error", error)
            return None
        finally:
            self.jobs.discard((job, token))
            self._untrack(job.id, token)

    def _untrack(self, job_id: str, token: str) -> None:
        # If we lost the job and took it again under a new token, the new lock must go on being renewed.
        if self.lockManager.tracked_jobs.get(job_id, {}).get("token") == token:
            self.lockManager.untrack_job(job_id)

    async def _attempt(self, job: Any, token: str) -> Any:
        delivery = delivery_of(job)
        try:
            if job.deferredFailure:
                raise UnrecoverableError(job.deferredFailure)
            result = await self._handler(delivery)
            json.dumps(result, allow_nan=False)  # a result that cannot be stored is the handler's failure
        except asyncio.CancelledError:
            if self._is_cancelled():
                raise
            # The handler let the cancellation of something it awaited escape. Stock's loop dies of this.
            return await self._failed(job, token, delivery, RuntimeError("the handler was cancelled"))
        except Exception as error:
            return await self._failed(job, token, delivery, error)
        return await self._completed(job, token, result)

    def _is_cancelled(self) -> bool:
        task = asyncio.current_task()
        return self.forceClosing or (task is not None and task.cancelling() > 0)

    async def _completed(self, job: Any, token: str, result: object) -> Any:
        # Stock asks for nothing in return: one more round trip for each job, and under a global concurrency
        # limit nobody is woken for the next one (2.3).
        asked = self._wants_more()
        report = await self._persist(
            lambda: self.backend.moveToCompleted(job, result, job.opts["removeOnComplete"], token, asked)
        )
        job.returnvalue = result
        job.attemptsMade += 1
        self.emit("completed", job, result)
        return await self._following(report["result"] if asked else None, token)

    async def _failed(self, job: Any, token: str, delivery: Delivery, error: Exception) -> Any:
        asked = self._wants_more()
        traces = list(job.stacktrace)

        async def report() -> Any:
            job.stacktrace = list(traces)  # each try appends the current one
            return await job.moveToFailed(error, token, asked)

        answer = await self._persist(report)
        self.emit("failed", job, error)
        for listener in self._failure_listeners:
            self._tell(listener, delivery, error)
        return await self._following(answer if asked else None, token)

    def _wants_more(self) -> bool:
        return not (self.closing or self.paused)

    async def _persist(self, write: Callable[[], Awaitable[T]]) -> T:
        """Repeat a report over a short outage, so that finished work is not done again."""
        give_up_at = time.monotonic() + self._settings.lock_ms / 1000
        while True:
            try:
                return await write()
            except Exception as error:
                if not self.isConnectionError(error) or time.monotonic() > give_up_at:
                    raise
                self._tell_trouble(error)
            await asyncio.sleep(self._settings.reconnect_ms / 1000)

    async def _following(self, answer: list[Any] | None, token: str) -> Any:
        if answer is None:
            await self._ring()  # we did not look: another worker may sleep beside a job
            return None
        data, job_id, limit_until, delay_until = answer
        job = await self.nextJobFromJobData(data, job_id, limit_until, delay_until, token)
        if job is None and limit_until:
            await (
                self._ring()
            )  # our own fetcher may sleep, and does not know that a limit is what we wait for
        return job

    async def _ring(self) -> None:
        """Wake one sleeping worker of this queue; a needless ring costs it one empty look."""
        try:
            async with asyncio.timeout(1.0):
                await self.client.zadd(self.keys["marker"], {"0": 0})
        except Exception as error:
            self.emit("error", error)

    # --- Ending and telling

    async def _wake(self) -> None:
        """End the fetcher's sleep. One `cancel` may be lost: before Python 3.12 `wait_for`, which redis-py
        uses for sending, swallows it when it comes in the moment of success."""
        while (sleep := self.waiting) and not sleep.done():
            sleep.cancel()
            await asyncio.wait({sleep}, timeout=0.05)

    async def pause(self, do_not_wait_active: bool = False) -> None:
        """Take no more jobs; returns when those taken are finished, unless told not to wait."""
        self.paused = True
        self.resume_event.clear()
        await self._wake()
        async with self._fetching:
            pass  # what is being fetched now is among `processing` after this
        while self.processing and not do_not_wait_active:
            await asyncio.wait(self.processing)
        self.emit("paused")

    async def close(self, force: bool = False, *, grace_s: float = 30.0) -> None:
        """Take no more jobs, finish and report those taken, hang up. `force`, or `grace_s`, drops them.

        Stock leaves jobs that were fetched but not begun in `active` until they count as stalled, and lets
        the locks of running ones expire (2.6).
        """
        self.closing = True
        self.paused = False
        self.resume_event.set()
        await self._wake()
        if self.running and not (force or await self._stops_within(grace_s)):
            force = True
        if self.running and self._dispatcher:
            self.forceClosing = True
            self._dispatcher.cancel()
            await self._stopped.wait()
        if not self.closed:
            await self._ring()  # a wake-up may have reached us while we hung up
            await super().close(force)

    async def _stops_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._stopped.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def on_failure(self, listener: FailureListener) -> None:
        """Call this after each failed attempt; `is_final_attempt(job, error)` tells if it was the last."""
        self._failure_listeners.append(listener)

    def emit(self, event_name: str, *args: Any, **kwargs: Any) -> None:
        """Tell the listeners. Stock lets a listener's exception fail the job or stop the stalled check."""
        for listener in self._callbacks.get(event_name, ()):
            self._tell(listener, *args, **kwargs)

    def _tell(self, listener: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        try:
            listener(*args, **kwargs)
        except Exception:
            log.exception("worker_listener_failed", queue=self.name)

    def _log_error(self, error: BaseException, *_: object) -> None:
        log.warning("worker_error", queue=self.name, error=repr(error))
