"""What happens to a worker and its jobs when a worker dies, or Redis is emptied, or restarted."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from deedbook.infra.bullmq import Delivery, JobQueue, JobState
from tests.infra.bullmq.harness import SOON_S, Diary, ValkeyServer, Workers, until, until_state


async def test_job_runs_again_when_its_worker_is_killed(queue: JobQueue, workers: Workers) -> None:
    """Lock 2 s, check 1 s: about 3 to 4 s. (With the defaults of the library it takes 60 s.)"""
    program = Path(__file__).with_name("doomed_worker.py")
    doomed = subprocess.Popen([sys.executable, str(program), workers.url, queue.name], stdout=subprocess.PIPE)
    try:
        await queue.add("work", {}, job_id="orphan")
        await until_state(queue, "orphan", JobState.ACTIVE, within_s=15)
    finally:
        doomed.kill()
        doomed.communicate()
    diary = Diary()
    workers.start(queue, diary, lock_ms=2000, stalled_check_ms=1000)
    assert await until(lambda: diary.ended == ["orphan"], within_s=10) > 0.5


async def test_worker_takes_new_jobs_when_redis_is_emptied(
    mortal_server: ValkeyServer, mortal_queue: JobQueue, mortal_workers: Workers
) -> None:
    """The running job cannot be reported any more; that is told, and nothing else happens."""
    diary = Diary(held=True)
    mortal_workers.start(mortal_queue, diary, concurrency=2)
    await mortal_queue.add("work", {}, job_id="lost")
    await until(lambda: diary.ids == ["lost"])
    await _empty(mortal_server)
    diary.may_end.set()
    await until(lambda: bool(mortal_workers.errors))
    assert diary.ended == ["lost"]
    await mortal_queue.add("work", {}, job_id="new")
    await until_state(mortal_queue, "new", JobState.COMPLETED)
    assert diary.ended == ["lost", "new"]
    assert await mortal_queue.job_state("lost") is None
    assert ["Missing" in str(error) for error in mortal_workers.errors] == [True]


async def test_idle_worker_resumes_when_redis_restarts(
    mortal_server: ValkeyServer, mortal_queue: JobQueue, mortal_workers: Workers
) -> None:
    """Stock resumes after 5 to 8 s; ours asks a few times a second. The outage is told once."""
    diary = Diary()
    mortal_workers.start(mortal_queue, diary)
    await mortal_queue.add("work", {}, job_id="before")
    await until_state(mortal_queue, "before", JobState.COMPLETED)
    mortal_server.kill()
    await until(lambda: bool(mortal_workers.errors), within_s=5)
    await asyncio.sleep(1)
    mortal_server.start()
    await mortal_queue.add("work", {}, job_id="after")
    await until(lambda: diary.ended == ["before", "after"], within_s=4.5)
    assert len(mortal_workers.errors) <= 2  # a stalled check may fall into the outage and tell of it too


async def test_worker_starts_when_redis_comes_later(
    mortal_server: ValkeyServer, mortal_queue: JobQueue, mortal_workers: Workers
) -> None:
    """Stock's loop dies of the first refused connection and nobody is told."""
    diary = Diary()
    mortal_server.kill()
    mortal_workers.start(mortal_queue, diary)
    await asyncio.sleep(0.7)
    mortal_server.start()
    await mortal_queue.add("work", {}, job_id="first")
    await until(lambda: diary.ended == ["first"])


async def test_finished_job_is_reported_when_redis_restarts_meanwhile(
    mortal_server: ValkeyServer, mortal_queue: JobQueue, mortal_workers: Workers
) -> None:
    """Stock gives the report up and runs the job again."""
    diary = Diary(takes_s=0.5)
    mortal_workers.start(mortal_queue, diary)
    await mortal_queue.add("work", {}, job_id="job")
    await until(lambda: diary.ids == ["job"])
    await asyncio.sleep(0.1)
    mortal_server.kill()
    await asyncio.sleep(1.5)
    assert diary.ended == ["job"]
    mortal_server.start()
    await until_state(mortal_queue, "job", JobState.COMPLETED)
    assert diary.ids == ["job"]


async def test_close_returns_when_redis_is_away(
    mortal_server: ValkeyServer, mortal_queue: JobQueue, mortal_workers: Workers
) -> None:
    """A deployment does not wait for a server that is gone."""
    worker = mortal_workers.start(mortal_queue, Diary())
    await mortal_queue.counts()
    mortal_server.kill()
    async with asyncio.timeout(SOON_S):
        await worker.close()


async def test_job_waits_for_another_worker_when_the_grace_is_over(queue: JobQueue, workers: Workers) -> None:
    """A handler that hangs cannot keep a worker from ending; its job is done again."""
    stuck, diary = Diary(takes_s=60), Diary()
    worker = workers.start(queue, stuck, lock_ms=600)
    await queue.add("work", {}, job_id="job")
    await until(lambda: stuck.ids == ["job"])
    await worker.close(grace_s=0.1)
    assert await queue.job_state("job") is JobState.ACTIVE
    workers.start(queue, diary, lock_ms=600, stalled_check_ms=300)
    await until(lambda: diary.ended == ["job"], within_s=5)


async def test_worker_lives_when_a_handler_lets_a_cancellation_escape(
    queue: JobQueue, workers: Workers
) -> None:
    """Stock's loop ends without a word when a handler raises `CancelledError`."""
    ended: list[str] = []

    async def handler(job: Delivery) -> None:
        if job.job_id == "bad":
            inner = asyncio.ensure_future(asyncio.sleep(5))
            inner.cancel()
            await inner
        ended.append(job.job_id)

    workers.start(queue, handler)
    await queue.add("work", {}, job_id="bad")
    await queue.add("work", {}, job_id="good")
    await until(lambda: ended == ["good"])
    assert await queue.job_state("bad") is JobState.FAILED


async def test_finished_job_is_left_alone_when_a_listener_raises(queue: JobQueue, workers: Workers) -> None:
    """Stock takes a bug in a `completed` listener for the job's: it tries to fail it and misses the lock."""
    worker = workers.start(queue, Diary())
    worker.on("completed", lambda *_: json.loads("{"))
    await queue.add("work", {}, job_id="job")
    await until_state(queue, "job", JobState.COMPLETED)
    await worker.close()
    assert workers.errors == []


async def test_pause_returns_when_the_taken_jobs_are_finished(queue: JobQueue, workers: Workers) -> None:
    """And nothing begins until `resume`."""
    diary = Diary(takes_s=0.3)
    worker = workers.start(queue, diary, concurrency=2)
    for n in range(6):
        await queue.add("work", {}, job_id=f"job-{n}")
    await until(lambda: len(diary.began) >= 2)
    await worker.pause()
    begun = len(diary.began)
    assert begun == len(diary.ended) < 6
    await asyncio.sleep(0.4)
    assert len(diary.began) == begun
    worker.resume()
    await until(lambda: len(diary.ended) == 6)


async def _empty(server: ValkeyServer) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"FLUSHALL\r\n")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.05)
