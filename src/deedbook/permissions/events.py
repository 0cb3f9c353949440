"""The append-only list of events: what others posted, and what this service announces of itself."""

import json
import sqlite3
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from deedbook.permissions import outbox
from deedbook.permissions.errors import NotFound
from deedbook.permissions.instants import to_text
from deedbook.permissions.schemas import DeliveryState, EventIngest, EventResponse
from deedbook.permissions.store import Tx

SOURCE = "entity_permissions_core"


def find_repeat(tx: Tx, source: str, correlation_id: str | None) -> EventResponse | None:
    """The first event with this source and correlation id, if any. An empty id repeats nothing."""
    if not correlation_id:
        return None
    statement = "SELECT * FROM events WHERE source = ? AND correlation_id = ?"
    row = tx.db.execute(statement, (source, correlation_id)).fetchone()
    return None if row is None else _response(row)


def record(tx: Tx, event: EventIngest) -> EventResponse:
    """Store an event known to be new. Only events in this service's own name are pushed to webhooks."""
    pushed = event.source == SOURCE and bool(tx.webhook_urls)
    event_id = str(uuid4())
    row = {
        "id": str(uuid4()),
        "event_id": event_id,
        "event_type": event.event_type,
        "source": event.source,
        "occurred_at": to_text(event.occurred_at or tx.now),
        "correlation_id": event.correlation_id,
        "schema_version": event.schema_version,
        "payload": json.dumps(event.payload),
        "context": json.dumps(event.context),
        "market_id": market_id_of(event.payload),
        "delivery_state": DeliveryState.PENDING if pushed else DeliveryState.SUCCEEDED,
        "delivery_attempts": 0 if pushed else 1,
        "created_at": tx.now_text,
        "updated_at": tx.now_text,
    }
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    tx.db.execute(f"INSERT INTO events ({names}) VALUES ({values})", row)  # noqa: S608 -- names are ours
    if pushed:
        outbox.enqueue(tx, event_id)
    return get(tx, event_id)


def announce(
    tx: Tx,
    event_type: str,
    payload: dict[str, Any],
    *,
    actor_id: UUID | None = None,
    correlation_id: str | None = None,
) -> EventResponse:
    """Say something in this service's own name; the webhooks hear it too."""
    context = {} if actor_id is None else {"actor_id": str(actor_id)}
    event = EventIngest(
        event_type=event_type, source=SOURCE, payload=payload, context=context, correlation_id=correlation_id
    )
    return record(tx, event)


def market_id_of(payload: dict[str, Any]) -> str | None:
    """The market an event speaks of, in one spelling; None when it names none."""
    return uuid_text(payload.get("market_id"))


def uuid_text(value: object) -> str | None:
    try:
        return str(UUID(value)) if isinstance(value, str) else None
    except ValueError:
        return None


def get(tx: Tx, event_id: str) -> EventResponse:
    row = tx.db.execute("SELECT * FROM events WHERE event_id = ?", (event_id,)).fetchone()
    if row is None:
        raise NotFound(f"Event {event_id} not found")
    return _response(row)


def newest(tx: Tx, *, event_type: str | None, source: str | None, limit: int) -> list[EventResponse]:
    statement = "SELECT * FROM events WHERE true"
    values: list[str | int] = []
    for column, wanted in (("event_type", event_type), ("source", source)):
        if wanted:
            statement += f" AND {column} = ?"
            values.append(wanted)
    statement += " ORDER BY occurred_at DESC, seq DESC LIMIT ?"
    return [_response(row) for row in tx.db.execute(statement, (*values, limit))]


def first_of_market_since(
    tx: Tx, market_id: str, event_types: tuple[str, ...], since: datetime
) -> EventResponse | None:
    """The earliest event of these types that others sent about a market, not older than `since`."""
    rows = tx.db.execute(
        "SELECT * FROM events WHERE market_id = ? AND source <> ? AND occurred_at >= ?"
        " ORDER BY occurred_at, seq",
        (market_id, SOURCE, to_text(since)),
    )
    return next((_response(row) for row in rows if row["event_type"] in event_types), None)


def _response(row: sqlite3.Row) -> EventResponse:
    fields = {name: row[name] for name in row.keys() if name not in ("seq", "market_id")}  # noqa: SIM118
    fields["payload"] = json.loads(row["payload"])
    fields["context"] = json.loads(row["context"])
    return EventResponse(**fields)
