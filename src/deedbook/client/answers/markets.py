"""How an asset becomes a market, and who one is here."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Me:
    """Who I am here. Whoever comes by another provider has no account before they bind one."""

    user_id: UUID
    account: str | None
    entity_id: UUID | None
    roles: tuple[str, ...]


@dataclass(frozen=True)
class Market:
    """A market. `version` is for decisions that must not be taken of an older one."""

    id: UUID
    name: str
    description: str
    asset_type: str
    status: str
    issuer_id: UUID
    issuer_account: str
    token_name: str
    token_symbol: str
    decimals: int
    total_supply: Decimal
    supply_cap: Decimal
    contract_address: str | None
    deployment_tx_hash: str | None
    approved_by: UUID | None
    approved_at: datetime | None
    activated_at: datetime | None
    rejected_reason: str | None
    metadata: dict[str, Any]
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class MarketEvent:
    """One entry of a market's history."""

    id: UUID
    event_type: str
    actor_id: UUID | None
    actor_type: str
    decision: str | None
    reason: str | None
    metadata: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True)
class Document:
    """A document on record."""

    id: UUID
    title: str
    kind: str
    media_type: str
    sha256: str
    size_bytes: int | None
    version: int
    replaces: UUID | None
    metadata: dict[str, Any]
    created_at: datetime
