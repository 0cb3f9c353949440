"""The log of a pair gives its trades and its book again, whatever happened on the way."""

import asyncio
import random
from typing import Any

import pytest

from deedbook import truths
from deedbook.infra.database import Database
from deedbook.trading import orders
from deedbook.trading.admission import Quotes
from deedbook.trading.errors import OrderOver
from deedbook.trading.replay import replay
from tests.trading.venue import Venue, open_venue

KINDS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {},
    {"tif": "IOC"},
    {"tif": "FOK"},
    {"post_only": True},
    {"kind": "STOP_LIMIT", "stop_price": "100.02"},
    {"kind": "STOP_MARKET", "tif": "IOC", "stop_price": "99.98"},
    {"self_trade": "DECREMENT"},
    {"self_trade": "EXPIRE_BOTH"},
    {"self_trade": "EXPIRE_MAKER"},
    {"kind": "STOP_LIMIT", "stop_price": "trail:2", "quotes": Quotes(0, 0, 10_000)},
    {"kind": "STOP_MARKET", "tif": "IOC", "stop_price": "trail:3bps", "quotes": Quotes(0, 0, 10_000)},
)
TERMS: dict[str, dict[str, Any]] = {
    "the default": {},
    "the highest fees in quote": {"fee_mode": "quote", "fee_bps": 1000},
    "odd fees": {"fee_bps": 333},
    "odd fees in quote": {"fee_mode": "quote", "fee_bps": 333},
    "no fees": {"fee_bps": 0},
}


async def busy_day(venue: Venue, seed: int, count: int) -> None:
    """Random orders, cancels and reductions by four people, matched in between, with a pause and a new writer."""
    draw = random.Random(seed)
    people = [await venue.investor(base="100", quote="100000") for _ in range(4)]
    matcher, placed = await venue.matcher(), []
    for step in range(count):
        who = draw.choice(people)
        order = venue.order(
            who,
            draw.choice(("BUY", "SELL")),
            f"0.{draw.randrange(1, 9)}",
            f"{100 + draw.randrange(-5, 6) / 100:.2f}",
            **draw.choice(KINDS),
        )
        if await venue.place(order) == [0]:
            placed.append((who, order))
        if draw.random() < 0.3:
            owner, picked = draw.choice(placed)
            async with venue.db.transaction() as tx:
                try:
                    if draw.random() < 0.5:
                        await orders.cancel(tx, owner, picked.order_id)
                    else:
                        await orders.reduce(tx, owner, picked.order_id, draw.randrange(1, 3000))
                except OrderOver:
                    pass
        if step in (count // 2, count // 2 + 3):
            kind = "PAUSE" if step == count // 2 else "RESUME"
            async with venue.db.transaction() as tx:
                await tx.execute(
                    "INSERT INTO order_commands (pair_id, kind) VALUES ($1, $2)", venue.pair_id, kind
                )
        if draw.random() < 0.4:
            await matcher.step()
        if draw.random() < 0.05:
            before, matcher = matcher, await venue.matcher()
            assert matcher.book.state_hash() == before.book.state_hash()
    while await matcher.step():
        continue


@pytest.mark.parametrize(("seed", "terms"), list(enumerate(TERMS)))
async def test_the_log_gives_the_same_trades_and_the_same_book(db: Database, seed: int, terms: str) -> None:
    venue = await open_venue(db, **TERMS[terms])
    await busy_day(venue, seed, 120)

    found = await replay(db, venue.pair_id)

    assert found.findings == ()
    assert found.trades > 10 and found.commands >= 120
    assert [t.findings for t in await truths.check_trading(db) if not t.holds] == []


async def test_a_trade_that_was_tampered_with_is_found(db: Database) -> None:
    venue = await open_venue(db)
    await busy_day(venue, 1, 60)
    async with db.transaction() as tx:
        await tx.execute(
            "UPDATE trades SET size_lots = size_lots + 1 WHERE trade_number = 3 AND pair_id = $1",
            venue.pair_id,
        )

    (finding,) = (await replay(db, venue.pair_id)).findings

    assert finding.endswith("number 3")


async def test_twenty_pairs_share_one_user_exactly(db: Database) -> None:
    """One balance of dollars behind orders on twenty books at once."""
    venues = [await open_venue(db, f"P{number}") for number in range(20)]
    buyer = await venues[0].investor(quote="100")
    async with db.transaction() as tx:
        for venue in venues[1:]:
            await tx.execute(
                "INSERT INTO compliance_records (user_id, token_id, kyc_status, whitelisted) "
                "VALUES ($1, $2, 'APPROVED', true)",
                buyer,
                venue.base,
            )
    sellers = [await venue.investor(base="1") for venue in venues]
    matchers = [await venue.matcher() for venue in venues]

    async def trade(place: int) -> None:
        venue = venues[place]
        await venue.place(venue.order(sellers[place], "SELL", "0.1", "100"))
        await venue.place(venue.order(buyer, "BUY", "0.1", "100", nonce=f"pair-{place}"))
        while await matchers[place].step():
            continue

    await asyncio.gather(*(trade(place) for place in range(20)))

    bought = await venues[0].rows("SELECT count(*) AS n FROM trades WHERE buyer_id = $1", buyer)
    assert bought[0]["n"] == 10
    assert (await venues[0].balances(buyer))[2:] == (0, 0)
    assert [t.findings for t in await truths.check_trading(db) if not t.holds] == []
