"""Swaps on the chain: from their own signature alone, and never beyond it, whatever the operator tries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from .evm import Refusal
from .exchange import (
    ALREADY_SETTLED,
    DOLLAR,
    FAILED,
    FEE_BPS,
    QUOTE,
    RECEIVED,
    SETTLED,
    Exchange,
    Told,
    fee,
    open_exchange,
)
from .requests import Request
from .world import UNIT, World

WINDOW = 24 * 3600


@pytest.fixture
def exchange(world: World) -> Exchange:
    return open_exchange(world)


def bought(exchange: Exchange, **changed: Any) -> Any:
    """The match of a buyer's swap, which stands behind the one order of the batch."""
    return exchange.match(buy=1, sell=0, **changed)


def test_a_swap_settles_from_its_own_signature_once(exchange: Exchange) -> None:
    swap, sell, match = exchange.swap("BUY", "500", "9.975"), exchange.order("SELL"), bought(exchange)
    exchange.settle([sell], [match], [swap])
    assert exchange.holding(exchange.buyer)[0] == 10 * UNIT - fee(10 * UNIT)
    after = exchange.balances()
    assert exchange.told([sell], [match], [swap]) == [Told(ALREADY_SETTLED)]
    exchange.settle([sell], [match], [swap])
    assert exchange.balances() == after
    again = exchange.refusal([exchange.order("SELL")], bought(exchange), [swap])
    assert again == Refusal("Overfilled", (swap.digest, 500 * DOLLAR, 1000 * DOLLAR))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tradingPairId", "OTHER-USDC"),
        ("amountIn", "501"),
        ("minAmountOut", "9"),
        ("maxFeeBps", FEE_BPS + 1),
        ("nonce", "another"),
        ("expiry", 2**40),
    ],
)
def test_no_field_can_be_changed_after_signing(exchange: Exchange, name: str, value: object) -> None:
    tokens = (exchange.shares.address, exchange.dollar.address)
    exchange.contract.send(exchange.world.lister, "listPair", "OTHER-USDC", *tokens, RECEIVED)
    forged = exchange.swap("BUY", "500", "9.975").changed(name, value)
    assert exchange.refusal([exchange.order("SELL")], bought(exchange), [forged]) == Refusal(
        "IntentNotSigned", (forged.digest,)
    )


def test_a_swap_is_no_order_and_an_order_no_swap(exchange: Exchange) -> None:
    swap, order, sell = exchange.swap("BUY", "500", "9.975"), exchange.order("BUY"), exchange.order("SELL")
    as_order, as_swap = replace(order, signature=swap.signature), replace(swap, signature=order.signature)
    assert exchange.refusal([as_order, sell]) == Refusal("IntentNotSigned", (order.digest,))
    assert exchange.refusal([sell], bought(exchange), [as_swap]) == Refusal("IntentNotSigned", (swap.digest,))
    other = exchange.swap("SELL", "10", "1")
    assert exchange.refusal([sell], bought(exchange), [other]) == Refusal("SideNotSigned")


@pytest.mark.parametrize("fee_mode", [RECEIVED, QUOTE])
def test_nobody_settles_a_buyers_swap_a_unit_below_its_floor(world: World, fee_mode: int) -> None:
    """In what it gives counts the fee that is taken in quote, in what it gets the one taken in base."""
    exchange = open_exchange(world, fee_mode)
    in_base = fee_mode == RECEIVED
    given, least = ("500", "9.975") if in_base else ("501.25", "10")
    fees = {"buyer_fee": fee(10 * UNIT) if in_base else fee(500 * DOLLAR)}
    swap, sell = exchange.swap("BUY", given, least), exchange.order("SELL", "100", "1")
    assert exchange.told([sell], [bought(exchange, **fees)], [swap]) == [Told(SETTLED)]
    greedy = exchange.swap("BUY", given, f"{least}{'' if in_base else '.000'}000000000000001")
    told = exchange.told([sell], [bought(exchange, **fees)], [greedy])
    assert [one.result for one in told] == [FAILED]
    assert told[0].refusal == Refusal("RateWorseThanSigned", (greedy.digest,))
    more = bought(exchange, quote=500 * DOLLAR + 1, **fees)
    assert exchange.refusal([sell], more, [swap]).name == "Overfilled"
    exchange.settle([sell], [bought(exchange, **fees)], [swap])
    assert exchange.contract.read("filled", swap.digest) == 500 * DOLLAR + (0 if in_base else 1_250_000)


def test_nobody_settles_a_sellers_swap_a_unit_below_its_floor(exchange: Exchange) -> None:
    """Ten shares for 498.75 dollars after the fee: what a dollar less brings, or a share more takes, is refused."""
    buy = exchange.order("BUY", "100", "60")
    swap = exchange.swap("SELL", "10", "498.75")
    match = exchange.match(buy=0, sell=1)
    for worse in (
        replace(match, quote=match.quote - 1),
        replace(match, quantity=5 * UNIT, quote=250 * DOLLAR - 1, buyer_fee=0, seller_fee=fee(250 * DOLLAR)),
    ):
        assert exchange.refusal([buy], worse, [swap]) == Refusal("RateWorseThanSigned", (swap.digest,))
    half = replace(match, quantity=5 * UNIT, quote=250 * DOLLAR, buyer_fee=0, seller_fee=625_000)
    exchange.settle([buy], [half], [swap])
    rest = exchange.match(5 * UNIT, 250 * DOLLAR, buy=0, sell=1, buyer_fee=0, seller_fee=625_000)
    more = replace(rest, quantity=5 * UNIT + 1)
    assert exchange.refusal([buy], more, [swap]).name == "Overfilled"
    exchange.settle([buy], [rest], [swap])
    assert exchange.contract.read("filled", swap.digest) == 10 * UNIT


def test_a_swaps_fee_is_capped_by_one_unit(exchange: Exchange) -> None:
    swap, sell, fair = exchange.swap("BUY", "500", "1"), exchange.order("SELL"), bought(exchange)
    dear = replace(fair, buyer_fee=fair.buyer_fee + 1)
    assert exchange.refusal([sell], dear, [swap]) == Refusal(
        "FeeAboveCap", (swap.digest, fair.buyer_fee + 1, fair.buyer_fee)
    )


def test_a_swap_that_expired_before_its_match_or_was_cancelled_settles_nothing(exchange: Exchange) -> None:
    evm = exchange.world.evm
    swap, sell = exchange.swap("BUY", "500", "9.975"), exchange.order("SELL", expiry=evm.now() + 10 * WINDOW)
    expiry = int(swap.request.values[7])
    evm.travel(expiry + 1)
    late = bought(exchange, matched_at=expiry + 1)
    assert exchange.refusal([sell], late, [swap]) == Refusal("IntentExpired", (swap.digest, expiry))
    values = (*swap.request.values[:7], evm.now() + 10 * WINDOW)
    request = Request("Swap", values, exchange.contract.address)
    lasting = replace(swap, request=request, signature=request.signed_by(exchange.buyer))
    exchange.contract.send(exchange.buyer, "cancel", [lasting.digest])
    evm.travel(evm.now() + WINDOW + 1)
    assert exchange.refusal([sell], bought(exchange), [lasting]) == Refusal(
        "IntentCancelled", (lasting.digest,)
    )


def test_a_fee_is_not_cut_however_much_was_received_before(world: World) -> None:
    """The room under a cap is kept in 128 bits. Five units more of it would read as less than nothing, and the next
    fee would be cut."""
    exchange = open_exchange(world)
    much = 2**128 // 10_000 - 5
    exchange.endow(exchange.buyer, 0, much)
    terms: dict[str, Any] = {"order_type": "MARKET", "price": "", "max_fee_bps": 10_000}
    orders = [exchange.order("BUY", "2", **terms), exchange.order("SELL", "2", **terms)]
    first = exchange.match(UNIT, much, buyer_fee=0, seller_fee=0)
    then = exchange.match(UNIT, 100, buyer_fee=0, seller_fee=100)
    events = exchange.settle(orders, [first, then]).named("TradeSettled")
    assert [event[3][8] for event in events] == [0, 100]
