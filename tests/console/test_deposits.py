"""Money into the vault on the screen: by signatures alone where the token allows that, by a wallet's own transactions
where it does not; and each thing that stands in the way."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from eth_account import Account
from playwright.async_api import Browser, Locator, expect

from tests.console.browser import Visit, look
from tests.console.newcomer import CHAIN_MS, give_dollars, newcomer
from tests.console.venue import Venue

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


async def _is_credited(visit: Visit, amount: str) -> None:
    way = visit.page.get_by_role("region", name="Your deposit")
    await expect(way).to_contain_text(amount)
    await expect(way).to_contain_text("Credited", timeout=CHAIN_MS)
    await expect(way.get_by_role("list", name="Steps").locator("[data-state=done]")).to_have_count(3)


async def _held(venue: Venue) -> Decimal:
    """What the investor's own wallet has of dollars: the demo has left some there."""
    async with venue.client("investor") as http:
        usdc = (await http.get("/tokens/USDC")).raise_for_status().json()["id"]
        return Decimal((await http.get(f"/deposits/terms/{usdc}")).raise_for_status().json()["held"])


def _shown(amount: Decimal) -> str:
    return f"{amount.normalize():,f}"


def _less(held: Decimal, amount: str) -> str:
    return _shown(held - Decimal(amount))


def _signed(visit: Visit, struct: str) -> Locator:
    return visit.page.get_by_role("heading", name=f"Your wallet shows this {struct} (EIP-712)")


async def test_demo_person_deposits_when_they_sign_and_sends_nothing(venue: Venue, browser: Browser) -> None:
    await give_dollars(venue, venue.people["investor"]["address"], "100")
    visit = await look(browser, venue.url, session=venue.sessions["investor"])
    page = visit.page
    await visit.open("/funds")
    held = await _held(venue)
    await expect(page.get_by_text("In your wallet")).to_contain_text(f"{_shown(held)} USDC")
    await expect(page.get_by_label("How it comes in")).to_have_text(
        "The platform brings it: you sign, and pay nothing"
    )
    await page.get_by_label("Amount").fill("12.5")
    await expect(_signed(visit, "Deposit")).to_be_visible()
    await expect(_signed(visit, "Permit")).to_be_visible()
    await visit.press("Sign and deposit")
    await _is_credited(visit, "12.5")
    await expect(page.get_by_text("In your wallet")).to_contain_text(f"{_less(held, '12.5')} USDC")
    visit.nothing_was_amiss()

    await page.get_by_label("Token").select_option(venue.samples["token"])
    await visit.says("This token comes in by a wallet's own transactions alone")
    await page.get_by_label("Amount").fill("0.5")
    await expect(page.get_by_role("button", name="Sign and deposit")).to_be_disabled()
    visit.nothing_was_amiss()
    await page.context.close()


async def test_wallet_without_gas_deposits_when_it_signs_and_nothing_is_sent_when_it_declines(
    venue: Venue, browser: Browser
) -> None:
    """On a machine whose clock is hours slow: what is signed ends by the platform's."""
    visit, wallet = await newcomer(venue, browser, "50", gas=False)
    page = visit.page
    await page.clock.install(time=datetime.now(UTC) - timedelta(hours=3))
    await visit.open("/funds")
    await page.get_by_label("Amount").fill("50.5")
    await visit.says("Your wallet has 50")
    await visit.press("All of it")
    wallet.refusals["eth_signTypedData_v4"] = (4001, "User rejected the request.")
    await visit.press("Sign and deposit")
    await expect(page.locator("[data-face=wallet-rejected]")).to_contain_text("Nothing was sent")
    await visit.says("No deposit yet")
    wallet.refusals.clear()
    wallet.chain_id = 1
    await visit.press("Sign and deposit")
    await _is_credited(visit, "50")
    assert [told["primaryType"] for told in wallet.signed] == ["Deposit", "Permit"]
    assert wallet.signed[1]["message"]["value"] == "50000000"
    assert "wallet_switchEthereumChain" in wallet.asked and "eth_sendTransaction" not in wallet.asked
    visit.nothing_was_amiss()
    await page.context.close()


async def test_deposit_that_cannot_be_brought_says_why_when_its_approval_is_none(
    venue: Venue, browser: Browser
) -> None:
    visit, wallet = await newcomer(venue, browser, "50", gas=False)
    wallet.others_sign["Permit"] = "0x" + bytes(Account.create().key).hex()
    page = visit.page
    await visit.open("/funds")
    await page.get_by_label("Amount").fill("10")
    await visit.press("Sign and deposit")
    way = page.get_by_role("region", name="Your deposit")
    await expect(way).to_contain_text("Failed", timeout=CHAIN_MS)
    await expect(way).to_contain_text("Nothing has left your wallet.")
    visit.nothing_was_amiss()
    await page.context.close()
