"""Notifications as screens show them."""

from typing import Any
from uuid import UUID

from deedbook.infra.database import Database
from deedbook.kernel.ids import UserId
from deedbook.notifications.store import feed

MOST_COUNTED = 1000


async def listing(
    db: Database, user_id: UserId, *, unread: bool, before: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """Somebody's notifications, newest first."""
    async with db.reading() as connection:
        return await feed.page(connection, user_id, unread=unread, before=before, limit=limit)


async def one(db: Database, user_id: UserId, notification_id: UUID) -> dict[str, Any] | None:
    """One of somebody's notifications."""
    async with db.reading() as connection:
        return await feed.one(connection, user_id, notification_id)


async def unread(db: Database, user_id: UserId) -> int:
    """How many somebody has not read, at most a thousand."""
    async with db.reading() as connection:
        return await feed.unread(connection, user_id, MOST_COUNTED)
