"""The words of this room: token types, what a token is made from, and what is minted."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from deedbook.identity.terms import Address
from deedbook.kernel.amounts import to_text
from deedbook.kernel.ids import MarketId, TokenId, UserId
from deedbook.kernel.jobs import DEPLOY_TOKEN, MINT_TOKEN, TOKEN_METADATA, JobKind

LIST_TOKEN = JobKind("list-token", DEPLOY_TOKEN, repeat_by="list the token again: POST /tokens/{id}/list")
MINT = JobKind("mint-token", MINT_TOKEN, repeat_by="ask for a mint again: POST /tokens/{id}/mint")
SWEEP_MINTS = JobKind("sweep-mints", MINT_TOKEN)
REFRESH_METADATA = JobKind("update-token-metadata", TOKEN_METADATA)
REFRESH_ALL_METADATA = JobKind("update-all-token-metadata", TOKEN_METADATA)


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


@dataclass(frozen=True)
class RegisterToken:
    """Somebody else's token that the vault shall take. Without `decimals` the contract's own word counts."""

    symbol: str
    name: str
    token_type: TokenType
    contract_address: Address
    decimals: int | None = None


class MintStatus(Enum):
    """Where a mint stands. `APPROVED`: nothing was asked of the chain yet. `SUBMITTED`: it was, and only the chain
    says what becomes of it."""

    PENDING_APPROVAL = "PENDING_APPROVAL"
    APPROVED = "APPROVED"
    SUBMITTED = "SUBMITTED"
    COMPLETED = "COMPLETED"
    REJECTED = "REJECTED"
    FAILED = "FAILED"


@dataclass(frozen=True)
class RequestMint:
    """More of a token, in whole tokens as decimal text. `to` of `None` is the issuer's own account."""

    token_id: TokenId
    amount: str
    to: Address | None
    reason: str


@dataclass(frozen=True)
class Mint:
    """A mint as stored. `amount` in base units of the token, whose `symbol` and `decimals` come along."""

    mint_id: UUID
    token_id: TokenId
    symbol: str
    decimals: int
    user_id: UserId
    account: Address
    amount: int
    status: MintStatus
    requested_by: UserId
    decided_by: UserId | None
    reason: str
    decision_reason: str | None
    error: str | None
    tx_hash: str | None
    created_at: datetime
    updated_at: datetime

    @property
    def amount_text(self) -> str:
        return to_text(self.amount, self.decimals)
