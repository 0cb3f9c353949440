"""Trading in the browser: U-02, U-03, U-05 and U-09, against the real stack."""

import re
from decimal import Decimal

import pytest
from playwright.async_api import Browser, Locator, expect

from tests.console.browser import PHONE, look
from tests.console.trading import available, fill, orders_of, to_the_pair, trade_screen, trade_with_a_wallet
from tests.console.venue import Venue
from tests.console.wallet import TestWallet

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


async def test_investor_trades_and_sees_it_settle_when_the_level_of_another_is_pressed(
    venue: Venue, browser: Browser
) -> None:
    """U-02: from the book to the chain, with an own wallet's signature as the only thing that leaves the wallet."""
    wallet = TestWallet(key=venue.people["investor"]["privateKey"])
    offer = await venue.place("second-investor", "SELL", "2.1375", "999.5")
    visit = await look(browser, venue.url)
    await wallet.inject(visit.page.context)
    await visit.open(f"/trade/{venue.samples['pair']}")
    page = visit.page
    await page.get_by_role("link", name="Sign in to trade").click()
    await visit.press("Sign in with Test Wallet")
    await to_the_pair(venue, page)
    await page.locator("[data-side=asks]").get_by_role("button", name="999.50").click()
    await expect(page.get_by_label("Price", exact=True)).to_have_value("999.5")
    await page.get_by_label("Quantity", exact=True).fill("2.1375")
    receipt = page.get_by_test_id("receipt")
    for words in ("2,136.43125 USDC", "2.132156 LUXAPT", "0.005343 LUXAPT", "999.5 USDC"):
        await expect(receipt).to_contain_text(words)
    await page.get_by_test_id("place").click()
    await visit.says("Bought 2.1375 LUXAPT")
    [signed] = wallet.signed
    assert signed["primaryType"] == "Order"
    assert {name: signed["message"][name] for name in ("side", "price", "quantity")} == {
        "side": "BUY",
        "price": "999.5",
        "quantity": "2.1375",
    }
    await page.get_by_role("tab", name="Fills").click()
    fill_row = page.get_by_role("row").filter(has_text="2.1375").first
    await expect(fill_row).to_contain_text("Settled", timeout=60_000)
    await expect(fill_row.locator("code")).to_have_text(re.compile("^0x"))
    async with venue.client("second-investor") as http:
        sold = (await http.get(f"/trading/orders/{offer['id']}")).json()
    assert sold["status"] == "FILLED"
    visit.nothing_was_amiss()
    await page.context.close()


async def test_order_is_placed_and_cancelled_when_one_has_a_keyboard_alone(
    venue: Venue, browser: Browser
) -> None:
    """U-03."""
    visit = await trade_screen(venue, browser)
    page, keyboard = visit.page, visit.page.keyboard

    async def go_to(target: Locator) -> None:
        for _ in range(80):
            if await target.evaluate("element => element === document.activeElement"):
                return
            await keyboard.press("Tab")
        raise AssertionError("it is not reached by the Tab key")

    await go_to(page.get_by_label("Price", exact=True))
    await keyboard.type("900.25")
    await go_to(page.get_by_label("Quantity", exact=True))
    await keyboard.type("0.05")
    await expect(page.get_by_test_id("place")).to_be_enabled()
    await keyboard.press("Enter")
    row = page.get_by_role("row").filter(has_text="900.25")
    await expect(row).to_contain_text("Open")
    cancel = row.get_by_role("button", name="Cancel Buy 0.05")
    await page.get_by_role("tab", name="Open orders").focus()
    await go_to(cancel)
    await keyboard.press("Enter")
    await expect(row).to_have_count(0)
    visit.nothing_was_amiss()
    await page.context.close()


async def test_wallet_is_asked_and_its_answer_is_shown_when_it_refuses(
    venue: Venue, browser: Browser
) -> None:
    """U-05: declined, on another chain that it does not know, on another account."""
    visit, wallet = await trade_with_a_wallet(venue, browser)
    wallet.refusals["eth_signTypedData_v4"] = (4001, "User rejected the request.")
    page = visit.page
    place = await fill(page, "901", "0.05")
    await place.click()
    await expect(page.locator("[data-face=wallet-rejected]")).to_contain_text("Nothing was sent")
    wallet.chain_id = 1
    wallet.refusals["wallet_switchEthereumChain"] = (4902, "Unrecognized chain ID")
    await place.click()
    await expect(page.locator("[data-face=wallet-wrong-chain]")).to_contain_text("does not know this chain")
    wallet.refusals.clear()
    await wallet.emit(page, "accountsChanged", ["0x" + "22" * 20])
    await expect(page.locator("[data-blocked=wallet]")).to_contain_text("another account")
    await expect(place).to_be_disabled()
    await wallet.emit(page, "accountsChanged", [wallet.address])
    await expect(place).to_be_enabled()
    await place.click()
    await visit.says("Order placed")
    assert wallet.chain_id == 31337, "the wallet was asked to come to our chain"
    visit.nothing_was_amiss()
    await page.context.close()
    assert [order["price"] for order in await orders_of(venue, "investor")].count("901") == 1


async def test_whole_balance_is_taken_and_no_more_when_the_slider_is_at_its_end(
    venue: Venue, browser: Browser
) -> None:
    """U-09: with a price at which the balance does not go up evenly; the platform agrees that it is enough."""
    visit = await trade_screen(venue, browser)
    page = visit.page
    place = await fill(page, "333.37", "1")
    slider = page.get_by_role("slider", name="Share of what is available")
    await expect(slider).to_be_enabled()
    await slider.focus()
    await page.keyboard.press("End")
    quantity = await page.get_by_label("Quantity", exact=True).input_value()
    most = await available(venue, "investor", "USDC")
    assert Decimal(quantity) * Decimal("333.37") <= most
    assert (Decimal(quantity) + Decimal("0.0001")) * Decimal("333.37") > most
    await expect(place).to_be_enabled()
    await page.get_by_label("Quantity", exact=True).fill(str(Decimal(quantity) + Decimal("0.0001")))
    await expect(page.locator("[data-blocked=funds]")).to_contain_text("Not enough USDC")
    visit.nothing_was_amiss()
    await page.context.close()


async def test_amounts_of_any_size_are_exact_when_they_are_shown(venue: Venue, browser: Browser) -> None:
    """U-09: what no JavaScript number holds, typed and shown to the last place."""
    visit = await trade_screen(venue, browser)
    page = visit.page
    await fill(page, "99999999999999999.01", "12345.6789", side="Sell")
    pays = page.get_by_test_id("receipt").locator("[title]").first
    await expect(pays).to_have_attribute("title", "12,345.6789 LUXAPT")
    gets = page.get_by_test_id("receipt").locator("[title]").nth(1)
    exact = Decimal("99999999999999999.01") * Decimal("12345.6789")
    fee = (exact * 25 / 10_000).quantize(Decimal("0.000001"), rounding="ROUND_CEILING")
    await expect(gets).to_have_attribute("title", f"{exact - fee:,f}".rstrip("0") + " USDC")
    visit.nothing_was_amiss()
    await page.context.close()


async def test_all_orders_end_when_that_is_confirmed(venue: Venue, browser: Browser) -> None:
    await venue.place("second-investor", "SELL", "0.05", "1090.5")  # others may have left none
    visit = await trade_screen(venue, browser, "second-investor", size=PHONE, theme="light")
    page = visit.page
    await page.get_by_role("tab", name="Mine").click()
    await visit.press("Cancel all")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("What is filled meanwhile stays filled")
    await visit.press("Go back")
    assert "1090.5" in [order["price"] for order in await orders_of(venue, "second-investor", status="OPEN")]
    await visit.press("Cancel all")
    await dialog.get_by_role("button", name=re.compile(r"Cancel \d+ orders?")).click()
    await visit.says("No open orders")
    assert await visit.wider_than_the_screen() == 0
    visit.nothing_was_amiss()
    await page.context.close()
