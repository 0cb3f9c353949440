"""What lets somebody in: each sign-in is seen, and ended from another one."""

import re

import pytest
from playwright.async_api import Browser, expect

from tests.console.venue import Venue
from tests.console.wallet import TestWallet, signed_in_with

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


async def test_sign_in_elsewhere_is_over_when_its_owner_ends_it(venue: Venue, browser: Browser) -> None:
    wallet, visits = TestWallet(), []
    for _ in range(2):
        visit = await signed_in_with(wallet, browser, venue.url, "/sign-in?back=/portfolio")
        await expect(visit.page.get_by_role("heading", level=1)).to_have_text("Portfolio")
        visits.append(visit)
    here, elsewhere = visits
    await here.page.get_by_role("button", name="Account 0x").click()
    await here.page.get_by_role("link", name="What lets me in").click()
    rows = here.page.get_by_role("table", name="Sign-ins").get_by_role("row", name=re.compile("My wallet"))
    await expect(rows).to_have_count(2)
    await expect(rows.filter(has_text="This one")).to_have_count(1)
    await here.press("End it")
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("This one")
    here.nothing_was_amiss()
    await elsewhere.page.goto(f"{venue.url}/app/funds")
    # It may have heard of its end before it went there: then it arrives as a stranger.
    ended = elsewhere.page.get_by_role("dialog", name="Your session has ended")
    stranger = elsewhere.page.get_by_text("Sign in to see this page.", exact=True)
    await expect(ended.or_(stranger).first).to_be_visible()
    for visit in visits:
        await visit.page.context.close()
