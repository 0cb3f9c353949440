"""The words for tokens that stand already, behind the port of the room of tokens."""

from uuid import UUID

from deedbook.chain.erc20 import Erc20Metadata
from deedbook.chain.errors import TransactionReverted
from deedbook.chain.ports import Chain
from deedbook.chain.terms import Call, Contract
from deedbook.chain.vault import reference_of
from deedbook.identity.terms import Address
from deedbook.integrations.sapphire import custody
from deedbook.integrations.sapphire.contracts import is_listed, read


class SapphireVaultTokens:
    """Implements the `VaultTokens` port."""

    async def metadata(self, chain: Chain, token: Address) -> Erc20Metadata | None:
        return await custody.erc20_metadata(chain, token)

    async def total_supply(self, chain: Chain, token: Address) -> int | None:
        if not await chain.code(token):
            return None
        try:
            return int(await read(chain, token, "totalSupply()", [], [], "uint256"))
        except TransactionReverted:
            return None

    async def listed_decimals(
        self, chain: Chain, contracts: dict[Contract, Address], token: Address
    ) -> int | None:
        settlement = contracts[Contract.SETTLEMENT]
        if not await is_listed(chain, settlement, token):
            return None
        return int(await read(chain, settlement, "decimalsOf(address)", ["address"], [token], "uint8"))

    def list_token(self, contracts: dict[Contract, Address], token: Address) -> Call:
        return custody.list_token(contracts[Contract.SETTLEMENT], token)

    def mint(self, token: Address, account: Address, units: int, mint_id: UUID) -> Call:
        return custody.mint_to_vault(token, account, units, reference_of(mint_id))
