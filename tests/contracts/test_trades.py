"""Delivery against payment: both legs and both fees in one step, exactly as signed and never otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from .evm import Refusal, role
from .exchange import (
    DOLLAR,
    DOLLARS,
    FEE_BPS,
    QUOTE,
    RECEIVED,
    SETTLED,
    SHARES,
    Exchange,
    Told,
    fee,
    open_exchange,
)
from .requests import HOUR, compact, high_s, with_v, withdrawal
from .world import UNIT, World, fresh_reference

WINDOW = 24 * 3600
SKEW = 300


@pytest.fixture
def exchange(world: World) -> Exchange:
    return open_exchange(world)


def test_a_trade_moves_both_legs_and_both_fees(exchange: Exchange) -> None:
    buy, sell, match = exchange.order("BUY"), exchange.order("SELL"), exchange.match()
    receipt = exchange.settle([buy, sell], [match])
    base_fee, quote_fee = 25 * UNIT // 1000, 1_250_000
    assert exchange.balances() == [
        (10 * UNIT - base_fee, DOLLARS - 500 * DOLLAR),
        (SHARES - 10 * UNIT, 500 * DOLLAR - quote_fee),
        (base_fee, quote_fee),
    ]
    parties = (exchange.buyer.address, exchange.seller.address, exchange.house.address)
    tokens = (exchange.shares.address, exchange.dollar.address)
    amounts = (10 * UNIT, 500 * DOLLAR, base_fee, quote_fee, RECEIVED)
    assert receipt.named("TradeSettled") == [
        (match.trade_id, buy.digest, sell.digest, (*tokens, *parties, *amounts))
    ]
    for signed in (buy, sell):
        assert exchange.contract.read("filled", signed.digest) == 10 * UNIT
    assert exchange.contract.read("settled", match.trade_id) is True
    for token in (exchange.shares, exchange.dollar):
        exchange.world.assert_vault_covers(token, exchange.buyer, exchange.seller, exchange.house)


def test_fees_in_quote_come_from_both_sides_of_the_payment(world: World) -> None:
    exchange = open_exchange(world, QUOTE)
    match = exchange.match(buyer_fee=fee(500 * DOLLAR))
    exchange.settle([exchange.order("BUY"), exchange.order("SELL")], [match])
    assert exchange.balances() == [
        (10 * UNIT, DOLLARS - 500 * DOLLAR - 1_250_000),
        (SHARES - 10 * UNIT, 500 * DOLLAR - 1_250_000),
        (0, 2_500_000),
    ]


def test_digests_are_those_of_an_independent_encoder(exchange: Exchange) -> None:
    order, swap = exchange.order("BUY", "1.5", "49.99"), exchange.swap("SELL", "1.5", "70")
    assert exchange.contract.read("hashOrder", order.request.values) == order.digest
    assert exchange.contract.read("hashSwap", swap.request.values) == swap.digest


def test_only_the_operator_settles(exchange: Exchange) -> None:
    arguments = exchange.arguments([exchange.order("BUY"), exchange.order("SELL")], [exchange.match()])
    admin = exchange.world.admin
    assert exchange.contract.refusal(admin, "settle", *arguments) == Refusal(
        "AccessControlUnauthorizedAccount", (admin.address, role("OPERATOR_ROLE"))
    )
    intent = (bytes(32), admin.address, bytes(32), True, False, False, 1, 1, 1, 1, 1, bytes(4))
    for function, given in (
        ("rehearse", arguments),
        ("deliver", (exchange.match().argument, intent, intent)),
    ):
        assert exchange.contract.refusal(exchange.world.operator, function, *given) == Refusal("OnlySelf")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tradingPairId", "OTHER-USDC"),
        ("quantity", "11"),
        ("price", "51"),
        ("orderType", "MARKET"),
        ("maxFeeBps", FEE_BPS + 1),
        ("clientOrderId", "another"),
        ("nonce", "another"),
        ("postOnly", True),
        ("stopPrice", "1"),
        ("selfTrade", "DECREMENT"),
        ("timeInForce", "IOC"),
    ],
)
def test_no_field_can_be_changed_after_signing(exchange: Exchange, name: str, value: object) -> None:
    if name == "tradingPairId":
        tokens = (exchange.shares.address, exchange.dollar.address)
        exchange.contract.send(exchange.world.lister, "listPair", value, *tokens, RECEIVED)
    forged = exchange.order("BUY").changed(name, value)
    assert exchange.refusal([forged, exchange.order("SELL")]) == Refusal("IntentNotSigned", (forged.digest,))


def test_a_signature_of_somebody_else_is_none(exchange: Exchange) -> None:
    forged = exchange.order("BUY", signer=exchange.seller)
    assert exchange.refusal([forged, exchange.order("SELL")]) == Refusal("IntentNotSigned", (forged.digest,))


def test_only_one_form_of_a_signature_is_taken(exchange: Exchange) -> None:
    buy, sell = exchange.order("BUY"), exchange.order("SELL")
    good = buy.signature
    bent = [b"", high_s(good), compact(good), good + b"\0", good[:64], bytes(65)]
    bent += [with_v(good, v) for v in (0, 1, 26, 29, 35, 255)]
    for signature in bent:
        [told] = exchange.told([replace(buy, signature=signature), sell], [exchange.match()])
        assert told.refusal == Refusal("IntentNotSigned", (buy.digest,))
    assert exchange.told([buy, sell], [exchange.match()]) == [Told(SETTLED)]


@pytest.mark.parametrize(
    ("field", "value"),
    [("contract", "0x" + "ab" * 20), ("chain_id", 23294), ("name", "Feedbook"), ("version", "2")],
)
def test_an_order_of_another_domain_is_none(exchange: Exchange, field: str, value: Any) -> None:
    here = exchange.order("BUY")
    elsewhere = replace(here.request, **{field: value}).signed_by(exchange.buyer)
    forged = replace(here, signature=elsewhere)
    assert exchange.refusal([forged, exchange.order("SELL")]) == Refusal("IntentNotSigned", (here.digest,))


def test_a_withdrawal_cannot_be_read_as_an_order_and_uses_up_nothing(exchange: Exchange) -> None:
    """Other actions of the same trader under the same nonce stand beside the order."""
    buy, sell = exchange.order("BUY"), exchange.order("SELL")
    asked = withdrawal(
        exchange.world, exchange.buyer.address, exchange.dollar.address, "1", exchange.buyer.address
    )
    forged = replace(buy, signature=asked.signed_by(exchange.buyer))
    assert exchange.refusal([forged, sell]) == Refusal("IntentNotSigned", (buy.digest,))
    exchange.settle([buy, sell], [exchange.match()])
    assert exchange.contract.read("usedDigest", buy.digest) is False
    exchange.contract.send(
        exchange.world.operator, "withdraw", asked.values, asked.signed_by(exchange.buyer), fresh_reference()
    )


def test_each_side_is_the_signed_one(exchange: Exchange) -> None:
    buys = [exchange.order("BUY"), exchange.order("BUY", trader=exchange.seller)]
    sells = [exchange.order("SELL", trader=exchange.buyer), exchange.order("SELL")]
    assert exchange.refusal(buys) == exchange.refusal(sells) == Refusal("SideNotSigned")
    assert exchange.refusal([exchange.order("SELL"), exchange.order("BUY")]) == Refusal("SideNotSigned")


def test_both_signed_the_same_pair(exchange: Exchange) -> None:
    tokens = (exchange.shares.address, exchange.dollar.address)
    exchange.contract.send(exchange.world.lister, "listPair", "OTHER", *tokens, RECEIVED)
    orders = [exchange.order("BUY"), exchange.order("SELL", symbol="OTHER")]
    assert exchange.refusal(orders) == Refusal("PairsDiffer")
    unlisted = exchange.order("SELL", symbol="NOWHERE")
    assert exchange.refusal([orders[0], unlisted]) == Refusal("PairNotListed", (unlisted.digest,))


def test_nobody_trades_with_themselves(exchange: Exchange) -> None:
    exchange.endow(exchange.buyer, SHARES, 0)
    orders = [exchange.order("BUY"), exchange.order("SELL", trader=exchange.buyer)]
    assert exchange.refusal(orders) == Refusal("SameAccount", (exchange.buyer.address,))


def test_a_price_worse_by_one_unit_is_refused(exchange: Exchange) -> None:
    buy, sell = exchange.order("BUY", price="50.00"), exchange.order("SELL", price="50")
    dear, cheap = exchange.match(quote=500 * DOLLAR + 1), exchange.match(quote=500 * DOLLAR - 1)
    assert exchange.refusal([buy, sell], dear) == Refusal("PriceWorseThanSigned", (buy.digest,))
    assert exchange.refusal([buy, sell], cheap) == Refusal("PriceWorseThanSigned", (sell.digest,))
    small = exchange.match(quantity=10 * UNIT - 1)
    assert exchange.refusal([buy, sell], small) == Refusal("PriceWorseThanSigned", (buy.digest,))
    assert exchange.told([buy, sell], [exchange.match()]) == [Told(SETTLED)]


def test_prices_compare_exactly_where_no_unit_can_express_them(exchange: Exchange) -> None:
    """A third of a micro-dollar a share: three shares cost one unit, and one more or less is worse."""
    buy = exchange.order("BUY", "9", "0.000000333333333334")
    sell = exchange.order("SELL", "9", "0.000000333333333333")
    told = exchange.told([buy, sell], [exchange.match(3 * UNIT, 1), exchange.match(3 * UNIT + 1, 1)])
    assert [outcome.result for outcome in told] == [SETTLED, SETTLED]
    assert exchange.refusal([buy, sell], exchange.match(3 * UNIT, 2)).name == "PriceWorseThanSigned"
    assert exchange.refusal([buy, sell], exchange.match(3 * UNIT + UNIT // 100, 1)) == Refusal(
        "PriceWorseThanSigned", (sell.digest,)
    )


@pytest.mark.parametrize("order_type", ["MARKET", "STOP_MARKET"])
def test_a_market_order_takes_any_price_unless_one_was_signed(exchange: Exchange, order_type: str) -> None:
    sell = exchange.order("SELL", price="1")
    anything = exchange.order("BUY", price="", order_type=order_type)
    assert exchange.told([anything, sell], [exchange.match(quote=90_000 * DOLLAR)]) == [Told(SETTLED)]
    bounded = exchange.order("BUY", price="50", order_type=order_type)
    assert exchange.refusal([bounded, sell], exchange.match(quote=500 * DOLLAR + 1)) == Refusal(
        "PriceWorseThanSigned", (bounded.digest,)
    )


@pytest.mark.parametrize(
    ("changed", "value"),
    [("price", ""), ("quantity", "1e3"), ("price", "5,0"), ("orderType", "ICEBERG"), ("side", "buy")],
)
def test_what_cannot_be_read_settles_nothing(exchange: Exchange, changed: str, value: str) -> None:
    request = exchange.order("BUY").request.changed(changed, value)
    bad = replace(exchange.order("BUY"), request=request, signature=request.signed_by(exchange.buyer))
    assert exchange.refusal([bad, exchange.order("SELL")]) == Refusal("IntentMalformed", (bad.digest,))


def test_a_stop_limit_keeps_its_price(exchange: Exchange) -> None:
    stop = exchange.order("BUY", order_type="STOP_LIMIT")
    assert exchange.told([stop, exchange.order("SELL")], [exchange.match()]) == [Told(SETTLED)]
    dear = exchange.match(quote=500 * DOLLAR + 1)
    assert exchange.refusal([stop, exchange.order("SELL")], dear).name == "PriceWorseThanSigned"


def test_never_more_than_was_signed_over_all_trades(exchange: Exchange) -> None:
    buy, sell = exchange.order("BUY", "10"), exchange.order("SELL", "20")
    part = [exchange.match(4 * UNIT, 200 * DOLLAR), exchange.match(6 * UNIT, 300 * DOLLAR)]
    exchange.settle([buy, sell], part)
    assert exchange.contract.read("filled", buy.digest) == 10 * UNIT
    more = exchange.match(1, 1, buyer_fee=0, seller_fee=0)
    orders = [exchange.order("BUY", price="", order_type="MARKET"), sell]
    refused = exchange.told([buy, sell], [more])[0].refusal
    assert refused is not None and refused.name in ("Overfilled", "PriceWorseThanSigned")
    again = exchange.match()
    assert exchange.refusal([buy, sell], again) == Refusal("Overfilled", (buy.digest, 10 * UNIT, 20 * UNIT))
    assert exchange.told(orders, [again]) == [Told(SETTLED)]


def test_a_fee_above_the_cap_is_refused_by_one_unit(exchange: Exchange) -> None:
    buy, sell = exchange.order("BUY"), exchange.order("SELL")
    fair = exchange.match()
    dear = replace(fair, buyer_fee=fair.buyer_fee + 1)
    assert exchange.refusal([buy, sell], dear) == Refusal(
        "FeeAboveCap", (buy.digest, fair.buyer_fee + 1, fair.buyer_fee)
    )
    dear = replace(fair, seller_fee=fair.seller_fee + 1)
    assert exchange.refusal([buy, sell], dear) == Refusal(
        "FeeAboveCap", (sell.digest, fair.seller_fee + 1, fair.seller_fee)
    )


def test_rounding_up_at_each_trade_never_adds_up(exchange: Exchange) -> None:
    """Each of a hundred slivers may round its fee up; together they take what one trade of the whole would."""
    sell, buy = exchange.order("SELL", "100", "0.000001"), exchange.order("BUY", "100", "0.000001")
    slivers = [
        exchange.match(UNIT, 1, buyer_fee=0, seller_fee=1, trade_id=bytes([7]) + bytes([place]) * 31)
        for place in range(40)
    ]
    taken = [event[3][8] for event in exchange.settle([buy, sell], slivers).named("TradeSettled")]
    assert len(taken) == 40 and sum(taken) == fee(40) == 1


def test_a_match_is_settled_while_its_texts_held_and_within_the_window(exchange: Exchange) -> None:
    now = exchange.world.evm.now()
    ended = exchange.order("BUY", expiry=now - 10)
    sell = exchange.order("SELL", expiry=now - 10)
    assert exchange.told([ended, sell], [exchange.match(matched_at=now - 10)]) == [Told(SETTLED)]
    late = exchange.match(matched_at=now - 9)
    assert exchange.refusal([ended, exchange.order("SELL")], late) == Refusal(
        "IntentExpired", (ended.digest, now - 10)
    )
    assert exchange.refusal([exchange.order("BUY"), sell], late) == Refusal(
        "IntentExpired", (sell.digest, now - 10)
    )
    orders = [exchange.order("BUY"), exchange.order("SELL")]
    assert exchange.refusal(orders, exchange.match(matched_at=now - WINDOW - 1)).name == "MatchTooOld"
    ahead = exchange.match(matched_at=exchange.world.evm.now() + 10 * SKEW)
    assert exchange.refusal(orders, ahead).name == "MatchedInTheFuture"
    assert exchange.told(orders, [exchange.match(matched_at=now - WINDOW + HOUR)]) == [Told(SETTLED)]


@pytest.mark.parametrize("away", [SKEW, -WINDOW], ids=["ahead of the chain's clock", "before it"])
def test_the_last_moment_at_which_a_match_is_settled_is_one_at_which_it_is(
    exchange: Exchange, away: int
) -> None:
    evm = exchange.world.evm
    settled_at = evm.now() + HOUR
    until = settled_at + 10 * WINDOW
    orders = [exchange.order("BUY", expiry=until), exchange.order("SELL", expiry=until)]
    match = exchange.match(matched_at=settled_at + away)
    evm.rpc("evm_setNextBlockTimestamp", settled_at)
    assert len(exchange.settle(orders, [match]).named("TradeSettled")) == 1
    assert evm.now() == settled_at


def test_the_last_moment_before_a_cancel_counts_is_one_at_which_it_does_not(exchange: Exchange) -> None:
    evm = exchange.world.evm
    until = evm.now() + 10 * WINDOW
    buy, sell = exchange.order("BUY", expiry=until), exchange.order("SELL", expiry=until)
    exchange.contract.send(exchange.buyer, "cancel", [buy.digest])
    counts_after = evm.now() + WINDOW
    evm.rpc("evm_setNextBlockTimestamp", counts_after)
    settled = exchange.settle([buy, sell], [exchange.match(matched_at=counts_after)])
    assert len(settled.named("TradeSettled")) == 1 and evm.now() == counts_after


def test_a_cancel_of_the_trader_ends_it_after_the_window(exchange: Exchange) -> None:
    evm = exchange.world.evm
    until = evm.now() + 10 * WINDOW
    buy, sell = exchange.order("BUY", expiry=until), exchange.order("SELL", expiry=until)
    receipt = exchange.contract.send(exchange.buyer, "cancel", [buy.digest])
    cancelled = evm.now()
    assert receipt.named("OrderCancelled") == [(exchange.buyer.address, buy.digest, cancelled + WINDOW)]
    assert exchange.told([buy, sell], [exchange.match()]) == [Told(SETTLED)]
    evm.travel(cancelled + WINDOW // 2)
    assert exchange.contract.send(exchange.buyer, "cancel", [buy.digest]).named("OrderCancelled") == []
    evm.travel(cancelled + WINDOW + 1)
    assert exchange.refusal([buy, sell]) == Refusal("IntentCancelled", (buy.digest,))


def test_nobody_cancels_for_another(exchange: Exchange) -> None:
    until = exchange.world.evm.now() + 10 * WINDOW
    buy, sell = exchange.order("BUY", expiry=until), exchange.order("SELL", expiry=until)
    exchange.contract.send(exchange.seller, "cancel", [buy.digest])
    exchange.world.evm.travel(exchange.world.evm.now() + WINDOW + 1)
    assert exchange.told([buy, sell], [exchange.match()]) == [Told(SETTLED)]


def test_a_trade_of_nothing_or_of_too_much_is_none(exchange: Exchange) -> None:
    orders = [exchange.order("BUY"), exchange.order("SELL")]
    assert exchange.refusal(orders, exchange.match(quantity=0)) == Refusal("ZeroAmount")
    assert exchange.refusal(orders, exchange.match(quote=0)) == Refusal("ZeroAmount")
    for much in (10**38 + 1, 2**255, 2**256 - 1):
        usual = {"buyer_fee": 0, "seller_fee": 0}
        for match in (exchange.match(quantity=much, **usual), exchange.match(quote=much, **usual)):
            assert exchange.refusal(orders, match) == Refusal("AmountTooLarge", (much,))
    most = exchange.match(quantity=10**38, buyer_fee=0, seller_fee=0)
    assert exchange.refusal(orders, most).name != "AmountTooLarge"


def test_nobody_pays_or_delivers_what_they_have_not(exchange: Exchange) -> None:
    poor = exchange.trader(shares=0, dollars=1)
    buy = exchange.order("BUY", trader=poor)
    told = exchange.told([buy, exchange.order("SELL")], [exchange.match()])[0].refusal
    assert told is not None and told.name == "InsufficientVaultBalance"
    short = exchange.order("SELL", trader=poor)
    assert exchange.told([exchange.order("BUY"), short], [exchange.match()])[0].refusal == Refusal(
        "TradeRestricted", (exchange.shares.address, 4)
    )


@pytest.mark.parametrize(("who", "reason"), [("seller", 2), ("buyer", 3), ("house", 3)])
def test_a_frozen_party_stops_the_trade(exchange: Exchange, who: str, reason: int) -> None:
    exchange.world.freeze(getattr(exchange, who))
    orders = [exchange.order("BUY"), exchange.order("SELL")]
    assert exchange.refusal(orders) == Refusal("TradeRestricted", (exchange.shares.address, reason))


def test_a_party_without_kyc_a_pause_and_a_frozen_part_stop_the_trade(exchange: Exchange) -> None:
    orders = [exchange.order("BUY"), exchange.order("SELL", "1000")]
    world, shares = exchange.world, exchange.shares
    shares.send(world.enforcer, "setFrozenTokens", exchange.seller.address, SHARES - 5 * UNIT)
    assert exchange.refusal(orders) == Refusal("TradeRestricted", (shares.address, 4))
    shares.send(world.enforcer, "setFrozenTokens", exchange.seller.address, SHARES - 10 * UNIT)
    assert exchange.told(orders, [exchange.match()]) == [Told(SETTLED)]
    world.revoke(exchange.buyer)
    assert exchange.refusal(orders) == Refusal("TradeRestricted", (shares.address, 10))
    world.verify(exchange.buyer)
    shares.send(world.pauser, "pause")
    assert exchange.refusal(orders) == Refusal("TradeRestricted", (shares.address, 1))


def test_a_pair_of_payment_tokens_asks_the_registry_for_freezes(exchange: Exchange) -> None:
    world = exchange.world
    coin = world.evm.deploy(world.deployer, "TestDollar", world.admin.address)
    world.settlement.send(world.lister, "listToken", coin.address, 1)
    world.settlement.send(world.lister, "listPair", "COIN-USDC", coin.address, world.dollar.address, QUOTE)
    strangers = [world.evm.wallet(), world.evm.wallet()]
    for wallet, token in zip(strangers, (world.dollar, coin), strict=True):
        token.send(world.admin, "mint", wallet.address, DOLLARS)
        world.deposit(token, wallet, DOLLARS)
    buyer, seller = strangers
    orders = [
        exchange.order("BUY", "10", "50", trader=buyer, symbol="COIN-USDC"),
        exchange.order("SELL", "10", "50", trader=seller, symbol="COIN-USDC"),
    ]
    match = exchange.match(10 * DOLLAR, 500 * DOLLAR, buyer_fee=0)
    assert exchange.told(orders, [match]) == [Told(SETTLED)]
    for wallet, reason in ((buyer, 3), (seller, 2)):
        world.freeze(wallet)
        refused = exchange.told(orders, [match])[0].refusal
        assert refused == Refusal("TradeRestricted", (coin.address, reason))
        world.freeze(wallet, frozen=False)


def test_fees_go_to_the_account_that_the_admin_has_set(exchange: Exchange) -> None:
    world, other = exchange.world, exchange.world.holder()
    assert exchange.contract.read("feeAccount") == world.house.address
    for stranger in (world.operator, world.lister):
        refused = exchange.contract.refusal(stranger, "setFeeAccount", other.address)
        assert refused.name == "AccessControlUnauthorizedAccount"
    for nobody in ("0x" + "00" * 20, exchange.contract.address):
        assert exchange.contract.refusal(world.admin, "setFeeAccount", nobody).name in (
            "ZeroAddress",
            "ReceiverNotAllowed",
        )
    receipt = exchange.contract.send(world.admin, "setFeeAccount", other.address)
    assert receipt.named("FeeAccountSet") == [(other.address,)]
    exchange.settle([exchange.order("BUY"), exchange.order("SELL")], [exchange.match()])
    assert exchange.holding(other) == (25 * UNIT // 1000, 1_250_000)
    assert exchange.holding(world.house) == (0, 0)
