"""The custody desk: two people where limits say so, a reason for each verdict, and money that comes back."""

import pytest
from playwright.async_api import Browser, expect

from tests.console.browser import Visit, look
from tests.console.venue import Venue

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CHAIN_MS = 60_000


@pytest.fixture
async def strict(venue: Venue) -> Venue:
    """A house where every withdrawal of the sample's token waits, and larger ones for two people."""
    async with venue.program("admin") as desk:
        token = venue.samples["token"]
        await desk.set_withdrawal_limits(token, automatic_up_to=0, four_eyes_above="0.02", daily_limit="1000")
    return venue


async def _decide(visit: Visit, amount: str, verdict: str, reason: str) -> None:
    await visit.open("/custody")
    row = visit.page.get_by_role("row", name=amount)
    await row.get_by_role("button", name=verdict).click()
    dialog = visit.page.get_by_role("dialog")
    await expect(dialog.get_by_role("button", name=f"{verdict} it")).to_be_disabled()
    await dialog.get_by_label("Reason").fill(reason)
    await dialog.get_by_role("button", name=f"{verdict} it").click()
    await expect(dialog).to_have_count(0)


async def _stands(visit: Visit, status: str, amount: str) -> None:
    await visit.page.get_by_label("Which withdrawals").select_option("")
    await expect(visit.page.get_by_role("row", name=amount)).to_contain_text(status, timeout=CHAIN_MS)


async def test_withdrawal_is_paid_when_two_people_have_agreed(strict: Venue, browser: Browser) -> None:
    async with strict.program("investor") as client:
        await client.withdraw(strict.samples["token"], "0.0321")
    first = await look(browser, strict.url, session=strict.sessions["compliance"])
    second = await look(browser, strict.url, session=strict.sessions["admin"])
    await _decide(first, "0.0321", "Approve", "a known customer")
    row = first.page.get_by_role("row", name="0.0321")
    await expect(row).to_contain_text("Pending approval")
    await row.get_by_role("button", name="Approve").click()
    await first.page.get_by_role("dialog").get_by_label("Reason").fill("once more")
    await first.press("Approve it")
    await expect(first.page.get_by_role("dialog").get_by_role("alert")).to_be_visible()
    await _decide(second, "0.0321", "Approve", "the address is theirs")
    await _stands(second, "Completed", "0.0321")
    assert [complaint for complaint in first.complaints if "40" not in complaint] == []
    second.nothing_was_amiss()
    for visit in (first, second):
        await visit.page.context.close()


async def test_money_is_available_again_when_a_withdrawal_is_rejected(
    strict: Venue, browser: Browser
) -> None:
    token, investor = strict.samples["token"], strict.user_id("investor")
    balance = f"/tokens/balances/{investor}/{await strict.token_id()}"
    async with strict.client("investor") as http:
        before = (await http.get(balance)).raise_for_status().json()
    async with strict.program("investor") as client:
        asked = await client.withdraw(token, "0.0111")
    visit = await look(browser, strict.url, session=strict.sessions["compliance"])
    await _decide(visit, "0.0111", "Reject", "the address is on a list")
    await _stands(visit, "Rejected", "0.0111")
    async with strict.client("investor") as http:
        assert (await http.get(balance)).raise_for_status().json()["available"] == before["available"]
    async with strict.program("investor") as client:
        assert (await client.withdrawal(asked.id)).status == "REJECTED"
    visit.nothing_was_amiss()
    await visit.page.context.close()
