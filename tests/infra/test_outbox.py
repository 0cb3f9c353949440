"""The outbox: rows are read in commit order, none is skipped, and only the holder of the lease moves a cursor."""

import asyncio

from deedbook.infra import lease, outbox
from deedbook.infra.database import Database
from deedbook.infra.outbox import Cursor
from tests.support.facts import a_fact, ask, count, tell
from tests.support.waiting import eventually

START = Cursor(0, 0)


async def test_nothing_is_skipped_when_the_later_transaction_commits_first(db: Database) -> None:
    """A serial number is not commit order: the later number is visible first and must wait."""
    early_has_written, late_has_committed = asyncio.Event(), asyncio.Event()

    async def early() -> None:
        async with db.transaction() as tx:
            tx.emit(a_fact("early"))
            await tx.write_out()
            early_has_written.set()
            await late_has_committed.wait()

    task = asyncio.create_task(early())
    await early_has_written.wait()
    await tell(db, "late")
    assert await count(db, "events") == 1, "only the late one is visible"
    assert await outbox.facts_after(db, START, limit=10) == [], "and it waits for the early one"

    late_has_committed.set()
    await task
    assert await _labels(db, START) == ["early", "late"]


async def test_nothing_is_skipped_when_a_transaction_begins_early_and_writes_late(db: Database) -> None:
    """Its rows carry higher positions than rows that were committed before, and a lower transaction id."""
    has_id, go_on = asyncio.Event(), asyncio.Event()

    async def early() -> None:
        async with db.transaction() as tx:
            await tx.execute("SELECT pg_current_xact_id()")
            has_id.set()
            await go_on.wait()
            tx.emit(a_fact("early id, late row"))

    task = asyncio.create_task(early())
    await has_id.wait()
    await tell(db, "first", "second")
    assert await _labels(db, START) == []
    go_on.set()
    await task
    assert await _labels(db, START) == ["early id, late row", "first", "second"]


async def test_each_fact_is_read_once_when_writers_overlap_and_a_reader_follows(db: Database) -> None:
    """Twelve writers of different speed, some of which give up, and a reader that never looks back."""
    done = asyncio.Event()

    async def write(number: int) -> None:
        for turn in range(8):
            try:
                async with db.transaction() as tx:
                    tx.emit(a_fact(f"{number}-{turn}"))
                    await tx.write_out()
                    await asyncio.sleep((number * 7 + turn * 3) % 11 / 1000)
                    if (number + turn) % 5 == 0:
                        raise ZeroDivisionError
            except ZeroDivisionError:
                continue

    seen: list[str] = []

    async def read() -> None:
        cursor = START
        while True:
            finished = done.is_set()
            facts = await outbox.facts_after(db, cursor, limit=5)
            seen.extend(fact.payload["jobId"] for fact in facts)
            cursor = facts[-1].cursor if facts else cursor
            if finished and not facts:
                return
            await asyncio.sleep(0.002)

    reader = asyncio.create_task(read())
    await asyncio.gather(*(write(number) for number in range(8)))
    done.set()
    await reader
    written = {f"{number}-{turn}" for number in range(8) for turn in range(8) if (number + turn) % 5}
    assert sorted(seen) == sorted(written)


async def test_relay_goes_on_when_a_frozen_transaction_is_ended_by_its_timeout(
    db: Database, dsn: str
) -> None:
    """Ruling 23: an idle transaction holds every cursor back, so the server ends it."""
    frozen = await Database.connect(dsn, idle_transaction_timeout_s=0.4)
    entered = asyncio.Event()

    async def freeze() -> None:
        async with frozen.transaction() as tx:
            await tx.execute("SELECT pg_current_xact_id()")
            entered.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(freeze())
    await entered.wait()
    await tell(db, "waits")
    assert await outbox.facts_after(db, START, limit=10) == []

    async def readable() -> bool:
        return await _labels(db, START) == ["waits"]

    await eventually(readable, "the fact can be read")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await frozen.close()


async def test_all_rows_are_read_in_order_when_there_are_more_than_a_page(db: Database) -> None:
    """Also when one transaction wrote more rows than a page has."""
    for part in range(3):
        await tell(db, *(f"{part}-{number:03}" for number in range(25)))
    cursor, labels = START, list[str]()
    while facts := await outbox.facts_after(db, cursor, limit=10):
        labels += [fact.payload["jobId"] for fact in facts]
        cursor = facts[-1].cursor
    assert labels == [f"{part}-{number:03}" for part in range(3) for number in range(25)]


async def test_jobs_are_read_in_commit_order_with_their_words(db: Database) -> None:
    await ask(db, "first", "second")
    jobs = await outbox.jobs_after(db, START, limit=10)
    assert [(job.job_id, job.queue, job.name, job.data) for job in jobs] == [
        ("first", "housekeeping", "errand", {"of": "first"}),
        ("second", "housekeeping", "errand", {"of": "second"}),
    ]
    assert await outbox.jobs_after(db, jobs[-1].cursor, limit=10) == []


async def test_cursor_is_refused_a_move_when_its_holder_was_frozen(db: Database) -> None:
    """Fencing: the epoch decides inside the transaction, not the holder's belief."""
    await tell(db, "one", "two")
    facts = await outbox.facts_after(db, await outbox.load_cursor(db, "test"), limit=10)
    stale = await lease.acquire(db, "relay-test", "frozen", ttl_s=0.05)
    assert stale is not None
    await asyncio.sleep(0.1)
    current = await lease.acquire(db, "relay-test", "awake", ttl_s=10)
    assert current is not None
    async with db.transaction() as tx:
        assert await outbox.advance(tx, "test", current, facts[1].cursor, 2)
        assert not await outbox.advance(tx, "test", stale, facts[0].cursor, 1)
    assert not await outbox.advance(db, "test", stale, facts[0].cursor, 1)
    assert await outbox.load_cursor(db, "test") == facts[1].cursor


async def test_cursor_is_refused_a_move_under_an_earlier_lease_of_the_same_holder(db: Database) -> None:
    """a → b → a: what `a` began under its first lease is not written under its second."""
    first = await lease.acquire(db, "relay-test", "a", ttl_s=0.01)
    await asyncio.sleep(0.05)
    await lease.acquire(db, "relay-test", "b", ttl_s=0.01)
    await asyncio.sleep(0.05)
    third = await lease.acquire(db, "relay-test", "a", ttl_s=10)
    assert first is not None and third is not None
    before = await outbox.load_cursor(db, "test")
    assert not await outbox.advance(db, "test", first, Cursor(5, 5), 1)
    assert await outbox.load_cursor(db, "test") == before
    assert await outbox.advance(db, "test", third, Cursor(5, 5), 1)
    assert await outbox.load_cursor(db, "test") == Cursor(5, 5)


async def test_new_holder_waits_when_the_old_one_is_inside_its_last_move(db: Database) -> None:
    """The lease row is locked by the move, so a takeover cannot slip between check and commit."""
    held = await lease.acquire(db, "relay-test", "old", ttl_s=0.05)
    assert held is not None
    await outbox.load_cursor(db, "test")
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def move() -> bool:
        async with db.transaction() as tx:
            moved = await outbox.advance(tx, "test", held, Cursor(5, 5), 1)
            inside.set()
            await go_on.wait()
        return moved

    moving = asyncio.create_task(move())
    await inside.wait()
    await asyncio.sleep(0.1)
    taking = asyncio.create_task(lease.acquire(db, "relay-test", "new", ttl_s=10))
    await asyncio.sleep(0.1)
    assert not taking.done()
    go_on.set()
    assert await moving
    taken = await taking
    assert taken is not None
    assert taken.epoch == held.epoch + 1
    assert await outbox.load_cursor(db, "test") == Cursor(5, 5)


async def test_lag_says_how_long_the_oldest_row_has_waited(db: Database) -> None:
    await outbox.load_cursor(db, "redis")
    await outbox.load_cursor(db, "jobs")
    assert await outbox.lag_s(db) == {"redis": 0, "jobs": 0}
    await tell(db, "one")
    await asyncio.sleep(0.05)
    lag = await outbox.lag_s(db)
    assert lag["redis"] >= 0.05
    assert lag["jobs"] == 0


async def test_unfinished_jobs_are_found_page_by_page_when_there_are_many(db: Database) -> None:
    await ask(db, *(f"job-{number}" for number in range(7)))
    async with db.transaction() as tx:
        await tx.execute("UPDATE jobs SET status = 'done' WHERE job_id = 'job-3'")
    found, after = list[str](), 0
    while page := await outbox.unfinished_jobs(db, older_than_s=0, after=after, limit=3):
        found += [job.job_id for job in page]
        after = page[-1].cursor.position
    assert found == ["job-0", "job-1", "job-2", "job-4", "job-5", "job-6"]
    assert await outbox.unfinished_jobs(db, older_than_s=60, after=0, limit=10) == []


async def _labels(db: Database, cursor: Cursor) -> list[str]:
    return [fact.payload["jobId"] for fact in await outbox.facts_after(db, cursor, limit=100)]
