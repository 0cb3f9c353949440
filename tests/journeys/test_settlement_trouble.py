"""The line to the node breaks under settlement, the chain takes a settling block back: each trade settles exactly once
(F-12 to F-14, for settlement)."""

import asyncio

import pytest

from tests.journeys.conftest import DEPTH, Hand
from tests.journeys.test_chain_trouble import read_up_to_the_head, watcher
from tests.journeys.test_order_crashes import Floor
from tests.journeys.test_settlement import prove_settled, times_settled, trade, trades_of
from tests.support.counter import Counter
from tests.support.fault_proxy import Direction, FaultProxy
from tests.support.stack import PATIENCE_S, Stack
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
async def floor(counter: Counter) -> Floor:
    opened = await Floor.open(counter)
    await counter.registered(opened.buyer)
    return opened


async def test_trades_settle_once_when_the_node_is_lost_for_a_while(
    stack: Stack, floor: Floor, line: FaultProxy
) -> None:
    """A settling transaction is taken and nobody hears of it; then the node hangs, and refuses. Trades go on."""
    line.abort_when(Direction.TO_SERVER, b"eth_sendRawTransaction", deliver=True)
    await trade(floor)
    await asyncio.sleep(0.5)
    line.swallow()
    await trade(floor)
    await asyncio.sleep(1)
    line.refuse()
    line.cut()
    await trade(floor)
    line.heal()
    await prove_settled(floor, 3)


@pytest.mark.parametrize("depth", [2, DEPTH + 3])
async def test_a_trade_settles_once_when_the_chain_takes_its_block_back(
    counter: Counter, floor: Floor, hand: Hand, depth: int
) -> None:
    """Under less than the depth nothing was said yet. Beyond it the trade shows as settled: the watcher stops and says
    so, nothing is rewritten, and it goes on when the same bytes are in the chain again."""
    kept = await hand.keep()
    await trade(floor)
    [made] = await trades_of(floor, floor.buyer)
    await eventually(
        lambda: _settles_in_the_next_block(floor, hand, made["id"]),
        "it is in a block",
        within_s=30,
        every_s=0.3,
    )
    await hand.mine(depth - 1)
    await read_up_to_the_head(counter, hand)
    await _shows(floor, "SETTLED" if depth >= DEPTH else "SUBMITTED")
    head = await hand.head()
    await hand.take_back(kept)
    assert await times_settled(floor, made["id"]) == 0
    await hand.mine(head + 1 - await hand.head())
    if depth >= DEPTH:
        await eventually(lambda: _has_stopped(counter), "the watcher stops", within_s=PATIENCE_S, every_s=0.1)
        await _shows(floor, "SETTLED")
    async with hand.going():
        await eventually(
            lambda: _is_back(counter, floor, made["id"]),
            "it is settled again",
            within_s=PATIENCE_S,
            every_s=0.2,
        )
        await prove_settled(floor, 1)


async def _settles_in_the_next_block(floor: Floor, hand: Hand, trade_id: str) -> bool:
    await hand.mine(1)
    return await times_settled(floor, trade_id) == 1


async def _shows(floor: Floor, status: str) -> None:
    async def does() -> bool:
        return {one["settlementStatus"] for one in await trades_of(floor, floor.buyer)} == {status}

    await eventually(does, f"the trade is {status}", within_s=PATIENCE_S, every_s=0.1)


async def _has_stopped(counter: Counter) -> bool:
    return (await watcher(counter))["stoppedReason"] is not None


async def _is_back(counter: Counter, floor: Floor, trade_id: str) -> bool:
    return await times_settled(floor, trade_id) == 1 and not await _has_stopped(counter)
