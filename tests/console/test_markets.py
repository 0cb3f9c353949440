"""Finding a market: the list, what one is, whether one may trade it, and the menu that leads everywhere."""

import json

import pytest
from playwright.async_api import Browser, expect

from tests.console.browser import look
from tests.console.venue import Venue

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


async def test_market_is_found_and_told_when_somebody_looks_for_it(venue: Venue, browser: Browser) -> None:
    visit = await look(browser, venue.url, session=venue.sessions["investor"])
    await visit.open("/markets")
    page = visit.page
    rows = page.get_by_role("table", name="Markets").get_by_role("row")
    await page.get_by_role("searchbox", name="Search").fill("luxury")
    await expect(rows).to_have_count(2)
    await page.get_by_label("Asset type").select_option("other")
    await visit.says("Nothing fits")
    await page.get_by_label("Asset type").select_option("real_estate")
    await page.get_by_label("Status").select_option("active")
    await page.get_by_role("link", name="Luxury Apartment Building").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Luxury Apartment Building")
    async with venue.client("issuer") as http:
        told = (await http.get(f"/markets/{venue.samples['market']}/details")).raise_for_status().json()
    [document] = told["asset"]["documents"]
    for words in (
        document["sha256"],
        told["market"]["contractAddress"],
        "1 Harbour Street, Lisbon",
        "25.00 USD",
    ):
        await visit.says(words)
    steps = page.get_by_role("list", name="From registration to trading").get_by_role("listitem")
    await expect(steps).to_have_count(4)
    assert await steps.evaluate_all("all => all.map(step => step.dataset.state)") == ["done"] * 4
    await page.get_by_role("link", name="Trade LUXAPT-USDC").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Trade LUXAPT-USDC")
    visit.nothing_was_amiss()
    await page.context.close()


async def test_one_is_told_why_when_one_may_not_trade(venue: Venue, browser: Browser) -> None:
    """Alice was let in by compliance, Olga was not."""
    for person, eligible in (("investor", "true"), ("operator", "false")):
        visit = await look(browser, venue.url, session=venue.sessions[person])
        await visit.open(f"/markets/{venue.samples['market']}")
        panel = visit.page.locator("[data-eligible]")
        await expect(panel).to_have_attribute("data-eligible", eligible)
        if eligible == "false":
            await expect(panel).to_contain_text("Your identity has not been verified for this token yet.")
        await visit.page.context.close()


async def test_page_is_opened_by_a_few_letters_when_the_menu_is_called(
    venue: Venue, browser: Browser
) -> None:
    visit = await look(browser, venue.url, session=venue.sessions["investor"])
    await visit.open("/markets")
    page = visit.page
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("combobox", name="Page or pair")).to_be_focused()
    await page.keyboard.type("luxapt-u")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Trade LUXAPT-USDC")
    await page.keyboard.press("Control+k")
    assert await visit.barriers() == []
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    visit.nothing_was_amiss()
    await page.context.close()


async def test_last_price_is_told_as_it_is_over_http_when_the_list_is_shown(
    venue: Venue, browser: Browser
) -> None:
    visit = await look(browser, venue.url)
    await visit.open("/markets")
    async with venue.client() as http:
        told = (await http.get(f"/trading/pairs/{venue.samples['pair']}/stats")).raise_for_status().json()
    row = visit.page.get_by_role("row").filter(has_text="LUXAPT").first
    price = f"{int(told['lastPrice'].split('.')[0]):,}"
    await expect(row).to_contain_text(price)
    assert json.dumps(told["lastPrice"])[0] == '"', "amounts are text"
    await visit.page.context.close()
