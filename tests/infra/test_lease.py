"""Leases: one holder at a time, by the database's clock, with an epoch that grows at each change of hands."""

import asyncio

from deedbook.infra import lease
from deedbook.infra.database import Database
from deedbook.infra.lease import Keeper


async def test_second_is_refused_when_the_lease_is_held(db: Database) -> None:
    first = await lease.acquire(db, "pair", "a", ttl_s=10)
    assert first is not None
    assert await lease.acquire(db, "pair", "b", ttl_s=10) is None
    assert await lease.acquire(db, "other pair", "b", ttl_s=10) is not None


async def test_one_holder_wins_when_many_ask_at_once(db: Database) -> None:
    asked = await asyncio.gather(*(lease.acquire(db, "pair", f"holder-{n}", ttl_s=10) for n in range(20)))
    assert len([held for held in asked if held is not None]) == 1


async def test_epoch_stays_when_the_holder_extends(db: Database) -> None:
    first = await lease.acquire(db, "pair", "a", ttl_s=0.01)
    await asyncio.sleep(0.05)
    assert await lease.acquire(db, "pair", "a", ttl_s=10) == first
    assert await lease.acquire(db, "pair", "b", ttl_s=10) is None


async def test_epoch_grows_when_the_lease_changes_hands_after_its_expiry(db: Database) -> None:
    first = await lease.acquire(db, "pair", "a", ttl_s=0.05)
    assert first is not None
    await asyncio.sleep(0.1)
    second = await lease.acquire(db, "pair", "b", ttl_s=10)
    assert second is not None
    assert second.epoch == first.epoch + 1


async def test_former_holder_is_refused_when_it_comes_back_under_a_later_epoch(db: Database) -> None:
    """a → b → a: the first lease of `a` must not count again (that it does not is the outbox's test)."""
    first = await lease.acquire(db, "pair", "a", ttl_s=0.01)
    assert first is not None
    await asyncio.sleep(0.05)
    await lease.acquire(db, "pair", "b", ttl_s=0.01)
    await asyncio.sleep(0.05)
    third = await lease.acquire(db, "pair", "a", ttl_s=10)
    assert third is not None
    assert third.epoch == first.epoch + 2


async def test_successor_need_not_wait_when_the_lease_is_released(db: Database) -> None:
    first = await lease.acquire(db, "pair", "a", ttl_s=60)
    assert first is not None
    await lease.release(db, first)
    assert await lease.acquire(db, "pair", "b", ttl_s=60) is not None


async def test_release_changes_nothing_when_another_holds_it(db: Database) -> None:
    first = await lease.acquire(db, "pair", "a", ttl_s=0.01)
    assert first is not None
    await asyncio.sleep(0.05)
    second = await lease.acquire(db, "pair", "b", ttl_s=60)
    assert second is not None
    await lease.release(db, first)
    assert await lease.acquire(db, "pair", "c", ttl_s=60) is None
    assert await lease.acquire(db, "pair", "b", ttl_s=60) == second


async def test_keeper_renews_and_gives_up_when_another_took_over(db: Database) -> None:
    keeper, rival = (Keeper(db, "relay", name, ttl_s=1) for name in ("a", "b"))
    held = await keeper.hold()
    assert held is not None
    assert await rival.hold() is None
    for _ in range(5):
        await asyncio.sleep(0.3)
        assert await keeper.hold() == held
        assert await rival.hold() is None
    await asyncio.sleep(1.5)  # frozen
    taken = await rival.hold()
    assert taken is not None
    assert taken.epoch == held.epoch + 1
    assert await keeper.hold() is None


async def test_keeper_lets_the_next_one_in_at_once_when_it_releases(db: Database) -> None:
    keeper, rival = (Keeper(db, "relay", name, ttl_s=60) for name in ("a", "b"))
    assert await keeper.hold() is not None
    await keeper.release()
    assert await rival.hold() is not None
    assert await keeper.hold() is None


def test_holder_names_differ_when_one_process_makes_two() -> None:
    assert lease.holder_name() != lease.holder_name()
