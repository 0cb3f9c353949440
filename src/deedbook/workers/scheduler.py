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
        """Say the whole schedule, and take back what nobody handles any more.

        Every schedule is said again, standing or not: one whose next job was lost stands and never runs.
        """
        try:
            for name, queue in self._queues.items():
                ours = [handler for handler in self._handlers if handler.kind.queue.name == name]
                for handler in ours:
                    await self._schedule(queue, handler)
                for orphan in await queue.scheduler_ids() - {handler.kind.name for handler in ours}:
                    await queue.remove_scheduler(orphan)
                    log.warning("schedule_removed", queue=name, schedule=orphan)
        except (RedisError, OSError, TimeoutError) as error:
            raise SchedulerUnavailable(f"Redis does not answer: {type(error).__name__}") from error
        return False

    async def _schedule(self, queue: JobQueue, handler: HandlerSpec) -> None:
        assert handler.every_s is not None
        # One attempt: the next slot is the retry, and a backlog of old slots helps nobody.
        await queue.upsert_scheduler(
            handler.kind.name,
            handler.every_s * 1000,
            handler.kind.name,
            {},
            attempts=1,
            backoff=Backoff(),
            keep=20,
        )
