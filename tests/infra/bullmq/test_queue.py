"""Queues: what is added once runs once, what is deduplicated is not lost, what is lost is found missing."""

import asyncio
import statistics
import time

import pytest

from deedbook.infra.bullmq import (
    Backoff,
    Deduplication,
    Delivery,
    JobQueue,
    JobState,
    NewJob,
    UnrecoverableError,
    is_final_attempt,
)
from tests.infra.bullmq.harness import Diary, Workers, until, until_state


async def test_job_runs_once_when_it_is_added_twice(queue: JobQueue, workers: Workers) -> None:
    """Also when the second arrives after the first has completed, as long as that one is kept."""
    diary = Diary()
    assert await queue.add("work", {"n": 1}, job_id="job") == "job"
    assert await queue.add("work", {"n": 2}, job_id="job") == "job"
    workers.start(queue, diary)
    await until(lambda: diary.ended == ["job"])
    await until_state(queue, "job", JobState.COMPLETED)
    await queue.add("work", {"n": 3}, job_id="job")
    await asyncio.sleep(0.1)
    assert [job.data for _, job in diary.began] == [{"n": 1}]


async def test_job_runs_again_when_the_first_was_not_kept(queue: JobQueue, workers: Workers) -> None:
    """The id protects only while BullMQ remembers it: handlers stay idempotent."""
    diary = Diary()
    workers.start(queue, diary)
    for runs in (1, 2):
        await queue.add("work", {}, job_id="job", keep=0)
        await until(lambda runs=runs: len(diary.ended) == runs)  # type: ignore[misc]
        await until_state(queue, "job", None)


async def test_last_job_runs_after_the_active_one_when_it_shares_its_key(
    queue: JobQueue, workers: Workers
) -> None:
    """A doorbell rung while its pair is being matched must ring once more, with its own id and priority."""
    diary = Diary(held=True)
    workers.start(queue, diary, concurrency=4)
    pair = Deduplication("PAIR", keep_last_if_active=True)
    await queue.add("match", {"n": 1}, job_id="match-1", priority=5, deduplication=pair)
    await until(lambda: diary.ids == ["match-1"])
    for n in (2, 3):
        await queue.add("match", {"n": n}, job_id=f"match-{n}", priority=1, deduplication=pair)
    diary.may_end.set()
    await until(lambda: len(diary.ended) == 2)
    await asyncio.sleep(0.1)
    assert [(job.job_id, job.data, job.priority) for _, job in diary.began] == [
        ("match-1", {"n": 1}, 5),
        ("match-3", {"n": 3}, 1),
    ]


async def test_first_job_stands_for_the_others_when_it_waits(queue: JobQueue) -> None:
    """Adding tells the id of the job that will run."""
    pair = Deduplication("PAIR", keep_last_if_active=True)
    added = [await queue.add("match", {}, job_id=f"match-{n}", deduplication=pair) for n in (1, 2)]
    assert added == ["match-1", "match-1"]


async def test_urgent_jobs_run_first(queue: JobQueue, workers: Workers) -> None:
    """1 is the most urgent; equals keep their order."""
    diary = Diary()
    for job_id, priority in (("c", 5), ("a", 1), ("d", 5), ("b", 1)):
        await queue.add("match", {}, job_id=job_id, priority=priority)
    workers.start(queue, diary)
    await until(lambda: len(diary.ended) == 4)
    assert diary.ids == ["a", "b", "c", "d"]


async def test_schedule_fires_at_its_slots_when_the_worker_is_idle(queue: JobQueue, workers: Workers) -> None:
    """Stock rounds its waits up to whole seconds and misses half of the slots."""
    late_ms: list[float] = []

    async def tick(job: Delivery) -> None:
        assert job.data == {"room": "prices"}
        late_ms.append((time.time() * 1000 + 20) % 400 - 20)  # BullMQ may be a millisecond early

    workers.start(queue, tick)
    began = time.monotonic()
    for _ in range(3):  # to repeat it is harmless
        await queue.upsert_scheduler("prices", 400, "fetch", {"room": "prices"})
        await asyncio.sleep(0.2)
    await until(lambda: len(late_ms) >= 8, within_s=6)  # in half of the slots it would be longer
    assert await queue.scheduler_ids() == {"prices"}
    assert await queue.remove_scheduler("prices")
    assert not await queue.remove_scheduler("prices")
    assert len(late_ms) <= (time.monotonic() - began) / 0.4 + 2, late_ms
    assert statistics.median(late_ms) < 150, late_ms


async def test_sweeper_finds_what_redis_lost(queue: JobQueue, workers: Workers) -> None:
    """Completed and delayed jobs exist, removed ones do not."""
    diary = Diary()
    workers.start(queue, diary)
    await queue.add("work", {}, job_id="done")
    await queue.add("work", {}, job_id="forgotten", keep=0)
    await queue.add("work", {}, job_id="later", delay_ms=60_000)
    await until(lambda: set(diary.ended) == {"done", "forgotten"})
    await until_state(queue, "forgotten", None)
    asked = ["done", "forgotten", "later", "never", *(f"never-{n}" for n in range(2500))]
    assert await queue.which_exist(asked) == {"done", "later"}
    assert await queue.which_exist([]) == set()


async def test_counts_and_age_tell_what_waits(queue: JobQueue) -> None:
    """What the metrics read."""
    assert await queue.oldest_waiting_s() == 0
    for n in range(3):
        await queue.add("work", {}, job_id=f"job-{n}", priority=n)
        await asyncio.sleep(0.1)
    await queue.add("work", {}, job_id="later", delay_ms=60_000)
    counts = await queue.counts()
    assert (counts[JobState.WAITING], counts[JobState.PRIORITIZED], counts[JobState.DELAYED]) == (1, 2, 1)
    assert 0.3 <= await queue.oldest_waiting_s() < 5
    assert await queue.job_state("later") is JobState.DELAYED
    assert await queue.job_state("never") is None


async def test_paused_queue_hands_out_nothing(queue: JobQueue, workers: Workers) -> None:
    """Until it is resumed."""
    diary = Diary()
    await queue.pause()
    workers.start(queue, diary)
    await queue.add("work", {}, job_id="job")
    await asyncio.sleep(0.3)
    assert diary.ids == []
    await queue.resume()
    await until(lambda: diary.ended == ["job"])


async def test_failed_job_gets_all_its_attempts_when_it_is_retried(queue: JobQueue, workers: Workers) -> None:
    """And only a failed one is retried."""
    attempts: list[tuple[int, bool]] = []
    told: list[tuple[int, bool]] = []

    async def fail(job: Delivery) -> None:
        attempts.append((job.attempt, is_final_attempt(job)))
        raise ValueError("not yet")

    worker = workers.start(queue, fail)
    worker.on_failure(lambda job, error: told.append((job.attempt, is_final_attempt(job, error))))
    await queue.add("work", {}, job_id="job", attempts=3, backoff=Backoff(base_ms=20, cap_ms=30))
    await until(lambda: len(told) == 3)
    assert attempts == told == [(1, False), (2, False), (3, True)]
    await until_state(queue, "job", JobState.FAILED)
    assert await queue.retry("job")
    assert not await queue.retry("never")
    await until(lambda: len(told) == 6)
    assert attempts[3:] == [(1, False), (2, False), (3, True)]
    await queue.add("work", {}, job_id="waits", delay_ms=60_000)
    assert not await queue.retry("waits")


async def test_job_is_given_up_when_its_error_says_so(queue: JobQueue, workers: Workers) -> None:
    """No further attempt, and the listener knows."""
    final: list[bool] = []

    async def refuse(_: Delivery) -> None:
        raise UnrecoverableError("never")

    worker = workers.start(queue, refuse)
    worker.on_failure(lambda job, error: final.append(is_final_attempt(job, error)))
    await queue.add("work", {}, job_id="job", attempts=5)
    await until(lambda: final == [True])
    assert await queue.job_state("job") is JobState.FAILED


async def test_job_fails_when_its_result_cannot_be_stored(queue: JobQueue, workers: Workers) -> None:
    """The handler's mistake, told like any other."""

    async def handler(_: Delivery) -> object:
        return {1, 2}

    workers.start(queue, handler)
    await queue.add("work", {}, job_id="job")
    await until_state(queue, "job", JobState.FAILED)


async def test_handler_reads_what_the_producer_sent_along(queue: JobQueue, workers: Workers) -> None:
    """The carrier that Node's instrumentation reads and writes too; the id may also come in the data."""
    diary = Diary()
    trace = {"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01", "correlationId": "c-1"}
    await queue.add_bulk(
        [
            NewJob("work", {"correlationId": "c-0"}, job_id="traced", trace=trace),
            NewJob("work", {"correlationId": "c-2"}, job_id="plain"),
        ]
    )
    workers.start(queue, diary)
    await until(lambda: len(diary.ended) == 2)
    traced, plain = (job for _, job in diary.began)
    assert (dict(traced.trace), traced.correlation_id) == (trace, "c-1")
    assert (dict(plain.trace), plain.correlation_id) == ({}, "c-2")


def test_backoff_doubles_up_to_its_cap() -> None:
    """And the wait is anywhere below, never nothing."""
    backoff = Backoff(base_ms=200, cap_ms=1000)
    assert [backoff.ceiling_ms(made) for made in (1, 2, 3, 4, 1000)] == [200, 400, 800, 1000, 1000]
    assert [backoff.delay_ms(3, draw) for draw in (0.0, 0.5, 0.999)] == [1, 400, 799]


async def test_retries_spread_out_when_many_fail_together(queue: JobQueue, workers: Workers) -> None:
    """Stock ignores jitter: all of them come back in the same millisecond."""
    second: list[float] = []

    async def fail_once(job: Delivery) -> None:
        if job.attempt == 1:
            raise ValueError("not yet")
        second.append(time.monotonic())

    began = time.monotonic()
    workers.start(queue, fail_once, concurrency=10)
    await queue.add_bulk(
        [NewJob("work", {}, job_id=f"job-{n}", attempts=2, backoff=Backoff(base_ms=600)) for n in range(20)]
    )
    await until(lambda: len(second) == 20)
    assert max(second) - min(second) > 0.2
    assert max(second) - began < 5


@pytest.mark.parametrize("job_id", ["a:b", "17"])
def test_id_is_refused_when_node_could_not_read_it(job_id: str) -> None:
    """Node's BullMQ, and with it the dashboard, forbids these."""
    with pytest.raises(AssertionError):
        NewJob("work", {}, job_id=job_id)
