"""Two tabs of one sign-in, as a browser makes them when one is duplicated: both go on, and end together."""

import asyncio

import pytest
from playwright.async_api import Browser, Page, Response, expect

from tests.console.browser import Visit, look
from tests.console.venue import Venue

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

RUN_OUT = """() => {
    const held = JSON.parse(sessionStorage.getItem('deedbook.session'));
    sessionStorage.setItem('deedbook.session', JSON.stringify({...held, expiresAt: 0}));
}"""
"""What a tab remembers says that its access token has run out: the next question renews it first."""


async def _two_tabs(venue: Venue, browser: Browser) -> tuple[Visit, Page, list[int]]:
    """A tab in which Alice has signed in, another that was made from it, and what each renewal was answered."""
    visit = await look(browser, venue.url)
    answered: list[int] = []

    def note(response: Response) -> None:
        if response.url.endswith("/auth/refresh"):
            answered.append(response.status)

    visit.page.context.on("response", note)
    await visit.open("/sign-in?back=/portfolio")
    await visit.press("Be Alice")
    await expect(visit.page.get_by_role("heading", level=1)).to_have_text("Portfolio")
    async with visit.page.expect_popup() as opened:
        await visit.page.evaluate("() => void window.open(location.href)")
    return visit, await opened.value, answered


async def _is_signed_in(*pages: Page) -> None:
    for page in pages:
        await expect(page.get_by_role("table", name="Balances")).to_be_visible()
        await expect(page.get_by_role("note")).to_contain_text("You are Alice")
        await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_both_tabs_go_on_when_one_has_renewed_the_session(venue: Venue, browser: Browser) -> None:
    visit, other, answered = await _two_tabs(venue, browser)
    await _is_signed_in(visit.page, other)
    # At once, then one after the other, each with tokens that the other has replaced.
    for page in (visit.page, other):
        await page.evaluate(RUN_OUT)
    await asyncio.gather(visit.page.reload(), other.reload())
    await _is_signed_in(visit.page, other)
    for page in (other, visit.page, visit.page, other):
        await page.evaluate(RUN_OUT)
        await page.reload()
        await _is_signed_in(page)
    assert set(answered) == {200}
    visit.nothing_was_amiss()
    await visit.page.context.close()


async def test_session_ends_in_both_tabs_when_its_owner_signs_out_in_one(
    venue: Venue, browser: Browser
) -> None:
    visit, other, _ = await _two_tabs(venue, browser)
    await _is_signed_in(other)
    await visit.page.get_by_role("button", name="Account 0x").click()
    await visit.press("Sign out")
    dialog = other.get_by_role("dialog", name="Your session has ended")
    await expect(dialog).to_be_visible()
    await dialog.get_by_role("button", name="Sign in again").click()
    await _is_signed_in(other)
    await visit.page.context.close()


async def test_another_person_goes_on_when_a_tab_of_somebody_else_signs_out(
    venue: Venue, browser: Browser
) -> None:
    visit, other, _ = await _two_tabs(venue, browser)
    await other.goto(f"{venue.url}/app/sign-in?back=/portfolio")
    await other.get_by_role("button", name="Be Bob").click()
    await expect(other.get_by_role("note")).to_contain_text("You are Bob")
    await visit.page.get_by_role("button", name="Account 0x").click()
    await visit.press("Sign out")
    await expect(visit.page.get_by_role("link", name="Sign in")).to_be_visible()
    await expect(other.get_by_role("note")).to_contain_text("You are Bob")
    await other.reload()
    await expect(other.get_by_role("note")).to_contain_text("You are Bob")
    await visit.page.context.close()
