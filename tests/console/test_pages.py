"""Every page of the registry, whoever wrote it: no complaint of the browser, no barrier, nothing that sticks out."""

import gzip
import json
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from deedbook.api.shelf import BUILT
from tests.console.browser import DESKTOP, NARROW, look
from tests.console.venue import Venue

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

REGISTRY = BUILT / "pages.json"
PAGES: list[dict[str, Any]] = json.loads(REGISTRY.read_text()) if REGISTRY.exists() else []
LOOKS = ((DESKTOP, "dark"), (NARROW, "light"))
FIRST_LOAD_BYTES = 200 * 1000


@pytest.mark.parametrize("page", PAGES, ids=[page["path"] for page in PAGES])
async def test_page_is_sound_when_it_is_opened(venue: Venue, browser: Browser, page: dict[str, Any]) -> None:
    """U-04, U-12 and U-15, in a dark wide window and a light narrow one; what everybody may see also as an investor."""
    for (size, theme), otherwise in zip(LOOKS, ("", "investor"), strict=True):
        person = venue.visitor(page["access"]) or otherwise
        address = venue.address(page["path"], page.get("sample", ""), person)
        visit = await look(browser, venue.url, size=size, theme=theme, session=venue.sessions.get(person, ""))
        await visit.open(address)
        assert await visit.wider_than_the_screen() == 0, f"it sticks out at {size[0]} pixels"
        visit.nothing_was_amiss()
        assert await visit.barriers() == []
        await visit.page.context.close()


async def test_first_load_is_light_when_a_newcomer_comes(venue: Venue, browser: Browser) -> None:
    """U-17: what the first page loads of JavaScript, packed."""
    visit = await look(browser, venue.url)
    loaded: list[str] = []
    visit.page.on("response", lambda response: loaded.append(response.url))
    await visit.open("/markets")
    scripts = {url.rpartition("/app/")[2] for url in loaded if url.endswith(".js")}
    size = sum(len(gzip.compress((BUILT / script).read_bytes(), 9)) for script in scripts)
    assert scripts and size < FIRST_LOAD_BYTES, f"{size} bytes in {sorted(scripts)}"
    await visit.page.context.close()


async def test_every_button_is_reached_and_seen_when_one_has_a_keyboard_alone(
    venue: Venue, browser: Browser
) -> None:
    visit = await look(browser, venue.url)
    await visit.open("/markets")
    page = visit.page
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("searchbox", name="Search")).to_be_focused()
    outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    await page.context.close()
