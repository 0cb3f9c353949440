"""What compliance tells the chain, in the contracts' words: identities, freezes, pauses."""

from collections.abc import Sequence

from deedbook.chain.identities import IdentityUpdate
from deedbook.chain.ports import Chain
from deedbook.chain.terms import Call
from deedbook.identity.terms import Address
from deedbook.integrations.sapphire import custody as words
from deedbook.integrations.sapphire.contracts import read


class SapphireRegistry:
    """Implements the `Registry` port."""

    def set_identities(self, registry: Address, updates: Sequence[IdentityUpdate]) -> Call:
        return words.set_identities(registry, updates)

    def set_frozen(self, registry: Address, accounts: Sequence[Address], frozen: bool) -> Call:
        return words.set_frozen(registry, accounts, frozen)

    def set_paused(self, token: Address, paused: bool) -> Call:
        return words.pause_token(token) if paused else words.unpause_token(token)

    async def is_paused(self, chain: Chain, token: Address) -> bool:
        return bool(await read(chain, token, "paused()", [], [], "bool"))
