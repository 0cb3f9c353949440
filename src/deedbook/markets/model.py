"""The rules of a market's life. Pure: values in, values out."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from deedbook.identity.terms import Address
from deedbook.kernel.amounts import MalformedAmount, to_text, to_units
from deedbook.kernel.errors import FieldError, Invalid
from deedbook.kernel.ids import DocumentId, EntityId, MarketId, UserId
from deedbook.markets.errors import IllegalTransition
from deedbook.markets.terms import AssetType, MarketStatus, Move
from deedbook.tokens.terms import TokenTerms

_S = MarketStatus
TRANSITIONS: dict[tuple[MarketStatus, Move], MarketStatus] = {
    (_S.DRAFT, Move.SUBMIT): _S.PENDING_APPROVAL,
    (_S.PENDING_APPROVAL, Move.APPROVE): _S.APPROVED,
    (_S.PENDING_APPROVAL, Move.REJECT): _S.REJECTED,
    (_S.APPROVED, Move.START_ACTIVATION): _S.ACTIVATING,
    (_S.ACTIVATING, Move.FINISH_ACTIVATION): _S.ACTIVE,
    (_S.ACTIVATING, Move.FAIL_ACTIVATION): _S.APPROVED,
    (_S.ACTIVE, Move.PAUSE): _S.PAUSED,
    (_S.PAUSED, Move.RESUME): _S.ACTIVE,
    (_S.ACTIVE, Move.ARCHIVE): _S.ARCHIVED,
}
"""The state graph of the architecture document; a trigger in the database holds the same one."""

SYMBOL = re.compile(r"[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*")
CURRENCY = re.compile(r"[A-Z]{3,5}")


@dataclass(frozen=True)
class AssetDetails:
    """The asset behind a market. `valuation` as decimal text in `currency`."""

    valuation: str | None = None
    currency: str | None = None
    location: Any = None
    compliance_documents: tuple[DocumentId, ...] = ()
    regulatory_info: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RegisterMarket:
    """What an issuer asks for. Supplies in whole tokens, as decimal text; without a cap the supply is the cap."""

    name: str
    asset_type: AssetType
    token_symbol: str
    total_supply: str
    supply_cap: str | None = None
    token_name: str = ""
    description: str = ""
    decimals: int = 18
    asset: AssetDetails = AssetDetails()


@dataclass(frozen=True)
class Supply:
    """What is issued at first, and what can ever be, in base units."""

    units: int
    cap_units: int


@dataclass(frozen=True)
class Market:
    """A market as stored. `total_supply`, what is issued at first, and `supply_cap` in base units of the token."""

    market_id: MarketId
    name: str
    description: str
    asset_type: AssetType
    issuer_id: EntityId
    issuer_user_id: UserId
    issuer_account: Address
    token_name: str
    token_symbol: str
    decimals: int
    total_supply: int
    supply_cap: int
    status: MarketStatus
    version: int
    activations: int
    created_at: datetime
    updated_at: datetime
    contract_address: Address | None = None
    deployment_tx_hash: str | None = None
    approved_by: UserId | None = None
    approved_at: datetime | None = None
    activated_at: datetime | None = None
    rejected_reason: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def supply_text(self) -> str:
        return to_text(self.total_supply, self.decimals)

    @property
    def cap_text(self) -> str:
        return to_text(self.supply_cap, self.decimals)

    @property
    def audited(self) -> dict[str, str | int | None]:
        """What an auditor compares before and after a move."""
        return {
            "status": self.status.value,
            "version": self.version,
            "activations": self.activations,
            "contractAddress": self.contract_address,
        }

    @property
    def token_terms(self) -> TokenTerms:
        return TokenTerms(
            self.market_id,
            self.token_name,
            self.token_symbol,
            self.decimals,
            self.total_supply,
            self.supply_cap,
            self.issuer_account,
        )


def next_status(status: MarketStatus, move: Move) -> MarketStatus:
    """Where the move leads.

    Raises:
        IllegalTransition: nowhere; says what the market is, and what it would have to be.
    """
    if (reached := TRANSITIONS.get((status, move))) is not None:
        return reached
    sources = " or ".join(sorted(start.value for start, via in TRANSITIONS if via is move))
    raise IllegalTransition(
        f"the market is {status.value}; to {move.value} it, it would have to be {sources}",
        extra={"marketStatus": status.value},
    )


def supply_of(command: RegisterMarket) -> Supply:
    """Check a registration and give its supply in base units.

    Raises:
        Invalid: with every field that is wrong.
    """
    problems: list[FieldError] = []

    def wrong(pointer: str, code: str, detail: str) -> None:
        problems.append(FieldError(pointer, code, detail))

    if not SYMBOL.fullmatch(command.token_symbol) or not 2 <= len(command.token_symbol) <= 32:
        wrong(
            "/tokenSymbol", "bad_symbol", "2 to 32 capital letters, digits and single hyphens, a letter first"
        )
    units = 0
    try:
        units = to_units(command.total_supply, command.decimals)
        if units == 0:
            wrong("/totalSupply", "not_positive", "the supply must be more than zero")
    except MalformedAmount as error:
        wrong("/totalSupply", "bad_amount", str(error))
    cap_units = units
    if command.supply_cap is not None:
        try:
            cap_units = to_units(command.supply_cap, command.decimals)
            if cap_units < units:
                wrong("/supplyCap", "below_supply", "the cap is not below the supply")
        except MalformedAmount as error:
            wrong("/supplyCap", "bad_amount", str(error))
    asset = command.asset
    if asset.valuation is not None:
        try:
            to_units(asset.valuation, 18)
        except MalformedAmount as error:
            wrong("/assetDetails/valuation", "bad_amount", str(error))
        if asset.currency is None:
            wrong("/assetDetails/currency", "missing", "a valuation needs its currency")
    if asset.currency is not None and not CURRENCY.fullmatch(asset.currency):
        wrong("/assetDetails/currency", "bad_currency", "an ISO 4217 code such as USD")
    if len(set(asset.compliance_documents)) != len(asset.compliance_documents):
        wrong("/assetDetails/complianceDocuments", "repeated", "name each document once")
    if problems:
        raise Invalid("the registration is not valid", errors=tuple(problems))
    return Supply(units, cap_units)
