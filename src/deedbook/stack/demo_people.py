"""The people whom the console offers on a local stack: each with their role, and the investors with play money, so that
one press is enough."""

from collections.abc import Callable, Mapping

from deedbook.identity.terms import Address
from deedbook.infra.settings import Settings
from deedbook.kernel.errors import Unavailable
from deedbook.stack.demo_keys import ENTITY, PEOPLE
from deedbook.stack.dollars import fill_purses
from deedbook.stack.grant import grant
from deedbook.stack.wallet import Wallet

PURSE = "100000"
"""Dollars in an investor's wallet to begin with."""


async def prepare_people(settings: Settings, progress: Callable[[str], None]) -> None:
    """Give each their role, where there are any. Harmless when repeated; without the permission service they come in
    as investors, and the stack runs all the same."""
    wallets = {name: Wallet.from_key(bytes.fromhex(key[2:])) for name, key in settings.demo_wallets.items()}
    await _fill_purses(settings, wallets, progress)
    for name, wallet in wallets.items():
        try:
            await grant(settings, wallet.address, PEOPLE[name], ENTITY, "")
        except Unavailable as refusal:
            progress(f"The demo wallets have no roles yet: {refusal.detail or refusal.title}")
            return


async def _fill_purses(
    settings: Settings, wallets: Mapping[str, Wallet], progress: Callable[[str], None]
) -> None:
    """Without play money nobody could buy anything, and the console has no way to come by it."""
    investors = [wallet for name, wallet in wallets.items() if PEOPLE[name] == "investor"]
    if not investors or settings.SAPPHIRE_CASH_TOKEN:
        return
    try:
        await fill_purses(settings, [Address(wallet.address.lower()) for wallet in investors], PURSE)
    except Unavailable as refusal:
        progress(f"The demo investors have no play money yet: {refusal.detail or refusal.title}")
