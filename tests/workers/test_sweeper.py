"""The sweeper: jobs that Redis lost come back, and nothing runs twice for it."""

import pytest
from redis.asyncio import Redis

from deedbook.infra.bullmq import (
    HardenedWorker,
    JobQueue,
    JobState,
    WorkerSettings,
    connect,
    open_queue,
)
from deedbook.infra.database import Database
from deedbook.infra.embedded import EmbeddedValkey
from deedbook.kernel.jobs import QUEUES
from deedbook.workers import relay
from deedbook.workers.relay import JobSink, SinkUnavailable, Sweeper
from tests.support.delivery import drain, ran, runner
from tests.support.facts import ask
from tests.support.waiting import eventually


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "SWEEP_AFTER_S", 0.0)


@pytest.mark.usefixtures("_at_once")
async def test_jobs_come_back_when_redis_was_emptied(
    db: Database, redis: Redis, queues: dict[str, JobQueue]
) -> None:
    await ask(db, "lost", "done")
    sink = JobSink(db, "a", queues, 3)
    await drain(sink)
    async with db.transaction() as tx:
        await tx.execute("UPDATE jobs SET status = 'done' WHERE job_id = 'done'")
    await redis.flushall()
    await Sweeper(db, "a", sink, queues).step()
    assert await queues["housekeeping"].job_state("lost") is JobState.WAITING
    assert await queues["housekeeping"].job_state("done") is None


@pytest.mark.usefixtures("_at_once")
async def test_job_is_not_added_twice_when_bullmq_still_has_it(
    db: Database, queues: dict[str, JobQueue]
) -> None:
    await ask(db, "job")
    sink = JobSink(db, "a", queues, 3)
    await drain(sink)
    for _ in range(3):
        await Sweeper(db, "a", sink, queues).step()
    assert (await queues["housekeeping"].counts())[JobState.WAITING] == 1


@pytest.mark.usefixtures("_at_once")
async def test_job_is_retried_when_bullmq_gave_it_up_and_we_did_not(
    db: Database, queues: dict[str, JobQueue], valkey: EmbeddedValkey
) -> None:
    """Its worker died too often, or the database was away at the last attempt."""
    await ask(db, "job")
    runs, run = runner(fails=1)
    sink = JobSink(db, "a", queues, 1)
    await drain(sink)
    worker = HardenedWorker("housekeeping", run, connect(valkey.url()), WorkerSettings())

    async def given_up() -> bool:
        return await queues["housekeeping"].job_state("job") is JobState.FAILED

    await eventually(given_up, "BullMQ gave it up")
    sweeper = Sweeper(db, "a", sink, queues)
    await sweeper.step()
    await eventually(ran(runs, 2), "it runs again")
    await worker.close()


@pytest.mark.usefixtures("_at_once")
async def test_lost_job_is_found_when_many_others_wait_before_it(
    db: Database, redis: Redis, queues: dict[str, JobQueue], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page is not the whole list: jobs that only wait their turn must not hide one that is lost."""
    monkeypatch.setattr(relay, "SWEEP_BATCH", 10)
    sink = JobSink(db, "a", queues, 3)
    await ask(db, *(f"waits-{number}" for number in range(25)))
    await ask(db, "lost")
    await drain(sink)
    await redis.delete("bull:housekeeping:lost")
    await redis.lrem("bull:housekeeping:wait", 0, "lost")
    sweeper = Sweeper(db, "a", sink, queues)
    assert [await sweeper.step() for _ in range(3)] == [True, True, False]
    assert await queues["housekeeping"].job_state("lost") is JobState.WAITING


async def test_young_job_is_left_to_the_relay(db: Database, queues: dict[str, JobQueue]) -> None:
    await ask(db, "young")
    await Sweeper(db, "a", JobSink(db, "a", queues, 3), queues).step()
    assert await queues["housekeeping"].job_state("young") is None


async def test_sweeper_waits_when_redis_is_down(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "SWEEP_AFTER_S", 0.0)
    away = connect("redis://127.0.0.1:1/0")
    lost = {spec.name: open_queue(spec.name, away) for spec in QUEUES}
    await ask(db, "job")
    with pytest.raises(SinkUnavailable):
        await Sweeper(db, "a", JobSink(db, "a", lost, 3), lost).step()
    await away.aclose()
