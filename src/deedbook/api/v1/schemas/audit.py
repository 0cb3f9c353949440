"""Bodies about the record: what happened, and how ledger and chain compare."""

from typing import Any
from uuid import UUID

from deedbook.api.v1.schemas.common import Answer, Moment
from deedbook.infra.audit import StreamReport


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


class StreamVerified(Answer):
    """One stream of the sealed record. `findings` is empty when it holds; `seals` and `headHash`, noted down elsewhere,
    let `deedbook audit verify --head` find what is cut off at the end later."""

    stream: str
    seals: int
    rows_read: int
    rows_unsealed: int
    head_hash: str
    findings: list[str]

    @classmethod
    def of(cls, report: StreamReport) -> "StreamVerified":
        return cls(
            stream=report.stream,
            seals=report.seals,
            rows_read=report.rows,
            rows_unsealed=report.unsealed_rows,
            head_hash=report.head_hash,
            findings=list(report.findings),
        )


class RecordVerified(Answer):
    """The record, computed again: the hashes of the newest seals from their rows, of all seals from one another."""

    holds: bool
    newest_seals: int
    streams: list[StreamVerified]
    verified_at: Moment
