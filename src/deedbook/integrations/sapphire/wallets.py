"""Contract wallets, asked over the chain whether a signature is theirs (ERC-1271)."""

from eth_abi import encode

from deedbook.chain.errors import TransactionReverted
from deedbook.chain.ports import Chain
from deedbook.identity.terms import Address

_MAGIC = bytes.fromhex("1626ba7e")
_IS_VALID_SIGNATURE = bytes.fromhex("1626ba7e")


class SapphireWallets:
    """Implements identity's `ContractWallets` port."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    async def is_contract(self, account: Address) -> bool:
        return bool(await self._chain.code(account))

    async def accepts(self, account: Address, digest: bytes, signature: bytes) -> bool:
        asked = _IS_VALID_SIGNATURE + encode(["bytes32", "bytes"], [digest, signature])
        try:
            answer = await self._chain.call(account, asked)
        except TransactionReverted:
            return False
        return answer == _MAGIC.ljust(32, b"\0")
