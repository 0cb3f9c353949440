"""What several sources say together, and what people are told of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbook.kernel.ids import PairId, new_uuid
from deedbook.marketdata import FeedKind, PricePolicy, PriceSource, Quote, Reference, ReferenceState
from deedbook.marketdata.events import PriceDisputed, PriceMoved, PriceOutdated, PriceRestored
from deedbook.marketdata.references import announce, judge, moved_bps
from tests.support.fake_prices import source

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = PricePolicy(alert_bps=500, max_spread_bps=200)
NOTHING = Reference(PairId(new_uuid()), None, None, 0, 0, ReferenceState.NEW, None)


def said(price: int, age_s: float = 10, least: int = 1, most: int = 10**38) -> tuple[PriceSource, Quote]:
    """What one source says, who counts for an hour."""
    return replace(source(FeedKind.NAV, "x"), least=least, most=most), Quote(
        price, NOW - timedelta(seconds=age_s)
    )


def judged(*quotes: tuple[PriceSource, Quote], before: Reference = NOTHING) -> Reference:
    return judge(before, quotes, NOW, POLICY)


@pytest.mark.parametrize(
    ("prices", "middle"), [([10_000], 10_000), ([10_000, 10_101], 10_050), ([10_000, 10_010, 10_100], 10_010)]
)
def test_the_price_is_the_middle_one(prices: list[int], middle: int) -> None:
    found = judged(*(said(price) for price in prices))
    assert (found.price, found.sources, found.state) == (middle, len(prices), ReferenceState.SOUND)


@pytest.mark.parametrize(
    "quote", [said(100, 3601), said(100, -121), said(100, least=101), said(100, most=99)]
)
def test_a_quote_does_not_count_when_it_is_old_or_of_the_future_or_out_of_bounds(
    quote: tuple[PriceSource, Quote],
) -> None:
    assert judged(quote).state is ReferenceState.STALE
    found = judged(quote, said(102))
    assert (found.price, found.sources) == (102, 1)


@pytest.mark.parametrize("age_s", [3600, 0, -120])
def test_a_quote_counts_up_to_the_last_moment(age_s: float) -> None:
    assert judged(said(100, age_s)).price == 100


def test_the_last_sound_price_stays_when_two_are_at_odds_and_three_outvote_one() -> None:
    before = judged(said(10_000))
    two = judged(said(10_000, 5), said(10_300, 5), before=before)
    assert (two.price, two.observed_at, two.state) == (10_000, before.observed_at, ReferenceState.DISPUTED)
    assert two.spread_bps == 300
    three = judged(said(10_000), said(10_010), said(99_999), before=before)
    assert (three.price, three.state) == (10_010, ReferenceState.DISPUTED)


def test_the_last_sound_price_stays_with_its_own_time_when_all_are_too_old() -> None:
    before = judged(said(10_000))
    after = judged(said(10_500, 9999), before=before)
    assert (after.price, after.observed_at, after.state) == (10_000, before.observed_at, ReferenceState.STALE)


def test_a_move_is_told_once_from_where_it_was_told_last() -> None:
    first, facts = announce(NOTHING, judged(said(10_000)), "A-USDC", POLICY)
    assert (first.told, facts) == (10_000, [])
    small, facts = announce(first, judged(said(10_499), before=first), "A-USDC", POLICY)
    assert facts == []
    large, facts = announce(small, judged(said(10_500), before=small), "A-USDC", POLICY)
    (told,) = facts
    assert isinstance(told, PriceMoved) and (told.before, told.after, told.change_bps) == (
        "10000",
        "10500",
        500,
    )
    assert announce(large, judged(said(10_500), before=large), "A-USDC", POLICY)[1] == []
    _, facts = announce(large, judged(said(9_900), before=large), "A-USDC", POLICY)
    assert isinstance(facts[0], PriceMoved) and facts[0].change_bps == -571


def test_each_change_of_state_is_told_once() -> None:
    reference, facts = announce(NOTHING, judged(said(10_000)), "A-USDC", POLICY)
    assert facts == []
    for quotes, kind in (
        ([said(10_000), said(11_000)], PriceDisputed),
        ([], PriceOutdated),
        ([said(10_001)], PriceRestored),
    ):
        after, facts = announce(reference, judged(*quotes, before=reference), "A-USDC", POLICY)
        assert [type(told) for told in facts] == [kind]
        assert announce(after, judged(*quotes, before=after), "A-USDC", POLICY)[1] == []
        reference = after


@given(st.lists(st.integers(1, 10**30), min_size=1, max_size=9), st.randoms())
def test_the_price_lies_within_what_was_said_whoever_says_it_first(
    prices: list[int], draw: st.DrawFn
) -> None:
    quotes = [said(price) for price in prices]
    found = judged(*quotes)
    draw.shuffle(quotes)  # type: ignore[attr-defined]
    again = judged(*quotes)
    assert (found.price, found.state, found.spread_bps) == (again.price, again.state, again.spread_bps)
    if found.price is not None:
        assert min(prices) <= found.price <= max(prices)


@given(st.integers(1, 10**30), st.integers(1, 10**30))
def test_a_move_is_never_exaggerated(before: int, after: int) -> None:
    assert abs(moved_bps(before, after)) * before <= abs(after - before) * 10_000
