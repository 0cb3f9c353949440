"""What stands out in a day of trading, as an officer comes upon it."""

from decimal import Decimal

import pytest
from playwright.async_api import Browser, expect

from tests.console.browser import look
from tests.console.trading import is_in_the_book, is_over
from tests.console.venue import Venue

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

WHO = "second-investor"


async def meet_oneself(venue: Venue) -> None:
    """Offers, at the least price that nobody bids, what the same investor then bids for: no other order is met."""
    pair = venue.samples["pair"]
    async with venue.client(WHO) as http:
        book = (await http.get(f"/trading/pairs/{pair}/orderbook")).raise_for_status().json()
        price = str(Decimal(book["bids"][0][0]) + Decimal("0.01"))
        offer = await venue.place(WHO, "SELL", "0.01", price)
        bids = [await venue.place(WHO, "BUY", "0.01", price) for _ in range(3)]
        (await http.delete(f"/trading/orders/{offer['id']}")).raise_for_status()
    for order in bids:
        await is_over(venue, WHO, order["id"])


async def test_officer_sees_who_keeps_meeting_their_own_orders(venue: Venue, browser: Browser) -> None:
    await venue.place("investor", "BUY", "0.01", "985.02")  # others may have left the book empty
    await is_in_the_book(venue, "bids", "985.02")
    await meet_oneself(venue)
    visit = await look(browser, venue.url, session=venue.sessions["compliance"])
    await visit.open("/compliance")
    alert = (
        visit.page.get_by_role("table", name="What to look into")
        .get_by_role("row")
        .filter(has_text="Trades with oneself")
    )
    await expect(alert).to_contain_text("orders ended because they met the same account's")
    await alert.get_by_role("link").first.click()
    await expect(visit.page).to_have_url(f"{venue.url}/app/compliance/{venue.user_id(WHO)}")
    visit.nothing_was_amiss()
    await visit.page.context.close()
