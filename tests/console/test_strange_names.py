"""U-12 where it hurts: an asset with the longest name and symbol, both directions and pictures, which is traded, on the
smallest telephone and on a desktop."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, expect

from tests.console.browser import DESKTOP, NARROW, look
from tests.console.venue import LONG_NAME, Venue
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SYMBOL = "STRANGE-" + "M" * 24
LOOKS = ((NARROW, "light"), (DESKTOP, "dark"))


@pytest.fixture(scope="module")
async def strange(venue: Venue) -> AsyncIterator[dict[str, Any]]:
    """It is live, its pair is open, and somebody would buy some."""
    body = {
        "name": LONG_NAME[:200],
        "description": LONG_NAME * 3,
        "assetType": "other",
        "tokenSymbol": SYMBOL,
        "tokenName": LONG_NAME[:64].strip(),
        "totalSupply": "123456789012.123456789012345678",
        "assetDetails": {
            "location": "رصيف الميناء ٣، لشبونة",
            "valuation": "98765432109876543210",
            "currency": "USD",
            "attributes": {"yield": "x" * 60, "🏢" * 20: "מגדל " * 30},
        },
    }
    market = await venue.post("issuer", "/markets/register", body)
    verdict = {"decision": "approve", "reason": LONG_NAME}
    await venue.post("compliance", f"/markets/{market['id']}/approve", verdict)

    async def is_open() -> bool:
        async with venue.client() as http:
            return (await http.get(f"/trading/pairs/{SYMBOL}-USDC")).status_code == 200

    await eventually(is_open, "its pair is open", within_s=60)
    yield market
    await venue.post("admin", f"/markets/{market['id']}/archive", {"reason": "for the test"})


@pytest.mark.parametrize(("size", "theme"), LOOKS, ids=["telephone", "desktop"])
async def test_nothing_sticks_out_when_an_asset_has_the_strangest_names(
    venue: Venue, browser: Browser, strange: dict[str, Any], size: tuple[int, int], theme: str
) -> None:
    visit = await look(browser, venue.url, size=size, theme=theme, session=venue.sessions["issuer"])
    page = visit.page
    for address in ("/markets", f"/markets/{strange['id']}", f"/trade/{SYMBOL}-USDC"):
        await visit.open(address)
        await expect(page.locator("#main")).to_contain_text(SYMBOL)
        assert await visit.wider_than_the_screen() == 0, await _sticking_out(page.locator("#main"))
        assert await visit.barriers() == [], address
    if size == NARROW:
        await page.get_by_role("button", name="Sell", exact=True).click()
    form = page.get_by_role("form", name=f"Order for {SYMBOL}-USDC")
    await form.get_by_text("Sell", exact=True).click()
    await form.get_by_label("Price", exact=True).fill("99999999999.01")
    await form.get_by_label("Quantity", exact=True).fill("1234567.1234")
    await expect(form.get_by_test_id("receipt")).to_contain_text(SYMBOL)
    assert await visit.wider_than_the_screen() == 0, "the ticket, filled in"
    assert await _sticking_out(form) == []
    visit.nothing_was_amiss()
    await page.context.close()


async def _sticking_out(box: Locator) -> list[str]:
    """What lies further to the right than its box, as its own words and classes tell it."""
    told: list[str] = await box.evaluate(
        """box => [...box.querySelectorAll('*')]
            .filter(part => part.getBoundingClientRect().right > box.getBoundingClientRect().right + 1)
            .map(part => `${part.tagName} ${part.className} ${part.textContent.slice(0, 60)}`)"""
    )
    return told
