"""Messages owed to webhooks, as rows: written with the event, claimed for a while, kept until accepted.

A claim is a lease. A process that dies holding one loses nothing: the lease ends and another attempt is made.
"""

import json
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from deedbook.permissions.instants import to_text
from deedbook.permissions.store import Tx

ERROR_CHARS_MAX = 1024
KEPT_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message due at one webhook. `event` is None for the message that opens a subscription."""

    outbox_id: int
    message_id: str
    url: str
    attempt: int
    subscription_id: str
    token: str
    event: dict[str, Any] | None


def subscribe(tx: Tx, url: str) -> bool:
    """Know a webhook. The first time ever, owe it one subscription message; True then."""
    row = (url, str(uuid4()), secrets.token_hex(112), tx.now_text)
    known = tx.db.execute("INSERT INTO subscriptions VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", row)
    if known.rowcount == 1:
        _owe(tx, url, None)
    return known.rowcount == 1


def enqueue(tx: Tx, event_id: str) -> None:
    for url in tx.webhook_urls:
        subscribe(tx, url)
        _owe(tx, url, event_id)


def _owe(tx: Tx, url: str, event_id: str | None) -> None:
    tx.db.execute(
        "INSERT INTO outbox (message_id, url, event_id, state, due_at, created_at)"
        " VALUES (?, ?, ?, 'pending', ?, ?)",
        (str(uuid4()), url, event_id, tx.now_text, tx.now_text),
    )


_DUE = "url = ? AND state = 'pending' AND due_at <= ? AND leased_until <= ?"


def is_due(tx: Tx, url: str) -> bool:
    """A cheap look before taking the write lock."""
    statement = f"SELECT 1 FROM outbox WHERE {_DUE} LIMIT 1"
    return tx.db.execute(statement, (url, tx.now_text, tx.now_text)).fetchone() is not None


def claim(tx: Tx, url: str, *, limit: int, lease_s: float) -> list[Parcel]:
    leased_until = to_text(tx.now + timedelta(seconds=lease_s))
    statement = (
        "UPDATE outbox SET leased_until = ?, attempts = attempts + 1"
        f" WHERE id IN (SELECT id FROM outbox WHERE {_DUE} ORDER BY id LIMIT ?) RETURNING id"
    )
    # SQLite changes the rows only as the answer is read to its end.
    rows = tx.db.execute(statement, (leased_until, url, tx.now_text, tx.now_text, limit)).fetchall()
    return [_parcel(tx, outbox_id) for outbox_id in sorted(row["id"] for row in rows)]


def _parcel(tx: Tx, outbox_id: int) -> Parcel:
    row = tx.db.execute(
        "SELECT outbox.id AS outbox_id, outbox.message_id, outbox.attempts, subscriptions.*, events.*"
        " FROM outbox JOIN subscriptions USING (url) LEFT JOIN events USING (event_id) WHERE outbox.id = ?",
        (outbox_id,),
    ).fetchone()
    return Parcel(
        outbox_id=row["outbox_id"],
        message_id=row["message_id"],
        url=row["url"],
        attempt=row["attempts"],
        subscription_id=row["subscription_id"],
        token=row["token"],
        event=None if row["event_type"] is None else _envelope(row),
    )


def _envelope(row: sqlite3.Row) -> dict[str, Any]:
    """An event as it travels: what the events API calls `context` is called `metadata` here."""
    names = ("event_id", "event_type", "source", "occurred_at", "correlation_id", "schema_version")
    fields = {name: row[name] for name in names}
    return {**fields, "payload": json.loads(row["payload"]), "metadata": json.loads(row["context"])}


def mark_delivered(tx: Tx, parcel: Parcel) -> None:
    tx.db.execute(
        "UPDATE outbox SET state = 'delivered', last_error = NULL WHERE id = ?", (parcel.outbox_id,)
    )
    _refresh_event_of(tx, parcel.outbox_id)


def mark_refused(tx: Tx, parcel: Parcel, why: str, *, retry_at: datetime) -> None:
    """Only the newest attempt may reschedule: a slow answer to an older one says nothing about it."""
    tx.db.execute(
        "UPDATE outbox SET due_at = ?, leased_until = '', last_error = ?"
        " WHERE id = ? AND attempts = ? AND state = 'pending'",
        (to_text(retry_at), why[:ERROR_CHARS_MAX], parcel.outbox_id, parcel.attempt),
    )
    _refresh_event_of(tx, parcel.outbox_id)


def give_up(tx: Tx, *, after_s: float) -> int:
    """Mark what nobody accepted in time, whichever webhook it was for; how many messages that were."""
    oldest = to_text(tx.now - timedelta(seconds=after_s))
    statement = (
        "UPDATE outbox SET state = 'abandoned' WHERE state = 'pending' AND created_at <= ? RETURNING id"
    )
    abandoned = [row["id"] for row in tx.db.execute(statement, (oldest,)).fetchall()]
    for outbox_id in abandoned:
        _refresh_event_of(tx, outbox_id)
    return len(abandoned)


def forget(tx: Tx) -> None:
    """Drop what was settled long ago; the event itself keeps how its delivery ended."""
    oldest = to_text(tx.now - KEPT_FOR)
    tx.db.execute("DELETE FROM outbox WHERE state <> 'pending' AND created_at <= ?", (oldest,))


def _refresh_event_of(tx: Tx, outbox_id: int) -> None:
    """An event is pending while any webhook waits for it, and failed if any was given up."""
    tx.db.execute(
        """UPDATE events SET updated_at = :now, (delivery_state, delivery_attempts, last_error) = (
            SELECT CASE WHEN total(state = 'pending') > 0 THEN 'pending'
                        WHEN total(state = 'abandoned') > 0 THEN 'failed' ELSE 'succeeded' END,
                   max(attempts), max(last_error)
            FROM outbox WHERE outbox.event_id = events.event_id)
        WHERE event_id = (SELECT event_id FROM outbox WHERE id = :outbox_id)""",
        {"now": tx.now_text, "outbox_id": outbox_id},
    )
