"""Money at its edges, in both modes of fees: dust, sums beyond 64 bits, what two of one group do not trade."""

from typing import Any

import pytest

from deedbook.kernel.amounts import to_units
from deedbook.trading.replay import replay
from tests.trading.test_matcher import drain, untrue
from tests.trading.venue import open_venue


@pytest.mark.parametrize("fee_mode", ["received", "quote"])
async def test_dust_is_exact_to_the_last_unit(db: Any, fee_mode: str) -> None:
    """One lot at one tick is one unit of quote; its fee is that unit, so that the seller gets nothing for it."""
    venue, in_base = await open_venue(db, fee_mode=fee_mode), fee_mode == "received"
    paid = 3 if in_base else 4
    seller, buyer = await venue.investor(base="1"), await venue.investor(quote=f"0.00000{paid}")
    matcher = await venue.matcher()
    assert await venue.place(venue.order(buyer, "BUY", "0.0003", "0.01")) == [0]
    for _ in range(3):
        await venue.place(venue.order(seller, "SELL", "0.0001", "0.01"))
        await drain(matcher)

    fee = -(-to_units("0.0003", 18) * 25 // 10_000) if in_base else 0
    assert await venue.balances(buyer) == (to_units("0.0003", 18) - fee, 0, 0, 0)
    assert await venue.balances(seller) == (to_units("0.9997", 18), 0, 0, 0)
    assert await venue.balances(venue.spec.fee_account_id) == (fee, 0, paid, 0)
    assert await untrue(venue.db) == {}


@pytest.mark.parametrize("fee_mode", ["received", "quote"])
async def test_a_very_large_order_at_the_highest_price_is_exact(db: Any, fee_mode: str) -> None:
    venue = await open_venue(db, fee_mode=fee_mode)
    price, size = "10000000000000", "1000000"
    seller, buyer = await venue.investor(base=size), await venue.investor(quote="2" + "0" * 19)
    await venue.place(venue.order(seller, "SELL", size, price), venue.order(buyer, "BUY", size, price))

    await drain(await venue.matcher())

    quote = 10**15 * 10**10
    assert (await venue.balances(seller))[2] == quote - quote * 25 // 10_000
    assert (await venue.balances(buyer))[3] == 0
    assert await untrue(venue.db) == {}
    assert (await replay(venue.db, venue.pair_id)).findings == ()


@pytest.mark.parametrize("fee_mode", ["received", "quote"])
async def test_what_two_of_one_group_do_not_trade_is_free_again(db: Any, fee_mode: str) -> None:
    venue = await open_venue(db, fee_mode=fee_mode)
    one, other = await venue.investor(base="1", quote="1000"), await venue.investor(base="1")
    await venue.place(
        venue.order(one, "SELL", "0.5", "100"),
        venue.order(other, "SELL", "0.1", "100"),
        venue.order(one, "BUY", "0.8", "101", self_trade="DECREMENT"),
    )

    await drain(await venue.matcher())

    (rest,) = await venue.rows("SELECT * FROM orders WHERE status = 'PARTIAL'")
    assert (rest["remaining_lots"], rest["filled_lots"]) == (2000, 1000)
    held = to_units("20.2", 6)
    if fee_mode == "quote":
        held += -(-to_units("30.2", 6) * 25 // 10_000) - to_units("0.025", 6)
    base, base_held, _, quote_held = await venue.balances(one)
    assert (base_held, quote_held, rest["held"]) == (0, held, held)
    assert base == to_units("1.1" if fee_mode == "quote" else "1.09975", 18)
    assert await untrue(venue.db) == {}


async def test_who_gave_way_to_ones_own_group_hears_what_is_left(db: Any) -> None:
    """A market maker who follows the events would otherwise believe that more of the order stands in the book."""
    venue = await open_venue(db)
    one = await venue.investor(base="1", quote="1000")
    maker = venue.order(one, "SELL", "0.5", "100")
    taker = venue.order(one, "BUY", "0.2", "100", self_trade="DECREMENT")
    await venue.place(maker, taker)

    await drain(await venue.matcher())

    told = await venue.rows("SELECT fact FROM trading_events WHERE event_type <> 'order.created'")
    assert sorted(
        (event["orderId"] == str(maker.order_id), event["eventType"], event["payload"]["remainingQuantity"])
        for event in (row["fact"] for row in told)
    ) == [
        (False, "order.cancelled", "0"),
        (False, "order.open", "0.2"),
        (True, "order.open", "0.5"),
        (True, "order.reduced", "0.3"),
    ]


async def test_who_reaches_the_limits_exactly_is_within_them(db: Any) -> None:
    venue = await open_venue(db)
    seller, buyer = await venue.investor(base="5"), await venue.investor(quote="200")
    async with venue.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO compliance_rules (token_id, max_ownership, max_holders) VALUES ($1, $2, 2)",
            venue.base,
            to_units("1.995", 18),
        )
    await venue.place(venue.order(seller, "SELL", "2", "100"), venue.order(buyer, "BUY", "2", "100"))

    await drain(await venue.matcher())

    assert await venue.balances(buyer) == (to_units("1.995", 18), 0, 0, 0)
