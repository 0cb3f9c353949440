"""A browser as people use it: Chromium without a window, pages that are watched for every complaint, and axe."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright, expect

from tests.support.servers import ROOT

NAMES = ("chromium", "chromium-browser", "google-chrome")
DESKTOP, PHONE, NARROW = (1440, 900), (390, 844), (360, 780)
ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 15_000
AXE = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
expect.set_options(timeout=PATIENCE_MS)


def chromium() -> str | None:
    """Where this machine's browser is."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@asynccontextmanager
async def open_browser(*more: str) -> AsyncIterator[Browser]:
    sandbox = () if os.geteuid() else ("--no-sandbox",)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(), args=[*ARGUMENTS, *sandbox, *more], headless=True
        )
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Visit:
    """A page that somebody looks at, and what the browser has complained about."""

    page: Page
    base_url: str
    complaints: list[str] = field(default_factory=list)

    async def open(self, path: str) -> None:
        """Go there, until its title stands and nothing is on its way any more."""
        await self.page.goto(f"{self.base_url}/app{path}")
        await self.is_there()

    async def is_there(self) -> None:
        await expect(self.page.locator("main h1").first).to_be_visible()
        await expect(self.page.locator("main [role=status]")).to_have_count(0)

    async def says(self, text: str) -> None:
        """This stands somewhere on the page."""
        await expect(self.page.get_by_text(text).first).to_be_visible()

    async def press(self, name: str, *, exact: bool = True) -> None:
        await self.page.get_by_role("button", name=name, exact=exact).click()

    def nothing_was_amiss(self) -> None:
        """U-15: no console error, no refused script or style, no exception."""
        assert not self.complaints, self.complaints

    async def wider_than_the_screen(self) -> int:
        """How many pixels stick out sideways."""
        told: int = await self.page.evaluate(
            "document.scrollingElement.scrollWidth - document.documentElement.clientWidth"
        )
        return told

    async def barriers(self) -> list[str]:
        """U-04: what axe finds serious or critical."""
        await self.page.evaluate(AXE.read_text())
        told = await self.page.evaluate("rules => axe.run({runOnly: rules})", list(RULES))
        return [
            f"{found['id']} ({found['impact']}): {node['html'][:200]} {[why['message'] for why in node['any']]}"
            for found in told["violations"]
            if found["impact"] in ("serious", "critical")
            for node in found["nodes"]
        ]


async def look(
    browser: Browser,
    base_url: str,
    *,
    size: tuple[int, int] = DESKTOP,
    theme: str = "dark",
    session: str = "",
    scripts: tuple[str, ...] = (),
    bypass_csp: bool = False,
) -> Visit:
    """A window of its own: nothing of another one is known in it. `session` is what a tab remembers of a sign-in.
    With `bypass_csp` a test may style what it photographs."""
    width, height = size
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="Europe/Lisbon",
        is_mobile=width < 600,
        has_touch=width < 600,
        bypass_csp=bypass_csp,
    )
    context.set_default_timeout(PATIENCE_MS)
    if session:
        await context.add_init_script(_remember(session))
    for script in scripts:
        await context.add_init_script(script)
    return await watch(context, base_url)


async def watch(context: BrowserContext, base_url: str) -> Visit:
    """A page whose complaints are kept."""
    visit = Visit(await context.new_page(), base_url)

    def said(message: ConsoleMessage) -> None:
        if message.type == "error":
            visit.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def thrown(error: Any) -> None:
        visit.complaints.append(str(error))

    visit.page.on("console", said)
    visit.page.on("pageerror", thrown)
    return visit


def _remember(session: str) -> str:
    """Once: what the page does with it afterwards counts."""
    return (
        "if (!sessionStorage.getItem('test.begun')) { sessionStorage.setItem('test.begun', '1');"
        f" sessionStorage.setItem('deedbook.session', {session!r}); }}"
    )
