"""SQL of the feed: what each was told, and what they have read of it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from deedbook.infra.database import Tx
from deedbook.kernel.ids import UserId, new_uuid
from deedbook.notifications.model import Notice, Summary
from deedbook.notifications.terms import Kind, NotificationId

COLUMNS = (
    "notification_id, user_id, kind, subject_type, subject_id, title, body, details, times, occurred_at, created_at, "
    "read_at"
)


async def known(tx: Tx, user_ids: Collection[UserId]) -> set[UserId]:
    """Those of these who are users of ours."""
    rows = await tx.fetch("SELECT user_id FROM users WHERE user_id = ANY ($1::uuid[])", list(user_ids))
    return {UserId(row["user_id"]) for row in rows}


async def add(tx: Tx, told: Sequence[tuple[Notice, bool]]) -> dict[tuple[UserId, str], NotificationId]:
    """Write notifications down, each with whether it stands in the feed; those that are new, by user and source."""
    rows = await tx.fetch(
        """
        INSERT INTO notifications (notification_id, user_id, kind, source, subject_type, subject_id, title, body,
                                   details, occurred_at, in_app)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::text[],
                             $8::text[], $9::jsonb[], $10::timestamptz[], $11::boolean[])
        ON CONFLICT (user_id, source) DO NOTHING RETURNING notification_id, user_id, source
        """,
        [new_uuid() for _ in told],
        [notice.user_id for notice, _ in told],
        [notice.kind.value for notice, _ in told],
        [notice.source for notice, _ in told],
        [notice.subject_type for notice, _ in told],
        [notice.subject_id for notice, _ in told],
        [notice.title for notice, _ in told],
        [notice.body for notice, _ in told],
        [orjson.dumps(notice.details).decode() for notice, _ in told],
        [notice.occurred_at for notice, _ in told],
        [in_app for _, in_app in told],
    )
    return {(UserId(row["user_id"]), row["source"]): NotificationId(row["notification_id"]) for row in rows}


async def count(tx: Tx, summary: Summary) -> None:
    """Add to the summary of somebody's hour on a pair, which is unread again."""
    await tx.execute(
        """
        INSERT INTO notifications AS n (notification_id, user_id, kind, source, subject_type, subject_id, title, body,
                                        details, occurred_at, in_app, times)
        VALUES ($1, $2, $3, $4, 'pair', $5, $6, $7, '[]', $8, true, $9)
        ON CONFLICT (user_id, source) DO UPDATE
        SET times = n.times + EXCLUDED.times, occurred_at = EXCLUDED.occurred_at, read_at = NULL
        """,
        new_uuid(),
        summary.user_id,
        Kind.ORDERS_SUMMARY.value,
        summary.source,
        summary.pair_id,
        f"Many orders on {summary.symbol}",
        "More of your orders were filled or ended in this hour than are told one by one: see your orders.",
        summary.occurred_at,
        summary.times,
    )


async def orders_heard_of(tx: Tx, user_ids: Collection[UserId], since: datetime) -> dict[UserId, int]:
    """How many notifications of orders each of these has had since."""
    # Their ids begin with the moment at which they were made: the index on them is the one that is there.
    rows = await tx.fetch(
        """
        SELECT user_id, count(*)::int AS heard FROM notifications
        WHERE user_id = ANY ($1::uuid[]) AND notification_id >= $2 AND subject_type = 'order' GROUP BY user_id
        """,
        list(user_ids),
        UUID(int=int(since.timestamp() * 1000) << 80),
    )
    return {UserId(row["user_id"]): row["heard"] for row in rows}


async def page(
    connection: Any, user_id: UserId, *, unread: bool, before: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """Somebody's feed, newest first."""
    rows = await connection.fetch(
        f"""
        SELECT {COLUMNS} FROM notifications
        WHERE user_id = $1 AND in_app AND ($2::uuid IS NULL OR notification_id < $2)
          AND (NOT $3 OR read_at IS NULL)
        ORDER BY notification_id DESC LIMIT $4
        """,
        user_id,
        before,
        unread,
        limit,
    )
    return [dict(row) for row in rows]


async def one(connection: Any, user_id: UserId, notification_id: UUID) -> dict[str, Any] | None:
    """One of somebody's notifications."""
    row = await connection.fetchrow(
        f"SELECT {COLUMNS} FROM notifications WHERE user_id = $1 AND notification_id = $2 AND in_app",
        user_id,
        notification_id,
    )
    return dict(row) if row else None


async def stored(connection: Any, notification_id: NotificationId) -> dict[str, Any]:
    """A notification that a message is of; it goes only together with its messages."""
    row = await connection.fetchrow(
        f"SELECT {COLUMNS} FROM notifications WHERE notification_id = $1", notification_id
    )
    return dict(row)


async def unread(connection: Any, user_id: UserId, limit: int) -> int:
    """How many somebody has not read, counted up to a limit."""
    found = await connection.fetchval(
        "SELECT count(*) FROM (SELECT 1 FROM notifications WHERE user_id = $1 AND in_app AND read_at IS NULL "
        "LIMIT $2) AS n",
        user_id,
        limit,
    )
    return int(found)


async def mark_read(tx: Tx, user_id: UserId, notification_id: UUID) -> bool:
    """Note that it was read, the first time; `False` when it is not theirs."""
    return (
        await tx.fetchval(
            "UPDATE notifications SET read_at = COALESCE(read_at, now()) "
            "WHERE user_id = $1 AND notification_id = $2 AND in_app RETURNING notification_id",
            user_id,
            notification_id,
        )
        is not None
    )


async def mark_all_read(tx: Tx, user_id: UserId, up_to: UUID, limit: int) -> int:
    """Note that everything up to this one was read, the oldest first; how many there were, at most the limit."""
    told = await tx.execute(
        """
        UPDATE notifications SET read_at = now() WHERE notification_id IN (
            SELECT notification_id FROM notifications
            WHERE user_id = $1 AND notification_id <= $2 AND in_app AND read_at IS NULL
            ORDER BY notification_id LIMIT $3)
        """,
        user_id,
        up_to,
        limit,
    )
    return int(told.rsplit(" ", 1)[1])


async def remove_old(tx: Tx, before: datetime, limit: int) -> int:
    """Forget what was told before a moment; how many, at most the limit."""
    told = await tx.execute(
        "DELETE FROM notifications WHERE ctid IN (SELECT ctid FROM notifications WHERE created_at < $1 LIMIT $2)",
        before,
        limit,
    )
    return int(told.rsplit(" ", 1)[1])
