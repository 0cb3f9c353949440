"""U-01: an issuer registers in the browser and watches the asset become a market, without a reload."""

import hashlib
import json
import re

import pytest
from playwright.async_api import Browser, expect

from tests.console.browser import Visit, look
from tests.console.venue import Venue

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

DEED = b"%PDF-1.7 a deed of title"


async def _as_issuer(venue: Venue, browser: Browser, path: str = "/issuer/new") -> Visit:
    visit = await look(browser, venue.url, session=venue.sessions["issuer"])
    await visit.open(path)
    return visit


async def test_asset_becomes_a_market_when_an_issuer_goes_through_the_wizard(
    venue: Venue, browser: Browser
) -> None:
    visit = await _as_issuer(venue, browser)
    page = visit.page
    await visit.press("Fill with an example")
    symbol = await page.get_by_label("Symbol").input_value()
    await visit.press("Next: Configuration")
    await visit.press("Next: Compliance")
    await page.get_by_label("Offered under").select_option("eu_150")
    await visit.says("Regulation (EU) 2017/1129, Art. 1(4)(b)")
    await expect(page.get_by_label("Holders at most")).to_have_value("149")
    await visit.press("Next: Documents")
    await page.get_by_label("File", exact=True).set_input_files(
        {"name": "deed.pdf", "mimeType": "application/pdf", "buffer": DEED}
    )
    await visit.press("Put on record")
    await expect(page.get_by_role("cell", name="deed.pdf", exact=True)).to_be_visible()
    await visit.press("Next: Review")
    await visit.says("The same as JSON, for a program")
    await visit.press("Submit for approval")

    await expect(page.get_by_role("heading", level=1)).to_contain_text("Harbour Wharf")
    way = page.get_by_role("list", name="From the registration to an open market")
    await expect(way.locator("[aria-current=step]")).to_contain_text("Approval by compliance")
    await expect(page.get_by_title(hashlib.sha256(DEED).hexdigest())).to_be_visible()
    market_id = page.url.rpartition("/")[2]
    await page.evaluate("window.__never_reloaded = true")
    verdict = {"decision": "approve", "reason": "all true"}
    await venue.post("compliance", f"/markets/{market_id}/approve", verdict)
    await expect(way.locator("li").nth(1)).to_contain_text("all true")
    await expect(way).to_contain_text(f"Traded as {symbol}-USDC", timeout=60_000)
    await expect(way.locator("li[data-state=done]")).to_have_count(4)
    assert await page.evaluate("window.__never_reloaded") is True

    await visit.says("You cannot hold your own token yet")
    missing = page.get_by_role("link", name="See what is missing")
    await expect(missing).to_have_attribute("href", re.compile(f"/markets/{market_id}#eligibility$"))
    issuer = json.loads(venue.sessions["issuer"])["userId"]
    async with venue.client() as http:
        token = (await http.get(f"/tokens/{symbol}")).raise_for_status().json()
    let_in = {"tokenId": token["id"], "kycStatus": "APPROVED", "kycLevel": 2, "whitelisted": True}
    await venue.post("compliance", f"/tokens/compliance/{issuer}", {**let_in, "jurisdiction": "PT"})
    await page.get_by_role("tab", name="Cap table").click()
    await expect(page.get_by_role("row", name=re.compile("Treasury"))).to_contain_text("100,000")
    await _mint_more(venue, visit, token["id"])
    visit.nothing_was_amiss()
    await page.context.close()
    await _set_as_proposed(venue, browser, symbol)


async def _set_as_proposed(venue: Venue, browser: Browser, symbol: str) -> None:
    """What the wizard has proposed is set by an officer with one look, and then no longer offered."""
    visit = await look(browser, venue.url, session=venue.sessions["compliance"])
    await visit.open("/token-rules")
    card = visit.page.locator("section", has=visit.page.get_by_role("heading", name=symbol, exact=True))
    await expect(card.locator("ins", has_text="149")).to_be_visible()
    await visit.press(f"Set the rules of {symbol} as proposed")
    await expect(visit.page.get_by_label("Holders at most")).to_have_value("149")
    await visit.press("Write the rules")
    await expect(card.get_by_text("As the issuer has proposed.")).to_be_visible()
    async with venue.client() as http:
        token = (await http.get(f"/tokens/{symbol}")).raise_for_status().json()
        rules = (await http.get(f"/tokens/{token['id']}/rules")).raise_for_status().json()
    assert (rules["maxHolders"], rules["minKycLevel"]) == (149, 1)
    visit.nothing_was_amiss()
    await visit.page.context.close()


async def _mint_more(venue: Venue, visit: Visit, token_id: str) -> None:
    page = visit.page
    await page.get_by_role("tab", name="Mints").click()
    await page.get_by_label("Mint", exact=True).fill("50000.5")
    await visit.says("Beyond the cap.")
    await page.get_by_label("Mint", exact=True).fill("1,000.25")
    await page.get_by_label("Why").fill("a second quay")
    await visit.press("Ask for it")
    row = page.get_by_role("row", name=re.compile(r"1,000\.25"))
    await expect(row).to_contain_text("Pending approval")
    async with venue.client("issuer") as http:
        [mint] = (await http.get(f"/tokens/{token_id}/mints")).raise_for_status().json()["data"]
    assert mint["amount"] == "1000.25"
    await venue.post("compliance", f"/tokens/mints/{mint['id']}/approve", {})
    await expect(row).to_contain_text("Completed", timeout=60_000)


async def test_refusal_stands_at_its_field_when_the_symbol_is_taken(venue: Venue, browser: Browser) -> None:
    visit = await _as_issuer(venue, browser)
    page = visit.page
    await visit.press("Fill with an example")
    await page.get_by_label("Symbol").fill("LUXAPT")
    await page.get_by_role("button", name="Review").click()
    await visit.press("Submit for approval")
    symbol = page.get_by_label("Symbol")
    await expect(symbol).to_be_focused()
    await expect(symbol).to_have_attribute("aria-invalid", "true")
    await visit.says("the symbol LUXAPT is taken; choose another")
    await symbol.fill("LUXAPT-2")
    await expect(symbol).not_to_have_attribute("aria-invalid", "true")
    await page.context.close()


async def test_draft_is_there_again_when_the_page_was_left(venue: Venue, browser: Browser) -> None:
    visit = await _as_issuer(venue, browser)
    page = visit.page
    await page.get_by_label("Name of the asset").fill("Half a house")
    await visit.press("Next: Configuration")
    kind = page.get_by_label("What it is")
    await expect(kind).to_be_focused()
    await expect(kind).to_have_attribute("aria-invalid", "true")
    await visit.open("/issuer")
    await visit.open("/issuer/new")
    await expect(page.get_by_label("Name of the asset")).to_have_value("Half a house")
    await visit.press("Discard")
    await expect(page.get_by_label("Name of the asset")).to_have_value("")
    visit.nothing_was_amiss()
    await page.context.close()
