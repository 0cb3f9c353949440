"""The approval queue: a market asks, an officer decides once, the same transaction announces the decision.

One row per market holds its latest request; earlier ones stay readable as events. A request that happened
later than the one held replaces it, and opens the approval again if that was decided; one that happened
earlier changes nothing. So requests may arrive twice and in any order.
"""

import sqlite3
from uuid import UUID

import structlog

from deedbook.permissions import approval_views as views
from deedbook.permissions import events
from deedbook.permissions.authorize import authorize
from deedbook.permissions.errors import Conflict, Invalid, NotFound, NotPermitted
from deedbook.permissions.instants import to_text
from deedbook.permissions.schemas import (
    REASON_CHARS_MAX,
    ApprovalStatus,
    AuthorizationRequest,
    DecisionRequest,
    DecisionResult,
    EventIngest,
    EventResponse,
)
from deedbook.permissions.store import Tx

REQUESTED = "market.approval_requested"
PERMISSION = {"approved": "market.approve", "rejected": "market.reject"}

# What the market's own life says about its approval.
OUTCOMES = {
    "market.approved": ApprovalStatus.APPROVED,
    "market.activation_started": ApprovalStatus.APPROVED,
    "market.activated": ApprovalStatus.APPROVED,
    "market.rejected": ApprovalStatus.REJECTED,
    "market.archived": ApprovalStatus.WITHDRAWN,
}
_ACTOR_CHARS_MAX = 128

log = structlog.get_logger("deedbook.permissions.approvals")


def ingest(tx: Tx, event: EventIngest) -> EventResponse:
    """Take an event from outside; a repeated (source, correlation_id) is answered with the first one."""
    first = events.find_repeat(tx, event.source, event.correlation_id)
    if first is not None:
        return first
    if event.event_type == REQUESTED:
        _require_named(event)
    stored = events.record(tx, event)
    if stored.event_type == REQUESTED:
        _open(tx, stored)
    elif stored.event_type in OUTCOMES:
        _follow(tx, stored)
    return stored


def _require_named(event: EventIngest) -> None:
    """A request nobody could ever decide is refused aloud instead of lying unseen in the list of events."""
    for name in ("market_id", "entity_id"):
        if events.uuid_text(event.payload.get(name)) is None:
            raise Invalid(f"{REQUESTED} needs a UUID in payload.{name}")


def _open(tx: Tx, request: EventResponse) -> None:
    market_id = str(UUID(request.payload["market_id"]))
    held = views.find(tx, market_id)
    happened_at = to_text(request.occurred_at)
    if held is not None and held["status"] == ApprovalStatus.PENDING:
        if happened_at >= held["requested_at"]:
            _replace_request(tx, market_id, request)
        return
    if held is not None and happened_at <= held["requested_at"]:
        return
    tx.db.execute(
        "INSERT OR REPLACE INTO approvals (market_id, entity_id, status, name, request_event_id)"
        " VALUES (?, ?, 'pending', ?, ?)",
        (market_id, request.payload["entity_id"], views.name_of(request.payload), str(request.event_id)),
    )
    log.info("approval opened", market_id=market_id, event_id=str(request.event_id))
    _catch_up(tx, market_id, request)


def _replace_request(tx: Tx, market_id: str, request: EventResponse) -> None:
    tx.db.execute(
        "UPDATE approvals SET entity_id = ?, name = ?, request_event_id = ? WHERE market_id = ?",
        (request.payload["entity_id"], views.name_of(request.payload), str(request.event_id), market_id),
    )


def _catch_up(tx: Tx, market_id: str, request: EventResponse) -> None:
    """The outcome may have arrived before the request it answers."""
    outcome = events.first_of_market_since(tx, market_id, tuple(OUTCOMES), request.occurred_at)
    if outcome is not None:
        _follow(tx, outcome)


def _follow(tx: Tx, outcome: EventResponse) -> None:
    """The market was decided elsewhere: close its approval, announce nothing."""
    market_id = events.market_id_of(outcome.payload)
    held = None if market_id is None else views.find(tx, market_id)
    if held is None or held["status"] != ApprovalStatus.PENDING:
        return
    if to_text(outcome.occurred_at) < held["requested_at"]:
        return
    reason = views.text_or_none(outcome.payload.get("reason"), REASON_CHARS_MAX)
    actor_id = views.text_or_none(outcome.context.get("actor_id"), _ACTOR_CHARS_MAX)
    _close(tx, held["market_id"], OUTCOMES[outcome.event_type], reason, actor_id, outcome)


def decide(tx: Tx, market_id: UUID, request: DecisionRequest, *, principal_type: str) -> DecisionResult:
    """Once, by one who may. The same decision by the same actor again is answered with the first result."""
    held = views.find(tx, str(market_id))
    if held is None:
        raise NotFound(f"Approval for market {market_id} not found")
    if _is_repeat(held, request):
        return views.result(held)
    _require_permitted(tx, held, request, principal_type)
    _require_undecided(held, request)
    event = _announce_decision(tx, held, request)
    _close(tx, str(market_id), ApprovalStatus(request.decision), request.reason, str(request.actor_id), event)
    decided = views.find(tx, str(market_id))
    assert decided is not None
    return views.result(decided)


def _is_repeat(held: sqlite3.Row, request: DecisionRequest) -> bool:
    same = held["status"] == request.decision and held["decision_actor_id"] == str(request.actor_id)
    return same and _is_read_request(held, request)


def _is_read_request(held: sqlite3.Row, request: DecisionRequest) -> bool:
    return request.request_event_id is None or str(request.request_event_id) == held["request_event_id"]


def _require_permitted(tx: Tx, held: sqlite3.Row, request: DecisionRequest, principal_type: str) -> None:
    action = PERMISSION[request.decision]
    question = AuthorizationRequest(
        user_id=request.actor_id,
        action=action,
        resource_id=UUID(held["entity_id"]),
        principal_type=principal_type,
    )
    try:
        permitted = authorize(tx, question)
    except NotFound:
        permitted = False
    if not permitted:
        raise NotPermitted(f"Actor {request.actor_id} lacks {action} on entity {held['entity_id']}")


def _require_undecided(held: sqlite3.Row, request: DecisionRequest) -> None:
    if held["status"] != ApprovalStatus.PENDING:
        raise Conflict(f"Market {held['market_id']} is already {held['status']}")
    if not _is_read_request(held, request):
        raise Conflict(f"Market {held['market_id']} sent a newer request; read it before deciding")


def _announce_decision(tx: Tx, held: sqlite3.Row, request: DecisionRequest) -> EventResponse:
    """One request has one decision: its correlation id says so, and the events table holds to it."""
    asked = events.get(tx, held["request_event_id"]).payload
    payload = {
        "market_id": asked["market_id"],
        "entity_id": asked["entity_id"],
        "decision": request.decision,
        "reason": request.reason,
    }
    return events.announce(
        tx,
        f"market.{request.decision}",
        payload,
        actor_id=request.actor_id,
        correlation_id=f"approval:{held['request_event_id']}",
    )


def _close(
    tx: Tx,
    market_id: str,
    status: ApprovalStatus,
    reason: str | None,
    actor_id: str | None,
    event: EventResponse,
) -> None:
    tx.db.execute(
        "UPDATE approvals SET status = ?, decision_reason = ?, decision_actor_id = ?, decided_at = ?,"
        " decision_event_id = ? WHERE market_id = ?",
        (status, reason, actor_id, to_text(event.occurred_at), str(event.event_id), market_id),
    )
    log.info("approval closed", market_id=market_id, status=status.value, event_id=str(event.event_id))
