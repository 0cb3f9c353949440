"""Reading the approval queue: one row, one page, and a request laid out for the officer. Writes nothing."""

import json
import sqlite3
from typing import Any
from uuid import UUID

from deedbook.permissions.errors import NotFound
from deedbook.permissions.schemas import (
    ApprovalDetail,
    ApprovalPage,
    ApprovalStatus,
    ApprovalSummary,
    DecisionResult,
)
from deedbook.permissions.store import Tx

_NAME_CHARS_MAX = 255
_ACTOR_CHARS_MAX = 128

_SELECT = """
SELECT approvals.*, requests.source AS request_source, requests.occurred_at AS requested_at,
       requests.payload AS request_payload, requests.context AS request_context,
       decisions.source AS decision_source
FROM approvals
JOIN events AS requests ON requests.event_id = approvals.request_event_id
LEFT JOIN events AS decisions ON decisions.event_id = approvals.decision_event_id
"""


def find(tx: Tx, market_id: str) -> sqlite3.Row | None:
    """The approval with its request and its decision, as columns."""
    row = tx.db.execute(f"{_SELECT} WHERE approvals.market_id = ?", (market_id,)).fetchone()
    assert row is None or isinstance(row, sqlite3.Row)
    return row


def detail(tx: Tx, market_id: UUID) -> ApprovalDetail:
    row = find(tx, str(market_id))
    if row is None:
        raise NotFound(f"Approval for market {market_id} not found")
    return _detail(row)


def page(tx: Tx, *, status: ApprovalStatus | None, limit: int, after: int) -> ApprovalPage:
    """Oldest first, as a queue is worked off; `after` is the cursor of the page before."""
    rows = _page_rows(tx, status, limit, after)
    items = [_summary(row) for row in rows[:limit]]
    return ApprovalPage(items=items, next_cursor=_next_cursor(rows, limit))


def page_of_details(tx: Tx, *, limit: int, after: int) -> tuple[list[ApprovalDetail], str | None]:
    """What is pending, in full, for the desk."""
    rows = _page_rows(tx, ApprovalStatus.PENDING, limit, after)
    return [_detail(row) for row in rows[:limit]], _next_cursor(rows, limit)


def _page_rows(tx: Tx, status: ApprovalStatus | None, limit: int, after: int) -> list[sqlite3.Row]:
    statement = f"{_SELECT} WHERE approvals.seq > ?"
    values: list[str | int] = [after]
    if status is not None:
        statement += " AND approvals.status = ?"
        values.append(status)
    return tx.db.execute(f"{statement} ORDER BY approvals.seq LIMIT ?", (*values, limit + 1)).fetchall()


def _next_cursor(rows: list[sqlite3.Row], limit: int) -> str | None:
    return str(rows[limit - 1]["seq"]) if len(rows) > limit else None


def result(row: sqlite3.Row) -> DecisionResult:
    return DecisionResult(
        market_id=row["market_id"],
        entity_id=row["entity_id"],
        decision=row["status"],
        reason=row["decision_reason"],
        actor_id=row["decision_actor_id"],
        decided_at=row["decided_at"],
        event_id=row["decision_event_id"],
        source=row["decision_source"],
    )


def _summary(row: sqlite3.Row) -> ApprovalSummary:
    return ApprovalSummary(
        market_id=row["market_id"],
        entity_id=row["entity_id"],
        status=row["status"],
        name=row["name"],
        requested_at=row["requested_at"],
        requested_by=text_or_none(json.loads(row["request_context"]).get("actor_id"), _ACTOR_CHARS_MAX),
        request_event_id=row["request_event_id"],
        source=row["request_source"],
        decision=None if row["status"] == ApprovalStatus.PENDING else result(row),
    )


def _detail(row: sqlite3.Row) -> ApprovalDetail:
    return ApprovalDetail(**_summary(row).model_dump(), **sort_request(json.loads(row["request_payload"])))


def sort_request(payload: dict[str, Any]) -> dict[str, Any]:
    """Lay a request out for reading.

    What is not known by name stays visible: as the facts when there are none of that name, else as `other`.
    """
    rest = {name: value for name, value in payload.items() if name not in ("market_id", "entity_id")}
    documents = _take_first(rest, ("documents", "compliance_documents"), [])
    issuer = _take_first(rest, ("issuer", "issuer_credentials"), {})
    if "facts" in rest:
        return {"facts": rest.pop("facts"), "documents": documents, "issuer": issuer, "other": rest}
    return {"facts": rest, "documents": documents, "issuer": issuer, "other": {}}


def _take_first(rest: dict[str, Any], names: tuple[str, ...], none: Any) -> Any:
    return next((rest.pop(name) for name in names if name in rest), none)


def name_of(payload: dict[str, Any]) -> str | None:
    """A name for the list, if the request has one."""
    facts = payload.get("facts")
    name = payload.get("name") or (facts.get("name") if isinstance(facts, dict) else None)
    return text_or_none(name, _NAME_CHARS_MAX)


def text_or_none(value: object, chars_max: int) -> str | None:
    return value[:chars_max] if isinstance(value, str) else None
