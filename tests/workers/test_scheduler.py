"""The scheduler: the schedule lives in Redis only, so it is said again and again, and slots do not drift by it."""

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from deedbook.infra.bullmq import Delivery, HardenedWorker, JobQueue, WorkerSettings, connect, open_queue
from deedbook.infra.embedded import EmbeddedValkey
from deedbook.kernel.jobs import HOUSEKEEPING, LIFECYCLE, HandlerSpec, Job, JobKind
from deedbook.workers.scheduler import Scheduler, SchedulerUnavailable
from tests.support.waiting import eventually


async def _nothing(_: Any, job: Job) -> None:
    del job


TICK = HandlerSpec(JobKind("tick", HOUSEKEEPING), _nothing, every_s=1)
POLL = HandlerSpec(JobKind("poll", LIFECYCLE), _nothing, every_s=10)
CALLED = HandlerSpec(JobKind("called", LIFECYCLE), _nothing)


async def test_schedules_stand_again_when_redis_was_emptied(
    queues: dict[str, JobQueue], redis: Redis
) -> None:
    scheduler = Scheduler(queues, [TICK, POLL, CALLED])
    for _ in range(2):
        assert await scheduler.step() is False
        assert await queues["housekeeping"].scheduler_ids() == {"tick"}
        assert await queues["market-lifecycle"].scheduler_ids() == {"poll"}
        await redis.flushall()
        assert await queues["housekeeping"].scheduler_ids() == set()


async def test_job_runs_once_in_each_slot_when_the_schedule_is_said_all_the_time(
    queues: dict[str, JobQueue], valkey: EmbeddedValkey
) -> None:
    slots: list[str] = []

    async def note(job: Delivery) -> None:
        slots.append(job.job_id)

    scheduler = Scheduler(queues, [TICK])
    worker = HardenedWorker("housekeeping", note, connect(valkey.url()), WorkerSettings())
    began = time.monotonic()

    async def four_have_run() -> bool:
        await asyncio.gather(scheduler.step(), scheduler.step())
        return len(slots) >= 4

    await eventually(four_have_run, "the job has run four times", within_s=20, every_s=0.1)
    await worker.close()
    assert len(slots) <= time.monotonic() - began + 1, "a slot is a second"
    assert len(set(slots)) == len(slots)


async def test_schedule_runs_again_when_its_next_job_was_lost(
    queues: dict[str, JobQueue], redis: Redis, valkey: EmbeddedValkey
) -> None:
    """The schedule itself still stands, which is why looking for it is not enough."""
    runs: list[str] = []

    async def note(job: Delivery) -> None:
        runs.append(job.job_id)

    scheduler = Scheduler(queues, [TICK])
    await scheduler.step()
    for job_id in await redis.zrange("bull:housekeeping:delayed", 0, -1):
        await redis.delete(f"bull:housekeeping:{job_id!s}")
    await redis.delete("bull:housekeeping:delayed")
    worker = HardenedWorker("housekeeping", note, connect(valkey.url()), WorkerSettings())
    await asyncio.sleep(1.5)
    assert runs == []
    await scheduler.step()

    async def has_run() -> bool:
        return bool(runs)

    await eventually(has_run, "the job runs again")
    await worker.close()


async def test_pace_follows_the_code_when_it_was_changed(queues: dict[str, JobQueue], redis: Redis) -> None:
    await Scheduler(queues, [replace(TICK, every_s=3600)]).step()
    await Scheduler(queues, [TICK]).step()
    assert await redis.hget("bull:housekeeping:repeat:tick", "every") == "1000"


async def test_schedule_is_taken_back_when_nobody_handles_it_any_more(queues: dict[str, JobQueue]) -> None:
    """As when polling is switched off: its job would be parked in every slot."""
    await Scheduler(queues, [TICK, POLL]).step()
    await Scheduler(queues, [TICK]).step()
    assert await queues["market-lifecycle"].scheduler_ids() == set()
    assert await queues["housekeeping"].scheduler_ids() == {"tick"}


async def test_scheduler_says_so_when_redis_is_down() -> None:
    client = connect("redis://127.0.0.1:1/0")
    scheduler = Scheduler({"housekeeping": open_queue("housekeeping", client)}, [TICK])
    with pytest.raises(SchedulerUnavailable):
        await scheduler.step()
    await client.aclose()
