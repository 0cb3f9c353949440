"""What stands out in how people trade."""

from datetime import UTC, datetime, timedelta

import pytest

from deedbook.infra.database import Database
from deedbook.kernel.ids import UserId
from deedbook.trading import conduct, orders
from tests.trading.venue import Venue, open_venue

YESTERDAY = timedelta(days=1)


@pytest.fixture
async def venue(db: Database) -> Venue:
    return await open_venue(db)


async def found(venue: Venue) -> dict[UserId, conduct.Conduct]:
    looked = await conduct.unusual(venue.db, datetime.now(UTC) - YESTERDAY)
    return {UserId(one.user_id): one for one in looked.found}


async def meet_oneself(venue: Venue, user_id: UserId, times: int) -> None:
    matcher = await venue.matcher()
    await venue.place(venue.order(user_id, "SELL", "0.1", "100"))
    for _ in range(times):
        await venue.place(venue.order(user_id, "BUY", "0.1", "100"))
        await matcher.step()
    await matcher.give_up()


async def test_who_keeps_meeting_themselves_stands_out(venue: Venue) -> None:
    often, once = [await venue.investor(base="1", quote="1000") for _ in range(2)]
    await meet_oneself(venue, once, conduct.SELF_TRADES - 1)
    await venue.place(venue.order(often, "BUY", "0.1", "100"))  # trades with the other: nothing unusual
    await meet_oneself(venue, often, conduct.SELF_TRADES)
    told = await found(venue)
    assert told.keys() == {often}
    assert (told[often].self_trades, told[often].meets_itself, told[often].takes_back) == (3, True, False)
    assert told[often].orders == 5 and told[often].first_at <= told[often].last_at


async def test_who_takes_back_nearly_all_orders_stands_out(venue: Venue) -> None:
    layering, maker = [await venue.investor(quote="10000") for _ in range(2)]
    kept = conduct.PLACED * (100 - conduct.TAKEN_BACK_PERCENT) // 100
    matcher = await venue.matcher()
    for user_id, stay in ((layering, kept), (maker, kept + 1)):
        placed = [venue.order(user_id, "BUY", "0.001", "100") for _ in range(conduct.PLACED)]
        await venue.place(*placed)
        await matcher.step()
        async with venue.db.transaction() as tx:
            for order in placed[stay:]:
                await orders.cancel(tx, user_id, order.order_id)
        while await matcher.step():
            pass
    told = await found(venue)
    assert told.keys() == {layering}
    assert (told[layering].orders, told[layering].taken_back) == (conduct.PLACED, conduct.PLACED - kept)
    assert told[layering].takes_back and not told[layering].meets_itself


async def test_only_so_many_orders_are_looked_at_and_the_answer_says_since_when(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = await venue.investor(base="1", quote="1000")
    asked = datetime.now(UTC) - YESTERDAY
    await meet_oneself(venue, user_id, 4)
    assert (await conduct.unusual(venue.db, asked)).since == asked
    monkeypatch.setattr(conduct, "LATEST", 3)
    looked = await conduct.unusual(venue.db, asked)
    assert looked.since > asked and [one.orders for one in looked.found] == [3]
    monkeypatch.setattr(conduct, "SELF_TRADES", 4)
    quiet = await conduct.unusual(venue.db, asked)
    assert (quiet.since, list(quiet.found)) == (looked.since, [])
    later = await conduct.unusual(venue.db, datetime.now(UTC) + timedelta(seconds=5))
    assert not later.found
