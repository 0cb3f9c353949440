"""U-07: the line is cut; one sees that what stands there is old, and it comes right by itself."""

import pytest
from playwright.async_api import Browser, expect

from tests.console.browser import look, open_browser
from tests.console.venue import Venue
from tests.support.fault_proxy import FaultProxy
from tests.support.waiting import eventually

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
    await visit.open(f"/trade/{venue.samples['pair']}")
    badge, book = visit.page.locator("[data-connection]"), visit.page.locator("[data-seq]")
    await expect(badge).to_have_attribute("data-connection", "live")
    await expect(book).not_to_have_attribute("data-stale", "true")
    operator = await look(browser, venue.url, session=venue.sessions["operator"])
    await operator.open("/operations")
    await operator.says("the watcher runs")
    silence = operator.page.get_by_text("Nothing is heard from the installation")
    await expect(silence).to_have_count(0)
    proxy.swallow()
    await expect(badge).to_have_attribute("data-connection", "offline")
    await expect(book).to_have_attribute("data-stale", "true")
    await venue.place("second-investor", "SELL", "0.0777", "1033.33")
    await expect(book).not_to_contain_text("0.0777")
    await expect(silence).to_be_visible()
    proxy.heal()
    await expect(silence).to_have_count(0)
    await expect(badge).to_have_attribute("data-connection", "live")
    await expect(book).to_contain_text("0.0777")
    await expect(book).not_to_have_attribute("data-stale", "true")
    proxy.cut()
    await venue.place("second-investor", "SELL", "0.0888", "1034.44")
    await expect(book).to_contain_text("0.0888")

    async def are_as_far() -> bool:
        async with venue.client() as http:
            path = f"/trading/pairs/{venue.samples['pair']}/orderbook"
            told = (await http.get(path)).raise_for_status().json()
        return await book.get_attribute("data-seq") == str(told["seq"])

    await eventually(are_as_far, "the page is as far as what HTTP tells")
    await operator.page.context.close()
    await visit.page.context.close()
