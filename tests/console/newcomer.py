"""Somebody with dollars in a wallet of their own, whose key stays in the test."""

from playwright.async_api import Browser, expect

from tests.console.browser import Visit, look
from tests.console.venue import Venue
from tests.console.wallet import TestWallet

GAS_MONEY = hex(10**18)
CHAIN_MS = 120_000


async def newcomer(
    venue: Venue, browser: Browser, dollars: str, *, gas: bool = True
) -> tuple[Visit, TestWallet]:
    """They have signed in; with `gas` they can pay for transactions."""
    wallet = TestWallet(node_url=f"http://127.0.0.1:{venue.terminal.environ['DEEDBOOK_ANVIL_PORT']}")
    if gas:
        await wallet.ask_node("anvil_setBalance", wallet.address, GAS_MONEY)
    await give_dollars(venue, wallet.address, dollars)
    visit = await look(browser, venue.url)
    await wallet.inject(visit.page.context)
    await visit.open("/sign-in")
    await visit.press("Sign in with Test Wallet")
    await expect(visit.page.get_by_role("link", name="Notifications")).to_be_visible()
    return visit, wallet


async def give_dollars(venue: Venue, address: str, dollars: str) -> None:
    """Play money, outside the vault."""
    given = await venue.terminal.command("dollars", address, dollars)
    assert given.returncode == 0, given.stderr
