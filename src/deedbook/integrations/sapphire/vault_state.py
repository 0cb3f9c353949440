"""What the vault holds and owes at a block, read from the chain."""

from deedbook.chain.ports import Chain
from deedbook.identity.terms import Address
from deedbook.integrations.sapphire.contracts import read


class SapphireVaultState:
    """Implements `VaultState` over our Settlement contract."""

    def __init__(self, chain: Chain, vault: Address) -> None:
        self._chain, self._vault = chain, vault

    async def owed(self, token: Address, block: int) -> int:
        asked = "totalOf(address)", ["address"], [token]
        return int(await read(self._chain, self._vault, *asked, "uint256", block))

    async def held(self, token: Address, block: int) -> int:
        asked = "balanceOf(address)", ["address"], [self._vault]
        return int(await read(self._chain, token, *asked, "uint256", block))

    async def balance(self, account: Address, token: Address, block: int) -> int:
        asked = "balanceOf(address,address)", ["address", "address"], [account, token]
        return int(await read(self._chain, self._vault, *asked, "uint256", block))
