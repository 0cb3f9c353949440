"""The platform's words for settling on a real EVM: what is packed is what was signed, every batch stays within its
budget, and every verdict comes back as the value that rooms read.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

import pytest

from deedbook.chain.delivery import (
    Batch,
    Cost,
    Delivered,
    Delivery,
    DeliveryResult,
    FailureReason,
    FeesFrom,
    SignedText,
    Verdict,
)
from deedbook.chain.terms import MAX_DATA_BYTES, MAX_GAS, Call, Log
from deedbook.chain.terms import Receipt as PlatformReceipt
from deedbook.chain.vault import VaultEventKind, reference_of
from deedbook.identity.terms import Address
from deedbook.identity.typed_data import ORDER, SWAP, Domain
from deedbook.integrations.sapphire import settlement as words
from deedbook.integrations.sapphire.client import SapphireClient
from deedbook.integrations.sapphire.vault_events import decode

from .evm import CHAIN_ID, Receipt, Wallet, keccak
from .exchange import DOLLAR, QUOTE, RECEIVED, SYMBOL, Exchange, Signed, fee, open_exchange
from .test_contract_wallets import Consent
from .world import UNIT, World

HEADROOM = 1.33
LONGEST = {
    "quantity": "10.000000000000000000",
    "price": "50.000000000000000000",
    "clientOrderId": "c" * 64,
    "nonce": "n" * 60,
    "orderType": "STOP_LIMIT",
    "stopPrice": "49.000000000000000000",
}


@pytest.fixture
def exchange(world: World) -> Exchange:
    return open_exchange(world)


def text_of(signed: Signed, *, asks_wallet: bool = False) -> SignedText:
    struct = {"Order": ORDER, "Swap": SWAP}[signed.request.kind]
    values = dict(zip(signed.request.fields, signed.request.values, strict=True))
    return SignedText(struct, values, signed.signature, asks_wallet)


def delivery(
    exchange: Exchange, buy: int, sell: int, quantity: int = UNIT, quote: int = 50 * DOLLAR
) -> Delivery:
    now = exchange.world.evm.now()
    return Delivery(uuid4(), buy, sell, quantity, quote, fee(quantity), fee(quote), now)


def longest(exchange: Exchange, side: str, trader: Wallet, place: int) -> Signed:
    request = exchange.order(side, trader=trader).request
    for name, value in LONGEST.items():
        request = request.changed(name, value)
    request = request.changed("nonce", f"{LONGEST['nonce']}{place:04}")
    return Signed(request, request.signed_by(trader))


def settlement(exchange: Exchange) -> Address:
    return Address(exchange.contract.address)


def send(exchange: Exchange, call: Call) -> Receipt:
    """Within the call's own gas; Sapphire takes 1 a byte and 1,000 a signature more."""
    assert call.to == exchange.contract.address and call.gas <= MAX_GAS and len(call.data) <= MAX_DATA_BYTES
    receipt = exchange.world.evm.send(exchange.world.operator, call.data, call.to, call.gas)
    assert call.gas >= HEADROOM * (receipt.gas_used + len(call.data) + 1_000)
    return receipt


def seen(receipt: Receipt) -> PlatformReceipt:
    logs = tuple(
        Log("0x", 1, "0x", place, Address(log.contract), log.topics, log.data)
        for place, log in enumerate(receipt.logs)
    )
    return PlatformReceipt("0x", 1, "0x", True, receipt.gas_used, None, logs)


def test_what_is_packed_is_what_the_generic_encoder_gives(exchange: Exchange) -> None:
    orders, swaps = [exchange.order("BUY"), longest(exchange, "SELL", exchange.seller, 1)], []
    swaps.append(exchange.swap("BUY", "500", "9.975"))
    deliveries = (delivery(exchange, 0, 1), delivery(exchange, 2, 1))
    batch = Batch(tuple(map(text_of, orders)), tuple(map(text_of, swaps)), deliveries)
    arguments = (
        [order.argument for order in orders],
        [swap.argument for swap in swaps],
        [_fields(trade) for trade in deliveries],
    )
    assert words.settle(settlement(exchange), batch).data == exchange.contract.calldata("settle", *arguments)


def test_a_batch_of_nothing_is_packed_too(exchange: Exchange) -> None:
    call = words.settle(settlement(exchange), Batch((), (), ()))
    assert call.data == exchange.contract.calldata("settle", [], [], [])


def test_digests_off_the_chain_are_those_on_it(exchange: Exchange) -> None:
    domain = Domain(CHAIN_ID, settlement(exchange))
    for signed in (longest(exchange, "BUY", exchange.buyer, 1), exchange.swap("SELL", "1.50", "70")):
        text = text_of(signed)
        assert text.struct.digest(domain, text.values) == signed.digest


def test_costs_add_up_to_the_call(exchange: Exchange) -> None:
    texts = [text_of(longest(exchange, "BUY", exchange.buyer, 1)), text_of(exchange.order("SELL"))]
    batch = Batch(tuple(texts), (), (delivery(exchange, 0, 1), delivery(exchange, 0, 1)))
    call = words.settle(settlement(exchange), batch)
    total = words.cost_of_batch()
    for part in (*map(words.cost_of_text, texts), words.cost_of_delivery(), words.cost_of_delivery()):
        total += part
    assert total == Cost(call.gas, len(call.data))


@pytest.mark.parametrize("fee_mode", [RECEIVED, QUOTE])
def test_the_dearest_trade_alone_stays_within_its_budget(world: World, fee_mode: int) -> None:
    """Nobody has had a balance of what they get, the house neither, and all texts are as long as can be."""
    exchange = open_exchange(world, fee_mode)
    batch = Batch(
        (
            text_of(longest(exchange, "BUY", exchange.buyer, 1)),
            text_of(longest(exchange, "SELL", exchange.seller, 2)),
        ),
        (),
        (_fair(exchange, fee_mode),),
    )
    receipt = send(exchange, words.settle(settlement(exchange), batch))
    assert len(receipt.named("TradeSettled")) == 1


def _fair(exchange: Exchange, fee_mode: int) -> Delivery:
    quantity, quote = UNIT, 50 * DOLLAR
    buyer_fee = fee(quantity if fee_mode == RECEIVED else quote)
    return Delivery(uuid4(), 0, 1, quantity, quote, buyer_fee, fee(quote), exchange.world.evm.now())


@pytest.mark.parametrize("number", [10, 40])
def test_batches_of_fresh_orders_stay_within_their_budget(exchange: Exchange, number: int) -> None:
    texts, deliveries = [], []
    traders = [(exchange.trader(shares=0), exchange.trader(dollars=0)) for _ in range(number)]
    for place, (buyer, seller) in enumerate(traders):
        texts += [longest(exchange, "BUY", buyer, place), longest(exchange, "SELL", seller, place)]
        deliveries.append(delivery(exchange, 2 * place, 2 * place + 1))
    batch = Batch(tuple(map(text_of, texts)), (), tuple(deliveries))
    call = words.settle(settlement(exchange), batch)
    receipt = send(exchange, call)
    assert len(receipt.named("TradeSettled")) == number


@pytest.mark.parametrize("number", [10, 45])
def test_batches_against_orders_seen_before_are_cheaper(exchange: Exchange, number: int) -> None:
    buy, sell = exchange.order("BUY", "1000"), exchange.order("SELL", "1000")
    exchange.settle([buy, sell], [exchange.match()])
    texts = (text_of(Signed(buy.request, b"")), text_of(Signed(sell.request, b"")))
    batch = Batch(texts, (), tuple(delivery(exchange, 0, 1) for _ in range(number)))
    call = words.settle(settlement(exchange), batch)
    receipt = send(exchange, call)
    assert len(receipt.named("TradeSettled")) == number


@pytest.mark.parametrize("fee_mode", [RECEIVED, QUOTE])
def test_two_swaps_stay_within_their_budget(world: World, fee_mode: int) -> None:
    """Each keeps one number more than an order does."""
    exchange = open_exchange(world, fee_mode)
    amounts = ("60.000000000000000000", "0.900000000000000000"), ("1.000000000000000000", "40.000000")
    swaps = [exchange.swap(side, *given) for side, given in zip(("BUY", "SELL"), amounts, strict=True)]
    batch = Batch((), tuple(map(text_of, swaps)), (_fair(exchange, fee_mode),))
    receipt = send(exchange, words.settle(settlement(exchange), batch))
    assert len(receipt.named("TradeSettled")) == 1
    paid = 50 * DOLLAR + (fee(50 * DOLLAR) if fee_mode == QUOTE else 0)
    assert exchange.contract.read("filled", swaps[0].digest) == paid
    assert exchange.contract.read("filled", swaps[1].digest) == UNIT


def test_wallets_that_take_all_their_gas_stay_within_the_budget(exchange: Exchange) -> None:
    """Ten texts of wallets that never answer, and one trade that settles all the same."""
    owner = exchange.world.evm.wallet()
    endless = exchange.world.evm.deploy(owner, "ContractWallet", owner.address)
    endless.send(owner, "answerWith", Consent.ENDLESS)
    wallet = Wallet(endless.address, owner.key)
    asked = [text_of(longest(exchange, "BUY", wallet, place), asks_wallet=True) for place in range(10)]
    known = [text_of(exchange.order("BUY")), text_of(exchange.order("SELL"))]
    batch = Batch((*asked, *known), (), (delivery(exchange, 0, 11), delivery(exchange, 10, 11)))
    receipt = send(exchange, words.settle(settlement(exchange), batch))
    assert len(receipt.named("TradeSettled")) == len(receipt.named("TradeFailed")) == 1


def test_verdicts_and_moves_come_back_as_values(exchange: Exchange) -> None:
    buy, sell = exchange.order("BUY"), exchange.order("SELL")
    texts = (text_of(buy), text_of(sell))
    good, bad = delivery(exchange, 0, 1), delivery(exchange, 1, 0)
    batch = Batch(texts, (), (good, bad))
    first = seen(send(exchange, words.settle(settlement(exchange), batch)))
    assert words.verdicts(first, settlement(exchange)) == {
        good.trade_id: Verdict(good.trade_id, DeliveryResult.SETTLED),
        bad.trade_id: Verdict(
            bad.trade_id, DeliveryResult.FAILED, FailureReason.SIDE_NOT_SIGNED, "SideNotSigned()"
        ),
    }
    [moved] = words.delivered(first, settlement(exchange))
    assert moved == Delivered(
        trade_id=good.trade_id,
        buy_digest=buy.digest,
        sell_digest=sell.digest,
        base=Address(exchange.shares.address),
        quote=Address(exchange.dollar.address),
        buyer=Address(exchange.buyer.address),
        seller=Address(exchange.seller.address),
        fee_account=Address(exchange.house.address),
        quantity=good.quantity,
        quote_amount=good.quote_amount,
        buyer_fee=good.buyer_fee,
        seller_fee=good.seller_fee,
        fees_from=FeesFrom.RECEIVED,
    )
    [event] = [decode(log.topics, log.data) for log in first.logs if len(log.topics) == 4]
    assert (event.kind, event.delivered) == (VaultEventKind.TRADE_SETTLED, moved)
    assert (event.token, event.account, event.counterparty) == (moved.base, moved.seller, moved.buyer)
    again = seen(send(exchange, words.settle(settlement(exchange), Batch(texts, (), (good,)))))
    assert words.verdicts(again, settlement(exchange)) == {
        good.trade_id: Verdict(good.trade_id, DeliveryResult.ALREADY_SETTLED)
    }


async def test_a_node_is_asked_before_and_after(exchange: Exchange) -> None:
    node, contract = SapphireClient(exchange.world.evm.url), settlement(exchange)
    try:
        buy, sell = exchange.order("BUY", "1"), exchange.order("SELL")
        batch = Batch((text_of(buy), text_of(sell)), (), (delivery(exchange, 0, 1), delivery(exchange, 0, 1)))
        first, second = (trade.trade_id for trade in batch.deliveries)
        before = await words.preview(node, contract, batch)
        send(exchange, words.settle(contract, batch))
        after = await words.preview(node, contract, batch)
        assert [verdict.result for verdict in before] == [DeliveryResult.SETTLED, DeliveryResult.FAILED]
        assert [verdict.result for verdict in after] == [
            DeliveryResult.ALREADY_SETTLED,
            DeliveryResult.FAILED,
        ]
        assert before[1].reason == after[1].reason == FailureReason.OVERFILLED
        assert await words.is_settled(node, contract, first) is True
        assert await words.is_settled(node, contract, second) is False
        assert await words.filled(node, contract, buy.digest) == UNIT
        assert await words.is_pair_listed(node, contract, SYMBOL) is True
        assert await words.is_pair_listed(node, contract, "NOWHERE") is False
    finally:
        await node.close()


async def test_the_largest_batch_can_be_previewed(exchange: Exchange) -> None:
    """The preview costs more than the settling, as its answer is carried out of a call that reverts."""
    node, number = SapphireClient(exchange.world.evm.url), 70
    buy, sell = exchange.order("BUY", "1000"), exchange.order("SELL", "1000")
    deliveries = tuple(delivery(exchange, 0, 1) for _ in range(number))
    batch = Batch((text_of(buy), text_of(sell)), (), deliveries)
    assert words.settle(settlement(exchange), batch).gas <= MAX_GAS
    try:
        told = await words.preview(node, settlement(exchange), batch)
    finally:
        await node.close()
    assert [verdict.result for verdict in told] == [DeliveryResult.SETTLED] * number


@pytest.mark.parametrize("fees_from", list(FeesFrom))
def test_a_pair_is_listed_in_words(exchange: Exchange, fees_from: FeesFrom) -> None:
    base, quote = Address(exchange.shares.address), Address(exchange.dollar.address)
    symbol = "S" * 40
    call = words.list_pair(settlement(exchange), symbol, base, quote, fees_from)
    receipt = exchange.world.evm.send(exchange.world.lister, call.data, exchange.contract.address, call.gas)
    assert call.gas >= HEADROOM * (receipt.gas_used + len(call.data) + 1_000)
    mode = {FeesFrom.RECEIVED: RECEIVED, FeesFrom.QUOTE: QUOTE}[fees_from]
    assert receipt.named("PairListed") == [(keccak(symbol.encode()), symbol, base, quote, mode)]
    assert exchange.contract.read("pairOf", symbol) == (base, 18, mode, quote, 6)


def _fields(trade: Delivery) -> Sequence[object]:
    return (
        reference_of(trade.trade_id),
        trade.buy,
        trade.sell,
        trade.quantity,
        trade.quote_amount,
        trade.buyer_fee,
        trade.seller_fee,
        trade.matched_at,
    )
