"""Who may hold what."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True)
class ComplianceRecord:
    """What compliance knows of a user for a token."""

    user_id: UUID
    token_id: UUID
    kyc_status: str
    kyc_level: int
    whitelisted: bool
    accreditation: str
    accreditation_expires_at: datetime | None
    jurisdiction: str | None
    expires_at: datetime | None
    provider: str
    provider_reference: str
    version: int
    updated_at: datetime


@dataclass(frozen=True)
class Standing:
    """How a user stands with compliance."""

    user_id: UUID
    account: str
    frozen: bool
    frozen_reason: str | None
    sanctioned: bool
    screened_at: datetime | None
    on_chain: bool
    records: tuple[ComplianceRecord, ...]


@dataclass(frozen=True)
class ComplianceRules:
    """What a token asks of those who hold it."""

    token_id: UUID
    regulated: bool
    min_kyc_level: int
    accreditation_required: bool
    allowed_jurisdictions: tuple[str, ...]
    blocked_jurisdictions: tuple[str, ...]
    max_holders: int | None
    max_ownership: Decimal | None
    lock_up_days: int
    paused: bool
    version: int
