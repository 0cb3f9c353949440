"""What an order may ask for, from the ticket to the API; and an open order that becomes another."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from deedbook.client import NewOrder
from tests.console.browser import NARROW
from tests.console.trading import fill, is_over, orders_of, trade_screen
from tests.console.venue import Venue
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


async def order_named(venue: Venue, person: str, reference: str) -> dict[str, Any]:
    async with venue.client(person) as http:
        told = await http.get(f"/trading/orders/by-client-id/{reference}")
    order: dict[str, Any] = told.raise_for_status().json()
    return order


async def name_it(page: Page, reference: str) -> None:
    if not await page.get_by_label("Your own name for it").is_visible():
        await page.locator("summary").filter(has_text="More").click()
    await page.get_by_label("Your own name for it").fill(reference)


async def test_stop_follows_the_market_until_a_day_of_ones_own_when_that_is_asked_for(
    venue: Venue, browser: Browser
) -> None:
    """A trailing stop, good till a moment, that ends the older one where it meets its owner's."""
    visit = await trade_screen(venue, browser, "second-investor")
    page = visit.page
    await page.get_by_text("Sell", exact=True).first.click()
    await page.get_by_label("Order type").select_option("STOP_MARKET")
    await page.get_by_label("Trigger", exact=True).select_option("percent")
    await page.get_by_label("Distance from the market").fill("100")
    await visit.says("Less than 100, in steps of 0.01")
    await page.get_by_label("Distance from the market").fill("40.5")
    await page.get_by_label("Quantity", exact=True).fill("0.05")
    await page.get_by_label("Time in force").select_option("GTD")
    until = (datetime.now(UTC) + timedelta(days=3)).replace(hour=18, minute=30)
    await page.get_by_label("Good until").fill((until - timedelta(days=9)).strftime("%Y-%m-%dT%H:%M"))
    await visit.says("This moment has passed")
    await page.get_by_label("Good until").fill(until.strftime("%Y-%m-%dT%H:%M"))
    await name_it(page, "follows-1")
    await page.get_by_label("If it meets an order of your own").select_option("EXPIRE_MAKER")
    await expect(page.get_by_test_id("receipt")).to_contain_text("trigger follows at 40.5%")
    await expect(page.get_by_test_id("receipt")).to_contain_text("the older one ends")
    await page.get_by_test_id("place").click()
    row = page.get_by_role("row").filter(has_text="trigger follows at 40.5%")
    await expect(row).to_contain_text("Waits for its trigger")
    await expect(page.get_by_label("Your own name for it")).to_have_value("")
    order = await order_named(venue, "second-investor", "follows-1")
    asked = ("orderType", "stopPrice", "timeInForce", "selfTrade", "triggered")
    assert [order[name] for name in asked] == [
        "STOP_MARKET",
        "trail:4050bps",
        "GTD",
        "EXPIRE_MAKER",
        False,
    ]
    assert await page.evaluate("seconds => new Date(seconds * 1000).getHours()", order["expiry"]) == 18
    await row.get_by_role("button", name="Cancel").click()
    await expect(row).to_have_count(0)
    visit.nothing_was_amiss()
    await page.context.close()


async def test_order_that_may_not_rest_or_not_take_ends_when_it_would(venue: Venue, browser: Browser) -> None:
    """Post only against an offer that stands there; at once where nothing is; and a market order with a worst price."""
    offer = await venue.place("second-investor", "SELL", "0.05", "1001.25")
    visit = await trade_screen(venue, browser)
    page = visit.page
    cases = (
        ("GTC", True, "1001.25", "post-1", "post_only"),
        ("IOC", False, "500", "ioc-1", "immediate_or_cancel"),
        ("FOK", False, "500", "fok-1", "fill_or_kill"),
    )
    for force, only_rest, price, reference, reason in cases:
        place = await fill(page, price, "0.05")
        await page.get_by_label("Time in force").select_option(force)
        if only_rest:
            await page.get_by_label("Post only").check()
        await name_it(page, reference)
        await expect(place).to_be_enabled()
        await place.click()
        await expect(page.get_by_label("Your own name for it")).to_have_value("")

        async def ended(reference: str = reference) -> str | None:
            found: str | None = (await order_named(venue, "investor", reference))["reason"]
            return found

        assert await eventually(ended, f"{reference} has ended") == reason
    await page.get_by_label("Order type").select_option("MARKET")
    await page.get_by_label("Worst price").fill("1000")
    await expect(page.get_by_test_id("receipt")).to_contain_text("1,000 USDC")
    await name_it(page, "market-1")
    await page.get_by_test_id("place").click()
    await expect(page.get_by_label("Your own name for it")).to_have_value("")
    market = await order_named(venue, "investor", "market-1")
    assert (market["price"], market["timeInForce"]) == ("1000", "FOK")
    async with venue.client("second-investor") as http:
        assert (await http.get(f"/trading/orders/{offer['id']}")).json()["filledQuantity"] == "0"
        (await http.delete(f"/trading/orders/{offer['id']}")).raise_for_status()
    visit.nothing_was_amiss()
    await page.context.close()


async def test_open_order_becomes_another_when_that_is_signed_and_less_when_it_is_only_lessened(
    venue: Venue, browser: Browser
) -> None:
    """Before and after stand side by side; its end stays to the second where nobody changes it; what only lessens it
    keeps its id, and so its place."""
    until_s = int(time.time()) // 60 * 60 + 7237
    async with venue.program("investor") as client:
        lasts = NewOrder(
            venue.samples["pair"],
            "BUY",
            "0.06",
            "700.5",
            time_in_force="GTD",
            expires_in_s=until_s - int(time.time()),
        )
        first = await client.place(lasts)
    visit = await trade_screen(venue, browser)
    page = visit.page
    row = page.get_by_role("row").filter(has_text="700.5")
    await row.get_by_role("button", name="Edit Buy 0.06", exact=True).click()
    dialog = page.get_by_role("dialog", name="Change an order")
    change = dialog.get_by_test_id("change")
    await expect(change).to_be_disabled()
    await dialog.get_by_label("Price", exact=True).fill("701.75")
    beside = dialog.get_by_role("table", name="Before and after")
    for words in ("700.5 USDC", "701.75 USDC", "42.03 USDC", "42.105 USDC"):
        await expect(beside).to_contain_text(words)
    assert await visit.barriers() == []
    await expect(change).to_have_text("Sign and replace")
    await change.click()
    await visit.says("Order replaced")
    await expect(dialog).to_have_count(0)
    await expect(row).to_have_count(0)

    async def rests() -> list[dict[str, Any]]:
        return [o for o in await orders_of(venue, "investor", status="OPEN") if o["price"] == "701.75"]

    [second] = await eventually(rests, "the new one rests")
    assert second["expiry"] == first.expiry
    await is_over(venue, "investor", str(first.id))
    async with venue.client("investor") as http:
        old = (await http.get(f"/trading/orders/{first.id}")).json()
    assert (old["status"], old["filledQuantity"]) == ("CANCELLED", "0")

    await page.get_by_role("row").filter(has_text="701.75").get_by_role("button", name="Edit").click()
    await dialog.get_by_label("What remains").fill("0.04")
    await expect(change).to_have_text("Let less remain")
    await dialog.get_by_text("nothing needs to be signed").wait_for()
    await change.click()
    await expect(dialog).to_have_count(0)

    async def remains() -> bool:
        async with venue.client("investor") as http:
            told = (await http.get(f"/trading/orders/{second['id']}")).raise_for_status().json()
        return bool(told["status"] == "OPEN" and told["remainingQuantity"] == "0.04")

    await eventually(remains, "less of the same order remains")
    visit.nothing_was_amiss()
    await page.context.close()


async def test_order_is_changed_on_a_telephone_when_it_rests_and_can_be_kept(
    venue: Venue, browser: Browser
) -> None:
    await venue.place("investor", "BUY", "0.07", "650.5")
    visit = await trade_screen(venue, browser, size=NARROW, theme="light")
    page = visit.page
    await page.get_by_role("tab", name="Mine").click()
    await page.get_by_role("button", name="Edit Buy 0.07", exact=True).click()
    dialog = page.get_by_role("dialog", name="Change an order")
    await expect(dialog.get_by_label("Price", exact=True)).to_have_value("650.5")
    assert await visit.wider_than_the_screen() == 0
    await dialog.get_by_role("button", name="Go back").click()
    await expect(dialog).to_have_count(0)
    assert "650.5" in [order["price"] for order in await orders_of(venue, "investor", status="OPEN")]
    visit.nothing_was_amiss()
    await page.context.close()
