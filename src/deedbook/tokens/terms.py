"""The words of this room: token types, what a token is made from, and what is minted."""

from dataclasses import dataclass
from enum import Enum

from deedbook.identity.terms import Address
from deedbook.kernel.amounts import to_text
from deedbook.kernel.ids import MarketId, TokenId, UserId


class TokenType(Enum):
    """What a token stands for. RWA tokens are issued here and always under compliance."""

    RWA = "RWA"
    CRYPTO = "CRYPTO"
    STABLE = "STABLE"


class TokenStatus(Enum):
    """Where a token stands with the vault: it takes `ACTIVE` ones only."""

    LISTING = "listing"
    ACTIVE = "active"
    FAILED = "failed"


@dataclass(frozen=True)
class TokenTerms:
    """What a market's token is made from. `supply_units` is what is issued at first and `cap_units` what can ever
    be, in base units."""

    market_id: MarketId
    name: str
    symbol: str
    decimals: int
    supply_units: int
    cap_units: int
    issuer: Address


@dataclass(frozen=True)
class Deployment:
    """A token contract that was proven to stand on the chain as asked."""

    address: Address
    tx_hash: str


@dataclass(frozen=True)
class Token:
    """A token as stored. Supplies in base units; only RWA tokens have a cap and an issuer. `listings` counts the
    attempts to have the vault take it."""

    token_id: TokenId
    symbol: str
    name: str
    token_type: TokenType
    decimals: int
    contract_address: Address | None
    market_id: MarketId | None
    chain_id: int
    status: TokenStatus = TokenStatus.ACTIVE
    total_supply: int = 0
    supply_cap: int | None = None
    issuer_user_id: UserId | None = None
    listings: int = 0

    @property
    def summary(self) -> dict[str, str | int | None]:
        """What an auditor compares."""
        return {
            "status": self.status.value,
            "totalSupply": to_text(self.total_supply, self.decimals),
            "contractAddress": self.contract_address,
        }
