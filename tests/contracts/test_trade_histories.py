"""Long histories of trades: honest ones settle to the last unit as the books have them, and a greedy operator gains
nothing that was not signed.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from deedbook.chain.delivery import Delivered
from deedbook.chain.vault import id_of, reference_of
from deedbook.integrations.sapphire.settlement_events import TRADE_SETTLED, delivered
from deedbook.trading.spec import fee_of

from .evm import Receipt, Wallet
from .exchange import (
    DOLLAR,
    FAILED,
    FEE_BPS,
    QUOTE,
    RECEIVED,
    SETTLED,
    Exchange,
    Match,
    Signed,
    open_exchange,
)
from .world import UNIT, World, fresh_reference

LOT = UNIT // 10_000
"""At a tick of a cent one lot is worth one unit of a dollar, so that every rounding shows."""
BATCHES, TRADES = 8, 8


@dataclass
class Placed:
    """An order, as the matcher and as the chain have it by now."""

    signed: Signed
    trader: Wallet
    buys: bool
    lots: int
    ticks: int
    charged: int = 0
    matched: int = 0
    matched_quote: int = 0
    settled: int = 0
    settled_quote: int = 0
    taken: int = 0


@dataclass
class Floor:
    """Traders, their orders, and the balances that the events alone give."""

    exchange: Exchange
    chance: random.Random
    fee_mode: int
    traders: list[Wallet]
    told: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    def place(self, buys: bool) -> Placed:
        trader, lots = self.chance.choice(self.traders), self.chance.randrange(1, 60)
        ticks = self.chance.randrange(50, 60) if buys else self.chance.randrange(40, 50)
        quantity = f"0.{lots:04}"
        signed = self.exchange.order("BUY" if buys else "SELL", quantity, f"0.{ticks:02}", trader=trader)
        return Placed(signed, trader, buys, lots, ticks)

    def match(self, places: dict[int, Placed]) -> tuple[Match, Placed, Placed] | None:
        """One fill as the matcher makes it: at the seller's price, fees on the running total of each order."""
        buys = [place for place, order in places.items() if order.buys and order.matched < order.lots]
        sells = [place for place, order in places.items() if not order.buys and order.matched < order.lots]
        if not buys or not sells:
            return None
        one, other = self.chance.choice(buys), self.chance.choice(sells)
        buy, sell = places[one], places[other]
        if buy.trader == sell.trader:
            return None
        most = min(buy.lots - buy.matched, sell.lots - sell.matched)
        lots = self.chance.randrange(1, most + 1)
        quantity, quote = lots * LOT, lots * sell.ticks
        buyer_fee, seller_fee = (self.charge(order, lots, quote) for order in (buy, sell))
        now = self.exchange.world.evm.now()
        reference = reference_of(uuid4())
        return Match(reference, one, other, quantity, quote, buyer_fee, seller_fee, now), buy, sell

    def charge(self, order: Placed, lots: int, quote: int) -> int:
        order.matched += lots
        order.matched_quote += quote
        total = fee_of(self.fee_base(order, order.matched * LOT, order.matched_quote), FEE_BPS)
        asked, order.charged = total - order.charged, total
        return asked

    def fee_base(self, order: Placed, base: int, quote: int) -> int:
        return base if order.buys and self.fee_mode == RECEIVED else quote

    def book(self, receipt: Receipt) -> list[Delivered]:
        logs = [log for log in receipt.logs if log.topics[0] == TRADE_SETTLED]
        moved = [delivered(log.topics, log.data) for log in logs]
        for one in moved:
            for account, token, change in one.moves():
                self.told[account, token] += change
        return moved

    def assert_told(self) -> None:
        for wallet in (*self.traders, self.exchange.house):
            for token in (self.exchange.shares, self.exchange.dollar):
                assert self.exchange.world.vaulted(wallet, token) == self.told[wallet.address, token.address]
        for token in (self.exchange.shares, self.exchange.dollar):
            self.exchange.world.assert_vault_covers(
                token, *self.traders, self.exchange.house, self.exchange.buyer, self.exchange.seller
            )


def _open(world: World, seed: int, fee_mode: int) -> Floor:
    exchange = open_exchange(world, fee_mode)
    traders = [exchange.trader(100 * UNIT, 1_000 * DOLLAR) for _ in range(4)]
    floor = Floor(exchange, random.Random(seed), fee_mode, traders)
    for wallet in traders:
        floor.told[wallet.address, exchange.shares.address] = 100 * UNIT
        floor.told[wallet.address, exchange.dollar.address] = 1_000 * DOLLAR
    return floor


@pytest.mark.parametrize("fee_mode", [RECEIVED, QUOTE])
@pytest.mark.parametrize("seed", range(3))
def test_what_the_matcher_makes_settles_to_the_last_unit(world: World, seed: int, fee_mode: int) -> None:
    """Of whom nobody is frozen every trade settles, also after others of the same order have failed; then the order
    pays what it would have paid without them, of each fee a unit less at most."""
    floor = _open(world, seed, fee_mode)
    orders = {place: floor.place(place % 2 == 0) for place in range(16)}
    results: Counter[int] = Counter()
    for _ in range(BATCHES):
        made = [found for _ in range(TRADES) if (found := floor.match(orders)) is not None]
        frozen = floor.chance.choice([*floor.traders, None, None])
        if frozen:
            world.freeze(frozen)
        texts, matches = [orders[place].signed for place in orders], [match for match, _, _ in made]
        previewed = [told.result for told in floor.exchange.told(texts, matches)]
        moved = {one.trade_id: one for one in floor.book(floor.exchange.settle(texts, matches))}
        for (match, buy, sell), result in zip(made, previewed, strict=True):
            assert result == (FAILED if frozen in (buy.trader, sell.trader) else SETTLED)
            results[result] += 1
            if result == SETTLED:
                _follow(floor, match, moved[id_of(match.trade_id)], buy, sell)
        floor.assert_told()
        if frozen:
            world.freeze(frozen, frozen=False)
    assert results[SETTLED] > 10
    for order in orders.values():
        assert floor.exchange.contract.read("filled", order.signed.digest) == order.settled * LOT


def _follow(floor: Floor, match: Match, moved: Delivered, buy: Placed, sell: Placed) -> None:
    for order, asked, taken in (
        (buy, match.buyer_fee, moved.buyer_fee),
        (sell, match.seller_fee, moved.seller_fee),
    ):
        order.settled += match.quantity // LOT
        order.settled_quote += match.quote
        owed = fee_of(floor.fee_base(order, order.settled * LOT, order.settled_quote), FEE_BPS)
        assert taken == min(asked, owed - order.taken) and asked - taken <= 1
        order.taken += taken


@pytest.mark.parametrize("fee_mode", [RECEIVED, QUOTE])
@pytest.mark.parametrize("seed", range(3))
def test_a_greedy_operator_gains_nothing_that_was_not_signed(world: World, seed: int, fee_mode: int) -> None:
    """Whatever is tried with real orders, what settles is within both texts, all trades taken together."""
    floor = _open(world, seed, fee_mode)
    orders = [floor.place(place % 2 == 0) for place in range(8)]
    by_digest = {order.signed.digest: order for order in orders}
    settled = 0
    for _ in range(12):
        matches = [_greedy(floor, orders) for _ in range(10)]
        for moved in floor.book(floor.exchange.settle([order.signed for order in orders], matches)):
            settled += 1
            buy, sell = by_digest[moved.buy_digest], by_digest[moved.sell_digest]
            _assert_signed(floor, moved, buy, sell)
        floor.assert_told()
    assert settled > 5, "a history in which nothing succeeds proves little"


def _greedy(floor: Floor, orders: list[Placed]) -> Match:
    """A trade of the operator's dreams: any two orders, any price, as much as can be, and fees at the edge."""
    chance = floor.chance
    buy, sell = chance.randrange(len(orders)), chance.randrange(len(orders))
    if chance.random() < 0.8:
        buy, sell = buy // 2 * 2, sell // 2 * 2 + 1
    lots = chance.choice([1, 1, 2, 5, 20, orders[buy].lots, orders[sell].lots])
    ticks = chance.choice([orders[buy].ticks, orders[sell].ticks, chance.randrange(30, 70)])
    quote = lots * ticks + chance.choice([0, 0, 0, -1, 1])
    quantity = lots * LOT + chance.choice([0, 0, 0, -1, 1])
    buyer_fee = fee_of(quantity if floor.fee_mode == RECEIVED else quote, FEE_BPS) + chance.choice([0, 0, 1])
    seller_fee = fee_of(quote, FEE_BPS) + chance.choice([0, 0, 1])
    now = floor.exchange.world.evm.now()
    return Match(fresh_reference(), buy, sell, quantity, quote, buyer_fee, seller_fee, now)


def _assert_signed(floor: Floor, moved: Delivered, buy: Placed, sell: Placed) -> None:
    assert buy.buys and not sell.buys and buy.trader != sell.trader
    assert (moved.buyer, moved.seller) == (buy.trader.address, sell.trader.address)
    assert moved.fee_account == floor.exchange.house.address
    assert moved.quote_amount * LOT <= buy.ticks * moved.quantity
    assert moved.quote_amount * LOT >= sell.ticks * moved.quantity
    totals: list[tuple[Placed, int]] = [(buy, moved.buyer_fee), (sell, moved.seller_fee)]
    for order, taken in totals:
        order.settled += moved.quantity
        order.settled_quote += moved.quote_amount
        order.taken += taken
        assert order.settled <= order.lots * LOT
        received: Any = floor.fee_base(order, order.settled, order.settled_quote)
        assert order.taken <= fee_of(received, FEE_BPS)
