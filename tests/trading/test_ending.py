"""Orders that end without a trade: by their time, or with their pair; very many of them batch by batch."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from deedbook.infra.database import Database
from deedbook.kernel.amounts import to_units
from deedbook.trading import book_keeper
from deedbook.trading.replay import replay
from tests.support.owner import as_owner
from tests.trading.test_matcher import drain, untrue
from tests.trading.venue import Venue, open_venue


@pytest.fixture
async def venue(db: Database) -> Venue:
    return await open_venue(db)


async def test_an_expired_order_never_trades_and_is_taken_out(venue: Venue) -> None:
    seller, buyer = await venue.investor(base="1"), await venue.investor(quote="100")
    soon = datetime.now(UTC) + timedelta(seconds=2)
    sell = venue.order(seller, "SELL", "1", "100", tif="GTD", expires_at=soon)
    await venue.place(sell)
    matcher = await venue.matcher()
    await drain(matcher)
    await asyncio.sleep(2.1)
    await venue.place(venue.order(buyer, "BUY", "1", "100"))

    await drain(matcher)

    row = await venue.row(sell)
    assert (row["status"], row["reason"]) == ("CANCELLED", "expired")
    assert await venue.rows("SELECT 1 FROM trades") == []
    assert await untrue(venue.db) == {}


async def test_a_closed_pair_gives_everything_back(venue: Venue) -> None:
    buyer, seller = await venue.investor(quote="100"), await venue.investor(base="1")
    await venue.place(venue.order(buyer, "BUY", "0.1", "100"), venue.order(seller, "SELL", "1", "200"))
    async with venue.db.transaction() as tx:
        await tx.execute("INSERT INTO order_commands (pair_id, kind) VALUES ($1, 'CLOSE')", venue.pair_id)

    await drain(await venue.matcher())

    assert await venue.balances(buyer) == (0, 0, to_units("100", 6), 0)
    assert await venue.balances(seller) == (to_units("1", 18), 0, 0, 0)
    assert await untrue(venue.db) == {}


async def test_a_pair_with_very_many_orders_ends_batch_by_batch_and_lets_nobody_in_meanwhile(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them in one batch would take longer than the pair stays its writer's."""
    monkeypatch.setattr(book_keeper, "MOST_ENDED", 3)
    buyer, seller = await venue.investor(quote="100"), await venue.investor(base="10")
    resting = [venue.order(seller, "SELL", "1", f"{200 + place}") for place in range(8)]
    await venue.place(*resting)
    matcher = await venue.matcher()
    await drain(matcher)
    async with venue.db.transaction() as tx:
        await tx.execute("INSERT INTO order_commands (pair_id, kind) VALUES ($1, 'CLOSE')", venue.pair_id)

    living = []
    while await matcher.step():
        living.append(await venue.rows("SELECT 1 FROM orders WHERE status = 'OPEN'"))
        if len(living) == 1:
            late = venue.order(buyer, "BUY", "0.1", "300")
            await venue.place(late)

    assert [len(rows) for rows in living] == [5, 2, 0]
    assert {(await venue.row(order))["reason"] for order in resting} == {"market_closed"}
    assert (await venue.row(late))["status"] == "REJECTED"
    assert await venue.rows("SELECT 1 FROM order_commands WHERE match_seq IS NULL") == []
    assert await venue.rows("SELECT 1 FROM trades") == []
    assert await venue.balances(seller) == (to_units("10", 18), 0, 0, 0)
    assert await untrue(venue.db) == {}
    assert (await replay(venue.db, venue.pair_id)).findings == ()


async def test_nothing_trades_before_all_that_has_expired_is_taken_out(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book_keeper, "MOST_ENDED", 3)
    seller, buyer = await venue.investor(base="10"), await venue.investor(quote="1000")
    resting = [venue.order(seller, "SELL", "1", "100") for _ in range(8)]
    await venue.place(*resting)
    matcher = await venue.matcher()
    await drain(matcher)
    await matcher.give_up()
    async with as_owner(venue.db) as owner:
        await owner.execute("UPDATE orders SET expires_at = now() - interval '1 second'")
    taking = venue.order(buyer, "BUY", "1", "100")
    await venue.place(taking)

    matcher, seen = await venue.matcher(), []
    while await matcher.step():
        living = await venue.rows("SELECT 1 FROM orders WHERE side = 'SELL' AND status = 'OPEN'")
        seen.append((len(living), (await venue.row(taking))["status"]))

    assert seen == [(5, "PENDING_MATCH"), (2, "PENDING_MATCH"), (0, "OPEN")]
    assert {(await venue.row(order))["reason"] for order in resting} == {"expired"}
    assert await venue.rows("SELECT 1 FROM trades") == []
    assert await untrue(venue.db) == {}
    assert (await replay(venue.db, venue.pair_id)).findings == ()
