"""Somebody with dollars in a wallet of their own, whose key stays in the test."""

from playwright.async_api import Browser

from tests.console.browser import Visit
from tests.console.venue import Venue
from tests.console.wallet import TestWallet, signed_in_with

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
    return await signed_in_with(wallet, browser, venue.url), wallet


async def give_dollars(venue: Venue, address: str, dollars: str) -> None:
    """Play money, outside the vault."""
    given = await venue.terminal.command("dollars", address, dollars)
    assert given.returncode == 0, given.stderr
