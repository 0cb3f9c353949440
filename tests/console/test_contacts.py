"""Where one can be reached: proved by the code that came there, and by no other."""

import re

import pytest
from playwright.async_api import Browser, expect

from tests.console.browser import look
from tests.console.venue import Venue
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ADDRESS = "ines@harbour-homes.test"


async def _code(venue: Venue) -> str:
    """The one of the last letter to this address."""

    async def arrived() -> str | None:
        letters = [letter for letter in venue.letters if ADDRESS in str(letter["To"])]
        found = re.search(r"\b[0-9]{8}\b", str(letters[-1]["Subject"])) if letters else None
        return found[0] if found else None

    return str(await eventually(arrived, "a letter with a code", within_s=30))


async def test_address_counts_when_the_code_that_came_there_is_typed(venue: Venue, browser: Browser) -> None:
    visit = await look(browser, venue.url, session=venue.sessions["issuer"])
    page = visit.page
    await visit.open("/notifications")
    await page.get_by_role("tab", name="Contacts").click()
    await page.get_by_label("Address", exact=True).fill(ADDRESS)
    await visit.press("Send a code there")
    await visit.says("Not proved yet")
    code = await _code(venue)
    wrong = f"{(int(code) + 1) % 10**8:08d}"
    await page.get_by_label("The code that was sent there").fill(wrong)
    await visit.press("Prove it")
    await expect(page.locator("section").get_by_role("alert")).to_be_visible()
    await visit.says("Not proved yet")
    await page.get_by_label("The code that was sent there").fill(code)
    await visit.press("Prove it")
    await expect(page.get_by_text("Proved", exact=True).first).to_be_visible()
    await expect(page.get_by_label("The code that was sent there")).to_have_count(0)
    await visit.press("Remove")
    await expect(page.get_by_text(ADDRESS)).to_have_count(0)
    assert [complaint for complaint in visit.complaints if "422" not in complaint] == []
    await page.context.close()
