"""The inbox: events from outside, claimed by their id in the transaction that carries out what they ask.

However often, by whatever way and in whatever order an event arrives, its row in `processed_events` is
inserted once; who inserts it does the work.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import orjson

from deedbook.infra.database import Database, Tx

MAX_DEPTH = 64


class ProcessingStatus(Enum):
    """What became of an event."""

    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class IncomingEvent:
    """An authentic event of another system. `actor_id` is what that system says and proves nothing yet."""

    event_id: str
    event_type: str
    source: str
    payload: dict[str, Any]
    context: dict[str, Any]
    received_via: str


@dataclass(frozen=True)
class Verdict:
    """How the handling of an event ended."""

    status: ProcessingStatus
    error: str | None = None


def storable(event: IncomingEvent) -> IncomingEvent:
    """The event as PostgreSQL can hold it, so that even poison is recorded and never blocks what comes behind it.

    Neither `text` nor `jsonb` takes NUL or half a surrogate pair; our JSON writer takes no whole number beyond
    64 bits and no endless nesting.
    """
    return replace(
        event,
        event_id=_text(event.event_id),
        event_type=_text(event.event_type),
        source=_text(event.source),
        payload=_value(event.payload, MAX_DEPTH),
        context=_value(event.context, MAX_DEPTH),
    )


def _text(text: str) -> str:
    return text.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _value(value: Any, depth: int) -> Any:
    match value:
        case str():
            return _text(value)
        case int() if abs(value) >= 2**63:
            return str(value)
        case dict() | list() if depth == 0:
            return "nested too deeply"
        case dict():
            return {_text(str(name)): _value(item, depth - 1) for name, item in value.items()}
        case list():
            return [_value(item, depth - 1) for item in value]
        case _:
            return value


async def seen(db: Database, event_id: str) -> ProcessingStatus | None:
    """The status of an event that was handled before: a cheap look, not a claim."""
    async with db.reading() as connection:
        status = await connection.fetchval(
            "SELECT processing_status FROM processed_events WHERE event_id = $1", event_id
        )
    return ProcessingStatus(status) if status else None


async def claim(tx: Tx, event: IncomingEvent) -> bool:
    """Insert the event's row; `False` when it is already there. Concurrent claimants wait for each other."""
    inserted = await tx.fetchval(
        """
        INSERT INTO processed_events (event_id, event_type, source, received_via, payload, context, processing_status)
        VALUES ($1, $2, $3, $4, $5, $6, 'success') ON CONFLICT (event_id) DO NOTHING RETURNING event_id
        """,
        event.event_id,
        event.event_type,
        event.source,
        event.received_via,
        orjson.dumps(event.payload).decode(),
        orjson.dumps(event.context).decode(),
    )
    return inserted is not None


async def reclaim(tx: Tx, event_id: str) -> IncomingEvent | None:
    """Take a failed event up again; `None` when it is absent or did not fail."""
    row = await tx.fetchrow(
        """
        UPDATE processed_events SET processing_status = 'success', attempts = attempts + 1
        WHERE event_id = $1 AND processing_status = 'failed'
        RETURNING event_id, event_type, source, payload, context, received_via
        """,
        event_id,
    )
    return IncomingEvent(**dict(row)) if row else None


async def settle(tx: Tx, event_id: str, verdict: Verdict) -> None:
    """Write down how it ended, in the same transaction as the claim and the effect."""
    await tx.execute(
        """
        UPDATE processed_events SET processing_status = $2, processing_error = $3, processed_at = now()
        WHERE event_id = $1
        """,
        event_id,
        verdict.status.value,
        verdict.error[:2000] if verdict.error else None,
    )


async def listing(db: Database, status: str | None, limit: int) -> list[dict[str, Any]]:
    """The newest events and what became of them, for operators."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            SELECT event_id, event_type, source, received_via, payload, context, processing_status,
                   processing_error, attempts, received_at, processed_at
            FROM processed_events WHERE $1::text IS NULL OR processing_status = $1
            ORDER BY processed_at DESC LIMIT $2
            """,
            status,
            limit,
        )
    return [dict(row) for row in rows]


async def failed_count(db: Database) -> int:
    """Events that wait for an operator."""
    async with db.reading() as connection:
        return int(
            await connection.fetchval(
                "SELECT count(*) FROM processed_events WHERE processing_status = 'failed'"
            )
        )


async def unseen(db: Database, event_ids: list[str]) -> set[str]:
    """Those of the events that were never handled."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT event_id FROM processed_events WHERE event_id = ANY($1)", event_ids
        )
    return set(event_ids) - {row["event_id"] for row in rows}
