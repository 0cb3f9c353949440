"""The audit timeline: found, narrowed, compared, verified and taken away as a file."""

import csv
import io
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.console.browser import look
from tests.console.venue import Venue

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


async def test_decision_is_found_with_what_it_changed_when_one_comes_from_its_receipt(
    venue: Venue, browser: Browser
) -> None:
    visit = await look(browser, venue.url, session=venue.sessions["compliance"])
    market_id = venue.samples["market"]
    await visit.open(f"/approvals/{market_id}")
    await visit.page.get_by_role("link", name="Audit timeline").click()
    await visit.is_there()
    record = visit.page.get_by_role("list", name="Record, newest first")
    await expect(visit.page.get_by_label("Id of what it happened to")).to_have_value(market_id)
    approval = record.get_by_role("listitem").filter(
        has=visit.page.get_by_text("Market approved", exact=True)
    )
    officer = venue.people["compliance"]["address"]
    await expect(approval.locator("summary")).to_contain_text(f"{officer[:6]}…{officer[-4:]}")
    await approval.locator("summary").click()
    await expect(approval.get_by_role("link", name=officer)).to_be_visible()
    await expect(approval.locator("del", has_text="pending_approval")).to_be_visible()
    await expect(approval.locator("ins", has_text="approved")).to_be_visible()
    await approval.get_by_role("button", name="All by this").click()
    await expect(record.get_by_text("Market registered")).to_have_count(0)
    who = visit.page.get_by_label("Id of who did it")
    await who.fill("0x" + "7e" * 20)
    await visit.says("Nobody here has this account.")
    await who.fill(venue.people["issuer"]["address"])
    await expect(who).to_have_value(venue.user_id("issuer"))
    await expect(record.get_by_text("Market registered")).to_have_count(1)
    visit.nothing_was_amiss()
    await visit.page.context.close()


async def test_record_is_verified_and_exported_when_an_auditor_looks(venue: Venue, browser: Browser) -> None:
    visit = await look(browser, venue.url, session=venue.sessions["operator"])
    await visit.open("/audit")
    await expect(visit.page.get_by_test_id("verification")).to_contain_text("Hash chain verified")
    async with visit.page.expect_download() as coming:
        await visit.press("CSV")
    saved = await (await coming.value).path()
    rows = list(csv.DictReader(io.StringIO(Path(saved).read_text(), newline="")))
    assert {"market.registered", "market.approved"} <= {row["action"] for row in rows}
    await visit.page.get_by_label("Action", exact=True).fill("not an action")
    await visit.says("Letters, dots and underscores")
    await visit.open("/audit?from=2026-99-99&action=market.approved")
    await expect(visit.page.get_by_text("Market approved", exact=True).first).to_be_visible()
    visit.nothing_was_amiss()
    await visit.page.context.close()
