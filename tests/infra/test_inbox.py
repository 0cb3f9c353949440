"""The inbox: an event from outside has its effect once, however often and however concurrently it arrives."""

import asyncio
from dataclasses import replace

import pytest

from deedbook.infra import inbox
from deedbook.infra.database import Database
from deedbook.infra.inbox import IncomingEvent, ProcessingStatus, Verdict
from tests.support.facts import ERRAND, count

EVENT = IncomingEvent("e-1", "market.approved", "entity_permissions_core", {"a": 1}, {"actor_id": "x"}, "sns")


async def receive(db: Database, event: IncomingEvent, *, fail: bool = False) -> bool:
    """What every receiver does: claim, effect and verdict in one transaction."""
    async with db.transaction() as tx:
        if not await inbox.claim(tx, event):
            return False
        tx.enqueue(ERRAND, f"effect-{event.event_id}-{event.received_via}", {})
        if fail:
            raise ZeroDivisionError
        await inbox.settle(tx, event.event_id, Verdict(ProcessingStatus.SUCCESS))
    return True


async def test_one_effect_when_an_event_arrives_fifty_times_at_once(db: Database) -> None:
    """F-17 and F-18: by webhook and by poll, in parallel."""
    ways = [replace(EVENT, received_via=way) for way in ("sns", "poller", "webhook")]
    outcomes = await asyncio.gather(*(receive(db, ways[number % 3]) for number in range(50)))
    assert sorted(outcomes) == [False] * 49 + [True]
    assert await count(db, "jobs") == 1


async def test_event_can_come_again_when_its_effect_was_undone(db: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        await receive(db, EVENT, fail=True)
    assert await inbox.seen(db, "e-1") is None
    assert await receive(db, EVENT)
    assert await inbox.seen(db, "e-1") is ProcessingStatus.SUCCESS


async def test_second_takes_over_when_the_first_claimant_gives_up(db: Database) -> None:
    """Concurrent claimants wait for each other: the second must not answer "duplicate" too early."""
    claimed, give_up = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with db.transaction() as tx:
            assert await inbox.claim(tx, EVENT)
            claimed.set()
            await give_up.wait()
            raise ZeroDivisionError

    one = asyncio.create_task(first())
    await claimed.wait()
    two = asyncio.create_task(receive(db, EVENT))
    await asyncio.sleep(0.1)
    assert not two.done()
    give_up.set()
    with pytest.raises(ZeroDivisionError):
        await one
    assert await two


async def test_failed_event_is_taken_up_once_when_two_operators_retry(db: Database) -> None:
    async with db.transaction() as tx:
        await inbox.claim(tx, EVENT)
        await inbox.settle(tx, "e-1", Verdict(ProcessingStatus.FAILED, "x" * 9000))
    assert await inbox.failed_count(db) == 1

    async def retry() -> IncomingEvent | None:
        async with db.transaction() as tx:
            return await inbox.reclaim(tx, "e-1")

    taken = await asyncio.gather(retry(), retry())
    assert [event for event in taken if event] == [EVENT]
    (row,) = await inbox.listing(db, None, 10)
    assert (row["attempts"], len(row["processing_error"])) == (2, 2000)


async def test_only_unknown_events_are_unseen(db: Database) -> None:
    await receive(db, EVENT)
    assert await inbox.unseen(db, ["e-1", "e-2"]) == {"e-2"}
    assert await inbox.unseen(db, []) == set()
