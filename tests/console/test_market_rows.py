"""What the list of markets tells of each: the yield that its issuer names, and the last day as a line."""

import pytest
from playwright.async_api import Browser, expect

from tests.console.browser import look
from tests.console.venue import Venue
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
LOW = (1440, 160)
"""So low a window that the first row is below it."""


async def _all_is_folded(venue: Venue) -> None:
    """Wait until the candles have the newest trade: the page asks for them once."""
    path = f"/trading/pairs/{venue.samples['pair']}"

    async def is_there() -> bool:
        async with venue.client() as http:
            trades = (await http.get(f"{path}/trades?limit=1")).raise_for_status().json()["data"]
            candles = (
                (await http.get(f"{path}/candles?interval=1h&limit=1")).raise_for_status().json()["data"]
            )
        return bool(candles and candles[0]["close"] == trades[0]["price"])

    await eventually(is_there, "the newest trade is in its candle", within_s=30)


async def test_row_tells_yield_and_last_day_when_it_comes_into_sight(venue: Venue, browser: Browser) -> None:
    await _all_is_folded(venue)
    visit = await look(browser, venue.url, size=LOW)
    page, pair = visit.page, venue.samples["pair"]
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await visit.open("/markets")
    row = page.get_by_role("row").filter(has=page.locator(f"[data-spark={pair}]"))
    await expect(row).to_have_count(1)
    await expect(row).not_to_be_in_viewport()
    assert not [url for url in asked if "/candles" in url or "/details" in url], "nobody has seen it yet"
    await row.scroll_into_view_if_needed()
    await expect(row.locator("[data-yield]")).to_have_text("5.2%")
    await expect(row.get_by_role("img", name="24 hours: from")).to_be_visible()
    assert len([url for url in asked if f"/pairs/{pair}/candles" in url]) == 1
    async with venue.client() as http:
        told = (
            (await http.get(f"/trading/pairs/{pair}/candles?interval=1h&limit=24")).raise_for_status().json()
        )
    first, last = told["data"][-1]["open"], told["data"][0]["close"]
    await expect(row.get_by_role("img")).to_have_attribute(
        "aria-label", f"24 hours: from {float(first):,g} to {float(last):,g}"
    )
    visit.nothing_was_amiss()
    await page.context.close()
