"""Decisions that arrive from the permission service, by webhook or by poll: one routine for both.

An event is claimed and its effect carried out in one transaction. It may come twice, late, out of order,
for a market that does not exist, or from somebody who may not decide: each ends as a recorded verdict.
"""

from dataclasses import dataclass
from enum import Enum
from uuid import UUID

import structlog

from deedbook.identity.ports import Permissions
from deedbook.identity.terms import Action, Caller
from deedbook.infra import inbox
from deedbook.infra.database import Database, Tx
from deedbook.infra.events import EventRetried
from deedbook.infra.failpoints import failpoint
from deedbook.infra.inbox import IncomingEvent, ProcessingStatus, Verdict
from deedbook.kernel.errors import Refusal, Unavailable
from deedbook.kernel.events import Actor, ActorType
from deedbook.kernel.ids import MarketId, UserId, parse_uuid
from deedbook.markets import service, store
from deedbook.markets.errors import IllegalTransition
from deedbook.markets.terms import Decision

log = structlog.get_logger(__name__)

PERMISSION_EVENTS = frozenset(
    {"role.assignment.changed", "role.updated", "entity.archived", "entity.updated"}
)
_DECISIONS = {"market.approved": Decision.APPROVED, "market.rejected": Decision.REJECTED}
_ACTIONS = {Decision.APPROVED: Action.APPROVE, Decision.REJECTED: Action.REJECT}
MAX_REASON = 1000


class Outcome(Enum):
    """What became of an arriving event, for whoever delivered it."""

    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"
    DUPLICATE = "duplicate"


class _Unusable(Exception):
    """The event is authentic and cannot be carried out; an operator may retry it."""


@dataclass(frozen=True)
class _MarketDecision:
    market_id: MarketId
    decision: Decision
    reason: str
    actor_id: UserId


async def receive(
    db: Database, permissions: Permissions, sources: tuple[str, ...], event: IncomingEvent
) -> Outcome:
    """Handle an authentic event, once.

    Raises:
        Unavailable: the database or the permission service gives no answer. Nothing was recorded; whoever
            delivered the event delivers it again.
    """
    event = inbox.storable(event)
    if await inbox.seen(db, event.event_id) is not None:
        return Outcome.DUPLICATE
    return await _handle(db, permissions, sources, event, None)


async def retry(
    db: Database, permissions: Permissions, sources: tuple[str, ...], event_id: str, operator: Caller
) -> Outcome | None:
    """Take up an event that failed, on an operator's word; `None` when there is no such failed event.

    Who asked for it is told in the transaction that does it.

    Raises:
        Unavailable: as for `receive`; the event stays failed.
    """
    async with db.reading() as connection:
        row = await connection.fetchrow(
            "SELECT event_id, event_type, source, payload, context, received_via FROM processed_events "
            "WHERE event_id = $1 AND processing_status = 'failed'",
            event_id,
        )
    return await _handle(db, permissions, sources, IncomingEvent(**dict(row)), operator) if row else None


async def _handle(
    db: Database,
    permissions: Permissions,
    sources: tuple[str, ...],
    event: IncomingEvent,
    operator: Caller | None,
) -> Outcome:
    try:
        decision = await _authorized_decision(db, permissions, sources, event)
    except _Unusable as problem:
        return await _record(db, event, Verdict(ProcessingStatus.FAILED, str(problem)), operator)
    if decision is None:
        if event.event_type in PERMISSION_EVENTS:
            await permissions.forget(_principal(event))
            return await _record(db, event, Verdict(ProcessingStatus.SUCCESS), operator)
        return await _record(db, event, Verdict(ProcessingStatus.SKIPPED, "not for us"), operator)
    try:
        async with db.transaction() as tx:
            if not await _claim(tx, event, operator):
                return Outcome.DUPLICATE
            await failpoint("decision.afterClaim")
            await _carry_out(tx, decision)
            await inbox.settle(tx, event.event_id, Verdict(ProcessingStatus.SUCCESS))
        return Outcome.SUCCESS
    except Unavailable:
        raise
    except IllegalTransition as late:
        return await _record(db, event, Verdict(ProcessingStatus.SKIPPED, late.detail), operator)
    except Refusal as refusal:
        return await _record(db, event, Verdict(ProcessingStatus.FAILED, refusal.detail), operator)
    except Exception as error:
        log.exception("decision_failed", event_id=event.event_id)
        return await _record(db, event, Verdict(ProcessingStatus.FAILED, repr(error)), operator)


async def _authorized_decision(
    db: Database, permissions: Permissions, sources: tuple[str, ...], event: IncomingEvent
) -> _MarketDecision | None:
    """Read the decision and ask whether its author may make it; `None` when the event is no decision for us."""
    kind = _DECISIONS.get(event.event_type)
    if kind is None or event.source not in sources:
        return None
    market_id = parse_uuid(str(event.payload.get("market_id", "")))
    actor_id = parse_uuid(str(event.context.get("actor_id", "")))
    if market_id is None or actor_id is None:
        raise _Unusable("the event names no market_id or no actor_id")
    said = event.payload.get("decision", kind.value)
    if said != kind.value:
        raise _Unusable("the event's type and its decision disagree")
    market = await store.read(db, MarketId(market_id))
    if market is None:
        raise _Unusable("there is no such market")
    named_entity = event.payload.get("entity_id")
    if named_entity is not None and str(named_entity) != str(market.issuer_id):
        raise _Unusable("the event names another entity than the market's issuer")
    if not await permissions.is_allowed(UserId(actor_id), _ACTIONS[kind], market.issuer_id):
        raise _Unusable(f"the actor is not allowed {_ACTIONS[kind].value}")
    reason = str(event.payload.get("reason") or "")[:MAX_REASON]
    if kind is Decision.REJECTED and not reason.strip():
        reason = "no reason given"
    return _MarketDecision(market.market_id, kind, reason, UserId(actor_id))


async def _carry_out(tx: Tx, decision: _MarketDecision) -> None:
    actor = Actor(ActorType.COMPLIANCE, decision.actor_id)
    await service.decide(tx, decision.market_id, decision.decision, decision.reason, actor)


async def _claim(tx: Tx, event: IncomingEvent, operator: Caller | None) -> bool:
    if operator is None:
        return await inbox.claim(tx, event)
    if await inbox.reclaim(tx, event.event_id) is None:
        return False
    retried = EventRetried(operator_id=operator.user_id, event_id=event.event_id)
    failed, taken_up = {"processingStatus": "failed"}, {"processingStatus": "processing"}
    tx.emit(retried, operator.actor, before=failed, after=taken_up)
    return True


async def _record(db: Database, event: IncomingEvent, verdict: Verdict, operator: Caller | None) -> Outcome:
    async with db.transaction() as tx:
        if not await _claim(tx, event, operator):
            return Outcome.DUPLICATE
        await inbox.settle(tx, event.event_id, verdict)
    if verdict.status is ProcessingStatus.FAILED:
        log.warning("event_failed", event_id=event.event_id, event_type=event.event_type, error=verdict.error)
    return Outcome(verdict.status.value)


def _principal(event: IncomingEvent) -> UserId | None:
    principal: UUID | None = parse_uuid(str(event.payload.get("principal_id", "")))
    return UserId(principal) if principal else None
