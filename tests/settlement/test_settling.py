"""From executed trades to settled ones: each once, in batches, in their order, whatever dies or is said twice."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

import orjson
import pytest

from deedbook.chain.delivery import Cost
from deedbook.chain.terms import MAX_DATA_BYTES, MAX_GAS
from deedbook.chain.views import Depth
from deedbook.infra.failpoints import FailpointHit
from deedbook.kernel.jobs import Job
from deedbook.settlement import batching, carrying, jobs, views
from deedbook.settlement.store import opening
from deedbook.settlement.terms import ADVANCE_SETTLEMENT, SETTLE_BATCH, BatchId
from tests.chain.support import armed
from tests.settlement.support import FIGURES, Floor
from tests.support.fake_chain import CHAIN_ID, Sent
from tests.support.owner import as_owner
from tests.support.vault_logs import VAULT


class Resources:
    """What the jobs of this room receive."""

    def __init__(self, floor: Floor) -> None:
        self.db, self.settlement_desk = floor.db, floor.desk


async def test_a_trade_is_settled_when_its_batch_is_deep_enough(floor: Floor) -> None:
    buyer, seller = await floor.buyer(), await floor.seller()
    trade_id = await floor.trade(buyer, seller, "5", "1000.00")
    await floor.require_truths()
    await floor.advance()
    assert await floor.status(trade_id) == "SUBMITTED"
    await floor.require_truths()
    assert await _depth(floor, trade_id) is None
    await floor.settle_all(1)
    assert await floor.status(trade_id) == "SUBMITTED"
    depth = await _depth(floor, trade_id)
    assert depth is not None and depth.confirmations >= 1
    await floor.require_truths()
    await floor.settle_all()
    assert await floor.status(trade_id) == "SETTLED"
    assert await _depth(floor, trade_id) is None
    assert await floor.settled_events(trade_id) == 1
    row, told = await floor.row(trade_id), await floor.live("trade.settled")
    assert [fact["userId"] for fact in told] == [str(buyer.user_id), str(seller.user_id)]
    assert {fact["payload"]["txHash"] for fact in told} == {row["tx_hash"]}
    assert told[0]["payload"]["settlementStatus"] == "SETTLED"
    await floor.require_truths()


async def _depth(floor: Floor, trade_id: UUID) -> Depth | None:
    """How deep its batch lies, as its parties see it while it is on its way."""
    row = await views.of_trade(floor.db, trade_id)
    assert row is not None
    return (await views.depths(floor.db, CHAIN_ID, [row])).get(trade_id)


async def test_no_trade_is_left_out_when_the_clock_went_back(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three trades of one pair at 10, 13 and 9 o'clock, two of another at 11: two are taken at once."""
    monkeypatch.setattr(opening, "AT_ONCE", 2)
    buyer, seller = await floor.buyer(), await floor.seller()
    made = [await floor.trade(buyer, seller) for _ in range(3)]
    async with as_owner(floor.db) as connection:
        await connection.execute(
            "SET session_replication_role = replica;"
            "CREATE TEMP TABLE more AS SELECT * FROM trades WHERE trade_number < 3;"
            "UPDATE more SET trade_id = gen_random_uuid(), pair_id = buy_order_id;"
            "UPDATE more SET pair_id = (SELECT pair_id FROM more LIMIT 1);"
            "ALTER TABLE more DROP COLUMN position;"
        )
        columns = (
            "trade_id, pair_id, trade_number, match_seq, taker_side, buy_order_id, sell_order_id, buyer_id, "
        )
        columns += (
            "seller_id, price_ticks, size_lots, base_amount, quote_amount, buyer_fee, seller_fee, executed_at"
        )
        await connection.execute(f"INSERT INTO trades ({columns}) SELECT {columns} FROM more")
        await connection.execute(
            "INSERT INTO pair_writer (pair_id, trade_number) SELECT DISTINCT pair_id, 2 FROM more;"
            "INSERT INTO settlement_pairs (pair_id) SELECT DISTINCT pair_id FROM more;"
            "UPDATE trades SET executed_at = '2026-01-01T11:00Z';"
        )
        for trade_id, hour in zip(made, (10, 13, 9), strict=True):
            await connection.execute(
                "UPDATE trades SET executed_at = '2026-01-01T00:00Z'::timestamptz + make_interval(hours => $2) "
                "WHERE trade_id = $1",
                trade_id,
                hour,
            )
        await connection.execute("DROP TABLE more; RESET session_replication_role")
    while await jobs.open_trades(floor.db):
        pass
    taken = await floor.house.rows("SELECT trade_id FROM trade_settlements")
    assert len(taken) == 5 and set(made) <= {row["trade_id"] for row in taken}


async def test_trades_share_transactions_and_keep_their_order_when_there_are_many(floor: Floor) -> None:
    buyer, seller = await floor.buyer(), await floor.seller()
    for _ in range(23):
        await floor.trade(buyer, seller)
    await floor.settle_all()
    assert set(await floor.statuses()) == {"SETTLED"}
    sent = [delivery.trade_id for batch in floor.words.batches for delivery in batch.deliveries]
    assert sent == await floor.trades()
    assert [len(batch.deliveries) for batch in floor.words.batches] == [10, 10, 3]
    await floor.require_truths()


async def test_a_text_stands_once_in_a_batch_when_many_trades_name_it(floor: Floor) -> None:
    buyer, seller = await floor.buyer(), await floor.seller()
    await floor.place(floor.order(seller, "SELL", "3", "10.00"))
    for _ in range(3):
        await floor.place(floor.order(buyer, "BUY", "1", "10.00"))
    await floor.settle_all()
    [batch] = floor.words.batches
    assert (len(batch.orders), len(batch.deliveries)) == (4, 3)
    assert {delivery.sell for delivery in batch.deliveries} == {
        place for place, text in enumerate(batch.orders) if text.values["side"] == "SELL"
    }


@pytest.mark.parametrize(
    ("each", "split"),
    [(Cost(MAX_GAS // 4, 10), [2, 2, 1, 1, 1]), (Cost(10, MAX_DATA_BYTES * 3 // 8), [2, 2, 2, 1])],
)
async def test_batches_are_split_when_gas_or_bytes_do_not_suffice(
    floor: Floor, each: Cost, split: list[int]
) -> None:
    floor.words.each = each
    buyer, seller = await floor.buyer(), await floor.seller()
    for _ in range(7):
        await floor.trade(buyer, seller)
    await floor.settle_all()
    assert [len(batch.deliveries) for batch in floor.words.batches] == split
    assert set(await floor.statuses()) == {"SETTLED"}


async def test_blocks_are_filled_when_batches_use_less_gas_than_they_ask_for(floor: Floor) -> None:
    """One large batch in each block would be all that asks for gas, and leave more than half of it unused."""
    floor.desk = replace(floor.desk, figures=replace(FIGURES, max_trades=64))
    floor.words.each, floor.house.node.uses = Cost(361_000, 900), lambda sent: sent.gas * 49 // 100
    buyer, seller = await floor.buyer(), await floor.seller()
    await floor.trade(buyer, seller)
    await floor.settle_all(8)
    await floor.place(floor.order(seller, "SELL", "160", "10.00"))
    await floor.place(*(floor.order(buyer, "BUY", "1", "10.00") for _ in range(160)))
    mined = []
    for _ in range(3):
        for _ in range(3):
            await floor.advance()
            await floor.house.lane.step()
        before = len(floor.house.node.blocks)
        await floor.one_block()
        block = floor.house.node.blocks[before].transactions
        mined.append(sum(len(orjson.loads(sent.data)) for sent in block))
    assert mined[0] >= 72 and sum(mined) == 160
    await floor.settle_all(8)
    assert set(await floor.statuses()) == {"SETTLED"}
    await floor.require_truths()


async def test_fewer_are_asked_about_when_the_node_gives_one_question_too_little_gas(floor: Floor) -> None:
    floor.words.most_asked = 2
    buyer, seller = await floor.buyer(), await floor.seller()
    for _ in range(5):
        await floor.trade(buyer, seller)
    await floor.settle_all()
    assert set(floor.words.asked) <= {1, 2}
    assert set(await floor.statuses()) == {"SETTLED"}


async def test_a_trade_waits_alone_when_the_node_cannot_be_asked_about_it(floor: Floor) -> None:
    floor.words.most_asked = 0
    trade_id = await floor.trade(await floor.buyer(), await floor.seller())
    await floor.settle_all(3)
    assert (await floor.row(trade_id))["reason"] == batching.NO_PREVIEW
    async with floor.db.transaction() as tx:
        # Else it may be looked at again, and pass, before the other is through.
        await tx.execute("UPDATE trade_settlements SET not_before = now() + interval '1 hour'")
    floor.words.most_asked = 1
    other = await floor.trade(await floor.buyer(), await floor.seller())
    await floor.settle_all()
    assert [await floor.status(trade_id), await floor.status(other)] == ["PENDING", "SETTLED"]


async def test_the_oldest_waits_for_company_when_the_batch_is_not_full(floor: Floor) -> None:
    floor.desk = replace(
        floor.desk, figures=replace(FIGURES, max_trades=2, max_wait_s=3600.0, wait_each_s=3600.0)
    )
    buyer, seller = await floor.buyer(), await floor.seller()
    # Something is on its way, so that a batch of one has time.
    for _ in range(2):
        await floor.trade(buyer, seller)
    await floor.advance()
    await floor.trade(buyer, seller)
    await floor.advance()
    assert await floor.statuses() == ["SUBMITTED", "SUBMITTED", "PENDING"]
    await floor.trade(buyer, seller)
    await floor.advance()
    assert await floor.statuses() == ["SUBMITTED"] * 4


async def test_a_trade_is_tried_again_when_its_transaction_did_not_settle_it(floor: Floor) -> None:
    trade_id = await floor.trade(await floor.buyer(), await floor.seller())
    floor.words.undoes.add(trade_id)
    await floor.advance()
    floor.words.undoes.clear()
    await floor.settle_all()
    assert (await floor.status(trade_id), (await floor.row(trade_id))["sends"]) == ("SETTLED", 2)
    assert await floor.settled_events(trade_id) == 1
    await floor.require_truths()


async def test_trades_go_again_in_smaller_batches_when_a_transaction_was_undone(floor: Floor) -> None:
    def too_many(sent: Sent) -> str | None:
        settles = sent.to == VAULT and sent.data.startswith(b"[") and len(orjson.loads(sent.data)) > 2
        return "NotEnoughGas" if settles else None

    floor.house.node.reverts = too_many
    buyer, seller = await floor.buyer(), await floor.seller()
    for _ in range(5):
        await floor.trade(buyer, seller)
    await floor.settle_all(80)
    assert set(await floor.statuses()) == {"SETTLED"}
    assert [len(batch.deliveries) for batch in floor.words.batches] == [5, 2, 2, 1]
    rows = await floor.house.rows("SELECT status FROM settlement_batches ORDER BY batch_number")
    assert [row["status"] for row in rows] == ["REVERTED", "CARRIED", "CARRIED", "CARRIED"]
    await floor.require_truths()


async def test_a_trade_fails_when_it_was_sent_in_vain_too_often(floor: Floor) -> None:
    floor.desk = replace(floor.desk, figures=replace(FIGURES, max_sends=2))
    trade_id = await floor.trade(await floor.buyer(), await floor.seller())
    floor.words.undoes.add(trade_id)
    await floor.settle_all(80)
    assert (await floor.status(trade_id), (await floor.row(trade_id))["sends"]) == ("FAILED", 2)
    await floor.require_truths()


async def test_a_batch_is_in_doubt_until_the_chain_answers(floor: Floor) -> None:
    trade_id = await floor.trade(await floor.buyer(), await floor.seller())
    await floor.advance()
    [job] = await floor.house.rows("SELECT job_id, queue, data FROM jobs WHERE name = $1", SETTLE_BATCH.name)
    assert job["queue"] == "execute-blockchain-settlement"
    for _ in range(2):
        await jobs.settle_batch(Resources(floor), Job(job["job_id"], SETTLE_BATCH.name, job["data"]))
    assert await floor.status(trade_id) == "UNKNOWN"
    await floor.require_truths()
    await floor.settle_all()
    assert await floor.status(trade_id) == "SETTLED"
    for _ in range(2):
        await jobs.settle_batch(Resources(floor), Job(job["job_id"], SETTLE_BATCH.name, job["data"]))
        await jobs.advance_settlement(Resources(floor), Job("slot", ADVANCE_SETTLEMENT.name, {}))
    assert await floor.settled_events(trade_id) == 1
    await floor.require_truths()


@pytest.mark.parametrize(
    "point",
    [
        "settle.afterClaim",
        "settle.beforeSign",
        "settle.afterRequest",
        "settle.afterFinal",
        "settle.beforeCommit",
        "settle.beforeSettled",
        "database.beforeCommit",
        "database.afterCommit",
    ],
)
async def test_each_trade_settles_once_when_settling_breaks_off_at(floor: Floor, point: str) -> None:
    buyer, seller = await floor.buyer(), await floor.seller()
    made = [await floor.trade(buyer, seller) for _ in range(3)]
    for _ in range(30):
        with armed(f"{point}=raise:1"), suppress(FailpointHit):
            await jobs.advance(floor.db, floor.desk)
        await floor.one_block()
    await floor.settle_all()
    assert [await floor.settled_events(trade_id) for trade_id in made] == [1, 1, 1]
    assert set(await floor.statuses()) == {"SETTLED"}
    await floor.require_truths()


async def test_each_trade_is_sent_once_when_many_settle_at_once(floor: Floor) -> None:
    buyer, seller = await floor.buyer(), await floor.seller()
    made = [await floor.trade(buyer, seller) for _ in range(4)]
    await asyncio.gather(*(floor.advance() for _ in range(4)))
    await floor.settle_all()
    assert [await floor.settled_events(trade_id) for trade_id in made] == [1] * 4
    assert {(await floor.row(trade_id))["sends"] for trade_id in made} == {1}
    await floor.require_truths()


async def test_each_trade_settles_once_when_the_chain_goes_back(floor: Floor) -> None:
    buyer, seller = await floor.buyer(), await floor.seller()
    made = [await floor.trade(buyer, seller) for _ in range(3)]
    for depth in (1, 2, 3):
        await floor.advance()
        await floor.one_block()
        await floor.one_block()
        floor.house.node.reorganize(depth)
        await floor.house.watch()
        await floor.require_truths()
    await floor.settle_all()
    assert [await floor.settled_events(trade_id) for trade_id in made] == [1] * 3
    assert set(await floor.statuses()) == {"SETTLED"}
    await floor.require_truths()


async def test_trades_wait_when_the_node_is_away_or_gas_is_dear(floor: Floor) -> None:
    node, trade_id = floor.house.node, await floor.trade(await floor.buyer(), await floor.seller())
    price, node.price = node.price, 10**15
    await floor.advance()
    for _ in range(5):
        await floor.one_block()
    assert await floor.status(trade_id) == "SUBMITTED"
    node.price = price
    await floor.settle_all()
    assert await floor.status(trade_id) == "SETTLED"


async def test_nothing_is_taken_up_twice_when_trades_are_opened_by_many(floor: Floor) -> None:
    buyer, seller = await floor.buyer(), await floor.seller()
    for _ in range(3):
        await floor.trade(buyer, seller)
    await asyncio.gather(*(jobs.open_trades(floor.db) for _ in range(5)))
    [row] = await floor.house.rows("SELECT opened_to, finished FROM settlement_pairs")
    assert (row["opened_to"], row["finished"]) == (3, 0)
    await floor.require_truths()


async def test_no_answer_changes_what_the_chain_has_said_for_good(floor: Floor) -> None:
    trade_id = await floor.trade(await floor.buyer(), await floor.seller())
    await floor.settle_all()
    [batch] = await floor.house.rows("SELECT batch_id FROM settlement_batches")
    async with floor.db.transaction() as tx:
        await carrying.doubt(tx, BatchId(batch["batch_id"]))
    assert await carrying.resolve(floor.db, BatchId(batch["batch_id"]))
    assert not await batching.send_next(floor.db, floor.desk)
    assert await floor.status(trade_id) == "SETTLED"


async def test_a_difference_is_found_beside_what_is_unsettled(floor: Floor) -> None:
    """What trades have moved explains itself and nothing more: a unit too much is a break, before the trade is taken
    up, while it waits, and after it was settled."""
    buyer, seller = await floor.buyer(), await floor.seller()
    await floor.trade(buyer, seller)
    for taken_up in (False, True):
        if taken_up:
            await jobs.open_trades(floor.db)
        assert (await floor.compare()).exact
        async with as_owner(floor.db) as owner:
            await owner.execute(_SHIFT, buyer.user_id, floor.house.cash.token_id, 1)
        assert [found.account for found in (await floor.compare()).breaks if found.account] == [buyer.account]
        async with as_owner(floor.db) as owner:
            await owner.execute(_SHIFT, buyer.user_id, floor.house.cash.token_id, -1)
    await floor.settle_all()
    await floor.require_truths()


_SHIFT = "UPDATE user_balances SET available = available + $3 WHERE user_id = $1 AND token_id = $2"
