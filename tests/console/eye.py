"""Two looks at one page, compared on the machine that took both: its fonts, and how they are smoothed, are in both."""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from playwright.async_api import Browser, Page

SAME = 0.003
"""How much of what is seen may differ between two looks: what has moved on meanwhile stands in words too."""
GLANCES = 20
"""Until two are alike: panels come one after the other, slowly where the machine is busy."""
TRIES = 3
"""A page that has just heard news is looked at again; one that is broken stays so."""

_MOVING = "time, canvas, .figures, code, [data-spark], [data-connection] { visibility: hidden !important; }"
"""Charts, moments, amounts and ids: they change by themselves, and are tested by what they say."""
_FAR_APART = 3
"""In one of red, green and blue, of 255: in the dark, a panel and what it lies on are seven apart."""

_DIFFERING = """async ([one, other, far]) => {
  const read = async (png) => {
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
    const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, image.width, image.height);
  };
  const [a, b] = [await read(one), await read(other)];
  if (a.width !== b.width || a.height !== b.height) return 1;
  let differing = 0;
  for (let at = 0; at < a.data.length; at += 4) {
    if ([0, 1, 2].some((channel) => Math.abs(a.data[at + channel] - b.data[at + channel]) > far)) differing += 1;
  }
  return differing / (a.width * a.height);
}"""

_CROOKED = """() => {
  const main = document.querySelector("main"), style = getComputedStyle(main), box = main.getBoundingClientRect();
  const left = box.left + parseFloat(style.paddingLeft), right = box.right - parseFloat(style.paddingRight);
  const isOuter = (found) => !found.parentElement.closest("section.bg-panel");
  const panels = [...main.querySelectorAll("section.bg-panel")].filter(isOuter).map((found) => {
    const { left, right, top, bottom } = found.getBoundingClientRect();
    const name = found.querySelector("h2")?.textContent ?? found.textContent.slice(0, 20);
    return { left, right, top, bottom, name };
  });
  const near = (one, other, by = 1) => Math.abs(one - other) <= by;
  const across = (a, b) => a.left < b.right - 1 && b.left < a.right - 1;
  const beside = (a, b) => a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const said = [];
  for (const panel of panels) {
    const others = panels.filter((other) => other !== panel);
    const isCentred = near(panel.left - left, right - panel.right);
    const isBeside = (one, next) => near(one.right, next.left - GAP, GAP);
    const inLine = (other) => near(panel.left, other.left) || isBeside(other, panel) || isBeside(panel, other);
    if (panel.left < left - 1 || panel.right > right + 1) said.push(`${panel.name} sticks out`);
    const isOver = (other) => across(panel, other) && beside(panel, other);
    if (others.some(isOver)) said.push(`${panel.name} lies over another`);
    const isInLine = near(panel.left, left) || isCentred || others.some(inLine);
    if (!isInLine) said.push(`${panel.name} is out of line`);
  }
  return said;
}""".replace("GAP", "16")
"""A panel begins at the margin or under another, or one is beside it: at most twice the widest gap of the grid away."""

_BARE = "() => { for (const sheet of document.styleSheets) sheet.disabled = true; }"


@dataclass
class Eye:
    """A page of its own on which pictures are compared, by the browser that took them."""

    desk: Page

    async def look(self, page: Page) -> bytes:
        """What is seen at first, without what changes by itself; when it has come to rest."""
        seen = await self._glance(page)
        for _ in range(GLANCES):
            before, seen = seen, await self._glance(page)
            if await self.differing(before, seen) <= SAME:
                break
        return seen

    async def _glance(self, page: Page) -> bytes:
        return await page.screenshot(style=_MOVING, animations="disabled", caret="hide")

    async def differing(self, one: bytes, other: bytes) -> float:
        """How much of the one is not as in the other, of 1."""
        pictures = [base64.b64encode(picture).decode() for picture in (one, other)]
        told: float = await self.desk.evaluate(_DIFFERING, [*pictures, _FAR_APART])
        return told

    async def changed_by(self, page: Page, way: Callable[[], Awaitable[None]]) -> float:
        """How much differs after something that should change nothing: the least that was seen."""
        least = 1.0
        for _ in range(TRIES):
            before = await self.look(page)
            await way()
            least = min(least, await self.differing(before, await self.look(page)))
            if least <= SAME:
                break
        return least

    async def without_styles(self, page: Page) -> float:
        """How much the stylesheet makes of the page; it is gone from it afterwards."""
        before = await self.look(page)
        await page.evaluate(_BARE)
        return await self.differing(before, await self.look(page))


async def crooked(page: Page) -> list[str]:
    """Panels that lie over each other, leave the page, or begin elsewhere than the others."""
    told: list[str] = await page.evaluate(_CROOKED)
    return told


@asynccontextmanager
async def open_eye(browser: Browser) -> AsyncIterator[Eye]:
    desk = await browser.new_page()
    try:
        yield Eye(desk)
    finally:
        await desk.close()
