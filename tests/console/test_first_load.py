"""U-17: how much is asked for until one can work with a page. How long it takes is a figure, and no test: see
`first_load`."""

import pytest
from playwright.async_api import Browser

from tests.console.browser import look
from tests.console.first_load import READY, load
from tests.console.venue import Venue

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
MOST = {"/markets": (40, 240_000), "/trade/{pair}": (42, 330_000)}
"""Requests, and bytes on the wire: half and a third more than it takes today."""


@pytest.mark.parametrize("path", READY)
async def test_little_is_asked_for_when_a_page_is_opened_for_the_first_time(
    venue: Venue, browser: Browser, path: str
) -> None:
    order = await venue.place("investor", "BUY", "0.01", "985.01")  # others may have left the book empty
    visit = await look(browser, venue.url, session=venue.sessions["investor"])
    await visit.page.close()
    first = await load(venue, visit.page.context, path)
    again = await load(venue, visit.page.context, path)
    requests, size = MOST[path]
    assert 0 < first.requests <= requests, f"{first.requests} requests"
    assert 0 < first.bytes <= size, f"{first.bytes} bytes"
    assert again.bytes < first.bytes / 2, "what has a hash in its name is kept"
    await visit.page.context.close()
    async with venue.client("investor") as http:
        (await http.delete(f"/trading/orders/{order['id']}")).raise_for_status()
