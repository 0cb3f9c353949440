"""The scheduler: keeps the clock's jobs on BullMQ's schedule. They live in Redis only, so it says them again."""

import structlog
from redis.exceptions import RedisError

from deedbook.infra.bullmq_client import Backoff, JobQueue
from deedbook.kernel.errors import Unavailable
from deedbook.kernel.jobs import HandlerSpec

log = structlog.get_logger(__name__)

REPEAT_S = 5.0


class SchedulerUnavailable(Unavailable):
    code, title = "scheduler_unavailable", "The schedule cannot be written"


class Scheduler:
    """Writes the schedule of all `@every` handlers. Any number may run."""

    def __init__(self, queues: dict[str, JobQueue], handlers: list[HandlerSpec]) -> None:
        self._queues = queues
        self._handlers = [handler for handler in handlers if handler.every_s is not None]

    async def step(self) -> bool:
        """Make sure that each schedule stands. Safe to repeat; slots do not drift by it."""
        try:
            by_queue = {handler.kind.queue.name for handler in self._handlers}
            standing = {name: await self._queues[name].scheduler_ids() for name in by_queue}
            for handler in self._handlers:
                if handler.kind.name not in standing[handler.kind.queue.name]:
                    await self._schedule(handler)
        except (RedisError, OSError, TimeoutError) as error:
            raise SchedulerUnavailable(f"Redis does not answer: {type(error).__name__}") from error
        return False

    async def _schedule(self, handler: HandlerSpec) -> None:
        assert handler.every_s is not None
        # One attempt: the next slot is the retry, and a backlog of old slots helps nobody.
        await self._queues[handler.kind.queue.name].upsert_scheduler(
            handler.kind.name,
            handler.every_s * 1000,
            handler.kind.name,
            {},
            attempts=1,
            backoff=Backoff(),
            keep=20,
        )
        log.info("scheduled", job=handler.kind.name, every_s=handler.every_s)
