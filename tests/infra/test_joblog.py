"""The record of jobs: each is claimed by one at a time, done once, and asked for again under a new name."""

import asyncio

import pytest

from deedbook.infra import joblog, outbox
from deedbook.infra.database import Database
from deedbook.infra.joblog import FanOut
from deedbook.infra.outbox import Cursor
from deedbook.kernel.jobs import Job
from tests.support.facts import ERRAND, ask, count

QUEUE = ERRAND.queue.name


async def run(db: Database, job_id: str, effect: str) -> bool:
    """What the runner does: claim, effect and mark in one transaction."""
    async with db.transaction() as tx:
        if not await joblog.claim(tx, job_id):
            return False
        await asyncio.sleep(0.02)
        tx.enqueue(ERRAND, effect, {})
        await joblog.mark_done(tx, Job(job_id, "errand", {}))
    return True


async def test_job_is_done_once_when_ten_run_it_at_the_same_time(db: Database) -> None:
    await ask(db, "job")
    outcomes = await asyncio.gather(*(run(db, "job", f"effect-{n}") for n in range(8)))
    assert sorted(outcomes) == [False] * 7 + [True]
    assert await count(db, "jobs", "job_id LIKE 'effect-%'") == 1
    assert not await joblog.is_open(db, "job")


async def test_job_of_the_clock_is_always_open_as_it_has_no_record(db: Database) -> None:
    assert await joblog.is_open(db, "repeat-1")
    assert await run(db, "repeat-1", "effect-1")
    assert await run(db, "repeat-1", "effect-2")


async def test_done_job_stays_done_when_a_late_failure_arrives(db: Database) -> None:
    await ask(db, "job")
    async with db.transaction() as tx:
        await joblog.mark_done(tx, Job("job", "errand", {}, attempt=2))
        await joblog.mark_failed(tx, Job("job", "errand", {}, attempt=3), "too late")
    await joblog.note_attempt(db, Job("job", "errand", {}, attempt=4), "too late")
    (row,) = await joblog.listing(db, QUEUE, None, None, 10)
    assert (row["status"], row["attempts_made"], row["last_error"]) == ("done", 2, None)


async def test_failed_job_comes_again_under_the_next_generation_when_it_is_retried(db: Database) -> None:
    """Ruling 21: a new id each time, so that no de-duplication swallows it."""
    await ask(db, "job", "job-1")
    names = ["job"]
    for _ in range(3):
        await fail(db, names[-1])
        names.append(await retry(db, names[-1]) or "")
    assert names == ["job", "job.2", "job.3", "job.4"]
    rows = {row["job_id"]: row for row in await joblog.listing(db, QUEUE, None, None, 10)}
    assert [rows[name]["status"] for name in names] == ["retried", "retried", "retried", "pending"]
    assert rows["job.4"]["retry_of"] == "job.3"
    assert rows["job.4"]["data"] == {"of": "job"}
    delivered = await outbox.jobs_after(db, Cursor(0, 0), limit=10)
    assert [job.job_id for job in delivered] == ["job", "job-1", "job.2", "job.3", "job.4"]


async def test_job_is_retried_once_when_two_operators_ask(db: Database) -> None:
    await ask(db, "job")
    await fail(db, "job")
    answers = await asyncio.gather(*(retry(db, "job") for _ in range(5)))
    assert sorted(filter(None, answers)) == ["job.2"]


async def test_job_is_not_retried_when_it_did_not_fail_or_is_in_another_queue(db: Database) -> None:
    await ask(db, "job")
    assert await retry(db, "job") is None
    await fail(db, "job")
    async with db.transaction() as tx:
        assert await joblog.retry(tx, "deploy-token", "job") is None
    assert await retry(db, "nobody") is None


async def test_generations_are_counted_right_when_other_ids_look_alike(db: Database) -> None:
    """`_` is a wildcard in LIKE."""
    await ask(db, "a_b", "axb")
    await fail(db, "axb")
    assert await retry(db, "axb") == "axb.2"
    await fail(db, "a_b")
    assert await retry(db, "a_b") == "a_b.2"


async def test_generation_mark_is_refused_when_a_job_is_first_asked_for(db: Database) -> None:
    for bad in ("job.2", "a:b"):
        with pytest.raises(AssertionError):
            await ask(db, bad)


async def test_job_that_follows_from_a_fact_is_written_once_when_it_is_written_again(db: Database) -> None:
    job = FanOut("open-pair-1", QUEUE, "open-pair", {"marketId": "m"}, "c")
    for _ in range(2):
        async with db.transaction() as tx:
            await joblog.add_fan_out(tx, [job])
    assert await count(db, "jobs") == 1


async def test_records_tell_what_waits_and_what_failed(db: Database) -> None:
    await ask(db, "waits", "failed", "done")
    await fail(db, "failed")
    await run(db, "done", "waits-too")
    record = (await joblog.records(db))[QUEUE]
    assert (record.pending, record.failed) == (2, 1)
    assert record.oldest_pending is not None


async def test_parked_job_is_run_by_nobody_until_it_is_retried(db: Database) -> None:
    """Whether it waited or failed; and it is no failure that anybody is woken for."""
    await ask(db, "waits", "failed")
    await fail(db, "failed")
    assert [await park(db, job_id) for job_id in ("waits", "failed")] == ["pending", "failed"]
    assert not await joblog.is_open(db, "waits")
    assert not await run(db, "waits", "effect-1")
    assert QUEUE not in await joblog.records(db)
    rows = {row["job_id"]: row for row in await joblog.listing(db, QUEUE, "parked", None, 10)}
    assert {name: row["parked_reason"] for name, row in rows.items()} == {"waits": "away", "failed": "away"}
    assert [await retry(db, job_id) for job_id in ("waits", "failed")] == ["waits.2", "failed.2"]
    assert await run(db, "waits.2", "effect-2")


async def test_job_is_not_parked_when_it_is_done_or_parked_or_in_another_queue(db: Database) -> None:
    await ask(db, "done", "parked")
    await run(db, "done", "effect-1")
    await park(db, "parked")
    assert [await park(db, job_id) for job_id in ("done", "parked", "nobody")] == [None, None, None]
    await ask(db, "elsewhere")
    async with db.transaction() as tx:
        assert await joblog.park(tx, "deploy-token", "elsewhere", "away") is None


async def park(db: Database, job_id: str) -> str | None:
    async with db.transaction() as tx:
        return await joblog.park(tx, QUEUE, job_id, "away")


async def fail(db: Database, job_id: str) -> None:
    async with db.transaction() as tx:
        await joblog.mark_failed(tx, Job(job_id, "errand", {}), "boom")


async def retry(db: Database, job_id: str) -> str | None:
    async with db.transaction() as tx:
        retried = await joblog.retry(tx, QUEUE, job_id)
    return retried.job_id if retried else None
