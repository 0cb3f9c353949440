"""Pairs as settlement sees them: the contract learns each, the backlog is bounded, and order holds across pairs."""

from contextlib import suppress

import pytest

from deedbook.infra.failpoints import FailpointHit
from deedbook.settlement import jobs, pairs
from deedbook.trading import admission
from deedbook.trading.errors import PairCongested
from deedbook.trading.pairs import PairDirectory
from tests.chain.support import armed
from tests.settlement.support import Floor

POINT = "listPair.afterRequest"


async def test_trades_wait_until_the_contract_knows_their_pair(floor: Floor) -> None:
    async with floor.db.transaction() as tx:
        await tx.execute("UPDATE settlement_pairs SET listed_at = NULL")
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
    assert len(keys) == 1, "it was listed once before, under the same key"


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
