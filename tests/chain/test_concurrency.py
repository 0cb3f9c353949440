"""Several processes move one lane at once, die in the middle of it, and each call takes effect once."""

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress

from deedbook.chain.errors import ChainUnavailable
from deedbook.chain.lane import WINDOW
from deedbook.chain.ports import Chain
from deedbook.chain.terms import TxStatus
from deedbook.infra.database import Database
from deedbook.infra.embedded import EmbeddedAnvil
from deedbook.infra.failpoints import FailpointHit
from deedbook.integrations.sapphire.client import SapphireClient
from tests.chain.support import FakeLane, Lane, armed, mining, new_signer
from tests.support.fake_chain import FakeChain
from tests.support.waiting import PATIENCE_S

TRANSACTIONS = 200
STEPPERS = 3
POINTS = (
    "lane.beforeSign",
    "lane.afterSign",
    "lane.afterPersist",
    "lane.afterBroadcast",
    "lane.afterReceipt",
    "lane.beforeCommit",
    "database.beforeCommit",
    "database.afterCommit",
)


async def test_each_call_takes_effect_once_when_steppers_die_on_a_bad_chain(db: Database, dsn: str) -> None:
    chance = random.Random(20_260_722)
    node = FakeChain()
    lanes = [FakeLane(await connected(dsn), node, new_signer())]
    lanes += [FakeLane(await connected(dsn), node, lanes[0].signer) for _ in range(2)]
    keys = await ask_all(lanes[0])
    # Blocks that go away put transactions back in flight, so the window is watched on the other chain only.
    async with mining(node, 0.02), trouble(node, chance):
        await run_to_the_end(lanes, chance)
    assert_each_once([int.from_bytes(sent.data) for sent in node.mined(lanes[0].wallet)])
    await assert_all_confirmed(lanes[0], keys)
    for lane in lanes:
        await lane.db.close()


async def test_each_call_takes_effect_once_when_steppers_die_on_a_real_chain(
    db: Database, dsn: str, anvil: EmbeddedAnvil
) -> None:
    chance = random.Random(20_260_723)
    signer = new_signer()
    await anvil.rpc("anvil_setBalance", signer.address, hex(10**24))
    nodes = [SapphireClient(anvil.url) for _ in range(STEPPERS)]
    lanes = [Lane(await connected(dsn), node, signer) for node in nodes]
    first_block = await nodes[0].head()
    keys = await ask_all(lanes[0])
    async with window_watched(lanes[0]):
        await run_to_the_end(lanes, chance)
    assert await nodes[0].nonce(signer.address) == TRANSACTIONS
    assert_each_once(await effects_on(anvil, nodes[0], signer.address, first_block))
    await assert_all_confirmed(lanes[0], keys)
    for lane, node in zip(lanes, nodes, strict=True):
        await lane.db.close()
        await node.close()


async def connected(dsn: str) -> Database:
    return await Database.connect(dsn, pool_size=4, acquire_timeout_s=PATIENCE_S)


async def ask_all(lane: Lane) -> list[str]:
    keys = [f"call-{number}" for number in range(TRANSACTIONS)]
    await lane.begin()
    await lane.ask(*keys)
    return keys


async def run_to_the_end(lanes: list[Lane] | list[FakeLane], chance: random.Random) -> None:
    """All step at once; each is now and then cancelled, or meets a failpoint, in the middle of a step."""
    with armed(";".join(f"{point}=raise:{chance.randint(3, 12)}" for point in POINTS)):
        async with asyncio.timeout(90):
            async with ended_with_the_test(pass_time(lanes[0])):
                await asyncio.gather(*[step_on(lane, chance) for lane in lanes])


async def pass_time(lane: Lane) -> None:
    while True:
        await asyncio.sleep(0.2)
        with suppress(FailpointHit):
            await lane.later(4)


async def step_on(lane: Lane, chance: random.Random) -> None:
    while not await is_done(lane):
        stepping = asyncio.create_task(lane.step())
        if chance.random() < 0.2:
            await asyncio.sleep(chance.uniform(0, 0.03))
            stepping.cancel()
        with suppress(asyncio.CancelledError, FailpointHit, ChainUnavailable):
            await stepping
        if chance.random() < 0.1:
            with suppress(FailpointHit, ChainUnavailable):
                await lane.check()


@asynccontextmanager
async def window_watched(lane: Lane) -> AsyncIterator[None]:
    async def watch() -> None:
        while True:
            assert await lane.in_flight() <= WINDOW
            await asyncio.sleep(0.02)

    async with ended_with_the_test(watch()):
        yield


@asynccontextmanager
async def trouble(node: FakeChain, chance: random.Random) -> AsyncIterator[None]:
    """Reorganizations, lost bytes, lost replies and short outages, now and then."""

    async def make() -> None:
        while True:
            await asyncio.sleep(chance.uniform(0.02, 0.1))
            match chance.randint(0, 5):
                case 0:
                    node.drop_sends = 2
                case 1:
                    node.lose_replies = 2
                case 2:
                    node.fail_calls = 3
                case 3:
                    node.reorganize(min(chance.randint(1, 3), len(node.blocks) - 1))
                case 4:
                    node.reorganize(min(2, len(node.blocks) - 1), keep=False)
                case _:
                    node.drop_pool()

    async with ended_with_the_test(make()):
        yield


@asynccontextmanager
async def ended_with_the_test(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def is_done(lane: Lane) -> bool:
    rows = await lane.rows(
        "SELECT EXISTS (SELECT 1 FROM chain_transactions WHERE status <> 'confirmed') AS e"
    )
    return not rows[0]["e"]


async def assert_all_confirmed(lane: Lane, keys: list[str]) -> None:
    rows = await lane.rows("SELECT key, nonce, status FROM chain_transactions ORDER BY nonce")
    assert [row["nonce"] for row in rows] == list(range(TRANSACTIONS))
    assert {row["key"] for row in rows} == set(keys)
    assert {TxStatus(row["status"]) for row in rows} == {TxStatus.CONFIRMED}
    assert await lane.next_nonce() == TRANSACTIONS
    assert await lane.stopped() is None


def assert_each_once(effects: list[int]) -> None:
    assert effects == list(range(TRANSACTIONS))


async def effects_on(anvil: EmbeddedAnvil, node: Chain, wallet: str, first_block: int) -> list[int]:
    found = []
    for number in range(first_block, await node.head() + 1):
        block = await anvil.rpc("eth_getBlockByNumber", hex(number), True)
        assert isinstance(block, dict)
        found += [int(sent["input"], 16) for sent in block["transactions"] if sent["from"] == wallet]
    return found
