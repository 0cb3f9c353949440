"""What this room needs from outside: the contracts, as calls to make and things to read."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from redis.asyncio import Redis

from deedbook.chain.erc20 import Erc20Metadata
from deedbook.chain.ports import Chain
from deedbook.chain.terms import Call, Contract
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.kernel.ids import MarketId
from deedbook.tokens.terms import TokenTerms


class TokenContracts(Protocol):
    """The words of our Solidity contracts stop behind this port."""

    def register_issuer(self, contracts: dict[Contract, Address], issuer: Address) -> Call:
        """Enter the issuer's account into the identity registry, so that it may hold what it issues."""
        ...

    def deploy_token(self, contracts: dict[Contract, Address], terms: TokenTerms, admin: Address) -> Call:
        """Deploy the market's token through the factory, once for ever, with its supply in the vault."""
        ...

    async def is_verified(
        self, chain: Chain, contracts: dict[Contract, Address], account: Address
    ) -> bool: ...

    async def token_of(
        self, chain: Chain, contracts: dict[Contract, Address], market_id: MarketId
    ) -> Address | None:
        """Where the factory has put this market's token."""
        ...

    async def deployment_of(
        self, chain: Chain, contracts: dict[Contract, Address], market_id: MarketId
    ) -> str | None:
        """The hash of the transaction that deployed this market's token; `None` when it lies too far back."""
        ...

    async def differences(
        self,
        chain: Chain,
        contracts: dict[Contract, Address],
        terms: TokenTerms,
        token: Address,
        admin: Address,
    ) -> list[str]:
        """What on the chain is not as asked and must stay so for ever: code, name, symbol, decimals, cap, vault,
        registry, owner."""
        ...

    async def supply_differences(
        self, chain: Chain, contracts: dict[Contract, Address], terms: TokenTerms, token: Address
    ) -> list[str]:
        """What of the first supply is not as asked. Supply moves on: this holds at the deployment only."""
        ...


class VaultTokens(Protocol):
    """The words for tokens that stand already: what they say of themselves, and how the vault takes and mints them."""

    async def metadata(self, chain: Chain, token: Address) -> Erc20Metadata | None:
        """What a contract says of itself as a token; `None` when it says nothing that a token would."""
        ...

    async def total_supply(self, chain: Chain, token: Address) -> int | None:
        """How much there is of a token, in base units; `None` when the contract does not say."""
        ...

    async def listed_decimals(
        self, chain: Chain, contracts: dict[Contract, Address], token: Address
    ) -> int | None:
        """The decimals with which the vault reads this token's amounts; `None` when it does not take the token."""
        ...

    def list_token(self, contracts: dict[Contract, Address], token: Address) -> Call:
        """Let the vault take a token that others issued."""
        ...

    def mint(self, token: Address, account: Address, units: int, mint_id: UUID) -> Call:
        """Mint into the vault for an account; the contract does it once under this id."""
        ...


@dataclass(frozen=True)
class Foundry:
    """What work on the chain needs: a node, the contracts' words, the chain's id and the platform's own account."""

    chain: Chain
    contracts: TokenContracts
    vault_tokens: VaultTokens
    chain_id: int
    admin: Address


class TokenResources(Protocol):
    """What the wiring hands to this room's lengthy jobs."""

    @property
    def db(self) -> Database: ...
    @property
    def redis(self) -> Redis: ...
    @property
    def foundry(self) -> Foundry: ...
