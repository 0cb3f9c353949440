"""The words of our Solidity contracts: calls to make, and things to read back as proof.

Gas budgets are fixed figures with about a third to spare, measured by the contracts' tests; an estimate
means nothing on Sapphire (sender zero, reverts hidden). Sapphire also charges 1 gas per byte sent.
"""

import functools
import json
from importlib import resources
from typing import Any

from eth_abi import decode, encode
from eth_abi.exceptions import DecodingError

from deedbook.chain.errors import ChainUnavailable, TransactionReverted
from deedbook.chain.ports import LOG_ROUNDS, Chain
from deedbook.chain.terms import Call, Contract
from deedbook.identity import keccak
from deedbook.identity.terms import Address
from deedbook.kernel.ids import MarketId
from deedbook.tokens.errors import IssuerNotVerified
from deedbook.tokens.terms import TokenTerms

GAS_REGISTER = 90_000
GAS_DEPLOY_TOKEN = 3_400_000
GAS_GRANT_ROLE = 90_000
GAS_CREATE = {
    "IdentityRegistry": 1_100_000,
    "Settlement": 7_500_000,
    "RwaTokenFactory": 4_600_000,
    "TestDollar": 1_500_000,
}
LISTING_PAYMENT = 1
NEVER_EXPIRES = 2**64 - 1
UNKNOWN_JURISDICTION = b"ZZ"
LISTER_ROLE = keccak(b"LISTER_ROLE")
DEFAULT_ADMIN_ROLE = bytes(32)
TOKEN_DEPLOYED = keccak(b"TokenDeployed(bytes32,address,address,uint256)")
SEARCHED_PAGES = 2_000
"""How far back a deployment is searched: 200,000 blocks, on Sapphire about two weeks."""
_MAX_ANSWER_BYTES = 1024

_TERMS = "(string,string,uint8,uint256,uint256,address,address,address,address,address)"


@functools.cache
def artifact(name: str) -> dict[str, Any]:
    """The committed ABI and bytecode of a contract."""
    text = (resources.files(__package__) / "abi" / f"{name}.json").read_text()
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def create(name: str, types: list[str], values: list[Any]) -> Call:
    """The creation of one of our contracts."""
    code = bytes.fromhex(artifact(name)["bytecode"].removeprefix("0x"))
    return Call(None, code + encode(types, values), GAS_CREATE[name])


def grant_role(contract: Address, role: bytes, account: Address) -> Call:
    data = _selector("grantRole(bytes32,address)") + encode(["bytes32", "address"], [role, account])
    return Call(contract, data, GAS_GRANT_ROLE)


async def has_role(chain: Chain, contract: Address, role: bytes, account: Address) -> bool:
    held = await read(
        chain, contract, "hasRole(bytes32,address)", ["bytes32", "address"], [role, account], "bool"
    )
    return bool(held)


async def is_listed(chain: Chain, settlement: Address, token: Address) -> bool:
    """Whether the vault takes this token."""
    return bool(await read(chain, settlement, "listingOf(address)", ["address"], [token], "uint8"))


class SapphireContracts:
    """Implements the `TokenContracts` port."""

    def register_issuer(self, contracts: dict[Contract, Address], issuer: Address) -> Call:
        update = (issuer, True, UNKNOWN_JURISDICTION, 0, NEVER_EXPIRES)
        signature = "(address,bool,bytes2,uint8,uint64)"
        data = _selector(f"setIdentity({signature})") + encode([signature], [update])
        return Call(contracts[Contract.IDENTITY_REGISTRY], data, GAS_REGISTER)

    def deploy_token(self, contracts: dict[Contract, Address], terms: TokenTerms, admin: Address) -> Call:
        told = (
            terms.name,
            terms.symbol,
            terms.decimals,
            terms.cap_units,
            terms.supply_units,
            terms.issuer,
            *[admin] * 4,
        )
        data = _selector(f"deploy(bytes32,{_TERMS})") + encode(
            ["bytes32", _TERMS], [market_key(terms.market_id), told]
        )
        return Call(contracts[Contract.TOKEN_FACTORY], data, GAS_DEPLOY_TOKEN)

    async def is_verified(self, chain: Chain, contracts: dict[Contract, Address], account: Address) -> bool:
        registry = contracts[Contract.IDENTITY_REGISTRY]
        if await read(chain, registry, "isVerified(address)", ["address"], [account], "bool"):
            return True
        entry = await read(
            chain, registry, "identityOf(address)", ["address"], [account], "(bool,bytes2,uint8,uint64,bool)"
        )
        if any(entry[0:4]) and entry[1] != bytes(2):
            # Revoked or expired by the compliance agent: deploying must not quietly undo that.
            raise IssuerNotVerified(
                f"the registry's entry of {account} does not hold: renew it, then activate"
            )
        return False

    async def token_of(
        self, chain: Chain, contracts: dict[Contract, Address], market_id: MarketId
    ) -> Address | None:
        factory = contracts[Contract.TOKEN_FACTORY]
        found = await read(
            chain, factory, "tokenOf(bytes32)", ["bytes32"], [market_key(market_id)], "address"
        )
        address = str(found).lower()
        return Address(address) if int(address, 16) else None

    async def deployment_of(
        self, chain: Chain, contracts: dict[Contract, Address], market_id: MarketId
    ) -> str | None:
        factory, topics = contracts[Contract.TOKEN_FACTORY], [TOKEN_DEPLOYED, market_key(market_id)]
        last = await chain.head()
        for _ in range(SEARCHED_PAGES):
            first = max(0, last - LOG_ROUNDS + 1)
            found = await chain.logs(factory, topics, first, last)
            if found:
                return found[0].tx_hash
            if first == 0:
                return None
            last = first - 1
        return None

    async def differences(
        self,
        chain: Chain,
        contracts: dict[Contract, Address],
        terms: TokenTerms,
        token: Address,
        admin: Address,
    ) -> list[str]:
        if not await chain.code(token):
            return [f"there is no code at {token}"]
        found = {
            "name": await read(chain, token, "name()", [], [], "string"),
            "symbol": await read(chain, token, "symbol()", [], [], "string"),
            "decimals": await read(chain, token, "decimals()", [], [], "uint8"),
            "cap": await read(chain, token, "cap()", [], [], "uint256"),
            "vault": str(await read(chain, token, "vault()", [], [], "address")).lower(),
            "registry": str(await read(chain, token, "registry()", [], [], "address")).lower(),
            "admin": await has_role(chain, token, DEFAULT_ADMIN_ROLE, admin),
        }
        asked = {
            "name": terms.name,
            "symbol": terms.symbol,
            "decimals": terms.decimals,
            "cap": terms.cap_units,
            "vault": contracts[Contract.SETTLEMENT],
            "registry": contracts[Contract.IDENTITY_REGISTRY],
            "admin": True,
        }
        return _told_apart(found, asked)

    async def supply_differences(
        self, chain: Chain, contracts: dict[Contract, Address], terms: TokenTerms, token: Address
    ) -> list[str]:
        holding = ["address", "address"], [terms.issuer, token]
        found = {
            "total supply": await self.total_supply(chain, token),
            "issuer's vault balance": await read(
                chain, contracts[Contract.SETTLEMENT], "balanceOf(address,address)", *holding, "uint256"
            ),
        }
        return _told_apart(found, dict.fromkeys(found, terms.supply_units))

    async def total_supply(self, chain: Chain, token: Address) -> int:
        return int(await read(chain, token, "totalSupply()", [], [], "uint256"))


def _told_apart(found: dict[str, Any], asked: dict[str, Any]) -> list[str]:
    return [f"{what} is {found[what]!r}, not {asked[what]!r}" for what in asked if found[what] != asked[what]]


def market_key(market_id: MarketId) -> bytes:
    """The market's id as the factory knows it: the UUID's 16 bytes, left in a bytes32."""
    return market_id.bytes.ljust(32, b"\0")


async def read(
    chain: Chain,
    to: Address,
    signature: str,
    types: list[str],
    values: list[Any],
    returns: str,
    block: int | None = None,
) -> Any:
    """Call a view that does not depend on its caller, on the newest block or on this one.

    Raises:
        ChainUnavailable: no answer, or one that is no answer to this question.
    """
    answer = await chain.call(to, _selector(signature) + encode(types, values), block)
    try:
        return decode([returns], answer)[0]
    except (DecodingError, UnicodeDecodeError, OverflowError):
        raise ChainUnavailable(f"{to} answered something that is no {returns} to {signature}") from None


async def told_by(
    chain: Chain, contract: Address, signature: str, types: list[str], values: list[Any], returns: str
) -> Any:
    """The same of a contract that may be anybody's: what it undoes, leaves empty, garbles or draws out is `None`.

    Raises:
        ChainUnavailable: the node does not answer.
    """
    answers = await all_told_by(chain, contract, signature, types, values, [returns])
    return None if answers is None else answers[0]


async def all_told_by(
    chain: Chain, contract: Address, signature: str, types: list[str], values: list[Any], returns: list[str]
) -> tuple[Any, ...] | None:
    """The same where it answers several things."""
    try:
        answer = await chain.call(contract, _selector(signature) + encode(types, values))
        return decode(returns, answer) if len(answer) <= _MAX_ANSWER_BYTES else None
    except (TransactionReverted, DecodingError, UnicodeDecodeError, OverflowError):
        # The decoder overflows on a length beyond all memory.
        return None


def _selector(signature: str) -> bytes:
    return keccak(signature.encode())[:4]
