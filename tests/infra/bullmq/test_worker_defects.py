"""One test for each defect of the stock worker (bullmq 3.4.4) that ours repairs.

2.1 idle workers go deaf, 2.2 the limit is not used up, 2.3 global concurrency hands nothing over, 2.4 waits are
rounded to seconds, 2.5 all fetchers wake for one job, 2.6 closing drops jobs and locks, 2.7 lock tokens are
shared; 2.8, the client that hangs, is in `test_connection`. Each docstring says what stock did on the same
test. Read them again before the pin of `bullmq` moves.
"""

import asyncio
import time
from importlib.metadata import version

from deedbook.infra.bullmq import Delivery, JobQueue, JobState, NewJob, RateLimit, connect
from tests.infra.bullmq.harness import Diary, Workers, until
from tests.support.waiting import under_way


def _jobs(number: int) -> list[NewJob]:
    return [NewJob("work", {}, job_id=f"job-{n}") for n in range(number)]


def test_library_is_the_one_that_was_repaired() -> None:
    """We override the inside of a library: another version wants its source read first."""
    assert version("bullmq") == "3.4.4"


async def test_idle_worker_hears_a_job_that_is_due_after_five_seconds(
    queue: JobQueue, workers: Workers
) -> None:
    """2.1. Stock on redis-py 8: the read is cut after 5 s, then the client sleeps 2, 4, 8 … s in the call."""
    diary = Diary()
    workers.start(queue, diary)
    await queue.add("work", {}, job_id="late", delay_ms=5400)
    assert await until(lambda: diary.ids == ["late"], within_s=6.8) > 5.3
    assert workers.errors == []


async def test_limit_is_kept_and_used_up_when_jobs_wait(queue: JobQueue, workers: Workers) -> None:
    """2.2. Stock sleeps 5 s in each full window instead of the rest of it: 30 jobs take 10 s."""
    diary = Diary()
    await queue.add_bulk(_jobs(30))
    began = time.monotonic()
    for _ in range(2):
        workers.start(queue, diary, concurrency=10, limit=RateLimit(10, window_ms=300))
    await until(lambda: len(diary.began) == 30, within_s=8)
    assert diary.times[-1] - began > 0.55  # three windows, the last of them only entered


async def test_global_limit_hands_over_when_a_job_ends(queue: JobQueue, workers: Workers) -> None:
    """2.3. Stock wakes nobody when a job ends: 40 jobs of 5 ms take more than 10 s."""
    diary = Diary(takes_s=0.005)
    await queue.limit_active(1)
    for _ in range(3):
        workers.start(queue, diary, concurrency=2)
    await queue.add_bulk(_jobs(40))
    await until(lambda: len(diary.ended) == 40, within_s=9)
    assert diary.most_at_once == 1


async def test_global_limit_hands_over_when_a_job_fails(queue: JobQueue, workers: Workers) -> None:
    """2.3. As above; stock looks no further after a failure either."""
    begun: list[str] = []

    async def fail(job: Delivery) -> None:
        begun.append(job.job_id)
        raise ValueError("no")

    await queue.limit_active(1)
    for _ in range(2):
        workers.start(queue, fail, concurrency=2)
    await queue.add_bulk([NewJob("work", {}, job_id=f"job-{n}", attempts=2, delay_ms=1) for n in range(4)])
    await until(lambda: len(set(begun)) == 4, within_s=9)


async def test_global_limit_hands_over_when_a_worker_closes(queue: JobQueue, workers: Workers) -> None:
    """2.3. Stock: the other worker finds the freed place after its 5 s of sleep."""
    first, second = Diary(held=True), Diary()
    await queue.limit_active(1)
    closing = workers.start(queue, first)
    await queue.add_bulk(_jobs(2))
    await until(lambda: first.ids == ["job-0"])
    workers.start(queue, second)
    async with under_way(closing.close()) as closed:
        await asyncio.sleep(0.1)
        first.may_end.set()
        await closed
    await until(lambda: second.ended == ["job-1"], within_s=4.5)


async def test_delay_below_a_second_is_kept_by_an_idle_worker(queue: JobQueue, workers: Workers) -> None:
    """2.4. Stock rounds its wait up to whole seconds: 1.0 s for 0.25."""
    diary = Diary()
    workers.start(queue, diary)
    took = []
    for n in range(3):  # a busy machine may lay us aside once
        await asyncio.sleep(0.2)
        await queue.add("work", {}, job_id=f"soon-{n}", delay_ms=250)
        took.append(await until(lambda n=n: len(diary.ids) == n + 1))  # type: ignore[misc]
    assert 0.2 < min(took) < 0.8, took


async def test_one_job_wakes_one_fetcher_when_concurrency_is_high(queue: JobQueue, workers: Workers) -> None:
    """2.5. Stock calls 75 scripts for each job at this concurrency."""
    diary = Diary()
    workers.start(queue, diary, concurrency=50)
    client = connect(workers.url)

    async def scripts_called() -> int:
        return int((await client.info("commandstats")).get("cmdstat_evalsha", {"calls": 0})["calls"])

    await queue.add("work", {}, job_id="warm-up")
    await until(lambda: len(diary.ended) == 1)
    before = await scripts_called()
    for n in range(20):
        await queue.add("work", {}, job_id=f"job-{n}")
        await asyncio.sleep(0.02)
    await until(lambda: len(diary.ended) == 21)
    called = await scripts_called() - before
    await client.aclose()
    assert called / 20 < 8


async def test_close_leaves_no_job_active_when_many_wait(queue: JobQueue, workers: Workers) -> None:
    """2.6. Stock leaves up to `concurrency` jobs behind in `active`, fetched and never begun."""
    diary = Diary(takes_s=0.001)
    await queue.add_bulk(_jobs(2000))
    for turn in range(6):
        target = len(diary.began) + 30
        worker = workers.start(queue, diary, concurrency=10)
        await until(lambda target=target: len(diary.began) >= target)  # type: ignore[misc]
        await asyncio.sleep(turn * 0.001)
        await worker.close()
        counts = await queue.counts()
        assert counts[JobState.ACTIVE] == 0
        assert counts[JobState.COMPLETED] == len(diary.ended) == len(diary.began)


async def test_closing_worker_keeps_its_job_when_the_job_outlives_the_lock(
    queue: JobQueue, workers: Workers
) -> None:
    """2.6. Stock renews no lock once it closes: the second worker runs the job as well."""
    diary = Diary(takes_s=3)
    first = workers.start(queue, diary, concurrency=2, lock_ms=1500, stalled_check_ms=300)
    await queue.add("work", {}, job_id="long")
    await until(lambda: diary.ids == ["long"])
    workers.start(queue, diary, concurrency=2, lock_ms=1500, stalled_check_ms=300)
    await first.close()
    assert diary.ids == diary.ended == ["long"]
    assert await queue.job_state("long") is JobState.COMPLETED


async def test_each_running_job_has_a_lock_token_of_its_own(queue: JobQueue, workers: Workers) -> None:
    """2.7. Stock gives the same token to all jobs of its first round."""
    diary = Diary(held=True)
    client = connect(workers.url)
    await queue.add_bulk(_jobs(6))
    workers.start(queue, diary, concurrency=6)
    await until(lambda: len(diary.began) == 6)
    tokens = await client.mget([f"bull:{queue.name}:job-{n}:lock" for n in range(6)])
    diary.may_end.set()
    await client.aclose()
    assert None not in tokens
    assert len(set(tokens)) == 6
