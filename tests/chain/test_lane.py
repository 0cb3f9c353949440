"""The nonce lane on a chain that does what the test says."""

from contextlib import suppress
from itertools import pairwise

import pytest

from deedbook.chain.errors import ChainUnavailable
from deedbook.chain.lane import MAX_ATTEMPTS, WINDOW
from deedbook.chain.terms import TxStatus
from deedbook.infra.failpoints import FailpointHit
from tests.chain.support import CONFIRMATIONS, GAS, FakeLane, armed, refuse
from tests.support.fake_chain import GWEI

STEPS = [
    "lane.beforeSign",
    "lane.afterSign",
    "lane.afterPersist",
    "lane.afterBroadcast",
    "lane.afterReceipt",
    "lane.beforeCommit",
    "database.beforeCommit",
    "database.afterCommit",
]


async def test_a_transaction_is_final_when_it_lies_deep_enough(lane: FakeLane) -> None:
    await lane.ask("mint")
    await lane.step()
    assert await lane.status("mint") is TxStatus.SENT

    lane.node.mine()
    await lane.step()
    assert await lane.status("mint") is TxStatus.MINED
    lane.node.mine(CONFIRMATIONS - 2)
    await lane.step()
    assert await lane.status("mint") is TxStatus.MINED
    lane.node.mine()
    await lane.step()

    entry = await lane.entry("mint")
    assert entry.status is TxStatus.CONFIRMED
    assert (entry.nonce, entry.block_number) == (0, 1)
    assert entry.block_hash == lane.node.blocks[1].block_hash
    assert await lane.step() is False


async def test_calls_take_effect_in_the_order_in_which_they_were_asked(lane: FakeLane) -> None:
    keys = [f"call-{number}" for number in range(25)]
    await lane.ask(*keys)
    await lane.finish(*keys)
    assert lane.effects() == list(range(25))


async def test_no_more_than_the_window_is_in_flight(lane: FakeLane) -> None:
    await lane.ask(*[f"call-{number}" for number in range(30)])
    for _ in range(3):
        await lane.step()
        assert await lane.in_flight() == WINDOW
    assert len(lane.node.pool) == WINDOW
    lane.node.mine()
    await lane.step()
    await lane.step()
    assert await lane.in_flight() == WINDOW
    assert max(sent.nonce for sent in lane.node.received) == 2 * WINDOW - 1


async def test_the_same_key_asks_once(lane: FakeLane) -> None:
    await lane.ask("mint")
    await lane.ask("mint", first=7)
    await lane.finish("mint")
    await lane.ask("mint")
    await lane.step()
    assert lane.effects() == [0]


@pytest.mark.parametrize("point", STEPS)
async def test_each_call_takes_effect_once_when_a_process_dies(lane: FakeLane, point: str) -> None:
    keys = [f"call-{number}" for number in range(12)]
    await lane.ask(*keys)
    for times in range(4):
        with armed(f"{point}=raise:1"), suppress(FailpointHit):
            await lane.step()
        if times % 2:
            lane.node.mine()
    await lane.finish(*keys)
    assert lane.effects() == list(range(12))
    assert {len(await lane.attempts(key)) for key in keys} == {1}


async def test_bytes_are_stored_before_they_are_sent(lane: FakeLane) -> None:
    await lane.ask("mint")
    with armed("lane.afterPersist=raise:1"), pytest.raises(FailpointHit):
        await lane.step()
    [stored] = await lane.attempts("mint")
    assert lane.node.sends == 0
    await lane.step()
    assert [sent.tx_hash for sent in lane.node.received] == [stored["tx_hash"]]


async def test_the_same_bytes_are_sent_again_when_the_node_lost_them(lane: FakeLane) -> None:
    await lane.ask("mint")
    lane.node.drop_sends = 1
    await lane.step()
    await lane.step()
    assert lane.node.sends == 1  # not at once
    await lane.later(4)
    await lane.step()
    first, second = lane.node.received
    assert first == second
    await lane.finish("mint")
    assert lane.effects() == [0]


async def test_a_lost_reply_sends_nothing_new(lane: FakeLane) -> None:
    await lane.ask("mint")
    lane.node.lose_replies = 1
    with pytest.raises(ChainUnavailable):
        await lane.step()
    assert await lane.status("mint") is TxStatus.SIGNED
    await lane.finish("mint")
    assert lane.effects() == [0]
    assert len({sent.tx_hash for sent in lane.node.received}) == 1


@pytest.mark.parametrize(
    "words", ["nonce too low", "replacement transaction underpriced", "txpool is full", "rate limited"]
)
async def test_what_a_node_says_to_a_broadcast_decides_nothing(lane: FakeLane, words: str) -> None:
    await lane.ask("mint")
    lane.node.refuse_sends = words
    await lane.step()
    assert await lane.status("mint") is TxStatus.SENT
    lane.node.heal()
    await lane.later(4)
    await lane.finish("mint")
    assert lane.effects() == [0]


async def test_a_node_that_is_away_costs_only_time(lane: FakeLane) -> None:
    await lane.ask("a", "b")
    await lane.step()
    lane.node.down = True
    with pytest.raises(ChainUnavailable):
        await lane.step()
    lane.node.heal()
    await lane.finish("a", "b")
    assert lane.effects() == [0, 1]


# Replacement


async def test_a_late_transaction_is_replaced_at_a_higher_price(lane: FakeLane) -> None:
    await lane.ask("mint")
    await lane.step()
    lane.node.price = 150 * GWEI
    lane.node.mine()
    assert lane.effects() == []

    await lane.later(31)
    await lane.step()
    await lane.step()
    await lane.finish("mint")

    first, second = await lane.attempts("mint")
    assert (first["gas_price"], second["gas_price"]) == (100 * GWEI, 150 * GWEI)
    assert (await lane.entry("mint")).tx_hash == second["tx_hash"]
    assert lane.effects() == [0]
    assert {sent.nonce for sent in lane.node.received} == {0}


async def test_the_first_attempt_counts_when_it_is_mined_after_all(lane: FakeLane) -> None:
    await lane.ask("mint")
    await lane.step()
    [first] = lane.node.pool.values()
    lane.node.drop_pool()
    await lane.later(31)
    await lane.step()
    lane.node.pool = {(first.sender, first.nonce): first}
    lane.node.mine(CONFIRMATIONS)
    await lane.step()
    entry = await lane.entry("mint")
    assert entry.status is TxStatus.CONFIRMED
    assert entry.tx_hash == first.tx_hash
    assert len(await lane.attempts("mint")) == 2


async def test_each_attempt_costs_at_least_an_eighth_more(lane: FakeLane) -> None:
    await lane.ask("mint")
    await lane.step()
    for _ in range(4):
        await lane.later(31)
        await lane.step()
    prices = [row["gas_price"] for row in await lane.attempts("mint")]
    assert len(prices) == 5
    assert all(later * 8 > earlier * 9 for earlier, later in pairwise(prices))


async def test_only_what_holds_up_the_lane_is_replaced(lane: FakeLane) -> None:
    await lane.ask(*[f"call-{number}" for number in range(5)])
    await lane.step()
    del lane.node.pool[(lane.wallet, 0)]
    lane.node.refuse_sends = "txpool is full"
    await lane.later(31)
    await lane.step()
    assert [len(await lane.attempts(f"call-{number}")) for number in range(5)] == [2, 1, 1, 1, 1]


async def test_a_transaction_is_not_replaced_once_its_nonce_is_used(lane: FakeLane) -> None:
    await lane.ask("mint")
    await lane.step()
    [attempt] = await lane.attempts("mint")
    lane.node.mine()
    lane.node.hidden_receipts.add(attempt["tx_hash"])  # an index that comes late
    await lane.later(31)
    await lane.step()
    assert len(await lane.attempts("mint")) == 1


async def test_nothing_is_paid_beyond_the_cap(lane: FakeLane) -> None:
    await lane.ask("mint")
    lane.node.price = 1001 * GWEI
    assert await lane.step() is False
    assert await lane.status("mint") is TxStatus.QUEUED

    lane.node.price = 950 * GWEI
    await lane.step()
    lane.node.price = 990 * GWEI
    await lane.later(31)
    await lane.step()  # an eighth more would be above the cap
    assert len(await lane.attempts("mint")) == 1
    lane.node.price = 900 * GWEI
    await lane.finish("mint")
    assert lane.effects() == [0]


async def test_attempts_end_and_the_last_one_is_sent_on(lane: FakeLane) -> None:
    await lane.ask("mint")
    await lane.step()
    lane.node.refuse_sends = "txpool is full"
    for _ in range(MAX_ATTEMPTS + 3):
        await lane.later(31)
        await lane.step()
    attempts = await lane.attempts("mint")
    assert len(attempts) == MAX_ATTEMPTS
    lane.node.heal()
    lane.node.drop_pool()
    await lane.later(31)
    await lane.step()
    assert lane.node.received[-1].tx_hash == attempts[-1]["tx_hash"]
    await lane.finish("mint")


async def test_a_transaction_that_became_final_meanwhile_is_not_replaced(lane: FakeLane) -> None:
    """The stepper that would replace it asks the node for the price while another sees it final."""
    await lane.ask("mint")
    await lane.step()
    lane.node.refuse_sends = "txpool is full"
    await lane.later(31)
    asked = lane.node.gas_price

    async def slow_price() -> int:
        lane.node.gas_price = asked  # type: ignore[method-assign]
        lane.node.mine(CONFIRMATIONS)
        await lane.step()
        return await asked()

    lane.node.gas_price = slow_price  # type: ignore[method-assign]
    await lane.step()
    assert await lane.status("mint") is TxStatus.CONFIRMED
    assert len(await lane.attempts("mint")) == 1


# Reverts


async def test_a_reverted_transaction_ends_with_its_reason(lane: FakeLane) -> None:
    lane.node.reverts = refuse(1, "IssuerNotVerified(0xab)")
    await lane.ask("good", "bad", "better")
    await lane.finish("good", "bad", "better")
    bad = await lane.entry("bad")
    assert bad.status is TxStatus.REVERTED
    assert bad.error == "execution reverted: IssuerNotVerified(0xab)"
    assert await lane.status("better") is TxStatus.CONFIRMED


async def test_a_transaction_without_a_reason_ends_all_the_same(lane: FakeLane) -> None:
    lane.node.reverts = refuse(0, "anything")
    lane.node.no_reasons = True
    await lane.ask("bad")
    await lane.finish("bad")
    bad = await lane.entry("bad")
    assert (bad.status, bad.error) == (
        TxStatus.REVERTED,
        "undone by the contract; the node gave no reason",
    )


async def test_running_out_of_gas_is_told_from_a_refusal(lane: FakeLane) -> None:
    lane.node.reverts = refuse(0, "anything")
    lane.node.uses = lambda sent: GAS
    await lane.ask("bad")
    await lane.finish("bad")
    assert (await lane.entry("bad")).error == f"out of gas: all {GAS} were used"


# The chain changes its mind


@pytest.mark.parametrize("depth", [1, CONFIRMATIONS - 1])
async def test_a_reorganization_within_the_confirmations_is_invisible(lane: FakeLane, depth: int) -> None:
    await lane.ask("mint")
    await lane.step()
    lane.node.mine(depth)
    await lane.step()
    before = await lane.entry("mint")
    assert before.status is TxStatus.MINED

    lane.node.reorganize(depth)
    await lane.step()
    assert await lane.status("mint") is TxStatus.SENT
    await lane.finish("mint")
    after = await lane.entry("mint")
    assert after.tx_hash == before.tx_hash
    assert after.block_hash != before.block_hash
    assert lane.effects() == [0]


async def test_a_block_that_went_away_with_its_transactions_is_made_up_for(lane: FakeLane) -> None:
    await lane.ask("a", "b", "c")
    await lane.step()
    lane.node.mine()
    await lane.step()
    lane.node.reorganize(1, keep=False)
    await lane.step()
    assert await lane.status("a") is TxStatus.SENT
    await lane.later(4)
    await lane.finish("a", "b", "c")
    assert lane.effects() == [0, 1, 2]
    assert len({sent.tx_hash for sent in lane.node.received}) == 3


async def test_another_block_takes_the_place_of_the_one_that_was_seen(lane: FakeLane) -> None:
    await lane.ask("mint")
    await lane.step()
    lane.node.mine()
    await lane.step()
    seen = (await lane.entry("mint")).block_hash
    lane.node.reorganize(1)
    lane.node.mine()  # it is in again before anybody looks
    await lane.step()
    entry = await lane.entry("mint")
    assert entry.status is TxStatus.MINED
    assert entry.block_hash == lane.node.blocks[2].block_hash != seen


async def test_a_lying_head_finishes_nothing(lane: FakeLane) -> None:
    await lane.ask("mint")
    await lane.step()
    lane.node.mine()
    lane.node.head_lie = 100
    await lane.step()
    await lane.step()
    assert await lane.status("mint") is TxStatus.MINED
    lane.node.heal()
    await lane.finish("mint")


async def test_a_receipt_of_a_block_that_is_not_in_the_chain_finishes_nothing(lane: FakeLane) -> None:
    await lane.ask("mint")
    await lane.step()
    lane.node.mine(CONFIRMATIONS)
    lane.node.block_lie = "0x" + "ee" * 32
    await lane.step()
    assert await lane.status("mint") is TxStatus.MINED
    lane.node.block_lie = None
    await lane.step()
    assert await lane.status("mint") is TxStatus.CONFIRMED


async def test_receipts_of_two_attempts_end_as_the_one_in_the_chain(lane: FakeLane) -> None:
    """Two backends of one address may disagree: one has the first attempt's receipt, one the second's."""
    await lane.ask("mint")
    await lane.step()
    await lane.later(31)
    lane.node.refuse_sends = "txpool is full"
    await lane.step()
    first, second = await lane.attempts("mint")
    lane.node.mine(CONFIRMATIONS)
    lane.node.ghosts = {second["tx_hash"]: (1, "0x" + "ee" * 32)}
    for _ in range(3):
        await lane.step()
    lane.node.ghosts = {}
    await lane.step()
    entry = await lane.entry("mint")
    assert (entry.status, entry.tx_hash) == (TxStatus.CONFIRMED, first["tx_hash"])
