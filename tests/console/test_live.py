"""U-07: the line is cut; one sees that what stands there is old, and it comes right by itself."""

import pytest
from playwright.async_api import Browser, expect

from tests.console.browser import look, open_browser
from tests.console.venue import Venue
from tests.support.fault_proxy import FaultProxy

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.mark.usefixtures("browser")
async def test_page_says_that_it_is_cut_off_and_recovers_when_the_line_is_cut(venue: Venue) -> None:
    port = int(venue.terminal.environ["PORT"])
    async with FaultProxy("127.0.0.1", port) as proxy:
        # The page stays at its own address, and another road leads there.
        road = f"--host-resolver-rules=MAP localhost:{port} 127.0.0.1:{proxy.port}"
        async with open_browser(road) as browser:
            await _cut_and_heal(venue, browser, proxy)


async def _cut_and_heal(venue: Venue, browser: Browser, proxy: FaultProxy) -> None:
    visit = await look(browser, venue.url, session=venue.sessions["investor"])
    await visit.open("/markets")
    badge = visit.page.locator("[data-connection]")
    await expect(badge).to_have_attribute("data-connection", "live")
    proxy.swallow()
    await expect(badge).to_have_attribute("data-connection", "offline")
    proxy.heal()
    await expect(badge).to_have_attribute("data-connection", "live")
    proxy.cut()
    await expect(badge).to_have_attribute("data-connection", "live")
