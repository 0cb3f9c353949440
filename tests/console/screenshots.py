"""`python -m tests.console.screenshots [PATH …]`: every page of the registry, or those that are named, on a desktop
and a phone, dark and light, into `screenshots/`."""

import asyncio
import json
import re
import sys

from deedbook.api.shelf import BUILT
from tests.console.browser import DESKTOP, PHONE, look, open_browser
from tests.console.venue import open_venue
from tests.support.servers import ROOT

SIZES = {"desktop": DESKTOP, "phone": PHONE}
FOLDER = ROOT / "screenshots"


async def take(wanted: list[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
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
                await visit.page.context.close()
                sys.stdout.write(f"{name}-{size}-{theme}.png\n")


if __name__ == "__main__":
    asyncio.run(take(sys.argv[1:]))
