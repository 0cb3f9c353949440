"""U-16: how every page looks, compared with itself on the machine at hand, and what the comparison finds."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.console.browser import PHONE, Visit, look
from tests.console.eye import SAME, Eye, crooked, open_eye
from tests.console.test_pages import PAGES
from tests.console.venue import Venue

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

STYLED = 0.3
"""What the stylesheet makes of the lightest page, and more: it colours more than nine tenths of a dark one."""


@pytest.fixture
async def eye(browser: Browser) -> AsyncIterator[Eye]:
    async with open_eye(browser) as opened:
        yield opened


async def _photographed(venue: Venue, browser: Browser, address: str, person: str, **more: Any) -> Visit:
    session = venue.sessions[person]
    visit = await look(browser, venue.url, session=session, bypass_csp=True, **more)
    await visit.open(address)
    return visit


async def _other_colours_and_back(visit: Visit) -> None:
    switch = visit.page.get_by_role("button", name="Colours")
    for said in ("dark", "light", "as the system has it"):
        await switch.click()
        await expect(switch).to_have_accessible_name(f"Colours: {said}. Change")
    await visit.page.mouse.move(0, 0)
    await visit.page.evaluate("document.activeElement.blur()")


async def _elsewhere_and_back(visit: Visit) -> None:
    """By the console's own links, which load nothing anew."""
    address = visit.page.url
    await visit.page.evaluate(
        "history.pushState({}, '', '/app/sign-in'); dispatchEvent(new PopStateEvent('popstate'))"
    )
    await expect(visit.page).to_have_title("Sign in · Deedbook")
    await visit.page.go_back()
    await expect(visit.page).to_have_url(address)
    await visit.is_there()


async def _reloaded(visit: Visit) -> None:
    await visit.page.reload()
    await visit.is_there()


async def _there_and_back(visit: Visit) -> None:
    """Everything that should leave a page as it is."""
    await _other_colours_and_back(visit)
    await _elsewhere_and_back(visit)
    await _reloaded(visit)


@pytest.mark.parametrize("page", PAGES, ids=[page["path"] for page in PAGES])
async def test_page_looks_the_same_when_one_comes_back_to_it(
    venue: Venue, browser: Browser, eye: Eye, page: dict[str, Any]
) -> None:
    person = venue.visitor(page["access"]) or "investor"
    address = venue.address(page["path"], page.get("sample", ""), person)
    visit = await _photographed(venue, browser, address, person)
    assert await crooked(visit.page) == []
    changed = await eye.changed_by(visit.page, partial(_there_and_back, visit))
    assert changed <= SAME, f"{changed:.2%} is not as it was"
    await visit.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert await crooked(visit.page) == []
    styled = await eye.without_styles(visit.page)
    assert styled > STYLED, f"the stylesheet makes {styled:.1%} of it alone"
    await visit.page.context.close()


async def test_comparison_finds_it_when_the_stylesheet_is_broken(
    venue: Venue, browser: Browser, eye: Eye
) -> None:
    whole = await _photographed(venue, browser, "/approvals", "compliance")
    broken = await look(browser, venue.url, session=venue.sessions["compliance"], bypass_csp=True)
    await broken.page.route("**/*.css", lambda route: route.abort())
    await broken.open("/approvals")
    assert await eye.differing(await eye.look(whole.page), await eye.look(broken.page)) > STYLED
    assert await eye.without_styles(broken.page) < SAME, "nothing is left that it could make"
    for visit in (whole, broken):
        await visit.page.context.close()


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        ("main section:first-of-type { transform: translateX(40px); }", "is out of line"),
        ("main section { margin-right: -40px; }", "sticks out"),
        ("main section:last-of-type { transform: translateY(-40px); }", "lies over another"),
    ],
)
async def test_comparison_finds_it_when_a_panel_is_shifted(
    venue: Venue, browser: Browser, eye: Eye, mistake: str, said: str
) -> None:
    visit = await _photographed(venue, browser, "/approvals", "compliance")

    async def shift() -> None:
        await visit.page.add_style_tag(content=mistake)

    before = await eye.look(visit.page)
    await shift()
    assert await eye.differing(before, await eye.look(visit.page)) > SAME
    assert any(entry.endswith(said) for entry in await crooked(visit.page))
    await visit.page.context.close()
