"""Swaps through the matcher, on real PostgreSQL: exact to the last unit, for what was signed or not at all."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deedbook.identity.errors import DuplicateAction, NonceUsed
from deedbook.infra.database import Database
from deedbook.kernel.amounts import to_units
from deedbook.kernel.errors import Refusal
from deedbook.ledger.errors import InsufficientFunds
from deedbook.trading import swap_store, swap_views, swaps
from deedbook.trading.errors import OrderFilter
from deedbook.trading.replay import replay
from deedbook.trading.terms import OrderId
from tests.trading.swapping import checked, swap
from tests.trading.test_matcher import drain, events, untrue
from tests.trading.venue import Venue, open_venue


@pytest.fixture
async def venue(db: Database) -> Venue:
    return await open_venue(db)


async def seen(venue: Venue, swap_id: OrderId) -> dict[str, Any]:
    row = await swap_views.swap(venue.db, swap_id)
    assert row is not None
    return swap_views.shown(row, (await swap_store.fills(venue.db, [swap_id]))[swap_id], venue.spec)


async def proven(venue: Venue) -> None:
    assert await untrue(venue.db) == {}
    assert (await replay(venue.db, venue.pair_id)).findings == ()


async def test_dollars_are_swapped_into_deeds_through_two_levels(venue: Venue) -> None:
    """100 dollars: 0.5 at 100 and 0.4901 at 102; what buys no further lot stays."""
    seller, user = await venue.investor(base="5"), await venue.investor(quote="250")
    await venue.place(venue.order(seller, "SELL", "0.5", "100"), venue.order(seller, "SELL", "2", "102"))
    matcher = await venue.matcher()
    await drain(matcher)
    swap_id = await swap(venue.db, venue.spec, user, "BUY", "100", "0.98")
    assert await venue.balances(user) == (0, 0, to_units("150", 6), to_units("100", 6))

    await drain(matcher)

    told = await seen(venue, swap_id)
    base = to_units("0.9901", 18)
    fee = -(-base * 25 // 10_000)
    assert (told["status"], told["reason"], told["amountUsed"]) == ("FILLED", None, "99.9902")
    assert (told["amountOut"], told["fee"]) == (venue.spec.base_text(base - fee), venue.spec.base_text(fee))
    assert [(fill["price"], fill["quantity"]) for fill in told["fills"]] == [
        ("100", "0.5"),
        ("102", "0.4901"),
    ]
    assert told["settlementStatus"] == "PENDING"
    assert await venue.balances(user) == (base - fee, 0, to_units("150.0098", 6), 0)
    await proven(venue)


async def test_deeds_are_swapped_into_dollars_and_dust_stays(venue: Venue) -> None:
    buyer, user = await venue.investor(quote="1000"), await venue.investor(base="1")
    await venue.place(venue.order(buyer, "BUY", "3", "100"))
    matcher = await venue.matcher()
    swap_id = await swap(venue.db, venue.spec, user, "SELL", "0.500000000000000001", "49.875")

    await drain(matcher)

    told = await seen(venue, swap_id)
    assert (told["status"], told["amountUsed"], told["amountOut"]) == ("FILLED", "0.5", "49.875")
    assert (told["averagePrice"], told["fee"]) == ("100", "0.125")
    assert await venue.balances(user) == (to_units("0.5", 18), 0, to_units("49.875", 6), 0)
    await proven(venue)


@pytest.mark.parametrize(
    ("side", "amount", "least"), [("BUY", "100", "0.9976"), ("SELL", "0.5", "49.875001")]
)
async def test_a_unit_too_little_and_nothing_is_traded(
    venue: Venue, side: str, amount: str, least: str
) -> None:
    other, user = await venue.investor("5", "1000"), await venue.investor("1", "100")
    away = "SELL" if side == "BUY" else "BUY"
    await venue.place(venue.order(other, away, "3", "100"))
    matcher, before = await venue.matcher(), await venue.balances(user)
    swap_id = await swap(venue.db, venue.spec, user, side, amount, least)

    await drain(matcher)

    told = await seen(venue, swap_id)
    assert (told["status"], told["reason"]) == ("CANCELLED", "min_amount_out")
    assert (told["amountUsed"], told["amountOut"], told["fills"], told["settlementStatus"]) == (
        "0",
        "0",
        [],
        None,
    )
    assert await venue.balances(user) == before
    await proven(venue)


@pytest.mark.parametrize("side", ["BUY", "SELL"])
async def test_quote_fees_are_part_of_what_a_swap_gives_and_gets(db: Database, side: str) -> None:
    venue = await open_venue(db, fee_mode="quote")
    other, user = await venue.investor("5", "1000"), await venue.investor("1", "100.25")
    await venue.place(venue.order(other, "SELL" if side == "BUY" else "BUY", "3", "100"))
    matcher = await venue.matcher()
    given, least = ("100.25", "1") if side == "BUY" else ("1", "99.75")
    swap_id = await swap(venue.db, venue.spec, user, side, given, least)

    await drain(matcher)

    told = await seen(venue, swap_id)
    assert (told["status"], told["amountUsed"], told["amountOut"], told["fee"]) == (
        "FILLED",
        given,
        least,
        "0.25",
    )
    assert await venue.balances(user) == (
        (to_units("2", 18), 0, 0, 0) if side == "BUY" else (0, 0, to_units("200", 6), 0)
    )
    await proven(venue)


async def test_the_rest_of_a_shallow_book_is_enough_where_it_gives_what_was_asked(venue: Venue) -> None:
    seller, user = await venue.investor(base="5"), await venue.investor(quote="500")
    await venue.place(venue.order(seller, "SELL", "1", "100"), venue.order(seller, "SELL", "1", "200"))
    matcher = await venue.matcher()
    swap_id = await swap(venue.db, venue.spec, user, "BUY", "500", "0.99")

    await drain(matcher)

    told = await seen(venue, swap_id)
    assert (told["status"], told["amountUsed"], told["amountOut"]) == ("FILLED", "100", "0.9975")
    assert await venue.balances(user) == (to_units("0.9975", 18), 0, to_units("400", 6), 0)
    await proven(venue)


async def test_one_batch_carries_orders_swaps_and_what_they_leave(venue: Venue) -> None:
    """Each sees the book that those before it have left, in the order in which they came."""
    seller = await venue.investor(base="5")
    first, second = await venue.investor(quote="100"), await venue.investor(quote="200")
    late = await venue.investor(quote="1000")
    await venue.place(venue.order(seller, "SELL", "1", "100"))
    one = await swap(venue.db, venue.spec, first, "BUY", "60", "0.59")
    two = await swap(venue.db, venue.spec, second, "BUY", "60", "0.59")
    await venue.place(venue.order(seller, "SELL", "1", "100"), venue.order(late, "BUY", "0.3", "100"))
    three = await swap(venue.db, venue.spec, second, "BUY", "60", "0.59")

    await drain(await venue.matcher())

    assert [(await seen(venue, swap_id))["status"] for swap_id in (one, two, three)] == [
        "FILLED", "CANCELLED", "FILLED",
    ]  # fmt: skip
    fills = (await seen(venue, three))["fills"]
    assert [fill["quantity"] for fill in fills] == ["0.1", "0.5"]
    await proven(venue)


async def test_a_stop_that_a_swap_triggers_is_none_of_its_fills(venue: Venue) -> None:
    seller, stopper, user = (
        await venue.investor(base="5"),
        await venue.investor(quote="500"),
        await venue.investor(quote="100"),
    )
    await venue.place(
        venue.order(seller, "SELL", "1", "100"),
        venue.order(seller, "SELL", "1", "101"),
        venue.order(stopper, "BUY", "0.5", "102", kind="STOP_LIMIT", stop_price="100"),
    )
    swap_id = await swap(venue.db, venue.spec, user, "BUY", "50", "0.49")

    await drain(await venue.matcher())

    told = await seen(venue, swap_id)
    assert [fill["quantity"] for fill in told["fills"]] == ["0.5"]
    assert len(await venue.rows("SELECT 1 FROM trades")) == 2
    await proven(venue)


async def test_ones_own_order_in_the_way_ends_a_swap(venue: Venue) -> None:
    user = await venue.investor("5", "100")
    await venue.place(venue.order(user, "SELL", "1", "100"))
    swap_id = await swap(venue.db, venue.spec, user, "BUY", "50", "0.4")
    await drain(await venue.matcher())
    told = await seen(venue, swap_id)
    assert (told["status"], told["reason"]) == ("CANCELLED", "self_trade")
    assert await venue.balances(user) == (to_units("4", 18), to_units("1", 18), to_units("100", 6), 0)
    await proven(venue)


async def test_a_swap_that_expired_or_whose_owner_was_barred_gives_all_back(venue: Venue) -> None:
    seller, user = await venue.investor(base="5"), await venue.investor(quote="100")
    barred = await venue.investor(quote="100", approved=False)
    await venue.place(venue.order(seller, "SELL", "1", "100"))
    gone = await swap(
        venue.db, venue.spec, user, "BUY", "50", "0.4", expires_at=datetime.now(UTC) - timedelta(seconds=1)
    )
    frozen = await swap(venue.db, venue.spec, barred, "BUY", "50", "0.4")
    await drain(await venue.matcher())
    assert [(await seen(venue, swap_id))["reason"] for swap_id in (gone, frozen)] == [
        "expired",
        "not_eligible",
    ]
    assert (await venue.balances(user), await venue.balances(barred)) == (
        (0, 0, to_units("100", 6), 0),
        (0, 0, to_units("100", 6), 0),
    )
    await proven(venue)


async def test_a_nonce_counts_once_for_orders_and_swaps_together(venue: Venue) -> None:
    user = await venue.investor(quote="1000")
    await venue.place(venue.order(user, "BUY", "1", "1", nonce="n"))
    with pytest.raises(NonceUsed):
        await swap(venue.db, venue.spec, user, "BUY", "50", "0.4", nonce="n")
    asked = checked(venue.spec, user, "BUY", "50", "0.4", nonce="m")
    async with venue.db.transaction() as tx:
        await swaps.place(tx, user, asked)
    with pytest.raises(DuplicateAction):
        async with venue.db.transaction() as tx:
            await swaps.place(tx, user, asked)
    assert await venue.place(venue.order(user, "BUY", "1", "1", nonce="m")) == [1]


async def test_a_swap_without_funds_leaves_nothing(venue: Venue) -> None:
    user = await venue.investor(quote="49.999999")
    with pytest.raises(InsufficientFunds):
        await swap(venue.db, venue.spec, user, "BUY", "50", "0.4", nonce="again")
    assert await venue.rows("SELECT 1 FROM orders") == []
    await swap(venue.db, venue.spec, user, "BUY", "49.999999", "0.4", nonce="again")
    await drain(await venue.matcher())
    await proven(venue)


async def test_events_tell_of_a_swap_as_of_an_order(venue: Venue) -> None:
    seller, user = await venue.investor(base="5"), await venue.investor(quote="100")
    await venue.place(venue.order(seller, "SELL", "1", "100"))
    swap_id = await swap(venue.db, venue.spec, user, "BUY", "50", "0.4")
    await drain(await venue.matcher())
    told = [event for event in await events(venue) if event["orderId"] == str(swap_id)]
    assert [event["eventType"] for event in told] == [
        "order.created", "order.open", "order.filled", "trade.executed", "trade.settlement_pending",
    ]  # fmt: skip
    assert {event["payload"].get("orderType", "SWAP") for event in told} == {"SWAP"}
    assert told[2]["payload"]["quantity"] == told[2]["payload"]["filledQuantity"] == "0.5"


def _filtered(venue: Venue, *asked: str) -> Sequence[str]:
    with pytest.raises(Refusal) as caught:
        checked(venue.spec, venue.spec.fee_account_id, *asked)  # type: ignore[arg-type]
    assert isinstance(caught.value, OrderFilter)
    return [f"{error.pointer} {error.code}" for error in caught.value.errors]


async def test_a_filter_is_named_with_its_field(db: Database) -> None:
    venue = await open_venue(db, min_quantity_lots=10, max_quantity_lots=100_000, min_notional=10**6)
    assert _filtered(venue, "BUY", "0.0000001", "1") == ["/amountIn amount"]
    assert _filtered(venue, "BUY", "10", "0") == ["/minAmountOut range"]
    assert _filtered(venue, "BUY", "0.999999", "1") == ["/amountIn min_notional"]
    assert _filtered(venue, "BUY", "10", "10.1") == ["/minAmountOut max_quantity"]
    assert _filtered(venue, "SELL", "0.0009", "1") == ["/amountIn min_quantity"]
    assert _filtered(venue, "SELL", "10.0001", "1") == ["/amountIn max_quantity"]
    assert _filtered(venue, "SELL", "1", "0.5") == ["/minAmountOut min_notional"]
    assert _filtered(venue, "SELL", "0.001", "99999999999999999999") == ["/minAmountOut range"]
