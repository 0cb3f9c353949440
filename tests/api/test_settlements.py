"""Settlements over HTTP: what parties and operators see, page by page, and what they are refused."""

from uuid import uuid4

from deedbook.identity import Role
from deedbook.settlement.jobs import open_trades
from tests.support.floor import open_floor
from tests.support.world import World


async def test_parties_see_their_settlements_newest_first_when_they_page(shared: World) -> None:
    floor = await open_floor(shared)
    buyer, seller = await floor.investor("1000"), await floor.investor(deeds="10")
    for _ in range(3):
        await floor.place(seller, "SELL")
        await floor.place(buyer)
        await floor.match()
    await open_trades(shared.db)
    path = f"/trading/users/{buyer.user_id}/settlements"
    first = await floor.get(path, buyer, limit=2)
    rest = await floor.get(path, buyer, limit=2, cursor=first["nextCursor"])
    seen = [entry["tradeId"] for entry in [*first["data"], *rest["data"]]]
    rows = await floor.rows("SELECT trade_id FROM trades ORDER BY position DESC LIMIT 3")
    assert seen == [str(row["trade_id"]) for row in rows]
    assert rest["nextCursor"] is None
    assert {entry["status"] for entry in first["data"]} == {"PENDING"}
    assert (await floor.get(path, buyer, status="SETTLED"))["data"] == []
    one = await floor.get(f"/trading/trades/{seen[0]}/settlement", seller)
    assert (one["status"], one["txHash"], one["pair"]) == ("PENDING", None, floor.spec.symbol)
    mine = await floor.get(f"/trading/users/{buyer.user_id}/trades", buyer)
    assert {entry["settlementStatus"] for entry in mine["data"]} == {"PENDING"}


async def test_operators_see_what_is_stuck_and_have_it_looked_at_again(shared: World) -> None:
    floor = await open_floor(shared)
    buyer, seller = await floor.investor("1000"), await floor.investor(deeds="10")
    await floor.place(seller, "SELL")
    await floor.place(buyer)
    await floor.match()
    await open_trades(shared.db)
    [trade] = await floor.rows("SELECT trade_id FROM trades WHERE pair_id = $1", floor.spec.pair_id)
    trade_id = trade["trade_id"]
    async with shared.db.transaction() as tx:
        await tx.execute(
            "UPDATE trade_settlements SET reason = 'token_paused', refused_at = now(), looks = 3, "
            "not_before = now() + interval '1 hour', executed_at = now() - interval '2 hours' WHERE trade_id = $1",
            trade_id,
        )
    operator = await shared.user(Role.OPERATOR)
    stuck = await floor.get("/admin/settlements", operator, stuckForS=3600)
    [seen] = [entry for entry in stuck["data"] if entry["tradeId"] == str(trade_id)]
    assert (seen["reason"], seen["buyerId"]) == ("token_paused", str(buyer.user_id))
    assert seen["nextLookAt"] is not None
    told = await floor.get("/admin/settlements/summary", operator)
    assert told["waitingByReason"]["token_paused"] >= 1
    assert told["byStatus"]["PENDING"] >= 1
    assert told["oldestOpenS"] >= 7200
    metrics = (await shared.http.get("http://localhost:3000/metrics")).text
    assert 'deedbook_settlement_waiting{reason="token_paused"}' in metrics
    assert "deedbook_settlement_oldest_seconds" in metrics
    again = await shared.post(f"/admin/settlements/{trade_id}/retry", operator)
    assert (again.status_code, again.json()["reason"], again.json()["nextLookAt"]) == (200, None, None)
    [audited] = await floor.rows(
        "SELECT actor_id, before FROM events WHERE event_type = 'settlement.retried' AND stream_id = $1",
        trade_id,
    )
    assert (audited["actor_id"], audited["before"]) == (operator.user_id, {"reason": "token_paused"})


async def test_an_operator_is_told_when_there_is_no_such_trade(shared: World) -> None:
    operator = await shared.user(Role.OPERATOR)
    answer = await shared.post(f"/admin/settlements/{uuid4()}/retry", operator)
    assert (answer.status_code, answer.json()["code"]) == (404, "settlement_not_found")


async def test_orders_are_refused_when_too_many_trades_wait_for_the_chain(shared: World) -> None:
    floor = await open_floor(shared, congested=True)
    buyer = await floor.investor("1000")
    answer = await floor.send(buyer, floor.order(buyer))
    assert (answer.status_code, answer.json()["code"]) == (423, "pair_congested")
