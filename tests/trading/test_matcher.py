"""The whole way from a durable order to a settled ledger, on real PostgreSQL."""

import asyncio
from typing import Any

import orjson
import pytest

from deedbook import ledger, truths
from deedbook.compliance.errors import LockUp
from deedbook.infra import audit
from deedbook.infra.database import Database
from deedbook.kernel.amounts import to_units
from deedbook.kernel.ids import UserId, new_uuid
from deedbook.ledger import HoldOwner, LineKind
from deedbook.ledger.model import Hold
from deedbook.trading import orders
from deedbook.trading.errors import EligibilityChanged, Fenced, HoldingsExceeded, OrderNotFound, OrderOver
from deedbook.trading.matcher import PairMatcher
from tests.support.owner import as_owner
from tests.support.waiting import eventually
from tests.trading.swapping import swap
from tests.trading.venue import Venue, open_venue


@pytest.fixture
async def venue(db: Database) -> Venue:
    return await open_venue(db)


async def drain(matcher: PairMatcher) -> None:
    while await matcher.step():
        continue


async def untrue(db: Database) -> dict[str, tuple[str, ...]]:
    """What does not hold."""
    return {truth.name: truth.findings for truth in await truths.check_trading(db) if not truth.holds}


async def nothing_waits(venue: Venue) -> bool:
    return not await venue.rows("SELECT 1 FROM orders WHERE status = 'PENDING_MATCH'")


async def events(venue: Venue) -> list[dict[str, Any]]:
    return [
        orjson.loads(line)
        for row in await venue.rows("SELECT facts FROM trading_facts ORDER BY position")
        for line in row["facts"].split("\n")
    ]


async def test_the_example_of_five_at_a_thousand_is_exact(venue: Venue) -> None:
    """Example 1: 5 tokens at 1000 USDC, 0.25 % a side: 4.9875 tokens and 4987.50 USDC; the fee account the rest."""
    seller, buyer = await venue.investor(base="5"), await venue.investor(quote="5000")
    sell, buy = venue.order(seller, "SELL", "5", "1000"), venue.order(buyer, "BUY", "5", "1000")
    assert await venue.place(sell, buy) == [0, 0]
    assert await venue.balances(buyer) == (0, 0, 0, to_units("5000", 6))

    await drain(await venue.matcher())

    assert await venue.balances(buyer) == (to_units("4.9875", 18), 0, 0, 0)
    assert await venue.balances(seller) == (0, 0, to_units("4987.50", 6), 0)
    assert await venue.balances(venue.spec.fee_account_id) == (
        to_units("0.0125", 18),
        0,
        to_units("12.50", 6),
        0,
    )
    assert [(await venue.row(order))["status"] for order in (sell, buy)] == ["FILLED", "FILLED"]
    assert await untrue(venue.db) == {}


async def test_events_are_told_in_order_once_each_with_a_gapless_sequence(venue: Venue) -> None:
    seller, buyer = await venue.investor(base="5"), await venue.investor(quote="5000")
    sell = venue.order(seller, "SELL", "5", "1000")
    buy = venue.order(buyer, "BUY", "2", "1000", client_id="mine-1")
    await venue.place(sell)
    await venue.place(buy)

    await drain(await venue.matcher())

    told = await events(venue)
    assert [event["eventType"] for event in told] == [
        "order.created",
        "order.created",
        "order.open",
        "order.open",
        "order.filled",
        "trade.executed",
        "trade.settlement_pending",
        "order.partially_filled",
        "trade.executed",
        "trade.settlement_pending",
    ]
    assert [event["payload"]["seq"] for event in told[2:]] == list(range(1, 9))
    assert len({event["eventId"] for event in told}) == len(told)
    for event in told:
        assert set(event) == {
            "eventId",
            "eventType",
            "timestamp",
            "userId",
            "orderId",
            "tradingPairId",
            "payload",
        }
        kind, _, epoch = event["eventId"].rsplit(".", 2)
        assert kind == event["eventType"] and epoch.isdigit()
    filled = told[4]["payload"]
    assert (
        filled["status"],
        filled["filledQuantity"],
        filled["averageFillPrice"],
        filled["clientOrderId"],
    ) == (
        "FILLED",
        "2",
        "1000",
        "mine-1",
    )
    assert told[7]["payload"]["remainingQuantity"] == "3"


async def test_a_better_price_frees_the_difference_at_once(venue: Venue) -> None:
    seller, buyer = await venue.investor(base="1"), await venue.investor(quote="1000")
    await venue.place(venue.order(seller, "SELL", "1", "900"), venue.order(buyer, "BUY", "1", "1000"))

    await drain(await venue.matcher())

    assert await venue.balances(buyer) == (to_units("0.9975", 18), 0, to_units("100", 6), 0)
    assert await untrue(venue.db) == {}


async def test_splitting_an_order_never_changes_its_fee(venue: Venue) -> None:
    seller, buyer = await venue.investor(base="3"), await venue.investor(quote="10")
    await venue.place(venue.order(buyer, "BUY", "0.0003", "333.33"))
    matcher = await venue.matcher()
    for _ in range(3):
        await venue.place(venue.order(seller, "SELL", "0.0001", "333.33"))
        await drain(matcher)

    (row,) = await venue.rows("SELECT * FROM orders WHERE side = 'BUY'")
    assert row["fee_charged"] == -(-to_units("0.0003", 18) * 25 // 10_000)
    assert row["filled_quote"] == 99_999
    assert await untrue(venue.db) == {}


async def test_quote_fees_are_set_aside_and_charged_to_both_in_quote(db: Database) -> None:
    venue = await open_venue(db, fee_mode="quote")
    seller, buyer = await venue.investor(base="5"), await venue.investor(quote="5012.50")
    buy = venue.order(buyer, "BUY", "5", "1000")
    assert await venue.place(venue.order(buyer, "BUY", "5.0001", "1000"), buy) == [4, 0]
    await venue.place(venue.order(seller, "SELL", "2", "1000"), venue.order(seller, "SELL", "3", "900"))

    await drain(await venue.matcher())

    assert await venue.balances(buyer) == (to_units("5", 18), 0, to_units("0", 6), 0)
    assert await venue.balances(venue.spec.fee_account_id) == (0, 0, to_units("25", 6), 0)
    assert await untrue(venue.db) == {}


async def test_a_cancel_gives_everything_back(venue: Venue) -> None:
    buyer = await venue.investor(quote="100")
    order = venue.order(buyer, "BUY", "1", "100")
    await venue.place(order)
    matcher = await venue.matcher()
    await drain(matcher)

    async with venue.db.transaction() as tx:
        await orders.cancel(tx, buyer, order.order_id)
        await orders.cancel(tx, buyer, order.order_id)
    await drain(matcher)

    row = await venue.row(order)
    assert (row["status"], row["reason"], row["held"], row["remaining_lots"]) == (
        "CANCELLED",
        "cancelled",
        0,
        0,
    )
    assert await venue.balances(buyer) == (0, 0, to_units("100", 6), 0)
    commands = await venue.rows("SELECT effective FROM order_commands ORDER BY command_number")
    assert [command["effective"] for command in commands] == [True, False]
    assert await untrue(venue.db) == {}
    async with venue.db.transaction() as tx:
        with pytest.raises(OrderOver):
            await orders.cancel(tx, buyer, order.order_id)
        with pytest.raises(OrderNotFound):
            await orders.cancel(tx, await venue.investor(), order.order_id)


async def test_a_reduced_order_holds_less_and_keeps_its_place(venue: Venue) -> None:
    first, second, seller = (
        await venue.investor(quote="100"),
        await venue.investor(quote="100"),
        await venue.investor(base="9"),
    )
    one = venue.order(first, "BUY", "1", "100")
    await venue.place(one, venue.order(second, "BUY", "1", "100"))
    matcher = await venue.matcher()
    await drain(matcher)
    async with venue.db.transaction() as tx:
        await orders.reduce(tx, first, one.order_id, 4000)
    await venue.place(venue.order(seller, "SELL", "0.5", "100"))

    await drain(matcher)

    assert await venue.balances(first) == (to_units("0.399", 18), 0, to_units("60", 6), 0)
    assert (await venue.balances(second))[0] == to_units("0.09975", 18)
    assert (await venue.row(one))["status"] == "FILLED"
    assert await untrue(venue.db) == {}


@pytest.mark.parametrize("verdict", ["nonce", "duplicate", "client id", "funds"])
async def test_a_refused_order_leaves_nothing_and_troubles_no_neighbour(venue: Venue, verdict: str) -> None:
    buyer, other = await venue.investor(quote="100"), await venue.investor(quote="100")
    first = venue.order(buyer, "BUY", "0.1", "100", nonce="a", client_id="c")
    assert await venue.place(first) == [0]
    bad, expected = {
        "nonce": (venue.order(buyer, "BUY", "0.2", "100", nonce="a"), 1),
        "duplicate": (first, 2),
        "client id": (venue.order(buyer, "BUY", "0.2", "100", client_id="c"), 3),
        "funds": (venue.order(buyer, "BUY", "0.9001", "100"), 4),
    }[verdict]
    neighbours = [venue.order(other, "BUY", "0.1", "100"), venue.order(other, "BUY", "0.1", "100")]
    before = await venue.balances(buyer)

    assert await venue.place(neighbours[0], bad, neighbours[1]) == [0, expected, 0]

    assert await venue.balances(buyer) == before
    assert len(await venue.rows("SELECT 1 FROM signed_actions")) == len(
        await venue.rows("SELECT 1 FROM orders")
    )
    assert await untrue(venue.db) == {}


async def test_nobody_has_more_open_orders_than_one_may_have(db: Database) -> None:
    venue = await open_venue(db, max_open_orders=2)
    buyer = await venue.investor(quote="100")
    placed = [venue.order(buyer, "BUY", "0.1", "100") for _ in range(4)]
    await venue.place(*placed)
    matcher = await venue.matcher()
    await drain(matcher)

    rows = [await venue.row(order) for order in placed]
    assert [(row["status"], row["reason"]) for row in rows] == [
        ("OPEN", None),
        ("OPEN", None),
        ("REJECTED", "too_many_open_orders"),
        ("REJECTED", "too_many_open_orders"),
    ]
    async with venue.db.transaction() as tx:
        await orders.cancel(tx, buyer, placed[0].order_id)
    await drain(matcher)
    later = venue.order(buyer, "BUY", "0.1", "100")
    await venue.place(later)
    await drain(await venue.matcher())
    assert (await venue.row(later))["status"] == "OPEN"
    assert await untrue(venue.db) == {}


async def test_fifty_orders_on_one_balance_at_once_spend_it_once(venue: Venue) -> None:
    buyer = await venue.investor(quote="100")
    placed = [venue.order(buyer, "BUY", "0.1", "100") for _ in range(50)]

    verdicts = await asyncio.gather(*(venue.place(order) for order in placed))

    assert sorted(verdict for (verdict,) in verdicts) == [0] * 10 + [4] * 40
    assert await venue.balances(buyer) == (0, 0, 0, to_units("100", 6))
    assert await untrue(venue.db) == {}


async def test_one_order_sent_fifty_times_at_once_is_one_order(venue: Venue) -> None:
    buyer = await venue.investor(quote="100")
    order = venue.order(buyer, "BUY", "0.1", "100")

    verdicts = await asyncio.gather(*(venue.place(order) for _ in range(50)), return_exceptions=True)

    assert sum(verdict == [0] for verdict in verdicts) == 1
    assert all(verdict in ([0], [2]) for verdict in verdicts)


async def test_ten_buyers_race_for_one_seller_and_get_what_there_is(venue: Venue) -> None:
    seller = await venue.investor(base="5")
    buyers = [await venue.investor(quote="1000") for _ in range(10)]
    await venue.place(venue.order(seller, "SELL", "5", "100"))
    matcher = await venue.matcher()
    stopping = asyncio.Event()
    running = asyncio.create_task(matcher.run(stopping))

    await asyncio.gather(*(venue.place(venue.order(buyer, "BUY", "1", "100")) for buyer in buyers))
    await eventually(lambda: nothing_waits(venue), "all orders are matched", within_s=20)
    stopping.set()
    await running

    rows = await venue.rows("SELECT status, count(*) AS n FROM orders WHERE side = 'BUY' GROUP BY status")
    assert {row["status"]: row["n"] for row in rows} == {"FILLED": 5, "OPEN": 5}
    assert (await venue.balances(seller))[2] == to_units("498.75", 6)
    assert await untrue(venue.db) == {}


async def test_both_sides_are_eligible_at_the_moment_of_the_trade(venue: Venue) -> None:
    seller, buyer = await venue.investor(base="1"), await venue.investor(quote="100")
    sell, buy = venue.order(seller, "SELL", "1", "100"), venue.order(buyer, "BUY", "1", "100")
    await venue.place(sell)
    matcher = await venue.matcher()
    await drain(matcher)
    async with venue.db.transaction() as tx:
        await tx.execute(
            "UPDATE compliance_profiles SET frozen = true, version = version + 1, updated_at = now() "
            "WHERE user_id = $1",
            seller,
        )
    await venue.place(buy)

    with pytest.raises(EligibilityChanged):
        await drain(matcher)
    await drain(await venue.matcher())

    assert [(await venue.row(order))["status"] for order in (sell, buy)] == ["CANCELLED", "OPEN"]
    assert (await venue.row(sell))["reason"] == "not_eligible"
    assert await venue.rows("SELECT 1 FROM trades") == []
    assert await venue.balances(seller) == (to_units("1", 18), 0, 0, 0)
    assert await untrue(venue.db) == {}


async def test_who_may_not_hold_gets_nothing_even_when_the_order_came_in(venue: Venue) -> None:
    seller, stranger = await venue.investor(base="1"), await venue.investor(quote="100", approved=False)
    order = venue.order(stranger, "BUY", "1", "100")
    await venue.place(venue.order(seller, "SELL", "1", "100"), order)

    await drain(await venue.matcher())

    row = await venue.row(order)
    assert (row["status"], row["reason"]) == ("CANCELLED", "not_eligible")
    assert await venue.balances(stranger) == (0, 0, to_units("100", 6), 0)
    assert await untrue(venue.db) == {}


async def test_nobody_gets_more_than_the_rules_allow(venue: Venue) -> None:
    seller, buyer = await venue.investor(base="5"), await venue.investor(quote="1000")
    async with venue.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO compliance_rules (token_id, max_ownership) VALUES ($1, $2)",
            venue.base,
            to_units("2", 18),
        )
    await venue.place(venue.order(seller, "SELL", "5", "100"), venue.order(buyer, "BUY", "3", "100"))

    with pytest.raises(HoldingsExceeded):
        await drain(await venue.matcher())
    await drain(await venue.matcher())

    (row,) = await venue.rows("SELECT status, reason FROM orders WHERE side = 'BUY'")
    assert (row["status"], row["reason"]) == ("CANCELLED", "not_eligible")
    assert (await venue.balances(buyer))[0] == 0
    assert await untrue(venue.db) == {}


async def with_lots(venue: Venue, *, old: str, new: str) -> UserId:
    """Somebody who has so much of the base since last year, and so much since today."""
    user = await venue.investor(base=old)
    async with as_owner(venue.db) as connection:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("UPDATE ledger_lines SET created_at = now() - interval '1 year'")
        await connection.execute("RESET session_replication_role")
    came = ledger.into_the_vault(
        new_uuid(), LineKind.DEPOSIT, ledger.AccountId(user), venue.base, to_units(new, 18)
    )
    async with venue.db.transaction() as tx:
        await tx.execute("INSERT INTO compliance_rules (token_id, lock_up_days) VALUES ($1, 30)", venue.base)
        await ledger.post(tx, [came])
    return user


async def test_what_is_locked_up_is_not_sold_though_the_orders_came_in_at_once(venue: Venue) -> None:
    """Each was judged before the other's hold stood: by itself it may be sold."""
    seller, buyer = await with_lots(venue, old="5", new="5"), await venue.investor(quote="1000")
    sells = [venue.order(seller, "SELL", "3", "100") for _ in range(2)]
    await venue.place(*sells)
    await drain(await venue.matcher())
    await venue.place(venue.order(buyer, "BUY", "6", "100"))

    with pytest.raises(LockUp):
        await drain(await venue.matcher())
    await drain(await venue.matcher())

    rows = [await venue.row(order) for order in sells]
    assert {(row["status"], row["reason"]) for row in rows} == {("CANCELLED", "not_eligible")}
    assert await venue.balances(seller) == (to_units("10", 18), 0, 0, 0)
    assert await untrue(venue.db) == {}


async def test_what_is_free_is_sold_to_the_last_unit_and_bought_again(venue: Venue) -> None:
    seller, buyer = await with_lots(venue, old="5", new="5"), await venue.investor(quote="1000")
    await venue.place(venue.order(seller, "SELL", "5", "100"), venue.order(buyer, "BUY", "5", "100"))
    await drain(await venue.matcher())
    await venue.place(venue.order(seller, "BUY", "1", "100"))
    await drain(await venue.matcher())

    assert (await venue.balances(seller))[0] == to_units("5", 18)
    assert {row["status"] for row in await venue.rows("SELECT status FROM orders WHERE side = 'SELL'")} == {
        "FILLED"
    }
    assert await untrue(venue.db) == {}


async def test_a_swap_sells_what_is_free_and_no_more(venue: Venue) -> None:
    seller, buyer = await with_lots(venue, old="5", new="5"), await venue.investor(quote="1000")
    await venue.place(venue.order(buyer, "BUY", "9", "100"))
    await swap(venue.db, venue.spec, seller, "SELL", "5", "400")
    await drain(await venue.matcher())
    assert (await venue.balances(seller))[:2] == (to_units("5", 18), 0)
    await swap(venue.db, venue.spec, seller, "SELL", "0.0001", "0.001")

    with pytest.raises(LockUp):
        await drain(await venue.matcher())
    await drain(await venue.matcher())

    rows = await venue.rows("SELECT status FROM orders WHERE order_type = 'SWAP' ORDER BY order_number")
    assert [row["status"] for row in rows] == ["FILLED", "CANCELLED"]
    assert (await venue.balances(seller))[:2] == (to_units("5", 18), 0)
    assert await untrue(venue.db) == {}


async def test_what_is_to_leave_the_vault_is_not_counted_as_left(venue: Venue) -> None:
    seller, buyer = await with_lots(venue, old="5", new="5"), await venue.investor(quote="1000")
    async with venue.db.transaction() as tx:
        account = ledger.AccountId(seller)
        await ledger.hold(tx, Hold(HoldOwner.WITHDRAWAL, new_uuid(), account, venue.base, to_units("4", 18)))
    await venue.place(venue.order(seller, "SELL", "2", "100"), venue.order(buyer, "BUY", "2", "100"))

    with pytest.raises(LockUp):
        await drain(await venue.matcher())


async def test_a_writer_that_was_replaced_changes_nothing(venue: Venue) -> None:
    seller, buyer = await venue.investor(base="1"), await venue.investor(quote="100")
    seen: list[str] = []
    old = await venue.matcher("old", lambda name, value: seen.append(f"old {name}"))
    async with venue.db.transaction() as tx:
        await tx.execute("UPDATE pair_writer SET expires_at = '-infinity'")
    new = await venue.matcher("new", lambda name, value: seen.append(f"new {name}"))
    await venue.place(venue.order(seller, "SELL", "1", "100"), venue.order(buyer, "BUY", "1", "100"))

    with pytest.raises(Fenced):
        await old.step()
    assert await venue.rows("SELECT 1 FROM trades") == []
    await drain(new)

    assert len(await venue.rows("SELECT 1 FROM trades")) == 1
    assert seen == ["old failed", "new settle_s", "new drained", "new match_s"]
    assert await untrue(venue.db) == {}


async def test_a_rebuilt_book_is_the_same_book(venue: Venue) -> None:
    people = [await venue.investor(base="50", quote="50000") for _ in range(4)]
    matcher = await venue.matcher()
    for place in range(60):
        who = people[place % 4]
        side = "BUY" if place % 3 else "SELL"
        price = str(100 + (place * 7) % 11 - (3 if side == "BUY" else -3))
        stop = {"kind": "STOP_LIMIT", "stop_price": "120"} if place % 10 == 9 else {}
        await venue.place(venue.order(who, side, f"0.{1 + place % 9}", price, **stop))
        if place % 7 == 0:
            await drain(matcher)
    await drain(matcher)

    again = await venue.matcher()

    assert again.book.state_hash() == matcher.book.state_hash()
    assert len(again.book) > 5
    assert await untrue(venue.db) == {}


async def test_a_pair_that_is_paused_rejects_what_comes_after_and_still_cancels(venue: Venue) -> None:
    buyer = await venue.investor(quote="100")
    before, after = venue.order(buyer, "BUY", "0.1", "100"), venue.order(buyer, "BUY", "0.1", "100")
    await venue.place(before)
    async with venue.db.transaction() as tx:
        await tx.execute("INSERT INTO order_commands (pair_id, kind) VALUES ($1, 'PAUSE')", venue.pair_id)
    await venue.place(after)
    matcher = await venue.matcher()
    await drain(matcher)

    assert [(await venue.row(order))["status"] for order in (before, after)] == ["OPEN", "REJECTED"]
    async with venue.db.transaction() as tx:
        await orders.cancel(tx, buyer, before.order_id)
    await drain(await venue.matcher())
    assert await venue.balances(buyer) == (0, 0, to_units("100", 6), 0)
    assert await untrue(venue.db) == {}


async def test_the_fee_account_is_not_a_user(venue: Venue) -> None:
    async with venue.db.transaction() as tx:
        assert await ledger.balance(tx, venue.spec.fee_account_id, venue.base) == (0, 0)


async def test_each_partys_audit_trail_has_the_trade(venue: Venue) -> None:
    seller, buyer = await venue.investor(base="5"), await venue.investor(quote="5000")
    await venue.place(venue.order(seller, "SELL", "5", "1000"), venue.order(buyer, "BUY", "5", "1000"))
    await drain(await venue.matcher())

    for user_id, side in ((buyer, "BUY"), (seller, "SELL")):
        (entry,) = await audit.entries(
            venue.db, audit.Wanted(actor_id=user_id, action="TRADE_EXECUTED"), None, 10
        )
        assert (entry["entity_type"], entry["details"]["side"], entry["details"]["sizeLots"]) == (
            "trade",
            side,
            50_000,
        )
    exported = [row["action"] async for row in audit.period(venue.db, audit.Wanted(entity_type="trade"))]
    assert exported == ["TRADE_EXECUTED"] * 2
