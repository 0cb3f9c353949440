"""The people whom the console offers on a local stack: each with their role, so that one press is enough."""

from collections.abc import Callable

from deedbook.infra.settings import Settings
from deedbook.kernel.errors import Unavailable
from deedbook.stack.demo_keys import ENTITY, PEOPLE
from deedbook.stack.grant import grant
from deedbook.stack.wallet import Wallet


async def prepare_people(settings: Settings, progress: Callable[[str], None]) -> None:
    """Give each their role, where there are any. Harmless when repeated; without the permission service they come in
    as investors, and the stack runs all the same."""
    for name, key in settings.demo_wallets.items():
        wallet = Wallet.from_key(bytes.fromhex(key[2:]))
        try:
            await grant(settings, wallet.address, PEOPLE[name], ENTITY, "")
        except Unavailable as refusal:
            progress(f"The demo wallets have no roles yet: {refusal.detail or refusal.title}")
            return
