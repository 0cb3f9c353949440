"""Many trades in one transaction: each stands alone, each settles once, and too little gas is nobody's verdict."""

from __future__ import annotations

from collections import Counter

import pytest

from deedbook.integrations.sapphire.settlement import GAS_ASKED_WALLET

from .evm import Refusal, Wallet, decode_refusal
from .exchange import (
    ALREADY_SETTLED,
    DOLLAR,
    FAILED,
    SETTLED,
    Exchange,
    Signed,
    Told,
    open_exchange,
)
from .test_contract_wallets import Consent
from .world import UNIT, World, fresh_reference

MAX_REASON_BYTES = 132
STEP, MOST_GAS = 20_000, 1_400_000


@pytest.fixture
def exchange(world: World) -> Exchange:
    return open_exchange(world)


def _wallet_of(exchange: Exchange, owner: Wallet, consent: Consent) -> Wallet:
    """A contract with dollars in the vault, which answers for its owner as it is told to."""
    contract = exchange.world.evm.deploy(owner, "ContractWallet", owner.address)
    contract.send(owner, "answerWith", consent)
    wallet = Wallet(contract.address, owner.key)
    exchange.world.verify(wallet)
    dollar, vault = exchange.dollar, exchange.contract
    dollar.send(exchange.world.admin, "mint", wallet.address, 10_000 * DOLLAR)
    contract.send(owner, "execute", dollar.address, dollar.calldata("approve", vault.address, 2**255))
    paid_in = vault.calldata("deposit", dollar.address, 10_000 * DOLLAR)
    contract.send(owner, "execute", vault.address, paid_in)
    return wallet


def test_one_bad_trade_among_many_fails_alone(exchange: Exchange) -> None:
    frozen = exchange.trader(shares=0)
    sell, orders, matches = exchange.order("SELL", "1000"), [], []
    for place in range(10):
        buyer = frozen if place == 4 else exchange.trader(shares=0)
        orders.append(exchange.order("BUY", "1", trader=buyer))
        matches.append(exchange.match(UNIT, 50 * DOLLAR, buy=place, sell=10))
    exchange.world.freeze(frozen)
    told = exchange.told([*orders, sell], matches)
    receipt = exchange.settle([*orders, sell], matches)
    why = Refusal("TradeRestricted", (exchange.shares.address, 3))
    assert told == [Told(SETTLED)] * 4 + [Told(FAILED, why)] + [Told(SETTLED)] * 5
    [(failed, reason)] = receipt.named("TradeFailed")
    assert (failed, decode_refusal(reason)) == (matches[4].trade_id, why)
    settled = [event[0] for event in receipt.named("TradeSettled")]
    assert settled == [match.trade_id for match in matches if match is not matches[4]]
    assert exchange.contract.read("filled", sell.digest) == 9 * UNIT


def test_a_trade_settles_once_and_says_so_when_asked_again(exchange: Exchange) -> None:
    orders, match = [exchange.order("BUY", "100"), exchange.order("SELL", "100")], exchange.match()
    receipt = exchange.settle(orders, [match, match])
    assert len(receipt.named("TradeSettled")) == 1
    assert receipt.named("TradeAlreadySettled") == [(match.trade_id,)]
    after = exchange.balances()
    assert exchange.told(orders, [match]) == [Told(ALREADY_SETTLED)]
    again = exchange.settle(orders, [match])
    assert again.named("TradeSettled") == []
    assert again.named("TradeAlreadySettled") == [(match.trade_id,)]
    assert exchange.balances() == after


def test_another_name_for_the_same_trade_finds_the_orders_filled(exchange: Exchange) -> None:
    orders = [exchange.order("BUY"), exchange.order("SELL")]
    exchange.settle(orders, [exchange.match()])
    refused = exchange.refusal(orders, exchange.match())
    assert refused == Refusal("Overfilled", (orders[0].digest, 10 * UNIT, 20 * UNIT))


def test_a_preview_shows_what_earlier_trades_of_the_batch_leave_and_changes_nothing(
    exchange: Exchange,
) -> None:
    orders, before = [exchange.order("BUY"), exchange.order("SELL")], exchange.balances()
    first, second = exchange.match(), exchange.match()
    overfilled = Refusal("Overfilled", (orders[0].digest, 10 * UNIT, 20 * UNIT))
    assert exchange.told(orders, [first, second]) == [Told(SETTLED), Told(FAILED, overfilled)]
    data = exchange.contract.calldata("preview", *exchange.arguments(orders, [first]))
    sent = exchange.world.evm.send(exchange.world.operator, data, exchange.contract.address)
    assert sent.events == ()
    assert exchange.balances() == before and exchange.contract.read("settled", first.trade_id) is False


def test_an_index_beyond_the_batch_fails_alone(exchange: Exchange) -> None:
    orders = [exchange.order("BUY"), exchange.order("SELL")]
    for changed in ({"buy": 2}, {"sell": 2**256 - 1}):
        match = exchange.match(**changed)
        assert exchange.refusal(orders, match) == Refusal("NoSuchIntent", (max(match.buy, match.sell),))


def test_an_order_known_already_needs_no_signature_and_a_new_one_does(exchange: Exchange) -> None:
    buy, sell = exchange.order("BUY", "100"), exchange.order("SELL", "100")
    bare = [Signed(buy.request, b""), Signed(sell.request, b"")]
    assert exchange.refusal(bare) == Refusal("IntentNotSigned", (buy.digest,))
    exchange.settle([buy, sell], [exchange.match()])
    assert exchange.told(bare, [exchange.match()]) == [Told(SETTLED)]
    changed = [bare[0].changed("quantity", "1000"), bare[1]]
    assert exchange.refusal(changed) == Refusal("IntentNotSigned", (changed[0].digest,))


@pytest.mark.parametrize("consent", [Consent.OWNER, Consent.ALWAYS])
def test_a_contract_wallet_trades_as_long_as_it_agrees(exchange: Exchange, consent: Consent) -> None:
    owner = exchange.world.evm.wallet()
    wallet = _wallet_of(exchange, owner, consent)
    buy = exchange.order("BUY", "100", trader=wallet, signer=owner)
    sell = exchange.order("SELL", "100")
    exchange.settle([buy, sell], [exchange.match()])
    assert exchange.holding(wallet)[0] == 10 * UNIT - 25 * UNIT // 1000
    exchange.world.evm.at(wallet.address, "ContractWallet").send(owner, "answerWith", Consent.NEVER)
    assert exchange.refusal([buy, sell]) == Refusal("IntentNotSigned", (buy.digest,))


@pytest.mark.parametrize(
    "consent", [Consent.NEVER, Consent.REVERTS, Consent.SHORT, Consent.HUGE, Consent.ENDLESS]
)
def test_a_wallet_that_misbehaves_stops_only_its_own_trades(exchange: Exchange, consent: Consent) -> None:
    owner = exchange.world.evm.wallet()
    wallet = _wallet_of(exchange, owner, consent)
    bad = exchange.order("BUY", trader=wallet, signer=owner)
    orders = [bad, exchange.order("BUY"), exchange.order("SELL", "100")]
    matches = [exchange.match(buy=0, sell=2), exchange.match(buy=1, sell=2)]
    alone = exchange.settle(orders[1:], [exchange.match(buy=0, sell=1)]).gas_used
    receipt = exchange.settle([*orders[:1], exchange.order("BUY"), orders[2]], matches)
    [(failed, reason)] = receipt.named("TradeFailed")
    assert (failed, decode_refusal(reason)) == (
        matches[0].trade_id,
        Refusal("IntentNotSigned", (bad.digest,)),
    )
    assert [event[0] for event in receipt.named("TradeSettled")] == [matches[1].trade_id]
    assert receipt.gas_used < alone + GAS_ASKED_WALLET


def test_reasons_are_short(exchange: Exchange) -> None:
    """A payment token without balance gives the longest error that there is: four words."""
    poor = exchange.trader(dollars=1)
    [(_, reason)] = exchange.settle(
        [exchange.order("BUY", trader=poor), exchange.order("SELL")], [exchange.match()]
    ).named("TradeFailed")
    assert len(reason) == MAX_REASON_BYTES
    assert decode_refusal(reason).name == "InsufficientVaultBalance"


@pytest.mark.parametrize("asked", [True, False])
def test_whatever_gas_it_gets_a_batch_judges_truly_or_not_at_all(exchange: Exchange, asked: bool) -> None:
    """A good trade never fails for want of gas: the transaction reverts whole, and says that it was the gas, or both
    trades settle."""
    owner = exchange.world.evm.wallet()
    buyer = _wallet_of(exchange, owner, Consent.OWNER) if asked else exchange.buyer
    first = exchange.order("BUY", trader=buyer, signer=owner if asked else None)
    orders = [first, exchange.order("SELL", "100"), exchange.order("BUY")]
    matches = [exchange.match(buy=0, sell=1), exchange.match(buy=2, sell=1)]
    seen = _swept(exchange, exchange.arguments(orders, matches))
    assert seen.keys() <= {"out of gas", "NotEnoughGas", f"{[SETTLED, SETTLED]}"}
    assert len(seen) == 3


def test_a_wallet_is_asked_with_all_its_gas_or_not_at_all(exchange: Exchange) -> None:
    """No trade follows here that would ask for more."""
    owner = exchange.world.evm.wallet()
    wallet = _wallet_of(exchange, owner, Consent.OWNER)
    text = exchange.order("BUY", trader=wallet, signer=owner)
    seen = _swept(exchange, exchange.arguments([text], []))
    assert seen.keys() == {"out of gas", "NotEnoughGas", "[]"}


def _swept(exchange: Exchange, arguments: tuple[object, ...]) -> Counter[str]:
    """What settling answers with ever more gas, and how often."""
    data = "0x" + exchange.contract.calldata("settle", *arguments).hex()
    call = {"from": exchange.world.operator.address, "to": exchange.contract.address, "data": data}
    return Counter(_asked(exchange, {**call, "gas": hex(gas)}) for gas in range(50_000, MOST_GAS, STEP))


def _asked(exchange: Exchange, call: dict[str, str]) -> str:
    answer = exchange.world.evm.answer("eth_call", call, "latest")
    if "error" not in answer:
        return str([result for result, _ in exchange.contract.decoded("settle", answer["result"])])
    data = answer["error"].get("data") or "0x"
    return "out of gas" if data == "0x" else decode_refusal(bytes.fromhex(data[2:])).name


def test_swaps_and_orders_meet_in_one_batch(exchange: Exchange) -> None:
    """A buyer swaps 500 dollars for at least 9.975 shares: ten at fifty, less the fee."""
    swap, sell = exchange.swap("BUY", "500", "9.975"), exchange.order("SELL", "100")
    match = exchange.match(buy=1, sell=0)
    assert exchange.told([sell], [match], [swap]) == [Told(SETTLED)]
    exchange.settle([sell], [match], [swap])
    assert exchange.contract.read("filled", swap.digest) == 500 * DOLLAR
    assert exchange.refusal([sell], exchange.match(buy=1, sell=0), [swap]).name == "Overfilled"


def test_a_swap_is_held_to_its_rate_over_all_its_trades(exchange: Exchange) -> None:
    swap, sells = exchange.swap("BUY", "500", "9.97"), [exchange.order("SELL", "100", "1")]
    dear = exchange.match(5 * UNIT, 250 * DOLLAR + 1_000_000, buy=1, sell=0)
    assert exchange.refusal(sells, dear, [swap]) == Refusal("RateWorseThanSigned", (swap.digest,))
    cheap = exchange.match(5 * UNIT, 248 * DOLLAR, buy=1, sell=0)
    assert exchange.told(sells, [cheap, dear], [swap]) == [Told(SETTLED), Told(SETTLED)]
    assert exchange.told(sells, [dear, cheap], [swap])[0].result == FAILED


def test_a_sold_swap_counts_what_its_owner_receives_after_the_fee(exchange: Exchange) -> None:
    buys = [exchange.order("BUY", "100")]
    match = exchange.match(buy=0, sell=1)
    for least, result in (("498.75", SETTLED), ("498.750001", FAILED)):
        swap = exchange.swap("SELL", "10", least)
        assert [told.result for told in exchange.told(buys, [match], [swap])] == [result]
    two = [exchange.swap("SELL", "10", "1"), exchange.swap("BUY", "500", "1")]
    both = exchange.match(buy=1, sell=0, trade_id=fresh_reference())
    assert exchange.told([], [both], two) == [Told(SETTLED)]
