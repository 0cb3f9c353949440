"""`python -m tests.console.first_load [ROUNDS]`: how long a page takes until one can work with it, in a browser that
has never been here and in one that has, and how much was asked for until then.

A figure with its conditions, and no test: what a busy machine does to it says nothing about the page. The last line is
one object."""

import asyncio
import json
import sys
import time
from dataclasses import dataclass

from playwright.async_api import Browser, BrowserContext, Page

from deedbook.bench.result import machine, percentile
from tests.console.browser import DESKTOP, look, open_browser, watch
from tests.console.venue import Venue, open_venue

ROUNDS = 7
READY = {
    "/markets": "a[href$='/trade/{pair}']",
    "/trade/{pair}": "[data-seq] [data-side] button",
}
"""By page, what one works with: a market that can be opened; a book of which a level can be pressed."""


@dataclass
class Loaded:
    """What it took until one could work with a page. Bytes as they were on the wire, packed."""

    ms: float = 0.0
    requests: int = 0
    bytes: int = 0


@dataclass
class Counting:
    """What a page asks for, as its network tells it."""

    page: Page
    requests: int = 0
    bytes: int = 0

    async def begin(self) -> None:
        line = await self.page.context.new_cdp_session(self.page)
        line.on("Network.requestWillBeSent", lambda told: self._sent())
        line.on("Network.loadingFinished", lambda told: self._came(int(told["encodedDataLength"])))
        await line.send("Network.enable")

    def _sent(self) -> None:
        self.requests += 1

    def _came(self, size: int) -> None:
        self.bytes += size


async def load(venue: Venue, context: BrowserContext, path: str) -> Loaded:
    """Open a page, until one can work with it."""
    visit = await watch(context, venue.url)
    counting = Counting(visit.page)
    await counting.begin()
    pair = venue.samples["pair"]
    begun = time.perf_counter()
    await visit.page.goto(f"{venue.url}/app{path.format(pair=pair)}", wait_until="commit")
    await visit.page.locator(READY[path].format(pair=pair)).first.wait_for(state="visible")
    told = Loaded((time.perf_counter() - begun) * 1000, counting.requests, counting.bytes)
    visit.nothing_was_amiss()
    await visit.page.close()
    return told


async def measure(venue: Venue, browser: Browser, path: str, rounds: int) -> dict[str, object]:
    """New browsers that come once and come again."""
    first: list[Loaded] = []
    again: list[Loaded] = []
    for _ in range(rounds):
        visit = await look(browser, venue.url, size=DESKTOP, session=venue.sessions["investor"])
        await visit.page.close()
        first.append(await load(venue, visit.page.context, path))
        again.append(await load(venue, visit.page.context, path))
        await visit.page.context.close()
    return {"page": path, "first": _summary(first), "again": _summary(again)}


def _summary(found: list[Loaded]) -> dict[str, float]:
    times = [one.ms for one in found]
    return {
        "p50Ms": round(percentile(times, 50)),
        "maxMs": round(max(times)),
        "requests": max(one.requests for one in found),
        "bytes": max(one.bytes for one in found),
    }


async def main(rounds: int) -> None:
    async with open_venue() as venue, open_browser() as browser:
        pages = [await measure(venue, browser, path, rounds) for path in READY]
    for page in pages:
        sys.stdout.write(f"{page}\n")
    told = {"name": "console", "unit": "ms until one can work with it", "rounds": rounds, "pages": pages}
    sys.stdout.write(json.dumps({**told, "machine": machine()}) + "\n")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
