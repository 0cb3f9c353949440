"""Signing in: with a demo wallet by one press, with a wallet of one's own, and what wallets do instead."""

from urllib.parse import quote

import pytest
from playwright.async_api import Browser, expect

from tests.console.browser import look
from tests.console.venue import Venue
from tests.console.wallet import TestWallet

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


async def test_demo_wallet_signs_in_when_it_is_pressed_once(venue: Venue, browser: Browser) -> None:
    visit = await look(browser, venue.url)
    await visit.open("/sign-in")
    await visit.press("Be Alice")
    await expect(visit.page.get_by_role("note")).to_contain_text("You are Alice, investor A.")
    await visit.page.reload()
    await expect(visit.page.get_by_role("note")).to_contain_text("You are Alice")
    await visit.page.get_by_role("button", name="Account 0x").click()
    await visit.press("Sign out")
    await expect(visit.page.get_by_role("link", name="Sign in")).to_be_visible()
    visit.nothing_was_amiss()
    await visit.page.context.close()


async def test_own_wallet_signs_in_when_it_announces_itself(venue: Venue, browser: Browser) -> None:
    wallet = TestWallet()
    visit = await look(browser, venue.url)
    await wallet.inject(visit.page.context)
    await visit.open("/sign-in")
    assert wallet.asked == [], "nobody asks a wallet before its owner does"
    await visit.press("Sign in with Test Wallet")
    account = visit.page.get_by_role("button", name=f"Account {wallet.address}")
    await expect(account).to_be_visible()
    assert wallet.asked == ["eth_requestAccounts", "eth_chainId", "personal_sign"]
    await wallet.emit(visit.page, "accountsChanged", ["0x" + "11" * 20])
    await account.click()
    await visit.says("The wallet is on another account")
    visit.nothing_was_amiss()
    await visit.page.context.close()


async def test_sign_in_leads_back_when_it_was_asked_for_on_the_way(venue: Venue, browser: Browser) -> None:
    """From a pair's screen with a demo wallet, from a market with a wallet of one's own."""
    visit = await look(browser, venue.url)
    pair, market = f"/trade/{venue.samples['pair']}", f"/markets/{venue.samples['market']}"
    await visit.open(pair)
    await visit.page.get_by_role("link", name="Sign in to trade").click()
    await visit.press("Be Alice")
    await expect(visit.page).to_have_url(f"{venue.url}/app{pair}")
    await visit.page.context.close()

    wallet, visit = TestWallet(), await look(browser, venue.url)
    await wallet.inject(visit.page.context)
    await visit.open(market)
    await visit.page.get_by_role("link", name="Sign in", exact=True).click()
    await visit.press("Sign in with Test Wallet")
    await expect(visit.page).to_have_url(f"{venue.url}/app{market}")
    visit.nothing_was_amiss()
    await visit.page.context.close()


FOREIGN = (
    "//evil.example/",
    "https://evil.example/app",
    "/\\evil.example",
    "javascript:alert(1)",
    "/sign-in",
)


async def test_sign_in_leads_nowhere_else_when_its_address_names_a_foreign_place(
    venue: Venue, browser: Browser
) -> None:
    visit = await look(browser, venue.url)
    for there in FOREIGN:
        await visit.open(f"/sign-in?back={quote(there, safe='')}")
        await visit.press("Be Alice")
        await expect(visit.page).to_have_url(f"{venue.url}/app/markets")
    visit.nothing_was_amiss()
    await visit.page.context.close()


async def test_face_is_shown_when_the_wallet_declines(venue: Venue, browser: Browser) -> None:
    wallet = TestWallet(refusals={"personal_sign": (4001, "User rejected the request.")})
    visit = await look(browser, venue.url)
    await wallet.inject(visit.page.context)
    await visit.open("/sign-in")
    await visit.press("Sign in with Test Wallet")
    await expect(visit.page.locator("[data-face=wallet-rejected]")).to_contain_text("Nothing was sent")
    wallet.refusals.clear()
    await visit.press("Sign in with Test Wallet")
    await expect(visit.page.get_by_role("button", name=f"Account {wallet.address}")).to_be_visible()
    visit.nothing_was_amiss()
    await visit.page.context.close()


async def test_newcomer_is_told_how_when_there_is_no_wallet(venue: Venue, browser: Browser) -> None:
    visit = await look(browser, venue.url)
    await visit.open("/sign-in")
    await visit.says("No wallet was found in this browser")
    await visit.page.context.close()
