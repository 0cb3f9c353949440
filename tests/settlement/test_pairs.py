"""Pairs as settlement sees them: the contract learns each, the backlog is bounded, and order holds across pairs."""

from contextlib import suppress

import pytest

from deedbook.infra.failpoints import FailpointHit
from deedbook.settlement import jobs, pairs
from deedbook.trading import admission, open_bare_pair
from deedbook.trading.errors import PairCongested
from deedbook.trading.pairs import PairDirectory
from tests.chain.support import armed
from tests.settlement.support import Floor

POINT = "listPair.afterRequest"


async def test_trades_wait_until_the_contract_knows_their_pair(floor: Floor) -> None:
    async with floor.db.transaction() as tx:
        await tx.execute("UPDATE settlement_pairs SET listed_at = NULL")
        await tx.execute("UPDATE chain_transactions SET key = 'before' WHERE key LIKE 'list-pair-%'")
    floor.words.listed.clear()
    await floor.trade(await floor.buyer(), await floor.seller())
    with armed(f"{POINT}=raise:1"), suppress(FailpointHit):
        await jobs.advance(floor.db, floor.desk)
    assert await floor.statuses() == ["PENDING"]
    await floor.settle_all()
    assert await floor.statuses() == ["SETTLED"]
    told = await floor.house.rows(
        "SELECT payload FROM events WHERE event_type = 'settlement.pair_listed' ORDER BY position"
    )
    assert [row["payload"]["symbol"] for row in told] == [floor.spec.symbol] * 2
    keys = await floor.house.rows("SELECT key FROM chain_transactions WHERE key LIKE 'list-pair-%'")
    assert len(keys) == 1


async def test_others_settle_when_the_contract_will_not_take_up_a_pair(floor: Floor) -> None:
    async with floor.db.transaction() as tx:
        other = await open_bare_pair(tx, floor.house.cash.token_id, floor.house.deed.token_id)
    floor.house.node.reverts = lambda sent: "TokenNotListed" if sent.data == b"[]" else None
    floor.words.refuses_pairs = {(await PairDirectory(floor.db).spec(str(other))).symbol}
    trade_id = await floor.trade(await floor.buyer(), await floor.seller())
    await floor.settle_all()
    assert await floor.status(trade_id) == "SETTLED"
    rows = await floor.house.rows("SELECT listed_at FROM settlement_pairs WHERE pair_id = $1", other)
    assert [row["listed_at"] for row in rows] in ([], [None])


async def test_a_pair_takes_no_orders_when_its_backlog_is_full_and_again_when_it_drains(floor: Floor) -> None:
    async with floor.db.transaction() as tx:
        await tx.execute("UPDATE trading_pairs SET max_backlog = 5 WHERE pair_id = $1", floor.spec.pair_id)
    buyer, seller = await floor.buyer(), await floor.seller()
    for _ in range(5):
        await floor.trade(buyer, seller)
    await jobs.open_trades(floor.db)
    for changed in (1, 0):
        assert await pairs.bound_backlogs(floor.db) == changed
    order = floor.order(buyer, "BUY", "1", "10.00")
    congested = await PairDirectory(floor.db).spec(str(floor.spec.pair_id))
    with pytest.raises(PairCongested):
        admission.judge(order.text, congested, admission.Quotes(0, 0, 0))
    await floor.settle_all()
    free = await PairDirectory(floor.db).spec(str(floor.spec.pair_id))
    assert admission.judge(order.text, free, admission.Quotes(0, 0, 0)) == order.terms
    told = await floor.house.rows(
        "SELECT payload FROM events WHERE event_type = 'settlement.backlog_changed' ORDER BY position"
    )
    assert [row["payload"]["congested"] for row in told] == [True, False]


async def test_a_backlog_has_no_bound_when_a_token_stands_on_no_chain(floor: Floor) -> None:
    async with floor.db.transaction() as tx:
        await tx.execute("UPDATE trading_pairs SET max_backlog = 1 WHERE pair_id = $1", floor.spec.pair_id)
        await tx.execute(
            "UPDATE tokens SET contract_address = NULL WHERE token_id = $1", floor.spec.base_token_id
        )
        await tx.execute("UPDATE pair_writer SET trade_number = 2 WHERE pair_id = $1", floor.spec.pair_id)
    assert await pairs.bound_backlogs(floor.db) == 0
