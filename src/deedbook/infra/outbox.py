"""The outbox: facts and jobs leave PostgreSQL in commit order, one cursor per sink.

A serial number is not commit order: a lower one may commit later. A row is therefore read only once every
transaction older than or equal to its own has ended (`pg_snapshot_xmin`), ordered by (tx_id, position).
Delivery is at least once; the cursor moves after delivery, fenced by the sink's lease.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from deedbook.infra.database import Database, Tx
from deedbook.infra.lease import Lease


@dataclass(frozen=True)
class Cursor:
    """All rows up to and including (tx_id, position) have been delivered."""

    tx_id: int
    position: int


@dataclass(frozen=True)
class StoredFact:
    """A fact as it stands in the `events` table."""

    event_id: UUID
    event_type: str
    version: int
    stream_type: str
    stream_id: UUID
    seq: int | None
    actor_id: UUID | None
    actor_type: str
    payload: dict[str, Any]
    correlation_id: str
    occurred_at: datetime
    cursor: Cursor


@dataclass(frozen=True)
class StoredJob:
    """A job as it stands in the `jobs` table."""

    job_id: str
    queue: str
    name: str
    data: dict[str, Any]
    priority: int
    correlation_id: str
    cursor: Cursor


_FACT_COLUMNS = """event_id, event_type, version, stream_type, stream_id, seq, actor_id, actor_type, payload,
    correlation_id, occurred_at, tx_id::text::bigint AS tx, position"""
_JOB_COLUMNS = "job_id, queue, name, data, priority, correlation_id, tx_id::text::bigint AS tx, position"


async def load_cursor(db: Database, sink: str) -> Cursor:
    """The sink's cursor; a new sink starts from the beginning."""
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO relay_cursors (sink) VALUES ($1) ON CONFLICT DO NOTHING", sink)
        row = await tx.fetchrow(
            "SELECT tx_id::text::bigint AS tx, position FROM relay_cursors WHERE sink = $1", sink
        )
    assert row is not None
    return Cursor(row["tx"], row["position"])


async def facts_after(db: Database, cursor: Cursor, *, limit: int) -> list[StoredFact]:
    """The next facts that are safe to read, oldest first."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            f"""
            SELECT {_FACT_COLUMNS} FROM events
            WHERE (tx_id, position) > ($1::text::xid8, $2::bigint)
              AND tx_id < pg_snapshot_xmin(pg_current_snapshot())
            ORDER BY tx_id, position LIMIT $3
            """,
            str(cursor.tx_id),
            cursor.position,
            limit,
        )
    return [_fact(row) for row in rows]


async def jobs_after(db: Database, cursor: Cursor, *, limit: int) -> list[StoredJob]:
    """The next jobs that are safe to read, oldest first."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            f"""
            SELECT {_JOB_COLUMNS} FROM jobs
            WHERE (tx_id, position) > ($1::text::xid8, $2::bigint)
              AND tx_id < pg_snapshot_xmin(pg_current_snapshot())
            ORDER BY tx_id, position LIMIT $3
            """,
            str(cursor.tx_id),
            cursor.position,
            limit,
        )
    return [_job(row) for row in rows]


_ADVANCE = """
    WITH held AS MATERIALIZED (SELECT epoch FROM leases WHERE name = $5 AND holder = $6 FOR SHARE)
    UPDATE relay_cursors SET tx_id = $2::text::xid8, position = $3, delivered = delivered + $4, updated_at = now()
    FROM held WHERE sink = $1 AND held.epoch = $7
    RETURNING sink
"""


async def advance(by: Tx | Database, sink: str, lease: Lease, cursor: Cursor, delivered: int) -> bool:
    """Move the sink's cursor, in a transaction or as one of its own; `False` when the lease has changed hands
    meanwhile (then nothing moved). The lease stays as it is until the commit."""
    told = (sink, str(cursor.tx_id), cursor.position, delivered, lease.name, lease.holder, lease.epoch)
    rows = await (by.statement if isinstance(by, Database) else by.fetch)(_ADVANCE, *told)
    return bool(rows)


async def unfinished_jobs(db: Database, *, older_than_s: float, after: int, limit: int) -> list[StoredJob]:
    """Jobs that should long have reached their queue and been done, by position: a page of the sweeper's list."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            f"""
            SELECT {_JOB_COLUMNS} FROM jobs
            WHERE status = 'pending' AND created_at < now() - make_interval(secs => $1) AND position > $2
            ORDER BY position LIMIT $3
            """,
            older_than_s,
            after,
            limit,
        )
    return [_job(row) for row in rows]


async def lag_s(db: Database) -> dict[str, float]:
    """Seconds that the oldest undelivered row of each sink has waited; 0 when all is delivered."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            SELECT c.sink, COALESCE(EXTRACT(EPOCH FROM clock_timestamp() - CASE c.sink
                WHEN 'jobs' THEN (SELECT created_at FROM jobs WHERE (tx_id, position) > (c.tx_id, c.position)
                                  ORDER BY tx_id, position LIMIT 1)
                WHEN 'trading-redis' THEN (SELECT occurred_at FROM trading_facts
                    WHERE (tx_id, position) > (c.tx_id, c.position) ORDER BY tx_id, position LIMIT 1)
                WHEN 'trading-epc' THEN (SELECT occurred_at FROM trading_facts
                    WHERE (tx_id, position) > (c.tx_id, c.position) ORDER BY tx_id, position LIMIT 1)
                WHEN 'trading-notifications' THEN (SELECT occurred_at FROM trading_facts
                    WHERE (tx_id, position) > (c.tx_id, c.position) ORDER BY tx_id, position LIMIT 1)
                ELSE (SELECT occurred_at FROM events WHERE (tx_id, position) > (c.tx_id, c.position)
                      ORDER BY tx_id, position LIMIT 1) END), 0)::float8 AS lag
            FROM relay_cursors c
            """
        )
    return {row["sink"]: max(row["lag"], 0.0) for row in rows}


def _fact(row: asyncpg.Record) -> StoredFact:
    fields = dict(row)
    cursor = Cursor(fields.pop("tx"), fields.pop("position"))
    return StoredFact(**fields, cursor=cursor)


def _job(row: asyncpg.Record) -> StoredJob:
    fields = dict(row)
    cursor = Cursor(fields.pop("tx"), fields.pop("position"))
    return StoredJob(**fields, cursor=cursor)
