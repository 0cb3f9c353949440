"""What tokens' contracts say of wallets outside the vault. They may be anybody's, so nothing that they say of their
approvals by signature is passed on before it is proven to be what they check."""

from typing import Any

from eth_abi import encode

from deedbook.chain.ports import Chain
from deedbook.chain.vault import PermitTerms
from deedbook.identity import keccak
from deedbook.identity.terms import Address
from deedbook.integrations.sapphire.contracts import all_told_by, told_by

_DOMAIN = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_EIP5267 = ["bytes1", "string", "string", "uint256", "address", "bytes32", "uint256[]"]
_FOUR_FIELDS = b"\x0f"
"""Name, version, chain and contract (EIP-5267): with other fields a wallet would not sign what the contract checks."""
_UNNAMED_VERSION = "1"
"""What older contracts mean that do not tell their version."""


class SapphirePurses:
    """Implements the `Purses` port."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    async def held(self, token: Address, owner: Address) -> int | None:
        return await self._number(token, "balanceOf(address)", ["address"], [owner])

    async def allowed(self, token: Address, owner: Address, spender: Address) -> int | None:
        return await self._number(
            token, "allowance(address,address)", ["address", "address"], [owner, spender]
        )

    async def permit_terms(self, chain_id: int, token: Address, owner: Address) -> PermitTerms | None:
        separator = await told_by(self._chain, token, "DOMAIN_SEPARATOR()", [], [], "bytes32")
        nonce = await self._number(token, "nonces(address)", ["address"], [owner])
        if separator is None or nonce is None:
            return None
        name, version = await self._domain(token)
        if name is None or version is None or _separator(name, version, chain_id, token) != separator:
            return None
        return PermitTerms(name, version, nonce)

    async def _domain(self, token: Address) -> tuple[str | None, str | None]:
        described = await all_told_by(self._chain, token, "eip712Domain()", [], [], _EIP5267)
        if described is not None:
            return (described[1], described[2]) if described[0] == _FOUR_FIELDS else (None, None)
        name = await told_by(self._chain, token, "name()", [], [], "string")
        version = await told_by(self._chain, token, "version()", [], [], "string")
        return name, _UNNAMED_VERSION if version is None else version

    async def _number(self, token: Address, asked: str, kinds: list[str], values: list[Any]) -> int | None:
        number = await told_by(self._chain, token, asked, kinds, values, "uint256")
        return None if number is None else int(number)


def _separator(name: str, version: str, chain_id: int, token: Address) -> bytes:
    kinds = ["bytes32", "bytes32", "bytes32", "uint256", "address"]
    hashed = [_DOMAIN, keccak(name.encode()), keccak(version.encode())]
    return keccak(encode(kinds, [*hashed, chain_id, token]))
