"""Asking, waiting, and belonging to one chain."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from deedbook import chain
from deedbook.chain import store
from deedbook.chain.errors import ChainDisagrees, TransactionReverted
from deedbook.chain.terms import MAX_DATA_BYTES, MAX_GAS, Call, Contract, TxStatus
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from tests.chain.support import TARGET, FakeLane, mining, refuse
from tests.support.fake_chain import CHAIN_ID, FakeChain


async def test_a_request_is_undone_with_its_transaction(lane: FakeLane) -> None:
    with suppress(ZeroDivisionError):
        async with lane.db.transaction() as tx:
            await chain.request(tx, "mint", lane.wallet, Call(TARGET, b"", 21_000))
            raise ZeroDivisionError
    assert await chain.find(lane.db, "mint") is None


async def test_the_same_key_asked_by_many_at_once_asks_once(lane: FakeLane) -> None:
    await asyncio.gather(*[lane.ask("mint", first=number) for number in range(10)])
    await lane.finish("mint")
    assert len(lane.effects()) == 1


@pytest.mark.parametrize(
    "call",
    [
        Call(TARGET, b"", MAX_GAS + 1),
        Call(TARGET, b"", 0),
        Call(TARGET, bytes(MAX_DATA_BYTES + 1), 21_000),
    ],
)
async def test_what_no_block_could_take_is_not_queued(lane: FakeLane, call: Call) -> None:
    with pytest.raises(AssertionError, match="can never be mined"):
        async with lane.db.transaction() as tx:
            await chain.request(tx, "monster", lane.wallet, call)


async def test_waiting_ends_with_the_transaction(lane: FakeLane) -> None:
    await lane.ask("mint")
    async with mining(lane.node, 0.01):
        entry = await chain.wait_final(lane.db, "mint", 10, drive(lane))
    assert entry.status is TxStatus.CONFIRMED


async def test_waiting_says_why_a_transaction_was_undone(lane: FakeLane) -> None:
    lane.node.reverts = refuse(0, "Paused()")
    await lane.ask("mint")
    async with mining(lane.node, 0.01):
        with pytest.raises(TransactionReverted, match=r"mint: execution reverted: Paused\(\)"):
            await chain.wait_final(lane.db, "mint", 10, drive(lane))


async def test_waiting_ends_at_its_time_and_may_begin_again(lane: FakeLane) -> None:
    await lane.ask("mint")
    with pytest.raises(TimeoutError, match="not final after 0 s"):
        await chain.wait_final(lane.db, "mint", 0.2)
    await lane.finish("mint")
    assert (await chain.wait_final(lane.db, "mint", 1)).status is TxStatus.CONFIRMED


async def test_waiting_for_a_block_ends_before_the_transaction_is_final(lane: FakeLane) -> None:
    await lane.ask("mint")
    with pytest.raises(TimeoutError, match="not mined after 0 s"):
        await chain.wait_mined(lane.db, "mint", 0.2, drive(lane))
    lane.node.mine()
    assert (await chain.wait_mined(lane.db, "mint", 5, drive(lane))).status is TxStatus.MINED
    with pytest.raises(TimeoutError, match="not final"):
        await chain.wait_final(lane.db, "mint", 0.2, drive(lane))
    await lane.finish("mint")
    assert (await chain.wait_mined(lane.db, "mint", 1)).status is TxStatus.CONFIRMED


async def test_waiting_on_a_stopped_lane_says_so(lane: FakeLane) -> None:
    await lane.ask("mint")
    async with lane.db.transaction() as tx:
        await store.stop_wallet(tx, lane.wallet, "somebody else has the key")
    with pytest.raises(TimeoutError, match=r"the lane is stopped [(]somebody else has the key"):
        await chain.wait_final(lane.db, "mint", 0.2)


async def test_the_next_key_comes_after_those_that_were_undone(lane: FakeLane) -> None:
    assert await chain.next_key(lane.db, "deploy") == "deploy-1"
    lane.node.reverts = refuse(0, "Paused()")
    await lane.ask("deploy-1")
    assert await chain.next_key(lane.db, "deploy") == "deploy-1"
    await lane.finish("deploy-1")
    assert await chain.next_key(lane.db, "deploy") == "deploy-2"
    await lane.ask("deploy-2", first=5)
    await lane.finish("deploy-2")
    assert await chain.next_key(lane.db, "deploy") == "deploy-2"


async def test_a_database_belongs_to_one_chain(db: Database, node: FakeChain) -> None:
    await chain.bind_network(db, node, CHAIN_ID)
    await chain.bind_network(db, node, CHAIN_ID)
    with pytest.raises(ChainDisagrees, match="SAPPHIRE_CHAIN_ID is 23294"):
        await chain.bind_network(db, node, 23294)
    async with db.transaction() as tx:
        await tx.execute("UPDATE chain_network SET chain_id = 23294")
    with pytest.raises(ChainDisagrees, match="belongs to chain 23294"):
        await chain.bind_network(db, node, CHAIN_ID)


async def test_a_contract_is_recorded_once(db: Database) -> None:
    first, second = Address("0x" + "aa" * 20), Address("0x" + "bb" * 20)
    async with db.transaction() as tx:
        await chain.record_contract(tx, CHAIN_ID, Contract.CASH, first)
        await chain.record_contract(tx, CHAIN_ID, Contract.CASH, second)
    assert await chain.contracts(db, CHAIN_ID) == {Contract.CASH: first}
    assert await chain.contracts(db, 23294) == {}


def drive(lane: FakeLane) -> Callable[[], Awaitable[None]]:
    async def move() -> None:
        await lane.step()

    return move
