"""Bodies about the record: what happened, and how ledger and chain compare."""

from typing import Any
from uuid import UUID

from deedbook.api.v1.schemas.common import Answer, Moment


class AuditAnswer(Answer):
    """One entry of the audit log: who did what, and what it was before and after."""

    event_id: UUID
    action: str
    actor_id: UUID | None
    actor_type: str
    entity_type: str
    entity_id: UUID
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    details: dict[str, Any]
    correlation_id: str
    created_at: Moment
