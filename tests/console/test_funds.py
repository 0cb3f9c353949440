"""Money in and out in the browser, by a wallet that signs and sends on a real chain; and where it may go."""

import re

import pytest
from eth_account import Account
from playwright.async_api import Browser, Route, expect

from tests.console.browser import Visit, look
from tests.console.newcomer import CHAIN_MS, newcomer
from tests.console.venue import Venue

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SWITCH = "wallet_switchEthereumChain"


async def test_dollars_come_in_and_go_out_when_their_owner_signs(venue: Venue, browser: Browser) -> None:
    visit, wallet = await newcomer(venue, browser, "5000")
    page = visit.page
    await visit.open("/funds")
    await visit.says(wallet.address)
    await visit.press("Show it as a QR code")
    await expect(page.get_by_role("img", name=f"QR code of {wallet.address} on chain 31337")).to_be_visible()
    await page.get_by_label("How it comes in").select_option("own")
    await page.get_by_label("Amount").fill("1,000.5")
    wallet.strays = True
    await visit.press("Sign and deposit")
    deposit = page.get_by_role("table", name="Deposits").get_by_role("row").nth(1)
    await expect(deposit).to_contain_text("Credited", timeout=CHAIN_MS)
    asked = [method for method in wallet.asked if method in ("eth_sendTransaction", SWITCH)]
    assert asked == ["eth_sendTransaction", SWITCH, "eth_sendTransaction"], "each on this chain, asked anew"
    wallet.strays = False
    assert wallet.signed[0]["primaryType"] == "Deposit"
    assert wallet.signed[0]["message"]["amount"] == "1000.5"

    await visit.open("/portfolio")
    await expect(page.get_by_role("button", name="USDC total 1,000.5")).to_be_visible()

    destination = str(Account.create().address)
    await visit.open("/funds")
    await page.get_by_role("tab", name="Withdraw").click()
    await page.get_by_label("Amount").fill("1000.500001")
    await visit.says("At most 1000.5")
    await visit.says("Within 24 hours: 0 of 1,000,000 USDC used")
    await page.get_by_label("Amount").fill("250.25")
    await visit.says("This one leaves by itself.")
    await page.get_by_label("To", exact=True).fill(destination)
    await visit.says("You have never withdrawn to this address")
    await visit.press("Review again")
    await expect(page.get_by_role("dialog")).to_contain_text(destination)
    await page.route("**/api/v1/withdrawals", _lose_the_answer, times=1)
    await visit.press("Sign and withdraw")
    await expect(page.get_by_role("dialog")).to_contain_text("its answer was lost")
    visit.complaints.clear()  # of the line that was cut
    await visit.press("Not now")
    await visit.press("Review again")
    async with page.expect_response(lambda told: told.url.endswith("/withdrawals")) as answered:
        await visit.press("Sign and withdraw")
    assert (await answered.value).ok
    assert wallet.signed[-1] == wallet.signed[-2], "looked at once more, it is the same withdrawal"
    withdrawal = page.get_by_role("table", name="Withdrawals").get_by_role("row").nth(1)
    await expect(withdrawal).to_contain_text("Completed", timeout=CHAIN_MS)
    assert wallet.signed[-1]["primaryType"] == "Withdrawal"
    assert wallet.signed[-1]["message"]["destination"] == destination
    async with venue.client() as http:
        usdc = (await http.get("/tokens/USDC")).raise_for_status().json()["contractAddress"]
    data = "0x70a08231" + destination[2:].lower().rjust(64, "0")
    assert int(await wallet.ask_node("eth_call", {"to": usdc, "data": data}, "latest"), 16) == 250_250_000

    await expect(page.get_by_text("Within 24 hours")).to_contain_text("250.25 of")
    await visit.press("Steps: 250.25 USDC")
    await expect(page.get_by_role("list", name="Steps").locator("[data-state=done]")).to_have_count(4)
    await page.keyboard.press("Escape")
    await _is_told(visit)
    visit.nothing_was_amiss()
    await page.context.close()


async def _lose_the_answer(route: Route) -> None:
    await route.fetch()
    await route.abort("connectionreset")


async def _is_told(visit: Visit) -> None:
    """The bell counts it, and the feed shows what was signed for it."""
    page = visit.page
    bell = page.get_by_role("link", name=re.compile("Notifications: [1-9]"))
    await expect(bell).to_be_visible(timeout=CHAIN_MS)
    await bell.click()
    feed = page.get_by_role("list", name="Notifications")
    # The last of what is told: whatever came later would be new again.
    await feed.get_by_role("button", name="250.25 USDC withdrawn").click(timeout=CHAIN_MS)
    await expect(page.get_by_role("dialog")).to_contain_text("What you have signed for it")
    await expect(page.get_by_role("dialog")).to_contain_text("250.25")
    await page.keyboard.press("Escape")
    await visit.press("Mark all as read")
    await expect(page.get_by_role("link", name="Notifications", exact=True)).to_be_visible()


async def test_address_counts_later_and_closing_counts_at_once(venue: Venue, browser: Browser) -> None:
    visit = await look(browser, venue.url, session=venue.sessions["second-investor"])
    page = visit.page
    await visit.open("/funds")
    await page.get_by_role("tab", name="Addresses").click()
    address = str(Account.create().address)
    swapped = address.swapcase().replace("0X", "0x")
    await page.get_by_label("Address", exact=True).fill(swapped)
    await visit.says("Its checksum does not fit")
    await page.get_by_label("Address", exact=True).fill(address.lower())
    await page.get_by_label("Name").fill("cold wallet")
    await visit.press("List it")
    row = page.get_by_role("row", name=re.compile("cold wallet"))
    await expect(row).to_contain_text(re.compile("in 23 hours|tomorrow|in 1 day"))
    await visit.press("Restrict to this list")
    await visit.says("Withdrawals go to these addresses alone.")
    await visit.press("Lift the restriction")
    await visit.says("The restriction ends")
    await page.get_by_role("button", name=re.compile("^Remove 0x")).click()
    await visit.says("No address is listed")
    visit.nothing_was_amiss()
    await page.context.close()


async def test_preference_is_kept_when_it_is_changed(venue: Venue, browser: Browser) -> None:
    visit = await look(browser, venue.url, session=venue.sessions["second-investor"])
    page = visit.page
    await visit.open("/notifications")
    await page.get_by_role("tab", name="Where I hear of what").click()
    mail = page.get_by_role("checkbox", name="Order filled: Mail")
    before = await mail.is_checked()
    await mail.click()
    await expect(mail).to_be_checked(checked=not before)
    await page.reload()
    await page.get_by_role("tab", name="Where I hear of what").click()
    await expect(mail).to_be_checked(checked=not before)
    await expect(page.get_by_role("checkbox", name="User session stolen: Feed")).to_be_disabled()
    visit.nothing_was_amiss()
    await page.context.close()
