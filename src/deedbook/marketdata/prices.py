"""Use cases of prices from outside: where to ask, and what follows from the answers."""

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from deedbook import tokens
from deedbook.infra.database import Database, Tx
from deedbook.kernel.amounts import to_text
from deedbook.kernel.clock import to_wire
from deedbook.kernel.events import Actor
from deedbook.kernel.ids import PairId, new_uuid
from deedbook.marketdata import references
from deedbook.marketdata.errors import PriceSourceExists, PriceSourceInvalid, PriceSourceNotFound
from deedbook.marketdata.events import PriceSourceAdded, PriceSourceRemoved
from deedbook.marketdata.store import references as store
from deedbook.marketdata.terms import FeedKind, PricePolicy, PriceSource, Reference, SourceId, Told
from deedbook.trading.spec import PLACES, PairSpec

MAX_SOURCES = 1000
KEPT = timedelta(days=90)
REMOVED_AT_ONCE = 5000
LOCATORS = {
    FeedKind.CHAINLINK: (re.compile(r"0x[0-9a-fA-F]{40}"), "a contract's address"),
    FeedKind.COINGECKO: (re.compile(r"[a-z0-9][a-z0-9_.-]{0,99}"), "a coin's id, such as bitcoin"),
    FeedKind.NAV: (re.compile(r"https?://[!-~]{3,480}"), "an https address"),
}


async def add_source(tx: Tx, actor: Actor, spec: PairSpec, wanted: PriceSource) -> None:
    """Ask for this pair's price in one more place.

    Raises:
        PriceSourceInvalid · PriceSourceExists: what they say.
    """
    form, words = LOCATORS[wanted.kind]
    if not form.fullmatch(wanted.locator):
        raise PriceSourceInvalid(f"a source of this kind is found by {words}")
    if not 0 < wanted.least <= wanted.most:
        raise PriceSourceInvalid("the least price is more than nothing, and the most is not less")
    if not await store.add_source(tx, wanted):
        raise PriceSourceExists
    told = PriceSourceAdded(trading_pair_id=spec.pair_id, symbol=spec.symbol, kind=wanted.kind.value)
    # Not its address, which may hold a key.
    after = {"sourceId": wanted.source_id, "maxAgeSeconds": wanted.max_age_s}
    tx.emit(told, actor, before={}, after=after)


def new_source(
    spec: PairSpec, kind: FeedKind, locator: str, max_age_s: int, bounds: tuple[int, int]
) -> PriceSource:
    """A source that is not asked yet. Addresses of contracts are all lower case in here."""
    told = locator.lower() if kind is FeedKind.CHAINLINK else locator
    base, _, quote = spec.symbol.rpartition("-")
    return PriceSource(SourceId(new_uuid()), spec.pair_id, kind, told, base, quote, max_age_s, *bounds)


async def remove_source(tx: Tx, actor: Actor, source_id: SourceId) -> None:
    """Ask there no longer.

    Raises:
        PriceSourceNotFound: it was not asked.
    """
    removed = await store.remove_source(tx, source_id)
    if removed is None:
        raise PriceSourceNotFound
    pair_id, symbol, kind = removed
    told = PriceSourceRemoved(trading_pair_id=pair_id, symbol=symbol, kind=kind.value)
    tx.emit(told, actor, before={"sourceId": source_id}, after={})


async def sources(db: Database) -> list[PriceSource]:
    """Everywhere that is asked."""
    return await store.sources(db, MAX_SOURCES)


async def take_in(
    db: Database, asked: list[PriceSource], answers: Mapping[SourceId, Told], policy: PricePolicy
) -> list[PairId]:
    """Write down what was answered and what follows for each pair; which pairs. Harmless when repeated."""
    by_pair: dict[PairId, list[PriceSource]] = defaultdict(list)
    for source in asked:
        by_pair[source.pair_id].append(source)
    for pair_id, of_pair in by_pair.items():
        told = [(source, answers[source.source_id]) for source in of_pair]
        async with db.transaction() as tx:
            await _judge(tx, pair_id, told, policy)
    return list(by_pair)


async def _judge(
    tx: Tx, pair_id: PairId, told: list[tuple[PriceSource, Told]], policy: PricePolicy
) -> Reference:
    before, now = await store.claim(tx, pair_id), await tx.now()
    await store.record(tx, [(source, references.heard(answer, now)) for source, answer in told])
    quotes = await store.newest(tx, pair_id)
    judged = references.judge(before, quotes, now, policy)
    symbol = f"{told[0][0].base}-{told[0][0].quote}"
    after, facts = references.announce(before, judged, symbol, policy)
    await store.keep(tx, after)
    for fact in facts:
        tx.emit(fact, before=_audited(before), after=_audited(after))
    return after


def _audited(reference: Reference) -> dict[str, Any]:
    return {
        "price": str(reference.price) if reference.price is not None else None,
        "state": reference.state.value,
        "spreadBps": reference.spread_bps,
        "sources": reference.sources,
    }


async def remove_old(tx: Tx) -> int:
    """Forget quotes that are older than anybody asks for; how many went."""
    return await store.remove_old(tx, await tx.now() - KEPT, REMOVED_AT_ONCE)


async def note_values(tx: Tx, pair_id: PairId | None, limit: int) -> int:
    """Tell beside each token what sources outside say it is worth, where they agree; of how many that was news."""
    news = 0
    for found in await store.sound(tx, pair_id, limit):
        value = {
            "pricePerToken": to_text(found.price, PLACES),
            "currency": found.quote,
            "observedAt": to_wire(found.observed_at),
            "sources": found.sources,
        }
        news += await tokens.note_market_value(tx, found.token_id, value)
    return news
