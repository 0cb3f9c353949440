"""Finding a market: the list, what one is, whether one may trade it, and the menu that leads everywhere."""

import json

import pytest
from playwright.async_api import Browser, expect

from tests.console.browser import look
from tests.console.trading import comply, decide
from tests.console.venue import LONG_SYMBOL, Venue
from tests.console.wallet import TestWallet

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
    for place in range(4):
        await expect(steps.nth(place)).to_have_attribute("data-state", "done")
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


async def test_newcomer_is_let_in_step_by_step_when_one_asks_for_it(venue: Venue, browser: Browser) -> None:
    """Nobody knows them: they have their identity checked, compliance puts them on the list, money is what is left."""
    wallet = TestWallet()
    visit = await look(browser, venue.url)
    page = visit.page
    await wallet.inject(page.context)
    await visit.open(f"/markets/{venue.samples['market']}")
    conditions = page.get_by_role("list", name="What it takes").get_by_role("listitem")
    await expect(conditions).to_have_count(2)
    await page.get_by_role("link", name="sign in to see it for yourself").click()
    await visit.press("Sign in with Test Wallet")
    await expect(page.get_by_role("button", name="Account")).to_be_visible()
    await visit.open(f"/markets/{venue.samples['market']}")
    identity = conditions.filter(has_text="Identity verified")
    await expect(identity).to_have_attribute("data-met", "false")
    await expect(
        conditions.filter(has_text="USDC to buy with").get_by_role("link", name="Deposit")
    ).to_be_visible()
    await visit.press("Have your identity checked")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Your name, as in your papers").fill("Ada Lovelace")
    await dialog.get_by_label("Country").fill("Portugal")
    await expect(dialog.get_by_text("Its code of two letters, such as PT.")).to_be_visible()
    await expect(dialog.get_by_role("button", name="Ask for the check")).to_be_disabled()
    await dialog.get_by_label("Country").fill("p1")
    await expect(dialog.get_by_role("button", name="Ask for the check")).to_be_disabled()
    await dialog.get_by_label("Country").fill("pt")
    await dialog.get_by_label("Papers", exact=True).fill("passport-L01X00T47, id-card-7")
    assert await visit.barriers() == []
    await dialog.get_by_role("button", name="Ask for the check").click()
    await expect(identity).to_have_attribute("data-met", "true", timeout=30_000)
    listed = conditions.filter(has_text="On the list of those who may hold it")
    await expect(listed).to_have_attribute("data-met", "false")
    user_id = await page.evaluate("JSON.parse(sessionStorage.getItem('deedbook.session')).userId")
    async with venue.client() as http:
        token = (await http.get(f"/tokens/{venue.samples['token']}")).raise_for_status().json()
    await comply(venue, f"/tokens/compliance/{user_id}", {"tokenId": token["id"], "whitelisted": True})
    await expect(listed).to_have_attribute("data-met", "true")
    await visit.says("On record: level 2, PT")
    verdict = page.locator("[data-eligible]")
    await expect(verdict).to_have_attribute("data-eligible", "true")
    await expect(verdict).to_have_attribute("data-may-buy", "false")
    visit.nothing_was_amiss()
    await page.context.close()


async def test_why_not_is_told_when_the_market_itself_is_not_open(venue: Venue, browser: Browser) -> None:
    """One that is still to be approved, to anybody; one that is paused, to who may trade it otherwise."""
    async with venue.client("issuer") as http:
        [pending] = (
            (await http.get("/markets", params={"text": LONG_SYMBOL})).raise_for_status().json()["data"]
        )
    visit = await look(browser, venue.url, session=venue.sessions["investor"])
    await visit.open(f"/markets/{venue.samples['market']}")
    verdict = visit.page.locator("[data-may-buy]")
    await expect(verdict).to_have_attribute("data-may-buy", "true")
    await expect(verdict).to_have_attribute("data-may-sell", "true")
    await decide(venue, "pause")
    await expect(verdict).to_have_attribute("data-may-buy", "false")
    await visit.says("It is paused: orders that rest stay, cancels work, new orders wait.")
    await decide(venue, "resume")
    await expect(verdict).to_have_attribute("data-may-buy", "true")
    if pending["status"] == "pending_approval":
        await visit.open(f"/markets/{pending['id']}")
        await visit.says("Compliance has not decided on it yet.")
    visit.nothing_was_amiss()
    await visit.page.context.close()


async def test_page_is_opened_by_a_few_letters_when_the_menu_is_called(
    venue: Venue, browser: Browser
) -> None:
    visit = await look(browser, venue.url, session=venue.sessions["investor"])
    await visit.open("/markets")
    page = visit.page
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("combobox", name="Page, pair or command")).to_be_focused()
    await page.keyboard.type("luxapt-u")
    await expect(page.get_by_role("option", name="LUXAPT-USDC")).to_be_visible()
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
