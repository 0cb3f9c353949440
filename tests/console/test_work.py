"""What waits for an officer stands in the navigation: a number to the eye, words to the ear, gone when it is done."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.console.browser import NARROW, look
from tests.console.test_compliance import newcomer
from tests.console.venue import Venue

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SOON = timedelta(days=5)
REGISTRATION = {"name": "A quiet mill", "assetType": "real_estate", "totalSupply": "100"}


async def waiting(venue: Venue) -> int:
    """How much waits at the approval desk."""
    async with venue.client("compliance") as http:
        lists = [
            (await http.get("/markets", params={"status": "pending_approval", "limit": 200})).json(),
            (await http.get("/tokens/mints", params={"status": "PENDING_APPROVAL", "limit": 200})).json(),
        ]
    return sum(len(told["data"]) for told in lists)


async def ending(venue: Venue) -> int:
    """How many approvals end within two weeks."""
    until = (datetime.now(UTC) + timedelta(days=14)).strftime("%Y-%m-%dT%H:%M:%SZ")
    asked = {"status": "APPROVED", "expiringBefore": until, "limit": "200"}
    async with venue.client("compliance") as http:
        return len((await http.get("/compliance/records", params=asked)).json()["data"])


async def menu_says(page: Page, count: int) -> None:
    """Shown beside the group, and part of its name."""
    menu = page.get_by_role("button", name=f"Compliance, {count} waiting", exact=True)
    await expect(menu).to_contain_text(str(count))


async def test_number_rises_at_once_when_a_market_is_registered_and_falls_when_it_is_decided(
    venue: Venue, browser: Browser
) -> None:
    before, soon = await waiting(venue), await ending(venue)
    visit = await look(browser, venue.url, session=venue.sessions["compliance"])
    await visit.open("/audit")
    await menu_says(visit.page, before + soon)
    market = await venue.post("issuer", "/markets/register", {**REGISTRATION, "tokenSymbol": "MILL"})
    await menu_says(visit.page, before + soon + 1)
    verdict = {"decision": "reject", "reason": "it is no mill"}
    await venue.post("compliance", f"/markets/{market['id']}/approve", verdict)
    await menu_says(visit.page, before + soon)
    visit.nothing_was_amiss()
    await visit.page.context.close()


async def test_number_is_looked_at_again_when_half_a_minute_has_passed(
    venue: Venue, browser: Browser
) -> None:
    before, soon = await waiting(venue), await ending(venue)
    visit = await look(browser, venue.url, size=NARROW, session=venue.sessions["compliance"])
    await visit.page.clock.install()
    await visit.open("/audit")
    menu = visit.page.get_by_role("button", name=f"Menu, {before + soon} waiting", exact=True)
    await expect(menu).to_be_visible()
    mint = await venue.ask_for_a_mint("0.5", "a mill stone")
    await visit.page.clock.fast_forward("00:31")
    await visit.page.get_by_role("button", name=f"Menu, {before + soon + 1} waiting", exact=True).click()
    await visit.page.get_by_role("link", name=f"Approval desk, {before + 1} waiting", exact=True).click()
    await venue.post("compliance", f"/tokens/mints/{mint['id']}/reject", {"reason": "no stone"})
    await visit.is_there()
    visit.nothing_was_amiss()
    await visit.page.context.close()


async def test_record_that_ends_soon_is_counted_until_it_is_renewed(venue: Venue, browser: Browser) -> None:
    user_id, symbol, before = await newcomer(venue), venue.samples["token"], await ending(venue)
    record: dict[str, Any] = {
        "tokenId": await venue.token_id(),
        "kycStatus": "APPROVED",
        "expiresAt": (datetime.now(UTC) + SOON).strftime("%Y-%m-%dT23:59:59Z"),
    }
    await venue.post("compliance", f"/tokens/compliance/{user_id}", record)
    visit = await look(browser, venue.url, session=venue.sessions["compliance"])
    await visit.open(f"/compliance/{user_id}")
    await visit.page.get_by_role("button", name=re.compile("^Compliance")).click()
    said = re.compile(rf"^Compliance, {before + 1} ends? soon$")
    await expect(visit.page.get_by_role("link", name=said)).to_be_visible()
    await visit.press(f"Change the record for {symbol}")
    await visit.page.get_by_label("KYC ends").fill(
        (datetime.now(UTC) + timedelta(days=300)).strftime("%Y-%m-%d")
    )
    await visit.press("Write the record")
    await visit.page.get_by_role("button", name=re.compile("^Compliance")).click()
    name = re.compile(rf"^Compliance, {before} ends? soon$" if before else "^Compliance$")
    await expect(visit.page.get_by_role("link", name=name)).to_be_visible()
    visit.nothing_was_amiss()
    await visit.page.context.close()
