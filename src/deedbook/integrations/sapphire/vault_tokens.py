"""The words for tokens that stand already, behind the port of the room of tokens."""

from uuid import UUID

from deedbook.chain.erc20 import Erc20Metadata
from deedbook.chain.errors import TransactionReverted
from deedbook.chain.ports import Chain
from deedbook.chain.terms import Call, Contract
from deedbook.chain.vault import reference_of
from deedbook.identity import keccak
from deedbook.identity.terms import Address
from deedbook.integrations.sapphire import custody
from deedbook.integrations.sapphire.contracts import is_listed, read

_TOTAL_SUPPLY = keccak(b"totalSupply()")[:4]
_WORD = 32


class SapphireVaultTokens:
    """Implements the `VaultTokens` port."""

    async def metadata(self, chain: Chain, token: Address) -> Erc20Metadata | None:
        return await custody.erc20_metadata(chain, token)

    async def total_supply(self, chain: Chain, token: Address) -> int | None:
        # Anybody's contract: what is not one number is no answer, and the node is not to blame for it.
        try:
            answer = await chain.call(token, _TOTAL_SUPPLY)
        except TransactionReverted:
            return None
        return int.from_bytes(answer) if len(answer) == _WORD else None

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
