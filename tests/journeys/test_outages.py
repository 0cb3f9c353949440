"""What happens to markets on their way while a server or a process goes down: they arrive, once (F-08, F-11)."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from deedbook.infra.bullmq_client import connect
from tests.journeys.conftest import kill
from tests.support.stack import Listing, Stack
from tests.support.waiting import eventually, under_way

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
async def redis(stack: Stack) -> AsyncIterator[Redis]:
    client = connect(stack.valkey.url(), timeout_s=2)
    yield client
    await client.aclose()


async def staggered(stack: Stack, markets: int, apart_s: float) -> list[Listing]:
    """Markets that start one after the other, so that each is at another place when something happens."""

    async def one(number: int) -> Listing:
        await asyncio.sleep(number * apart_s)
        return await stack.lifecycle()

    return await asyncio.gather(*(one(number) for number in range(markets)))


@pytest.mark.parametrize("seed", [1, 2])
async def test_markets_become_active_once_when_processes_are_killed_at_random(
    stack: Stack, seed: int
) -> None:
    chance = random.Random(seed)
    async with under_way(staggered(stack, 5, 0.8)) as going:
        for name in chance.sample(["api", "jobs", "lane", "relay", "api", "relay", "permissions"], 6):
            await asyncio.sleep(chance.uniform(0.1, 0.6))
            stack.kill(name)
            await asyncio.sleep(chance.uniform(0.0, 0.5))
            await stack.run(name)
        await stack.prove(*await going)


async def test_markets_become_active_once_when_redis_is_emptied_again_and_again(
    stack: Stack, redis: Redis
) -> None:
    """F-11: queues, schedules, copies and caches are gone each time; the sweeper says the jobs again."""
    async with under_way(staggered(stack, 6, 0.35)) as going:
        for _ in range(10):
            await asyncio.sleep(0.23)
            await redis.flushall()
        await stack.prove(*await going)


async def test_market_becomes_active_once_when_redis_is_emptied_while_its_jobs_wait(
    stack: Stack, redis: Redis
) -> None:
    """No worker runs, so the job certainly is in Redis alone when that is emptied."""
    await stack.parts["jobs"].stop()
    listing = await stack.register()
    await stack.approve(listing)
    await _is_waiting(redis)
    await redis.flushall()
    await stack.run("jobs")
    await stack.live(listing, within_s=30)
    await stack.prove(listing)


async def test_markets_become_active_once_when_redis_is_killed_and_started_again(stack: Stack) -> None:
    async with under_way(staggered(stack, 4, 0.5)) as going:
        await asyncio.sleep(0.8)
        await kill(stack.valkey)
        await asyncio.sleep(2)
        await stack.valkey.start()
        await stack.prove(*await going)


async def test_market_is_registered_and_decided_while_redis_is_down(stack: Stack) -> None:
    """Slower, and nothing is lost: what needs a queue happens when there is one again."""
    await kill(stack.valkey)
    listing = await stack.register()
    await stack.approve(listing)
    await stack.valkey.start()
    await stack.live(listing)
    await stack.prove(listing)


async def test_markets_become_active_once_when_postgresql_is_killed_and_started_again(stack: Stack) -> None:
    """F-08, twice in the middle of everything. Nobody is started again by hand."""
    async with under_way(staggered(stack, 6, 0.4)) as going:
        for _ in range(2):
            await asyncio.sleep(0.9)
            await kill(stack.postgres)
            await asyncio.sleep(0.5)
            await stack.postgres.start()
        listings = await going
        assert all(part.poll() is None for part in stack.parts.values()), "no process died of it"
        await stack.prove(*listings)


async def test_markets_become_active_once_when_the_chain_is_killed_and_started_again(stack: Stack) -> None:
    """It may lose its newest second, also what was final with the few confirmations of this test; the lane
    notices by the nonces and sends the same bytes again."""
    async with under_way(staggered(stack, 5, 0.5)) as going:
        for _ in range(2):
            await asyncio.sleep(1.1)
            await kill(stack.anvil)
            await asyncio.sleep(0.3)
            await stack.anvil.start()
        listings = await going
        await stack.prove(*listings)


async def test_markets_become_active_once_when_everything_is_killed_at_once(stack: Stack) -> None:
    """The power goes out."""
    async with under_way(staggered(stack, 4, 0.4)) as going:
        await asyncio.sleep(1.2)
        for name in stack.parts:
            stack.kill(name)
        await kill(stack.postgres, stack.valkey, stack.anvil)
        await asyncio.gather(stack.postgres.start(), stack.valkey.start(), stack.anvil.start())
        await stack.all_run()
        await stack.prove(*await going)


async def test_market_becomes_active_once_when_the_relay_freezes_and_wakes_up_beside_its_successor(
    stack: Stack,
) -> None:
    """F-07: longer than its lease. Its successor is another process; the sleeper is fenced when it wakes."""
    frozen = stack.parts["relay"]
    os.kill(frozen.pid, signal.SIGSTOP)
    try:
        listing = await stack.register()
        await stack.run_beside("relay")
        await stack.approve(listing)
        await stack.live(listing)
    finally:
        os.kill(frozen.pid, signal.SIGCONT)
    second = await stack.lifecycle()
    await stack.prove(listing, second)
    assert frozen.poll() is None
    await stack.stop_beside()


async def test_work_is_finished_and_processes_end_when_they_are_told_to_stop(stack: Stack) -> None:
    """F-06: SIGTERM in the middle of everything; each ends by itself, in time, with what it had begun done. The
    lane is the last, as in a worker that does both: jobs may be waiting for it."""
    async with under_way(staggered(stack, 3, 0.3)) as going:
        await asyncio.sleep(0.8)
        codes = await asyncio.gather(*(stack.parts[name].stop(10) for name in ("api", "jobs", "relay")))
        codes.append(await stack.parts["lane"].stop(10))
        assert set(codes) <= {0, -signal.SIGTERM}, codes
        await stack.all_run()
        await stack.prove(*await going)


async def _is_waiting(redis: Redis) -> None:
    async def waits() -> bool:
        return bool(await redis.llen("bull:deploy-token:wait"))

    await eventually(waits, "the deployment waits in its queue")
