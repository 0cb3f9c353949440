"""The words of this room: token types and what a token is made from."""

from dataclasses import dataclass
from enum import Enum

from deedbook.identity.terms import Address
from deedbook.kernel.ids import MarketId, TokenId


class TokenType(Enum):
    """What a token stands for. RWA tokens are issued here and always under compliance."""

    RWA = "RWA"
    CRYPTO = "CRYPTO"
    STABLE = "STABLE"


@dataclass(frozen=True)
class TokenTerms:
    """What a market's token is made from. `supply_units` is the initial supply in base units, and the cap."""

    market_id: MarketId
    name: str
    symbol: str
    decimals: int
    supply_units: int
    issuer: Address


@dataclass(frozen=True)
class Deployment:
    """A token contract that was proven to stand on the chain as asked."""

    address: Address
    tx_hash: str


@dataclass(frozen=True)
class Token:
    """A token as stored."""

    token_id: TokenId
    symbol: str
    name: str
    token_type: TokenType
    decimals: int
    contract_address: Address | None
    market_id: MarketId | None
