"""What a swap does with a book: against a reference that tries every number of lots, and the contract's own rules."""

from dataclasses import dataclass
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deedbook.kernel.ids import PairId, TokenId
from deedbook.ledger import AccountId
from deedbook.trading.engine import Book, Ended, Order, Trade
from deedbook.trading.spec import PairSpec, fee_of
from deedbook.trading.swap_plan import Offer, Plan, Wanted, plan
from deedbook.trading.terms import FeeMode, PairStatus
from tests.trading.engine.naive import NaiveBook

OWN, OTHERS = 1, 2


def spec_of(fee_mode: FeeMode, fee_bps: int = 25, lot_units: int = 7, unit_quote: int = 3) -> PairSpec:
    return PairSpec(
        pair_id=PairId(UUID(int=1)), symbol="DEED-USDC", status=PairStatus.ACTIVE, base_token_id=TokenId(UUID(int=2)),
        quote_token_id=TokenId(UUID(int=3)), base_decimals=6, quote_decimals=6, base_is_rwa=True, tick=10**16,
        lot=10**14, lot_units=lot_units, unit_quote=unit_quote, fee_bps=fee_bps, fee_mode=fee_mode,
        fee_account_id=AccountId(UUID(int=4)), min_quantity_lots=1, max_quantity_lots=10**12, min_notional=0,
        max_open_orders=100, protection_bps=5000, max_backlog=100,
    )  # fmt: skip


@dataclass(frozen=True)
class Case:
    spec: PairSpec
    wanted: Wanted
    offers: tuple[Offer, ...]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    spec = spec_of(draw(st.sampled_from(FeeMode)), draw(st.sampled_from([0, 25, 900])))
    buy = draw(st.booleans())
    amount_in = draw(st.integers(1, 900))
    most = amount_in // (spec.unit_quote if buy else spec.lot_units)
    prices = sorted(draw(st.lists(st.integers(8, 14), max_size=5)), reverse=not buy)
    group = st.sampled_from([OTHERS] * 9 + [OWN])
    offers = tuple(Offer(price, draw(st.integers(1, 9)), draw(group)) for price in prices)
    wanted = Wanted(buy, amount_in, draw(st.integers(1, 400)), most, 1, spec.fee_bps, OWN)
    return Case(spec, wanted, offers)


def moved(case: Case, fills: list[tuple[int, int]]) -> tuple[int, int]:
    """What these fills give and receive after fees, worked out from the published rules alone."""
    spec, wanted = case.spec, case.wanted
    lots = sum(size for _, size in fills)
    quote = sum(price * size * spec.unit_quote for price, size in fills)
    base = lots * spec.lot_units
    if not wanted.buy:
        return base, quote - fee_of(quote, wanted.fee_bps)
    if spec.fee_mode is FeeMode.RECEIVED:
        return quote, base - fee_of(base, wanted.fee_bps)
    return quote + fee_of(quote, wanted.fee_bps), base


def fills_of(case: Case, lots: int) -> list[tuple[int, int]]:
    """So many lots, from the best offer on."""
    fills = []
    for offer in case.offers:
        size = min(offer.lots, lots)
        if size:
            fills.append((offer.price, size))
        lots -= size
    return fills


@given(case=cases())
@settings(max_examples=600, deadline=None)
def test_a_plan_gives_at_most_and_receives_at_least_what_was_signed_at_each_step(case: Case) -> None:
    made = plan(case.offers, case.wanted, case.spec)
    if not isinstance(made, Plan):
        return
    fills = fills_of(case, made.lots)
    assert sum(size for _, size in fills) == made.lots
    assert moved(case, fills) == (made.given, made.received)
    assert made.given <= case.wanted.amount_in
    assert made.received >= case.wanted.least_out
    assert made.limit == fills[-1][0]
    for number in range(1, len(fills) + 1):
        given_so_far, received = moved(case, fills[:number])
        assert received * case.wanted.amount_in >= case.wanted.least_out * given_so_far, (
            "the contract refuses"
        )


@given(case=cases())
@settings(max_examples=600, deadline=None)
def test_a_plan_is_refused_only_where_no_whole_swap_would_have_been_enough(case: Case) -> None:
    """Tried with every number of lots: whoever is refused could not have given all they may and got what they want."""
    made = plan(case.offers, case.wanted, case.spec)
    if isinstance(made, Plan):
        return
    before_own = [offer for offer in case.offers if offer.group == OTHERS]
    if len(before_own) < len(case.offers):
        assert made in (Ended.SELF_TRADE, Ended.TOO_LITTLE)
        return
    assert made is Ended.TOO_LITTLE
    best = case.offers[0].price if case.offers else 0
    for lots in range(1, min(case.wanted.most_lots, sum(offer.lots for offer in case.offers)) + 1):
        fills = fills_of(case, lots)
        given_, received = moved(case, fills)
        steps = [moved(case, fills[:number]) for number in range(1, len(fills) + 1)]
        in_band = all(abs(price - best) * 2 <= best for price, _ in fills)
        whole = given_ <= case.wanted.amount_in and received >= case.wanted.least_out
        held = all(got * case.wanted.amount_in >= case.wanted.least_out * used for used, got in steps)
        assert not (whole and held and in_band and lots == _as_far_as_it_goes(case))


def _as_far_as_it_goes(case: Case) -> int:
    """The most lots that the swap can pay for."""
    total = sum(offer.lots for offer in case.offers)
    return max(
        (
            lots
            for lots in range(1, min(case.wanted.most_lots, total) + 1)
            if moved(case, fills_of(case, lots))[0] <= case.wanted.amount_in
        ),
        default=0,
    )


@given(case=cases())
@settings(max_examples=300, deadline=None)
def test_both_books_trade_just_what_was_planned(case: Case) -> None:
    made = plan(case.offers, case.wanted, case.spec)
    if not isinstance(made, Plan):
        return
    book, naive = Book(), NaiveBook()
    for number, offer in enumerate(case.offers, 1):
        for one in (book, naive):
            one.submit(Order(number, offer.group, not case.wanted.buy, offer.price, offer.lots))
    for one in (book, naive):
        one.submit(Order(99, OWN, case.wanted.buy, made.limit, made.lots, True, True))
    told = [
        (one.price, one.size) for one in book.outcomes if isinstance(one, Trade) and one.order.number == 99
    ]
    assert told == fills_of(case, made.lots)
    assert [outcome.told() for outcome in book.outcomes] == naive.told


@pytest.mark.parametrize("fee_mode", FeeMode)
def test_the_fee_of_a_buyer_fits_into_what_they_give(fee_mode: FeeMode) -> None:
    """102 units of quote buy ten lots at ten for 100 and a fee of 1 in quote, and nothing more."""
    spec = spec_of(fee_mode, 100, lot_units=1, unit_quote=1)
    wanted = Wanted(True, 102, 1, 102, 1, 100, OWN)
    made = plan([Offer(10, 50, OTHERS)], wanted, spec)
    assert isinstance(made, Plan)
    assert (made.lots, made.notional) == (10, 100)
    assert (made.given, made.received, made.fee) == (
        (100, 9, 1) if fee_mode is FeeMode.RECEIVED else (101, 10, 1)
    )


def test_a_swap_never_trades_beyond_the_protection_band() -> None:
    spec = spec_of(FeeMode.RECEIVED, 0, lot_units=1, unit_quote=1)
    offers = [Offer(10, 3, OTHERS), Offer(15, 3, OTHERS), Offer(16, 3, OTHERS)]
    made = plan(offers, Wanted(True, 1000, 5, 1000, 1, 0, OWN), spec)
    assert isinstance(made, Plan) and (made.lots, made.limit) == (6, 15)
    assert plan(offers, Wanted(True, 1000, 7, 1000, 1, 0, OWN), spec) is Ended.TOO_LITTLE


def test_ones_own_order_in_the_way_ends_the_swap_unless_it_has_enough() -> None:
    spec = spec_of(FeeMode.RECEIVED, 0, lot_units=1, unit_quote=1)
    offers = [Offer(10, 3, OTHERS), Offer(10, 9, OWN)]
    assert plan(offers, Wanted(True, 100, 4, 100, 1, 0, OWN), spec) is Ended.SELF_TRADE
    made = plan(offers, Wanted(True, 100, 3, 100, 1, 0, OWN), spec)
    assert isinstance(made, Plan) and made.lots == 3
