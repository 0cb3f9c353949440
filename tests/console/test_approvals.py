"""The approval desk: facts, documents and issuer beside each other, two officers, and the version that was seen."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.console.browser import Visit, look
from tests.console.venue import Venue

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

DEED = b"%PDF-1.7 deed of title"


async def submitted(
    venue: Venue, symbol: str, valuation: str = "1250000.50", deed: bytes = DEED
) -> dict[str, Any]:
    """A registration with one document that waits for an officer."""
    async with venue.client("issuer") as http:
        document = {
            "title": "Deed of title",
            "kind": "title_deed",
            "mediaType": "application/pdf",
            "contentBase64": base64.b64encode(deed).decode(),
        }
        told = (await http.post("/documents", json=document)).raise_for_status().json()
        body = {
            "name": f"Warehouse {symbol}",
            "description": "A warehouse at the harbour.",
            "assetType": "real_estate",
            "tokenSymbol": symbol,
            "totalSupply": "5000",
            "assetDetails": {
                "valuation": valuation,
                "currency": "EUR",
                "complianceDocuments": [told["id"]],
                "regulatoryInfo": {"regulator": "CMVM"},
                "attributes": {"floorArea": 2400},
            },
        }
        market: dict[str, Any] = (await http.post("/markets/register", json=body)).raise_for_status().json()
    return market


async def decide(visit: Visit, verdict: str, reason: str) -> None:
    page = visit.page
    await page.get_by_label("Reason", exact=True).fill(reason)
    await visit.press(verdict)
    await page.get_by_role("dialog").get_by_role("button", name=f"{verdict} version").click()


async def test_answer_is_due_by_the_agreed_time_and_late_after_it(venue: Venue, browser: Browser) -> None:
    market = await submitted(venue, "DESKDUE")
    visit = await look(browser, venue.url, session=venue.sessions["compliance"])
    await visit.open("/approvals")
    row = visit.page.get_by_role("row", name="Warehouse DESKDUE")
    await expect(row).to_contain_text("in 23 hours")
    await expect(row).not_to_contain_text("Late")
    await visit.says("agreed: within 1 day")
    await visit.page.clock.install(time=datetime.now(UTC) + timedelta(hours=26))
    await visit.open("/approvals")
    await expect(row).to_contain_text("Late")
    await venue.enter("compliance")
    verdict = {"decision": "reject", "reason": "it came too late"}
    await venue.post("compliance", f"/markets/{market['id']}/approve", verdict)
    visit.nothing_was_amiss()
    await visit.page.context.close()


async def test_second_officer_is_refused_when_the_first_has_decided(venue: Venue, browser: Browser) -> None:
    """U-13: what was seen is what is decided on."""
    market = await submitted(venue, "DESKTWO")
    first = await look(browser, venue.url, session=venue.sessions["compliance"])
    second = await look(browser, venue.url, session=venue.sessions["admin"])
    await first.open("/approvals")
    await first.page.get_by_role("link", name=market["name"]).click()
    await first.says("1,250,000.50")
    await first.says("Floor area")
    await expect(first.page.get_by_text("Acts for")).to_be_visible()
    await first.says("Luxury Apartment Building")  # what this issuer has issued before
    await second.open(f"/approvals/{market['id']}")
    await expect(second.page.get_by_role("button", name="Approve", exact=True)).to_be_disabled()
    await decide(first, "Approve", "title and valuation were checked")
    receipt = first.page.get_by_test_id("receipt")
    await expect(receipt).to_contain_text("title and valuation were checked")
    await decide(second, "Reject", "I saw no deed")
    await expect(second.page.locator("[data-face=stale]")).to_contain_text("Somebody has changed this")
    await expect(second.page.get_by_role("button", name="Reject", exact=True)).to_be_disabled()
    await second.page.locator("[data-face=stale]").get_by_role("button", name="Look again").click()
    await second.says("Changed since you looked")
    await expect(second.page.locator("del", has_text="pending_approval")).to_be_visible()
    await expect(second.page.get_by_test_id("receipt")).to_contain_text("title and valuation were checked")
    first.nothing_was_amiss()
    assert [complaint for complaint in second.complaints if "412" not in complaint] == []
    for visit in (first, second):
        await visit.page.context.close()


async def test_changes_are_shown_when_what_was_rejected_comes_again(venue: Venue, browser: Browser) -> None:
    rejected = await submitted(venue, "DESKAGAIN")
    verdict = {"decision": "reject", "reason": "valued too high"}
    await venue.post("compliance", f"/markets/{rejected['id']}/approve", verdict)
    again = await submitted(venue, "DESKAGAIN", valuation="990000", deed=DEED + b", amended")
    visit = await look(browser, venue.url, session=venue.sessions["compliance"])
    await visit.open(f"/approvals/{again['id']}")
    await visit.says("Since it was last rejected")
    await visit.says("valued too high")
    panel = visit.page.locator("section", has_text="Since it was last rejected")
    await expect(panel.locator("del")).to_have_text(["1250000.5", hashlib.sha256(DEED).hexdigest()])
    await expect(panel.locator("ins").first).to_have_text("990000")
    await panel.get_by_role("link", name="The earlier one").click()
    await expect(visit.page.get_by_test_id("receipt")).to_contain_text("valued too high")
    await expect(visit.page.get_by_text("Since it was last rejected")).to_have_count(0)
    visit.nothing_was_amiss()
    await visit.page.context.close()


async def test_file_is_compared_with_its_hash_when_the_officer_has_it(venue: Venue, browser: Browser) -> None:
    market = await submitted(venue, "DESKDOC")
    visit = await look(browser, venue.url, session=venue.sessions["compliance"])
    await visit.open(f"/approvals/{market['id']}")
    await visit.says(hashlib.sha256(DEED).hexdigest())
    chooser = visit.page.get_by_label("File to compare with Deed of title")
    await chooser.set_input_files({"name": "deed.pdf", "mimeType": "application/pdf", "buffer": DEED})
    await visit.says("is the document on record, byte for byte")
    await chooser.set_input_files({"name": "deed.pdf", "mimeType": "application/pdf", "buffer": DEED + b" "})
    await visit.says("is not the document on record")
    await decide(visit, "Reject", "the deed is of another building")
    await expect(visit.page.get_by_test_id("receipt")).to_contain_text("the deed is of another building")
    visit.nothing_was_amiss()
    await visit.page.context.close()


async def _decide_on_mint(visit: Visit, verdict: str, reason: str) -> None:
    await visit.page.get_by_label("Reason", exact=True).fill(reason)
    await visit.press(verdict)
    await visit.page.get_by_role("dialog").get_by_role("button", name=f"{verdict} it").click()


async def test_mint_is_carried_out_when_a_second_person_agrees_at_the_desk(
    venue: Venue, browser: Browser
) -> None:
    mint = await venue.ask_for_a_mint("1.25", "a second wing")
    first = await look(browser, venue.url, session=venue.sessions["compliance"])
    second = await look(browser, venue.url, session=venue.sessions["admin"])
    await second.open(f"/approvals/mints/{mint['id']}")
    await first.open("/approvals")
    await first.page.get_by_role("tab", name="Mints").click()
    await expect(first.page.get_by_role("row", name="a second wing")).to_contain_text("ago")
    await first.page.get_by_role("link", name="1.25").click()
    await expect(first.page.get_by_text("Supply after it")).to_be_visible()
    await expect(first.page.get_by_role("button", name="Approve", exact=True)).to_be_disabled()
    await _decide_on_mint(first, "Approve", "the wing stands")
    receipt = first.page.get_by_test_id("receipt")
    await expect(receipt).to_contain_text("the wing stands")
    await expect(receipt).to_contain_text("Completed", timeout=60_000)
    await _decide_on_mint(second, "Reject", "I saw no wing")
    await expect(second.page.locator("[data-face=conflict]")).to_be_visible()
    await second.page.locator("[data-face=conflict]").get_by_role("button", name="Look again").click()
    await expect(second.page.get_by_test_id("receipt")).to_contain_text("the wing stands")
    first.nothing_was_amiss()
    assert [complaint for complaint in second.complaints if "409" not in complaint] == []
    for visit in (first, second):
        await visit.page.context.close()


async def test_issuer_reads_why_when_a_mint_is_rejected(venue: Venue, browser: Browser) -> None:
    mint = await venue.ask_for_a_mint("2.5", "a third wing")
    officer = await look(browser, venue.url, session=venue.sessions["compliance"])
    await officer.open(f"/approvals/mints/{mint['id']}")
    await _decide_on_mint(officer, "Reject", "nothing was built")
    await expect(officer.page.get_by_test_id("receipt")).to_contain_text("nothing was built")
    issuer = await look(browser, venue.url, session=venue.sessions["issuer"])
    await issuer.open(f"/issuer/markets/{venue.samples['market']}")
    await issuer.page.get_by_role("tab", name="Mints").click()
    await expect(issuer.page.get_by_role("row", name="a third wing")).to_contain_text("nothing was built")
    for visit in (officer, issuer):
        visit.nothing_was_amiss()
        await visit.page.context.close()


async def test_officer_cannot_decide_when_the_mint_would_be_theirs(venue: Venue, browser: Browser) -> None:
    admin = json.loads(venue.sessions["admin"])
    async with venue.client() as http:
        token = (await http.get(f"/tokens/{venue.samples['token']}")).raise_for_status().json()
    let_in = {"tokenId": token["id"], "kycStatus": "APPROVED", "kycLevel": 2, "whitelisted": True}
    record = {**let_in, "jurisdiction": "LU"}
    await venue.post("compliance", f"/tokens/compliance/{admin['userId']}", record)
    mint = await venue.ask_for_a_mint("3", "a gift", to=admin["account"])
    visit = await look(browser, venue.url, session=venue.sessions["admin"])
    await visit.open(f"/approvals/mints/{mint['id']}")
    await visit.says("You asked for this, or would receive it")
    await visit.page.get_by_label("Reason", exact=True).fill("I would like it")
    await expect(visit.page.get_by_role("button", name="Approve", exact=True)).to_be_disabled()
    await visit.page.context.close()
