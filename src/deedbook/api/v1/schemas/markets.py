"""Bodies about markets and documents."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from deedbook.api.v1.schemas.common import (
    Amount,
    Answer,
    Body,
    FreeForm,
    FreeValue,
    Id,
    Line,
    Moment,
    PositiveAmount,
    Text,
    bounded_free_form,
)
from deedbook.identity import Caller
from deedbook.identity.signatures import checksum_address
from deedbook.identity.terms import Address
from deedbook.kernel.ids import DocumentId
from deedbook.markets import AddDocument as AddDocumentCommand
from deedbook.markets import AssetDetails, AssetType, Document, Market, MarketStatus
from deedbook.markets import RegisterMarket as RegisterMarketCommand


class AssetDetailsBody(Body):
    """The asset behind the market."""

    valuation: Amount | None = None
    currency: Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Z]{3,5}$")] | None = None
    location: FreeValue | None = None
    compliance_documents: Annotated[list[Id], Field(max_length=50, default_factory=list)]
    regulatory_info: Annotated[FreeForm, Field(default_factory=dict)]
    attributes: Annotated[FreeForm, Field(default_factory=dict)]


class RegisterMarket(Body):
    """What an issuer registers. `totalSupply` is what is issued at first and `supplyCap` what can ever be issued,
    the same when it is not given; both in whole tokens."""

    name: Annotated[Line, Field(min_length=1, max_length=200, examples=["Luxury Apartment Building"])]
    description: Annotated[Text, Field(max_length=4000)] = ""
    asset_type: Annotated[AssetType, Field(examples=["real_estate"])]
    token_symbol: Annotated[
        str,
        Field(
            strict=True,
            min_length=2,
            max_length=32,
            pattern=r"^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$",
            examples=["LUXAPT"],
        ),
    ]
    token_name: Annotated[Line, Field(max_length=64)] = ""
    decimals: Annotated[int, Field(strict=True, ge=0, le=18)] = 18
    total_supply: Annotated[PositiveAmount, Field(examples=["1000000"])]
    supply_cap: Annotated[PositiveAmount, Field(examples=["2000000"])] | None = None
    asset_details: AssetDetailsBody = AssetDetailsBody()

    def command(self) -> RegisterMarketCommand:
        asset = self.asset_details
        return RegisterMarketCommand(
            name=self.name,
            description=self.description,
            asset_type=self.asset_type,
            token_symbol=self.token_symbol,
            token_name=self.token_name,
            decimals=self.decimals,
            total_supply=self.total_supply,
            supply_cap=self.supply_cap,
            asset=AssetDetails(
                valuation=asset.valuation,
                currency=asset.currency,
                location=asset.location,
                compliance_documents=tuple(DocumentId(document) for document in asset.compliance_documents),
                regulatory_info=asset.regulatory_info,
                attributes=asset.attributes,
            ),
        )


class Decide(Body):
    """An officer's decision. A rejection says why."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"properties": {"decision": {"const": "approve"}}},
                {"properties": {"reason": {"minLength": 1}}, "required": ["reason"]},
            ]
        }
    )

    decision: Literal["approve", "reject"]
    reason: Annotated[Text, Field(max_length=1000)] = ""


class Reason(Body):
    """Why a market is paused, resumed or archived."""

    reason: Annotated[Text, Field(max_length=1000)] = ""


class MarketAnswer(Answer):
    """A market. `totalSupply` and `supplyCap` are in whole tokens, exact."""

    id: UUID
    name: str
    description: str
    asset_type: AssetType
    status: MarketStatus
    issuer_id: UUID
    issuer_account: str
    token_name: str
    token_symbol: str
    decimals: int
    total_supply: str
    supply_cap: str
    contract_address: str | None
    deployment_tx_hash: str | None
    approved_by: UUID | None
    approved_at: Moment | None
    activated_at: Moment | None
    rejected_reason: str | None
    metadata: dict[str, Any]
    version: int
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, market: Market) -> "MarketAnswer":
        return cls(
            id=market.market_id,
            name=market.name,
            description=market.description,
            asset_type=market.asset_type,
            status=market.status,
            issuer_id=market.issuer_id,
            issuer_account=checksum_address(market.issuer_account),
            token_name=market.token_name,
            token_symbol=market.token_symbol,
            decimals=market.decimals,
            total_supply=market.supply_text,
            supply_cap=market.cap_text,
            contract_address=checksum_address(market.contract_address) if market.contract_address else None,
            deployment_tx_hash=market.deployment_tx_hash,
            approved_by=market.approved_by,
            approved_at=market.approved_at,
            activated_at=market.activated_at,
            rejected_reason=market.rejected_reason,
            metadata=market.metadata,
            version=market.version,
            created_at=market.created_at,
            updated_at=market.updated_at,
        )


class DocumentAnswer(Answer):
    """A document on record. `sha256` is hex."""

    id: UUID
    title: str
    kind: str
    media_type: str
    sha256: str
    size_bytes: int | None
    version: int
    replaces: UUID | None = None
    metadata: Annotated[dict[str, Any], Field(default_factory=dict)]
    created_at: Moment

    @classmethod
    def of(cls, document: Document) -> "DocumentAnswer":
        return cls(
            id=document.document_id,
            title=document.title,
            kind=document.kind,
            media_type=document.media_type,
            sha256=document.sha256.hex(),
            size_bytes=document.size_bytes,
            version=document.version,
            replaces=document.replaces,
            metadata=document.metadata,
            created_at=document.created_at,
        )


class AssetAnswer(Answer):
    """The asset behind a market with its documents."""

    valuation: str | None
    currency: str | None
    location: Any
    compliance_documents: list[UUID]
    regulatory_info: dict[str, Any]
    attributes: dict[str, Any]
    documents: list[DocumentAnswer]

    @classmethod
    def of(cls, asset: dict[str, Any]) -> "AssetAnswer":
        valuation = asset["valuation"]
        documents = [
            DocumentAnswer(
                id=entry["document_id"],
                title=entry["title"],
                kind=entry["kind"],
                media_type=entry["media_type"],
                sha256=entry["sha256"].hex(),
                size_bytes=entry["size_bytes"],
                version=entry["version"],
                created_at=entry["created_at"],
            )
            for entry in asset["documents"]
        ]
        return cls(**{**asset, "valuation": _plain(valuation), "documents": documents})


class MarketDetailsAnswer(Answer):
    """A market together with its asset."""

    market: MarketAnswer
    asset: AssetAnswer


class MarketEventAnswer(Answer):
    """One entry of a market's history."""

    id: UUID
    event_type: str
    actor_id: UUID | None
    actor_type: str
    decision: str | None
    reason: str | None
    metadata: dict[str, Any]
    created_at: Moment

    @classmethod
    def of(cls, row: dict[str, Any]) -> "MarketEventAnswer":
        fields = {name: value for name, value in row.items() if name not in ("position", "event_id")}
        return cls(id=row["event_id"], **fields)


class AddDocument(Body):
    """A document: its bytes in base64, or its hash alone. Only the hash and these words are kept."""

    title: Annotated[Line, Field(min_length=1, max_length=200, examples=["Deed of title"])]
    kind: Annotated[Line, Field(min_length=1, max_length=64, examples=["title_deed"])]
    media_type: Annotated[
        str, Field(strict=True, max_length=100, pattern=r"^([a-z0-9.+-]+/[a-z0-9.+-]+)?$")
    ] = ""
    sha256: Annotated[str, Field(strict=True, pattern=r"^[0-9a-f]{64}$")] | None = None
    content_base64: Annotated[str, Field(strict=True, max_length=900_000)] | None = None
    size_bytes: Annotated[int, Field(strict=True, ge=0, le=2**53)] | None = None
    replaces: Id | None = None
    metadata: Annotated[
        dict[Line, Line], Field(max_length=32, default_factory=dict), AfterValidator(bounded_free_form)
    ]

    def command(self, sha256: bytes, size_bytes: int | None) -> AddDocumentCommand:
        return AddDocumentCommand(
            title=self.title,
            kind=self.kind,
            media_type=self.media_type,
            sha256=sha256,
            size_bytes=size_bytes,
            replaces=DocumentId(self.replaces) if self.replaces else None,
            metadata=dict(self.metadata),
        )


class MeAnswer(Answer):
    """Who you are here; without an `account` while an issuer vouches for you and no wallet is bound yet."""

    user_id: UUID
    account: str | None
    entity_id: UUID | None
    roles: list[str]

    @classmethod
    def of(cls, caller: Caller) -> "MeAnswer":
        return cls(
            user_id=caller.user_id,
            account=checksum_address(Address(caller.account)) if caller.account else None,
            entity_id=caller.entity_id,
            roles=sorted(role.value for role in caller.roles),
        )


def _plain(number: Any) -> str | None:
    if number is None:
        return None
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
