"""`python -m tests.console.screenshots [PATH …]`: every page of the registry, or those that are named, on a desktop
and a phone, dark and light, into `screenshots/` with an index to look through; and of each what one sees at first,
small, into `docs/pictures`, with the page that shows them all."""

import asyncio
import base64
import json
import re
import sys
from typing import Any

from playwright.async_api import Browser, Page

from deedbook.api.shelf import BUILT
from tests.console.browser import DESKTOP, PHONE, Visit, look, open_browser
from tests.console.gallery import gallery, index
from tests.console.scenery import dress
from tests.console.venue import Venue, open_venue
from tests.support.servers import ROOT

SIZES = {"desktop": DESKTOP, "phone": PHONE}
THEMES = ("dark", "light")
FOLDER, PICTURES = ROOT / "screenshots", ROOT / "docs" / "pictures"
SCALES = {"desktop": 0.6, "phone": 0.6}
QUALITY = 62
"""Small enough for a repository, large enough to be read."""
SUBJECTS = {"/approvals/$market": "waiting", "/approvals/mints/$mint": "mint"}
"""What a desk shows of its samples, where another says more than the one that is tested."""
SETTLES_MS = 1_200
"""Until a chart is drawn and a socket has told what is new."""


def name_of(path: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-")


def small_theme(place: int, size: str) -> str:
    """Half the small pictures are dark: each page is seen in both."""
    return THEMES[(place + (size == "phone")) % 2]


async def take(wanted: list[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    PICTURES.mkdir(exist_ok=True)
    pages: list[dict[str, Any]] = json.loads((BUILT / "pages.json").read_text())
    async with open_venue(is_strange=False) as venue, open_browser("--hide-scrollbars") as browser:
        await dress(venue)
        for place, page in enumerate(pages):
            if not wanted or page["path"] in wanted:
                await _all_looks(venue, browser, page, place)
    names = {page["path"]: name_of(page["path"]) for page in pages}
    (FOLDER / "index.html").write_text(index(pages, names, list(SIZES), THEMES))
    (ROOT / "docs" / "screens.md").write_text(gallery(pages, names))


async def _all_looks(venue: Venue, browser: Browser, page: dict[str, Any], place: int) -> None:
    name = name_of(page["path"])
    for size, theme in ((size, theme) for size in SIZES for theme in THEMES):
        visit = await _visited(venue, browser, page, size, theme)
        if small_theme(place, size) == theme:
            (PICTURES / f"{name}-{size}.webp").write_bytes(await _small(visit.page, size))
        await visit.page.screenshot(path=FOLDER / f"{name}-{size}-{theme}.png", full_page=True)
        await visit.page.context.close()
    sys.stdout.write(f"{name}\n")


async def _visited(venue: Venue, browser: Browser, page: dict[str, Any], size: str, theme: str) -> Visit:
    person = venue.visitor(page["access"]) or "investor"
    if page["path"] == "/sign-in":
        person = ""
    visit = await look(
        browser, venue.url, size=SIZES[size], theme=theme, session=venue.sessions.get(person, "")
    )
    await visit.open(_address(venue, page, person))
    if page["path"] == "/issuer/new":
        await visit.press("Fill with an example")
    if page["path"] == "/convert":
        await visit.page.get_by_label("Amount").fill("250")
    await visit.page.wait_for_timeout(SETTLES_MS)
    return visit


def _address(venue: Venue, page: dict[str, Any], person: str) -> str:
    head, _, _ = page["path"].partition("$")
    if page["path"] in SUBJECTS:
        return str(head) + venue.samples[SUBJECTS[page["path"]]]
    if page.get("sample") == "user":
        return str(head) + venue.user_id("investor")
    return venue.address(page["path"], page.get("sample", ""), person)


async def _small(page: Page, size: str) -> bytes:
    """What is seen at first, by the browser's own encoder."""
    width, height = SIZES[size]
    talk = await page.context.new_cdp_session(page)
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": SCALES[size]}
    wanted = {"format": "webp", "quality": QUALITY, "clip": clip}
    return base64.b64decode((await talk.send("Page.captureScreenshot", wanted))["data"])


if __name__ == "__main__":
    asyncio.run(take(sys.argv[1:]))
