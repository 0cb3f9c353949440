"""What this room needs from outside: the contracts, as calls to make and things to read."""

from typing import Protocol

from deedbook.chain.ports import Chain
from deedbook.chain.terms import Call, Contract
from deedbook.identity.terms import Address
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

    async def total_supply(self, chain: Chain, token: Address) -> int:
        """How much there is of a token, in base units."""
        ...
