"""What several sources say together. Pure: the middle of those that count, and what people must be told of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from deedbook.marketdata.events import PriceDisputed, PriceMoved, PriceOutdated, PriceRestored
from deedbook.marketdata.terms import (
    AHEAD,
    PricePolicy,
    PriceSource,
    Quote,
    Reference,
    ReferenceState,
    Silence,
    Told,
)
from deedbook.trading.spec import BPS

ENOUGH_TO_OUTVOTE = 3
MOST_BPS = 10**12
"""What lies further apart is told as this: every screen, table and JSON can hold it."""
Fact = PriceMoved | PriceDisputed | PriceOutdated | PriceRestored


def counts(source: PriceSource, quote: Quote, now: datetime) -> bool:
    """Whether what a source said is fresh and inside its bounds."""
    age = now - quote.observed_at
    fresh = -AHEAD <= age <= timedelta(seconds=source.max_age_s)
    return fresh and source.least <= quote.price <= source.most


def heard(told: Told, now: datetime) -> Told:
    """What counts as an answer: one of a moment to come would stand before all that is said until then."""
    if isinstance(told, Quote) and told.observed_at - now > AHEAD:
        return Silence("it tells of a moment that has not come")
    return told


def judge(
    before: Reference, quotes: Sequence[tuple[PriceSource, Quote]], now: datetime, policy: PricePolicy
) -> Reference:
    """What follows from the newest quote of each source. Where two are at odds nobody knows which is right, and the
    last sound price stays; three can outvote one."""
    good = sorted(
        (quote for source, quote in quotes if counts(source, quote, now)), key=lambda quote: quote.price
    )
    if not good:
        return of_nobody(before)
    spread_bps = moved_bps(good[0].price, good[-1].price)
    disputed = spread_bps > policy.max_spread_bps
    state = ReferenceState.DISPUTED if disputed else ReferenceState.SOUND
    after = replace(before, sources=len(good), spread_bps=spread_bps, state=state)
    if disputed and len(good) < ENOUGH_TO_OUTVOTE:
        return after
    return replace(after, price=_middle(good), observed_at=max(quote.observed_at for quote in good))


def of_nobody(before: Reference) -> Reference:
    """What is left where no source counts: the last sound price, as what it is."""
    return replace(before, sources=0, spread_bps=0, state=ReferenceState.STALE)


def _middle(good: Sequence[Quote]) -> int:
    """The middle one, or half way between the two in the middle, rounded down."""
    low, high = good[(len(good) - 1) // 2], good[len(good) // 2]
    return (low.price + high.price) // 2


def moved_bps(before: int, after: int) -> int:
    """In basis points of what it was, rounded towards zero, and no more than can be told."""
    whole = min(abs(after - before) * BPS // before, MOST_BPS)
    return whole if after >= before else -whole


def announce(
    before: Reference, after: Reference, symbol: str, policy: PricePolicy
) -> tuple[Reference, list[Fact]]:
    """The facts that follow, and the reference with what is told by them: each change is told once."""
    facts: list[Fact] = []
    if after.state is not before.state:
        facts += _of_state(before, after, symbol)
    if after.price is not None and after.told is None:
        after = replace(after, told=after.price)
    elif after.price is not None and after.told is not None:
        move = moved_bps(after.told, after.price)
        if abs(move) >= policy.alert_bps:
            moved = PriceMoved(
                trading_pair_id=after.pair_id,
                symbol=symbol,
                before=str(after.told),
                after=str(after.price),
                change_bps=move,
                sources=after.sources,
            )
            facts.append(moved)
            after = replace(after, told=after.price)
    return after, facts


def _of_state(before: Reference, after: Reference, symbol: str) -> list[Fact]:
    match after.state:
        case ReferenceState.STALE:
            return [PriceOutdated(trading_pair_id=after.pair_id, symbol=symbol)]
        case ReferenceState.DISPUTED:
            spread = after.spread_bps
            return [PriceDisputed(trading_pair_id=after.pair_id, symbol=symbol, spread_bps=spread)]
        case ReferenceState.SOUND if before.state is not ReferenceState.NEW:
            return [PriceRestored(trading_pair_id=after.pair_id, symbol=symbol)]
        case _:
            return []
