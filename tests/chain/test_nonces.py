"""Our nonces against the chain's: lost tails, other chains, keys that others use, and going on after that."""

import pytest

from deedbook import chain
from deedbook.chain import store
from deedbook.chain.errors import ChainDisagrees
from deedbook.chain.terms import TxStatus
from deedbook.infra.database import Database
from tests.chain.support import CONFIRMATIONS, FakeLane, new_signer, refuse
from tests.support.fake_chain import FakeChain


async def finished(lane: FakeLane, count: int) -> list[str]:
    """So many confirmed transactions, each in a block of its own."""
    keys = [f"done-{number}" for number in range(count)]
    for number, key in enumerate(keys):
        await lane.ask(key, first=number)
        await lane.step()
        lane.node.mine()
    await lane.finish(*keys)
    return keys


# A chain that lost its newest blocks


async def test_a_lost_tail_is_sent_again_with_the_same_bytes(lane: FakeLane) -> None:
    keys = await finished(lane, 5)
    before = [(await lane.entry(key)).tx_hash for key in keys]
    block = (await lane.entry("done-2")).block_number
    assert block is not None
    lane.node.rewind(len(lane.node.blocks) - block)

    await lane.check()
    assert [await lane.status(key) for key in keys] == [TxStatus.CONFIRMED] * 2 + [TxStatus.SENT] * 3
    await lane.later(4)
    await lane.finish(*keys)
    assert lane.effects() == [0, 1, 2, 3, 4]
    assert [(await lane.entry(key)).tx_hash for key in keys] == before
    assert {len(await lane.attempts(key)) for key in keys} == {1}
    assert await lane.stopped() is None


async def test_a_lost_tail_is_healed_while_newer_calls_are_in_flight(lane: FakeLane) -> None:
    keys = await finished(lane, 3)
    newer = [f"newer-{number}" for number in range(12)]
    await lane.ask(*newer, first=3)
    await lane.step()
    block = (await lane.entry("done-1")).block_number
    assert block is not None
    lane.node.rewind(len(lane.node.blocks) - block)
    lane.node.drop_pool()
    await lane.check()
    await lane.later(4)
    for _ in range(8):
        await lane.step()
        lane.node.mine()
        await lane.later(4)
    await lane.finish(*keys, *newer)
    assert lane.effects() == list(range(15))


async def test_a_loss_deeper_than_the_confirmations_is_healed_and_a_new_end_is_kept(lane: FakeLane) -> None:
    """More than N blocks went away and the contract now says no: the end changes, it is not made up."""
    keys = await finished(lane, 2)
    lane.node.reorganize(CONFIRMATIONS + 1)
    lane.node.reverts = refuse(1, "Paused()")
    await lane.check()
    await lane.later(4)
    await lane.finish(*keys)
    assert await lane.status("done-0") is TxStatus.CONFIRMED
    assert (await lane.entry("done-1")).error == "execution reverted: Paused()"


async def test_a_node_that_is_behind_does_not_look_like_a_lost_tail(lane: FakeLane) -> None:
    keys = await finished(lane, 3)
    lane.node.nonce_lie = -1
    await lane.check()
    assert [await lane.status(key) for key in keys] == [TxStatus.CONFIRMED] * 3


async def test_what_becomes_final_while_the_nonce_is_asked_is_not_lost(lane: FakeLane) -> None:
    await finished(lane, 1)
    await lane.ask("late", first=1)
    await lane.step()
    asked = lane.node.nonce

    async def slow_nonce(wallet: str) -> int:
        lane.node.nonce = asked  # type: ignore[method-assign]
        answer = await asked(lane.wallet)
        lane.node.mine(CONFIRMATIONS)
        await lane.step()
        lane.node.hidden_receipts = {(await lane.attempts("late"))[0]["tx_hash"]}
        return answer

    lane.node.nonce = slow_nonce  # type: ignore[method-assign]
    await lane.check()
    assert await lane.status("late") is TxStatus.CONFIRMED


async def test_a_stale_look_does_not_undo_what_another_process_finished(lane: FakeLane) -> None:
    """One stepper found no receipt for a mined transaction; by the time it writes, another has finished it."""
    await lane.ask("mint")
    await lane.step()
    lane.node.mine()
    await lane.step()
    stale = await lane.entry("mint")
    lane.node.mine(CONFIRMATIONS)
    await lane.step()
    async with lane.db.transaction() as tx:
        assert await store.mark_unmined(tx, stale.transaction_id, stale.block_hash) is False
    assert await lane.status("mint") is TxStatus.CONFIRMED


# Another chain


async def test_a_chain_that_has_nothing_of_ours_is_refused(lane: FakeLane) -> None:
    keys = await finished(lane, 2)
    lane.node.rewind(len(lane.node.blocks) - 1)
    with pytest.raises(ChainDisagrees, match="none of the transactions"):
        await lane.check()
    assert [await lane.status(key) for key in keys] == [TxStatus.CONFIRMED] * 2


async def test_the_right_node_after_a_wrong_one_needs_no_hands(lane: FakeLane) -> None:
    await finished(lane, 2)
    right, lane.node = lane.node, FakeChain()
    with pytest.raises(ChainDisagrees):
        await lane.check()
    lane.node = right
    await lane.check()
    assert await lane.stopped() is None


async def test_a_gap_before_our_first_nonce_is_refused(db: Database, node: FakeChain) -> None:
    lane = FakeLane(db, node, new_signer())
    node.nonce_lie = 3
    await lane.begin()
    node.heal()
    with pytest.raises(ChainDisagrees, match="waits for nonce 0"):
        await lane.check()


# A key that others use


async def test_foreign_use_of_the_key_stops_the_lane(lane: FakeLane) -> None:
    await finished(lane, 2)
    lane.node.put(lane.wallet, 2)
    lane.node.mine()
    await lane.check()
    assert await lane.stopped() == "the chain has used nonce 2, which we did not"

    await lane.ask("waits", first=2)
    await lane.step()
    assert await lane.status("waits") is TxStatus.QUEUED


async def test_a_wallet_that_begins_behind_the_chain_is_stopped(db: Database, node: FakeChain) -> None:
    lane = FakeLane(db, node, new_signer())
    await lane.begin()
    node.put(lane.wallet, 0)
    node.mine()
    await lane.check()
    assert await lane.stopped() == "the chain has used nonce 0, which we did not"


async def test_a_nonce_that_another_took_from_under_us_stops_the_lane(lane: FakeLane) -> None:
    await lane.ask("mint")
    await lane.step()
    lane.node.put(lane.wallet, 0)
    lane.node.mine()
    await lane.check()
    assert await lane.stopped() is None  # its receipt may only be late
    await lane.later(61)
    await lane.check()
    assert await lane.stopped() == "nonce 0 of mint was used by a transaction that is not ours"


async def test_our_own_mined_transaction_is_no_foreign_use(lane: FakeLane) -> None:
    await lane.ask("mint")
    await lane.step()
    await lane.later(61)
    lane.node.mine()
    await lane.check()
    assert await lane.stopped() is None


async def test_an_allocation_in_between_is_no_foreign_use(lane: FakeLane) -> None:
    """The chain is asked after our side was read: what was signed, sent and mined meanwhile is ours."""
    asked = lane.node.nonce

    async def slow_nonce(wallet: str) -> int:
        lane.node.nonce = asked  # type: ignore[method-assign]
        await lane.ask("a", "b")
        await lane.step()
        lane.node.mine()
        return await asked(lane.wallet)

    lane.node.nonce = slow_nonce  # type: ignore[method-assign]
    await lane.check()
    assert await lane.stopped() is None
    await lane.finish("a", "b")


# Going on


async def test_a_stopped_lane_still_finishes_what_is_in_flight(lane: FakeLane) -> None:
    await lane.ask("mint")
    await lane.step()
    async with lane.db.transaction() as tx:
        await store.stop_wallet(tx, lane.wallet, "by a test")
    lane.node.mine(CONFIRMATIONS)
    await lane.step()
    assert await lane.status("mint") is TxStatus.CONFIRMED


async def test_an_operator_resumes_a_stopped_lane(lane: FakeLane) -> None:
    await finished(lane, 2)
    for nonce in (2, 3):
        lane.node.put(lane.wallet, nonce)
    lane.node.mine()
    await lane.check()
    await lane.ask("waits", first=7)
    await lane.step()

    assert await chain.resume(lane.db, lane.node, lane.wallet) == 0
    assert (await lane.stopped(), await lane.next_nonce()) == (None, 4)
    await lane.finish("waits")
    assert (await lane.entry("waits")).nonce == 4


async def test_resuming_gives_another_nonce_to_calls_that_lost_theirs(lane: FakeLane) -> None:
    await lane.ask("a", "b", "c")
    await lane.step()
    taken = [sent.tx_hash for sent in lane.node.received]
    for nonce in (0, 1):
        lane.node.put(lane.wallet, nonce)
    lane.node.mine(2)
    await lane.later(61)
    await lane.check()
    assert await lane.stopped() is not None

    assert await chain.resume(lane.db, lane.node, lane.wallet) == 2
    await lane.finish("a", "b", "c")
    ours = [sent for sent in lane.node.mined(lane.wallet) if sent.data != b"foreign"]
    assert [(sent.nonce, int.from_bytes(sent.data)) for sent in ours] == [(2, 2), (3, 0), (4, 1)]
    assert not {sent.tx_hash for sent in ours} & set(taken[:2])
    await lane.check()
    assert await lane.stopped() is None


async def test_resuming_a_lane_that_runs_changes_nothing(lane: FakeLane) -> None:
    await lane.ask("mint")
    await lane.step()
    assert await chain.resume(lane.db, lane.node, lane.wallet) == 0
    await lane.finish("mint")
    assert lane.effects() == [0]


async def test_resuming_a_key_that_was_never_used_changes_nothing(db: Database, node: FakeChain) -> None:
    assert await chain.resume(db, node, new_signer().address) == 0
