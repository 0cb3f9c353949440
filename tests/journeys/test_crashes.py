"""The crash matrix: a process kills itself at each failpoint of the lifecycle, is started again, and the market
becomes active with everything done exactly once (F-03, F-04, F-05)."""

import asyncio

import pytest

from tests.journeys import test_order_crashes as orders
from tests.journeys.test_custody_crashes import API, LANE, WATCHER, WORKERS
from tests.support.failpoints import registered
from tests.support.servers import ROOT
from tests.support.stack import Listing, Stack
from tests.support.waiting import under_way

CRASHES: list[tuple[str, str, int]] = [
    # what users and the permission service send; the sender hears nothing and sends again
    ("api", "database.beforeCommit", 1),
    ("api", "database.afterCommit", 1),
    ("api", "api.beforeReply", 1),
    ("api", "decision.afterClaim", 1),
    ("api", "database.beforeCommit", 2),
    ("api", "database.afterCommit", 2),
    ("api", "webhook.beforeReply", 1),
    # the nonce lane
    ("lane", "lane.beforeSign", 1),
    ("lane", "lane.afterSign", 1),
    ("lane", "lane.afterPersist", 1),
    ("lane", "lane.afterBroadcast", 1),
    ("lane", "lane.afterReceipt", 1),
    ("lane", "lane.beforeCommit", 1),
    ("lane", "lane.beforeCommit", 2),
    # what leaves the database; a successor has to wait for the dead one's lease
    ("relay", "relay.fan-out.afterDeliver", 1),
    ("relay", "relay.jobs.afterDeliver", 1),
    ("relay", "relay.redis.afterDeliver", 1),
    ("relay", "relay.epc.afterDeliver", 1),
]
DEPLOYMENT = ("deploy.afterClaim", "deploy.afterProof", "deploy.beforeCommit", "deploy.afterCommit")
ELSEWHERE = {
    "tests/compliance/test_registry.py": ("pause.afterRequest", "pause.afterFinal"),
    "tests/compliance/test_screening.py": ("verify.afterAnswer", "verify.beforeCommit"),
    "tests/notifications/test_feed.py": (
        "relay.notifications.afterDeliver",
        "relay.trading-notifications.afterDeliver",
    ),
    "tests/notifications/test_outgoing.py": ("notify.afterSend",),
    "tests/settlement/test_settling.py": (
        "settle.afterClaim",
        "settle.beforeSign",
        "settle.afterRequest",
        "settle.afterFinal",
        "settle.beforeCommit",
        "settle.beforeSettled",
    ),
    "tests/settlement/test_failing.py": ("settle.beforeCompensated",),
    "tests/settlement/test_pairs.py": ("listPair.afterRequest",),
    "tests/tokens/test_listing.py": ("list.afterClaim", "list.afterRequest", "list.afterProof"),
    "tests/workers/test_trading_sinks.py": (
        "relay.trading-redis.afterPublish",
        "relay.trading-redis.afterDeliver",
        "relay.trading-epc.afterDeliver",
    ),
}
"""Points that tests in one process cross, by an exception in the place of a death."""


def test_every_failpoint_is_crossed_by_a_test() -> None:
    crossed = {point for _, point, _ in CRASHES} | set(DEPLOYMENT)
    crossed |= {
        *orders.API,
        *orders.MATCHER,
        *LANE,
        *WATCHER,
        *API,
        *(point for points in WORKERS.values() for point in points),
    }
    for file, points in ELSEWHERE.items():
        text = (ROOT / file).read_text()
        assert all(f'"{point}"' in text for point in points), f"{file} does not cross what it is said to"
        crossed |= set(points)
    assert registered() == crossed


@pytest.mark.slow
@pytest.mark.parametrize(("part", "point", "crossing"), CRASHES, ids=[f"{p} {n} {c}" for p, n, c in CRASHES])
async def test_market_becomes_active_once_when_a_process_dies_at(
    stack: Stack, part: str, point: str, crossing: int
) -> None:
    await stack.run(part, FAILPOINTS=f"{point}=kill:{crossing}")
    async with under_way(stack.lifecycle()) as going:
        await stack.dies(part)
        await stack.run(part)
        await stack.prove(await going)


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_markets_become_active_once_when_the_deploying_worker_dies_at_each_step(stack: Stack) -> None:
    """All four in a row, since BullMQ gives a dead worker's job to another only after its lock has run out."""
    listings: list[Listing] = []
    for point in DEPLOYMENT:
        await stack.run("jobs", FAILPOINTS=f"{point}=kill:1")
        listing = await stack.register()
        await stack.approve(listing)
        await stack.dies("jobs")
        listings.append(listing)
    await stack.run("jobs")
    await asyncio.gather(*(stack.live(listing) for listing in listings))
    await stack.prove(*listings)


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("part", ["lane", "relay"])
async def test_market_becomes_active_once_when_a_process_dies_at_its_every_commit(
    stack: Stack, part: str
) -> None:
    """Dead at the first commit after the start, then at the second, and so on until it has nothing left to do.
    A relay spends a few on its leases; each of its successors waits for those."""
    async with under_way(stack.lifecycle()) as going:
        deaths = 0
        for crossing in {"lane": range(1, 5), "relay": (2, 6, 10, 14)}[part]:
            kind = "beforeCommit" if crossing % 4 else "afterCommit"
            await stack.run(part, FAILPOINTS=f"database.{kind}=kill:{crossing}")
            deaths += await stack.dies(part, or_lives_s=8)
        await stack.run(part)
        await stack.prove(await going)
        assert deaths >= 2
