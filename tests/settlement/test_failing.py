"""A trade that will never settle: it fails alone, both sides have back what it took, and what was passed on is owed."""

from contextlib import suppress
from dataclasses import replace

import pytest

from deedbook.chain.delivery import FailureReason
from deedbook.custody.errands import WITHDRAW
from deedbook.infra.failpoints import FailpointHit
from deedbook.kernel.ids import new_uuid
from deedbook.ledger import AccountId
from deedbook.settlement import desk, failing, jobs, model
from deedbook.settlement.errors import SettlementNotFound, SettlementNotWaiting
from deedbook.trading.terms import TradeId
from tests.chain.support import armed
from tests.custody.support import Person
from tests.settlement.support import FIGURES, Floor
from tests.support.owner import as_owner

FOR_GOOD = FailureReason.CANCELLED
POINT = "settle.beforeCompensated"


async def holds(floor: Floor, person: Person) -> tuple[int, int]:
    """Deeds and dollars that are available, in base units."""
    deeds, _ = await floor.house.balance(person, floor.house.deed)
    dollars, _ = await floor.house.balance(person)
    return deeds, dollars


async def set_frozen(floor: Floor, person: Person, frozen: bool) -> None:
    async with as_owner(floor.db) as connection:
        await connection.execute(
            "UPDATE compliance_profiles SET frozen = $2, version = version + 1 WHERE user_id = $1",
            person.user_id,
            frozen,
        )


async def test_one_fails_and_all_others_settle_when_its_buyer_was_frozen(floor: Floor) -> None:
    buyer, frozen, seller = await floor.buyer(), await floor.buyer("100"), await floor.seller()
    before = await holds(floor, frozen)
    made = [await floor.trade(buyer, seller) for _ in range(9)]
    bad = await floor.trade(frozen, seller)
    made += [await floor.trade(buyer, seller) for _ in range(10)]
    floor.words.refuses[bad] = FailureReason.RECEIVER_FROZEN
    await set_frozen(floor, frozen, True)
    await floor.settle_all()
    assert [await floor.status(trade_id) for trade_id in made] == ["SETTLED"] * 19
    assert (await floor.status(bad), (await floor.row(bad))["reason"]) == ("FAILED", "receiver_frozen")
    assert await holds(floor, frozen) == before
    assert await floor.settled_events(bad) == 0
    await floor.require_truths()


@pytest.mark.parametrize("reason", sorted(model.OF_PARTIES, key=str))
async def test_a_trade_waits_when_the_chain_has_not_heard_yet_who_may_trade(
    floor: Floor, reason: FailureReason
) -> None:
    """The records let both trade; the register on the chain follows them."""
    floor.desk = replace(floor.desk, figures=replace(FIGURES, patience_s=0.0))
    made = await floor.trade(await floor.buyer(), await floor.seller())
    floor.words.refuses[made] = reason
    await floor.settle_all(5)
    async with floor.db.transaction() as tx:
        await tx.execute(
            "UPDATE trade_settlements SET refused_at = now() - interval '2 hours', not_before = NULL"
        )
    await floor.settle_all(5)
    assert (await floor.status(made), (await floor.row(made))["reason"]) == ("PENDING", reason.value)
    floor.words.refuses.clear()
    async with floor.db.transaction() as tx:
        await tx.execute("UPDATE trade_settlements SET not_before = NULL")
    await floor.settle_all()
    assert await floor.status(made) == "SETTLED"
    await floor.require_truths()


async def test_both_sides_and_the_fees_are_restored_when_a_trade_fails(floor: Floor) -> None:
    buyer, seller = await floor.buyer(), await floor.seller()
    house = AccountId(floor.spec.fee_account_id)
    before = [await holds(floor, buyer), await holds(floor, seller)]
    bad = await floor.trade(buyer, seller, "3.3333", "33.33")
    floor.words.refuses[bad] = FOR_GOOD
    await floor.advance()
    assert [await holds(floor, buyer), await holds(floor, seller)] == before
    rows = await floor.house.rows("SELECT available FROM user_balances WHERE user_id = $1", house)
    assert {int(row["available"]) for row in rows} == {0}
    told = await floor.live("trade.settlement_failed")
    assert {fact["userId"] for fact in told} == {str(buyer.user_id), str(seller.user_id)}
    assert {fact["payload"]["reason"] for fact in told} == {"cancelled_by_trader"}
    assert {fact["tradingPairId"] for fact in told} == {str(floor.spec.pair_id)}
    await floor.require_truths()
    await floor.settle_all()
    assert await floor.settled_events(bad) == 0


async def test_it_is_compensated_once_when_failing_breaks_off(floor: Floor) -> None:
    buyer, seller = await floor.buyer(), await floor.seller()
    before = [await holds(floor, buyer), await holds(floor, seller)]
    floor.words.refuses[await floor.trade(buyer, seller)] = FOR_GOOD
    with armed(f"{POINT}=raise:1"), suppress(FailpointHit):
        await jobs.advance(floor.db, floor.desk)
    assert await floor.statuses() == ["PENDING"]
    await floor.advance()
    assert await floor.statuses() == ["FAILED"]
    assert [await holds(floor, buyer), await holds(floor, seller)] == before
    await floor.require_truths()


async def test_it_fails_once_when_it_is_asked_twice(floor: Floor) -> None:
    bad = await floor.trade(await floor.buyer(), await floor.seller())
    await jobs.open_trades(floor.db)
    for expected in (True, False):
        async with floor.db.transaction() as tx:
            assert await failing.fail(tx, bad, "because") is expected
    await floor.require_truths()


async def test_a_trade_waits_when_its_token_is_paused_and_settles_after(floor: Floor) -> None:
    floor.desk = replace(floor.desk, figures=replace(FIGURES, patience_s=0.0))
    buyer, seller = await floor.buyer(), await floor.seller()
    first, second = await floor.trade(buyer, seller), await floor.trade(buyer, seller)
    floor.words.refuses[first] = FailureReason.PAUSED
    await floor.settle_all(5)
    # The later one would pass, and moves the same balances.
    assert await floor.statuses() == ["PENDING", "PENDING"]
    assert (await floor.row(first))["reason"] == "token_paused"
    await floor.require_truths()
    floor.words.refuses.clear()
    operator = await floor.house.person()
    async with floor.db.transaction() as tx:
        await desk.retry(tx, operator.caller, first)
    await floor.settle_all()
    assert await floor.statuses() == ["SETTLED", "SETTLED"]
    assert [d.trade_id for batch in floor.words.batches for d in batch.deliveries] == [first, second]
    await floor.require_truths()


async def test_others_go_on_when_a_trade_waits_that_moves_other_balances(floor: Floor) -> None:
    waits = await floor.trade(await floor.buyer(), await floor.seller())
    goes = await floor.trade(await floor.buyer(), await floor.seller())
    floor.words.refuses[waits] = FailureReason.PAUSED
    await floor.settle_all()
    assert [await floor.status(waits), await floor.status(goes)] == ["PENDING", "SETTLED"]


async def test_a_missing_balance_fails_when_patience_ends_and_not_before(floor: Floor) -> None:
    floor.desk = replace(floor.desk, figures=replace(FIGURES, patience_s=3600.0))
    bad = await floor.trade(await floor.buyer(), await floor.seller())
    floor.words.refuses[bad] = FailureReason.INSUFFICIENT_BALANCE
    await floor.settle_all(3)
    assert await floor.status(bad) == "PENDING"
    async with floor.db.transaction() as tx:
        await tx.execute(
            "UPDATE trade_settlements SET refused_at = now() - interval '2 hours', not_before = NULL"
        )
    await floor.settle_all(3)
    assert await floor.status(bad) == "FAILED"
    await floor.require_truths()


async def test_operators_retry_what_waits_and_nothing_else(floor: Floor) -> None:
    operator = await floor.house.person()
    trade_id = await floor.trade(await floor.buyer(), await floor.seller())
    await floor.settle_all()
    for asked, refusal in ((trade_id, SettlementNotWaiting), (TradeId(new_uuid()), SettlementNotFound)):
        with pytest.raises(refusal):
            async with floor.db.transaction() as tx:
                await desk.retry(tx, operator.caller, asked)


# What was passed on


async def test_what_was_passed_on_is_owed_and_paid_when_the_account_has_it_again(floor: Floor) -> None:
    """A middleman buys, and sells on before anything has settled. The first trade fails; the second rests on it."""
    seller, middleman, buyer = await floor.seller("10"), await floor.buyer("100"), await floor.buyer()
    first = await floor.trade(middleman, seller, "2", "10.00")
    second = await floor.trade(buyer, middleman, "1.9", "11.00")
    # On the chain the second cannot pass without the first.
    floor.words.refuses |= {first: FOR_GOOD, second: FailureReason.INSUFFICIENT_BALANCE}
    await floor.advance()
    assert await floor.statuses() == ["FAILED", "PENDING"]
    [claim] = await floor.house.rows("SELECT account_id, raised FROM settlement_claims WHERE amount > 0")
    # 2 less a quarter of a percent came, 1.9 went: 1.9 of the 1.995 are owed.
    assert (claim["account_id"], int(claim["raised"])) == (middleman.user_id, 19 * 10**17)
    assert await floor.house.suspense(floor.house.deed) == -19 * 10**17
    await floor.require_truths()
    # It fails with the first, and what it gives back pays the claim.
    async with floor.db.transaction() as tx:
        await tx.execute("UPDATE trade_settlements SET not_before = NULL WHERE status = 'PENDING'")
    await floor.settle_all(2)
    assert await floor.status(second) == "FAILED"
    assert await floor.house.suspense(floor.house.deed) == 0
    assert await holds(floor, middleman) == (0, 100 * 10**6)
    assert await holds(floor, seller) == (10 * 10**18, 0)
    await floor.require_truths()


async def test_orders_end_and_pay_when_they_hold_what_is_owed(floor: Floor) -> None:
    seller, middleman = await floor.seller("10"), await floor.buyer("100")
    bad = await floor.trade(middleman, seller, "2", "10.00")
    await floor.place(floor.order(middleman, "SELL", "1.9", "50.00"))
    floor.words.refuses[bad] = FOR_GOOD
    await floor.advance()
    await floor.require_truths()
    assert await floor.house.suspense(floor.house.deed) < 0
    while await floor.matcher.step():
        pass
    await floor.advance()
    assert await floor.house.suspense(floor.house.deed) == 0
    assert await floor.house.balance(middleman, floor.house.deed) == (0, 0)
    await floor.require_truths()


async def test_what_was_to_leave_ends_and_pays_when_its_trade_has_failed(floor: Floor) -> None:
    """The proceeds of a trade that fails are asked for by a withdrawal and by a transfer."""
    buyer, seller, friend = await floor.buyer(), await floor.seller(), await floor.house.person()
    bad = await floor.trade(buyer, seller, "5", "100.00")
    taken = await floor.house.withdraw(seller, "300")
    moved = await floor.house.transfer(seller, friend, "198")
    floor.words.refuses[bad] = FOR_GOOD
    await floor.advance()
    assert await floor.house.stands(taken) == "FAILED"
    assert await floor.house.status("transfers", moved.transfer_id) == "FAILED"
    assert await floor.house.suspense() == 0
    assert await floor.house.balance(seller) == (0, 0)
    assert await holds(floor, buyer) == (0, 10_000 * 10**6)
    await floor.require_truths()


async def test_a_withdrawal_of_proceeds_leaves_when_its_trades_are_settled(floor: Floor) -> None:
    buyer, seller = await floor.buyer(), await floor.seller()
    trade_id = await floor.trade(buyer, seller, "5", "100.00")
    asked = await floor.house.withdraw(seller, "400")
    await floor.house.carry_out(WITHDRAW, asked.withdrawal_id)
    assert await floor.house.stands(asked) == "APPROVED"
    await floor.settle_all()
    assert await floor.status(trade_id) == "SETTLED"
    await floor.house.carry_out(WITHDRAW, asked.withdrawal_id)
    assert await floor.house.stands(asked) == "COMPLETED"
    await floor.require_truths()


async def test_a_withdrawal_leaves_at_once_when_it_takes_nothing_of_unsettled_trades(floor: Floor) -> None:
    buyer, seller = await floor.buyer("1000"), await floor.seller()
    await floor.trade(buyer, seller, "5", "100.00")
    asked = await floor.house.withdraw(buyer, "500")
    await floor.house.carry_out(WITHDRAW, asked.withdrawal_id)
    assert await floor.house.stands(asked) == "COMPLETED"
    await floor.settle_all()
    await floor.require_truths()


async def test_the_ledger_follows_when_the_contract_takes_less_of_a_fee(floor: Floor) -> None:
    buyer, seller = await floor.buyer(), await floor.seller()
    trade_id = await floor.trade(buyer, seller, "3", "10.00")
    before = await holds(floor, buyer)
    floor.words.keeps[trade_id] = 1
    await floor.settle_all()
    assert await holds(floor, buyer) == (before[0] + 1, before[1])
    await floor.require_truths()


async def test_failures_are_told_by_word_alone_when_a_node_has_said_why(floor: Floor) -> None:
    bad = await floor.trade(await floor.buyer(), await floor.seller())
    await jobs.open_trades(floor.db)
    async with floor.db.transaction() as tx:
        await failing.fail(tx, bad, 'sent "8" times, and not settled')
    assert {f["payload"]["reason"] for f in await floor.live("trade.settlement_failed")} == {"not_settled"}
