"""What a swap does with a book: how many lots it trades, and up to which price. Pure, and the same for the book that is
matched and for the copy that a quote looks at.

A swap takes what the book has, the best first, until it has given all it may give, and at each step no worse than was
signed: the contract holds every trade to the signed rate, all of them taken together, so that what kept to it only in
the end could not be settled. The engine then trades the plan as any order that is filled as a whole or not at all.
"""

from collections.abc import Iterable
from typing import NamedTuple

from deedbook.trading.engine import Ended
from deedbook.trading.spec import BPS, PairSpec, fee_of
from deedbook.trading.swap_terms import spendable
from deedbook.trading.terms import FeeMode


class Wanted(NamedTuple):
    """What a swap may give and has to get, in base units, by its pair's figures."""

    buy: bool
    amount_in: int
    least_out: int
    most_lots: int
    least_lots: int
    fee_bps: int
    group: int


class Offer(NamedTuple):
    """What stands on the other side of the book: so many lots at this price, of this group."""

    price: int
    lots: int
    group: int


class Plan(NamedTuple):
    """What is traded: `limit` is the worst price. `given` and `received` in base units, `received` after the `fee`."""

    lots: int
    limit: int
    notional: int
    given: int
    received: int
    fee: int


NOTHING = Plan(0, 0, 0, 0, 0, 0)


def plan(offers: Iterable[Offer], wanted: Wanted, spec: PairSpec) -> Plan | Ended:
    """What the swap trades with these offers, the best first; or why it trades nothing at all."""
    best, own = walk(offers, wanted, spec)
    if best.lots and best.received >= wanted.least_out:
        return best
    return Ended.SELF_TRADE if own else Ended.TOO_LITTLE


def walk(offers: Iterable[Offer], wanted: Wanted, spec: PairSpec) -> tuple[Plan, bool]:
    """How far the swap gets, and whether one of its own group stands in its way."""
    quote = spendable(wanted.amount_in, wanted.fee_bps, spec.fee_mode)
    so_far, bound = NOTHING, 0
    for offer in offers:
        bound = bound or _bound(offer.price, wanted.buy, spec)
        if offer.price > bound if wanted.buy else offer.price < bound:
            break
        if offer.group == wanted.group:
            return so_far, True
        lots = min(offer.lots, wanted.most_lots - so_far.lots)
        if wanted.buy:
            lots = min(lots, (quote - so_far.notional) // (offer.price * spec.unit_quote))
        if not lots:
            break
        further = _with(so_far, offer.price, lots, wanted, spec)
        if further.received * wanted.amount_in < wanted.least_out * further.given:
            break
        so_far = further
        if lots < offer.lots:
            break
    return so_far, False


def _bound(best: int, buy: bool, spec: PairSpec) -> int:
    """The price beyond which it never trades: the pair's protection band around the best one."""
    if buy:
        return best * (BPS + spec.protection_bps) // BPS
    return max(-(-best * (BPS - spec.protection_bps) // BPS), 1)


def _with(before: Plan, price: int, lots: int, wanted: Wanted, spec: PairSpec) -> Plan:
    """The plan with so many lots more at this price."""
    total, notional = before.lots + lots, before.notional + spec.notional(price, lots)
    base = total * spec.lot_units
    if not wanted.buy:
        fee = fee_of(notional, wanted.fee_bps)
        return Plan(total, price, notional, base, notional - fee, fee)
    if spec.fee_mode is FeeMode.RECEIVED:
        fee = fee_of(base, wanted.fee_bps)
        return Plan(total, price, notional, notional, base - fee, fee)
    fee = fee_of(notional, wanted.fee_bps)
    return Plan(total, price, notional, notional + fee, base, fee)
