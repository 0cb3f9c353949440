"""`python -m tests.console.screenshots [PATH …]`: every page of the registry, or those that are named, on a desktop
and a phone, dark and light, into `screenshots/`; and of those that the README shows what one sees at first, into
`docs/pictures`."""

import asyncio
import json
import re
import sys

from playwright.async_api import FloatRect

from deedbook.api.shelf import BUILT
from tests.console.browser import DESKTOP, PHONE, look, open_browser
from tests.console.venue import open_venue
from tests.support.servers import ROOT

SIZES = {"desktop": DESKTOP, "phone": PHONE}
FOLDER = ROOT / "screenshots"
PICTURES = ROOT / "docs" / "pictures"
SHOWN = {
    "/markets": "light",
    "/trade/$pair": "dark",
    "/issuer/new": "light",
    "/approvals/$market": "light",
    "/portfolio": "dark",
    "/audit": "light",
    "/operations": "dark",
    "/developers": "light",
}
"""What the README shows, and in which theme."""
FIRST_SIGHT: FloatRect = {"x": 0, "y": 0, "width": DESKTOP[0], "height": 780}
"""Small enough for a repository."""


async def take(wanted: list[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    PICTURES.mkdir(exist_ok=True)
    pages = json.loads((BUILT / "pages.json").read_text())
    async with open_venue() as venue, open_browser() as browser:
        for page in (page for page in pages if not wanted or page["path"] in wanted):
            person = venue.visitor(page["access"]) or "investor"
            address = venue.address(page["path"], page.get("sample", ""), person)
            for size, theme in ((size, theme) for size in SIZES for theme in ("dark", "light")):
                session = venue.sessions.get(person, "")
                visit = await look(browser, venue.url, size=SIZES[size], theme=theme, session=session)
                await visit.open(address)
                name = re.sub(r"[^a-z0-9]+", "-", page["path"].lower()).strip("-")
                await visit.page.screenshot(path=FOLDER / f"{name}-{size}-{theme}.png", full_page=True)
                if size == "desktop" and SHOWN.get(page["path"]) == theme:
                    await visit.page.screenshot(path=PICTURES / f"{name}.png", clip=FIRST_SIGHT)
                await visit.page.context.close()
                sys.stdout.write(f"{name}-{size}-{theme}.png\n")


if __name__ == "__main__":
    asyncio.run(take(sys.argv[1:]))
