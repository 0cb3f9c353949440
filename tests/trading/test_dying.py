"""A trade happens once when intake or the matcher dies on the way (F-01, F-02)."""

import pytest

from deedbook import truths
from deedbook.infra.database import Database
from deedbook.infra.failpoints import FailpointHit
from deedbook.kernel.amounts import to_units
from deedbook.trading.admission import Admitted
from tests.chain.support import armed
from tests.trading.venue import Venue, open_venue

INTAKE = ("intake.beforeCommit", "intake.afterCommit")
MATCHER = ("matcher.afterClaim", "matcher.beforeCommit", "matcher.afterCommit")


@pytest.fixture
async def venue(db: Database) -> Venue:
    return await open_venue(db)


async def match(venue: Venue) -> None:
    """As a successor that finds the lease free."""
    async with venue.db.transaction() as tx:
        await tx.execute("UPDATE pair_writer SET expires_at = '-infinity'")
    matcher = await venue.matcher()
    while await matcher.step():
        continue


async def place_and_match(venue: Venue, *orders: Admitted) -> None:
    await venue.place(*orders)
    await match(venue)


@pytest.mark.parametrize("point", [*INTAKE, *MATCHER])
async def test_a_trade_happens_once_when_a_process_dies_at(venue: Venue, point: str) -> None:
    seller, buyer = await venue.investor(base="5"), await venue.investor(quote="5000")
    orders = venue.order(seller, "SELL", "5", "1000"), venue.order(buyer, "BUY", "5", "1000")
    with armed(f"{point}=raise:1"), pytest.raises(FailpointHit):
        await place_and_match(venue, *orders)
    again = await venue.place(*orders)
    assert again in ([0, 0], [2, 2]), "taken now, or taken before"
    assert (again == [0, 0]) == (point == "intake.beforeCommit")
    await match(venue)
    assert len(await venue.rows("SELECT 1 FROM trades")) == 1
    assert await venue.balances(buyer) == (to_units("4.9875", 18), 0, 0, 0)
    assert await venue.balances(seller) == (0, 0, to_units("4987.50", 6), 0)
    assert {
        truth.name: truth.findings for truth in await truths.check_trading(venue.db) if not truth.holds
    } == {}
