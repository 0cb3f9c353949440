"""Copies of balances: written from the truth, for whoever a fact touches, and gone after a while."""

from typing import Any

import orjson
from redis.asyncio import Redis

from deedbook.custody.cache import BALANCE_TTL_S, BalanceCopies
from deedbook.custody.errands import TRANSFER
from deedbook.infra import outbox
from deedbook.infra.outbox import Cursor, StoredFact
from tests.custody.support import House


async def facts(house: House) -> list[StoredFact]:
    return await outbox.facts_after(house.db, Cursor(0, 0), limit=1000)


async def read(redis: Redis, key: str) -> Any:
    told = await redis.get(key)
    return orjson.loads(told) if told is not None else None


async def test_both_parties_have_copies_after_a_transfer(house: House, redis: Redis) -> None:
    alice, bob = await house.rich("10"), await house.person()
    asked = await house.transfer(alice, bob, "4")
    copies = BalanceCopies(house.db, redis)
    await copies.follow(await facts(house))
    cash = house.cash.token_id
    assert await read(redis, f"token:balance:{alice.user_id}:{cash}") == {"available": "6", "locked": "4"}
    await house.carry_out(TRANSFER, asked.transfer_id)
    for _ in range(2):
        await copies.follow(await facts(house))
    balances = {str(cash): {"available": "4", "locked": "0"}}
    assert await read(redis, f"user:session:{bob.user_id}") == {"balances": balances}
    assert await read(redis, f"token:balance:{alice.user_id}:{cash}") == {"available": "6", "locked": "0"}
    assert 0 < await redis.ttl(f"user:session:{bob.user_id}") <= BALANCE_TTL_S


async def test_an_old_fact_leaves_no_old_copy(house: House, redis: Redis) -> None:
    alice = await house.rich("10")
    old = await facts(house)
    await house.withdraw(alice, "4")
    copies = BalanceCopies(house.db, redis)
    await copies.follow(await facts(house))
    await copies.follow(old)
    key = f"token:balance:{alice.user_id}:{house.cash.token_id}"
    assert await read(redis, key) == {"available": "6", "locked": "4"}


async def test_facts_of_others_touch_no_copy(house: House, redis: Redis) -> None:
    await house.person()
    await BalanceCopies(house.db, redis).follow(await facts(house))
    assert await redis.keys("*") == []
