"""The trade screen itself: parts of the size that one likes, own orders on book and chart, which way the price went."""

from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.console.trading import trade_screen
from tests.console.venue import Venue

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


async def draw(page: Page, what: Locator, across: int, down: int) -> None:
    """By the pointer, in a few steps as a hand does it."""
    box = await what.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + across, y + down, steps=4)
    await page.mouse.up()


async def test_parts_are_as_large_as_one_likes_when_they_are_drawn_pressed_or_typed(
    venue: Venue, browser: Browser
) -> None:
    """By pointer, by key and by button, none of which the others need; remembered, and put back."""
    visit = await trade_screen(venue, browser)
    page = visit.page
    book = page.get_by_role("separator", name="Width of the book")
    ticket = page.get_by_role("separator", name="Width of the ticket")
    await expect(book).to_have_attribute("aria-valuenow", "272")
    await draw(page, book, -50, 0)
    await expect(book).to_have_attribute("aria-valuenow", "322")
    await ticket.focus()
    await page.keyboard.press("ArrowLeft")
    await expect(ticket).to_have_attribute("aria-valuenow", "340")
    await page.keyboard.press("End")
    await expect(ticket).to_have_attribute("aria-valuenow", "480")
    form = page.get_by_role("form", name=f"Order for {venue.samples['pair']}")
    assert await form.evaluate("element => element.parentElement.parentElement.offsetWidth") == 480
    await page.reload()
    await expect(ticket).to_have_attribute("aria-valuenow", "480")
    await visit.press("Layout")
    dialog = page.get_by_role("dialog", name="Layout of the trade screen")
    await dialog.get_by_role("button", name="Width of the book: less").click()
    await expect(book).to_have_attribute("aria-valuenow", "302")
    await expect(dialog.get_by_role("button", name="Width of the ticket: more")).to_be_disabled()
    assert await visit.barriers() == []
    await dialog.get_by_role("button", name="As it was at first").click()
    await expect(book).to_have_attribute("aria-valuenow", "272")
    await expect(ticket).to_have_attribute("aria-valuenow", "320")
    visit.nothing_was_amiss()
    await page.context.close()


async def test_own_order_is_changed_when_it_is_pressed_in_the_book_or_drawn_on_the_chart(
    venue: Venue, browser: Browser
) -> None:
    order = await venue.place("investor", "BUY", "0.0613", "989.99")
    visit = await trade_screen(venue, browser)
    page = visit.page
    dialog = page.get_by_role("dialog", name="Change an order")
    await page.locator("[data-side=bids]").get_by_role("button", name="Edit your order at 989.99").click()
    await expect(dialog.get_by_label("Price", exact=True)).to_have_value("989.99")
    await dialog.get_by_role("button", name="Go back").click()

    handle = page.locator(f"[data-handle='{order['id']}']")
    await expect(handle).to_be_visible()
    await handle.focus()
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_label("Price", exact=True)).to_have_value("989.99")
    await dialog.get_by_role("button", name="Go back").click()
    await draw(page, handle, 0, 30)
    await expect(dialog).to_be_visible()
    lower = await dialog.get_by_label("Price", exact=True).input_value()
    assert 0 < float(lower) < 989.99
    await expect(dialog.get_by_role("table", name="Before and after")).to_contain_text(f"{lower} USDC")
    await dialog.get_by_role("button", name="Sign and replace").click()
    await visit.says("Order replaced")
    await expect(handle).to_have_count(0)
    row = page.get_by_role("row").filter(has_text="0.0613")
    await expect(row).to_contain_text(lower)
    await row.get_by_role("button", name="Cancel").click()
    await expect(row).to_have_count(0)
    visit.nothing_was_amiss()
    await page.context.close()


async def test_arrow_says_which_way_the_price_went_when_it_is_traded(venue: Venue, browser: Browser) -> None:
    visit = await trade_screen(venue, browser)
    last = visit.page.locator("[data-last-price]")
    for price, way, arrow in (("995.01", None, ""), ("995.02", "1", "↑"), ("995.01", "-1", "↓")):
        await _trade(venue, price)
        await expect(last.first).to_contain_text(price)
        if way is not None:
            await expect(last.first).to_have_attribute("data-last-price", way)
            await expect(last.first).to_contain_text(arrow)
    visit.nothing_was_amiss()
    await visit.page.context.close()


async def _trade(venue: Venue, price: str) -> Any:
    await venue.place("second-investor", "SELL", "0.01", price)
    return await venue.place("investor", "BUY", "0.01", price)


async def test_ticket_is_turned_and_typed_into_when_the_menu_is_called(
    venue: Venue, browser: Browser
) -> None:
    """The open page offers commands of its own there."""
    visit = await trade_screen(venue, browser)
    page = visit.page
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("combobox", name="Page, pair or command")).to_be_focused()
    await page.keyboard.type("sell")
    await expect(page.get_by_role("option", name=f"Sell {venue.samples['pair']}")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("radio", name="Sell")).to_be_checked()
    await expect(page.get_by_label("Quantity", exact=True)).to_be_focused()
    visit.nothing_was_amiss()
    await page.context.close()
