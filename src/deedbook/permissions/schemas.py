"""The bodies of the wire: field names, bounds and answers, as the Entity Permissions Core has them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from deedbook.permissions.bounds import JsonObject
from deedbook.permissions.instants import Instant

LIST_MAX = 1000
REASON_CHARS_MAX = 2000

Action = Annotated[str, StringConstraints(min_length=1, max_length=255)]
PrincipalType = Annotated[str, StringConstraints(max_length=64)]
Description = Annotated[str, StringConstraints(max_length=512)]
ScopeTypes = Annotated[list[Annotated[str, StringConstraints(max_length=64)]], Field(max_length=64)]
Permissions = Annotated[list[Action], Field(max_length=500)]


class EntityType(StrEnum):
    ISSUER = "issuer"
    SPV = "spv"
    OFFERING = "offering"
    INVESTOR = "investor"
    AGENT = "agent"
    OTHER = "other"


class EntityStatus(StrEnum):
    ACTIVE = "active"
    INACTIVE = "inactive"
    ARCHIVED = "archived"


class DeliveryState(StrEnum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class ApprovalStatus(StrEnum):
    """`withdrawn`: the market was archived before anybody decided."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class AuthorizationRequest(BaseModel):
    user_id: UUID
    action: Annotated[str, StringConstraints(max_length=255)]
    resource_id: UUID
    principal_type: PrincipalType = "user"


class AuthorizationResponse(BaseModel):
    authorized: bool


class EntityCreate(BaseModel):
    name: str = Field(max_length=255)
    type: EntityType
    parent_id: UUID | None = None
    attributes: JsonObject = Field(default_factory=dict)
    status: EntityStatus = EntityStatus.ACTIVE


class EntityUpdate(BaseModel):
    """Only the fields sent change. Only `parent_id` may be sent as null: the entity then has no parent."""

    name: str = Field(default="", max_length=255)
    status: EntityStatus = EntityStatus.ACTIVE
    parent_id: UUID | None = None
    attributes: JsonObject = Field(default_factory=dict)

    model_config = ConfigDict(extra="forbid")


class EntityResponse(BaseModel):
    name: str
    type: EntityType
    parent_id: UUID | None
    attributes: dict[str, Any]
    id: UUID
    status: EntityStatus
    created_at: datetime
    updated_at: datetime


class RoleCreate(BaseModel):
    name: str = Field(min_length=3, max_length=120)
    description: Description | None = None
    scope_types: ScopeTypes = Field(default_factory=list)
    permissions: Permissions = Field(default_factory=list)


class RoleUpdate(BaseModel):
    description: Description | None = None
    scope_types: ScopeTypes | None = None
    permissions: Permissions | None = None


class RoleResponse(BaseModel):
    name: str
    description: str | None
    scope_types: list[str]
    id: UUID
    is_system: bool
    permissions: list[str]
    created_at: datetime
    updated_at: datetime


class AssignmentCreate(BaseModel):
    principal_id: UUID
    role_id: UUID
    entity_id: UUID | None = None
    principal_type: PrincipalType = "user"
    effective_at: Instant | None = None
    expires_at: Instant | None = None


class AssignmentResponse(BaseModel):
    principal_id: UUID
    role_id: UUID
    entity_id: UUID | None
    principal_type: str
    effective_at: datetime
    expires_at: datetime | None
    id: UUID
    created_at: datetime
    updated_at: datetime


class EventIngest(BaseModel):
    event_type: str = Field(min_length=3, max_length=128)
    source: str = Field(min_length=3, max_length=128)
    payload: JsonObject = Field(default_factory=dict)
    context: JsonObject = Field(default_factory=dict)
    correlation_id: str | None = Field(default=None, max_length=128)
    occurred_at: Instant | None = None
    schema_version: str = Field(default="v1", max_length=16)


class EventResponse(BaseModel):
    id: UUID
    event_id: UUID
    event_type: str
    source: str
    occurred_at: datetime
    correlation_id: str | None
    schema_version: str
    payload: dict[str, Any]
    context: dict[str, Any]
    delivery_state: DeliveryState
    delivery_attempts: int
    last_error: str | None
    created_at: datetime
    updated_at: datetime


def _past_tense(value: object) -> object:
    return (
        {"approve": "approved", "reject": "rejected"}.get(value, value) if isinstance(value, str) else value
    )


def _blank_is_none(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


Verdict = Literal["approved", "rejected"]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=REASON_CHARS_MAX)]


class DecisionRequest(BaseModel):
    """`request_event_id`, when sent, says which request was read; a newer one is a conflict."""

    decision: Annotated[Verdict, BeforeValidator(_past_tense)]
    reason: Annotated[Reason | None, BeforeValidator(_blank_is_none)] = None
    actor_id: UUID
    request_event_id: Annotated[UUID | None, BeforeValidator(_blank_is_none)] = None

    @model_validator(mode="after")
    def _rejection_says_why(self) -> "DecisionRequest":
        if self.decision == "rejected" and self.reason is None:
            raise ValueError("a rejection needs a reason")
        return self


class DecisionResult(BaseModel):
    """How an approval ended. `source` is who decided: this service, or the platform by its own event."""

    market_id: str
    entity_id: str
    decision: ApprovalStatus
    reason: str | None
    actor_id: str | None
    decided_at: datetime
    event_id: UUID
    source: str


class ApprovalSummary(BaseModel):
    market_id: str
    entity_id: str
    status: ApprovalStatus
    name: str | None
    requested_at: datetime
    requested_by: str | None
    request_event_id: UUID
    source: str
    decision: DecisionResult | None


class ApprovalDetail(ApprovalSummary):
    """What the officer reads: facts, documents and issuer side by side, and whatever else was sent."""

    facts: Any
    documents: Any
    issuer: Any
    other: dict[str, Any]


class ApprovalPage(BaseModel):
    items: list[ApprovalSummary]
    next_cursor: str | None
